import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { argumentsDigest, canonicalJson, digestKey, eventHash, tenantDigestKey } from './digest.js';

const key = Uint8Array.from({ length: 32 }, (_, at) => at);

test('digests are pinned: SHA-256, HKDF-SHA-256 (RFC 5869) and HMAC-SHA-256 as others compute them', () => {
  expect(eventHash('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  const tenantKey = tenantDigestKey(key, 'acme');
  expect(tenantKey).toEqual(
    digestKey(Buffer.from('7a74c884cc1b344ed701b2917b522645a0d5b25574886ac714fe6de2dfccb508', 'hex')),
  );
  expect(argumentsDigest(tenantKey, { b: null, a: [1, 'x'] })).toBe(
    '929fb2228e62a7e7bd10e27a189f22479153cb0b2aee3f235847650defa39577',
  );
});

test('the digest is HMAC-SHA-256 as the crypto library computes it, whatever the key and the arguments', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.jsonValue(), (bytes, value) => {
      const expected = createHmac('sha256', bytes).update(canonicalJson(value)).digest('hex');
      expect(argumentsDigest(digestKey(bytes), value)).toBe(expected);
    }),
  );
});

test('equal arguments of two tenants do not look alike', () => {
  expect(argumentsDigest(tenantDigestKey(key, 'a'), {})).not.toBe(argumentsDigest(tenantDigestKey(key, 'b'), {}));
});

test.each<[unknown, string]>([
  [{ b: 1, a: { d: [true, null], c: 'é"\n' } }, '{"a":{"c":"é\\"\\n","d":[true,null]},"b":1}'],
  [{ '10': 1, '9': 2, B: 3, a: 4 }, '{"10":1,"9":2,"B":3,"a":4}'],
  [{ a: undefined }, '{}'],
  [[undefined], '[null]'],
  [undefined, 'null'],
  [-0, '0'],
  ['\ud800', '"\\ud800"'],
  [JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
])('the canonical form of %j is %s', (value, text) => expect(canonicalJson(value)).toBe(text));

test('the canonical form is JSON of an equal value, whatever the order of its keys', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== 'object' || value === null) return value;
    const turned = Object.create(null);
    for (const [name, inner] of Object.entries(value).reverse()) turned[name] = shuffled(inner);
    return turned;
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
