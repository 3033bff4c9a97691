import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { proofJwk, thumbprint } from './proof-key.js';
import { proofKey } from './proof.fixture.js';

test.each(['ES256', 'EdDSA', 'Ed25519', 'RS256'] as const)(
  'a public key for %s, by its thumbprint (RFC 7638)',
  async (alg) => {
    const { jwk } = await proofKey(alg);
    const found = proofJwk(alg, { ...jwk, kid: 'mine', use: 'sig' })!;
    expect(thumbprint(found)).toBe(await calculateJwkThumbprint(jwk));
  },
);

test('the thumbprint of the RSA key of RFC 7638 §3.1', () => {
  const jwk = {
    kty: 'RSA',
    n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
    e: 'AQAB',
  };
  expect(thumbprint(proofJwk('RS256', jwk)!)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
});

describe('is no key for a proof', () => {
  const x = 'x'.repeat(43);
  const ec = { kty: 'EC', crv: 'P-256', x, y: x };
  const modulus = (bits: number) => Buffer.alloc(bits / 8, 0xff).toString('base64url');
  const rsa = (bits: number, more: object = {}) => ({ kty: 'RSA', n: modulus(bits), e: 'AQAB', ...more });

  test.each<[string, unknown, unknown]>([
    ['nothing', 'ES256', undefined],
    ['null', 'ES256', null],
    ['a text', 'ES256', 'key'],
    ['a symmetric key', 'HS256', { kty: 'oct', k: x }],
    ['a symmetric key that calls itself ES256', 'ES256', { kty: 'oct', k: x }],
    ['an algorithm of none', 'none', ec],
    ['no algorithm', undefined, ec],
    ['a name of Object’s', 'constructor', ec],
    ['ES384', 'ES384', { ...ec, crv: 'P-384' }],
    ['another curve', 'ES256', { ...ec, crv: 'secp256k1' }],
    ['a key for another algorithm', 'RS256', ec],
    ['a coordinate too long', 'ES256', { ...ec, x: `${x}x` }],
    ['a certificate only', 'RS256', { x5c: ['MII'] }],
    ['the address of a key only', 'ES256', { jku: 'https://evil.example/jwks' }],
    ['an RSA key of 2,040 bits', 'RS256', rsa(2040)],
    ['an RSA key of 2,048 bits that begin with noughts', 'RS256', { ...rsa(2048), n: `A${modulus(2048).slice(1)}` }],
    ['an RSA key of 8,192 bits', 'RS256', rsa(8192)],
    ['an RSA key with a huge exponent', 'RS256', rsa(2048, { e: modulus(2048) })],
    ['an RSA key with an exponent of 3', 'RS256', rsa(2048, { e: 'Aw' })],
  ])('%s', (_what, alg, jwk) => expect(proofJwk(alg, jwk)).toBeUndefined());

  test.each(['ES256', 'EdDSA', 'RS256'] as const)('a private %s key', async (alg) => {
    const { privateKey } = await proofKey(alg);
    expect(proofJwk(alg, await exportJWK(privateKey))).toBeUndefined();
  });

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])(
    'a public key with the private member %s',
    async (member) => {
      const { jwk } = await proofKey('RS256');
      expect(proofJwk('RS256', { ...jwk, [member]: 'x' })).toBeUndefined();
    },
  );

  test('an RSA key of 1,024 bits', async () => {
    const pair = await crypto.subtle.generateKey(
      { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) },
      true,
      ['sign', 'verify'],
    );
    expect(proofJwk('RS256', (await crypto.subtle.exportKey('jwk', pair.publicKey)) as JWK)).toBeUndefined();
  });
});

describe('a point of Ed25519 that anybody can sign for', () => {
  const p = 2n ** 255n - 19n;
  const littleEndian = (y: bigint): Buffer => Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
  /** y of a point of order 8 */
  const eighth = BigInt(
    '0x' +
      Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex').reverse().toString('hex'),
  );
  const ys = { 'order 4': [0n, p], 'order 1': [1n, p + 1n], 'order 2': [p - 1n], 'order 8': [eighth, p - eighth] };
  const keys = Object.entries(ys).flatMap(([order, all]) =>
    all.flatMap((y) => [y, y + 2n ** 255n].map((point) => [order, littleEndian(point).toString('base64url')] as const)),
  );

  test.each(keys)('of %s is no key for a proof: %s', (_order, x) => {
    for (const alg of ['EdDSA', 'Ed25519']) expect(proofJwk(alg, { kty: 'OKP', crv: 'Ed25519', x })).toBeUndefined();
  });

  test('is none in another spelling of its last bits either', () => {
    for (const last of 'ABCD')
      expect(proofJwk('EdDSA', { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(42) + last })).toBeUndefined();
  });

  test('is not every small number', () => {
    const x = littleEndian(2n).toString('base64url');
    expect(proofJwk('EdDSA', { kty: 'OKP', crv: 'Ed25519', x })).toBeDefined();
  });
});

test('RSA keys of 2,048, 3,072 and 4,096 bits are keys for a proof', async () => {
  for (const modulusLength of [2048, 3072, 4096]) {
    const { publicKey } = await generateKeyPair('RS256', { modulusLength, extractable: true });
    expect(proofJwk('RS256', await exportJWK(publicKey))).toMatchObject({ kty: 'RSA' });
  }
}, 60_000);
