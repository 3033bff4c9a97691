import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { proofBy, proofKey, type ProofKey } from './proof.fixture.js';
import { proofSigners, type ProofSigner, type SignerOf } from './proof-signer.js';

const partsOf = (proof: string) => {
  const [header = '', payload = '', signature = ''] = proof.split('.');
  return { header, text: `${header}.${payload}`, signature };
};
const headerOf = (words: object) => Buffer.from(JSON.stringify(words)).toString('base64url');
const own = await proofKey();

describe.each(['ES256', 'EdDSA', 'Ed25519', 'RS256'] as const)('a proof signed with %s', (alg) => {
  let key: ProofKey;
  beforeAll(async () => {
    key = await proofKey(alg);
  });

  test('is good as it is, and with nothing changed in it', async () => {
    const { header, text, signature } = partsOf(await proofBy(key, { htu: 'https://mcp.example/mcp' }));
    const signer = proofSigners(verify)(header, key.jkt)!;
    expect(signer.jkt).toBe(key.jkt);
    expect(await signer.signed(text, signature)).toBe(true);
    expect(await signer.signed(`${text}x`, signature)).toBe(false);
    for (const wrong of ['', 'AA', signature.slice(0, -4), `${signature}AAAA`, Buffer.alloc(64).toString('base64url')])
      expect(await signer.signed(text, wrong)).toBe(false);
    const bytes = Buffer.from(signature, 'base64url');
    bytes[10]! ^= 1;
    expect(await signer.signed(text, bytes.toString('base64url'))).toBe(false);
  });

  test('of another key is not', async () => {
    const { text, signature } = partsOf(await proofBy(await proofKey(alg), { htu: 'https://mcp.example/mcp' }));
    const { header } = partsOf(await proofBy(key, { htu: 'https://mcp.example/mcp' }));
    expect(await proofSigners(verify)(header, key.jkt)!.signed(text, signature)).toBe(false);
  });
});

test('an ES256 signature is good if and only if node:crypto and jose say so', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  const header = headerOf({ alg: 'ES256', typ: 'dpop+jwt', jwk });
  const signer = proofSigners(verify)(header, '')!;
  const half = fc.oneof(
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
    // short numbers, noughts, and those at the edge of a sign
    fc
      .constantFrom(0, 1, 0x7f, 0x80, 0xff)
      .map((last) => Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? last : 0))),
  );
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.option(fc.tuple(half, half)), async (words, made) => {
      const text = `${header}.${Buffer.from(JSON.stringify({ words })).toString('base64url')}`;
      const given = made
        ? Buffer.concat(made)
        : sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const expected = verify('sha256', Buffer.from(text), { key: publicKey, dsaEncoding: 'ieee-p1363' }, given);
      const signature = given.toString('base64url');
      expect(await signer.signed(text, signature)).toBe(expected);
      const byJose = await jwtVerify(`${text}.${signature}`, publicKey).then(
        () => true,
        () => false,
      );
      expect(byJose).toBe(expected);
      expect(expected).toBe(made === null);
    }),
    { numRuns: 300 },
  );
});

describe('is no header of a proof', () => {
  const { alg, jwk } = own;
  const good = { alg, typ: 'dpop+jwt', jwk };
  const offCurve = { ...jwk, y: jwk.x };

  test.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', Buffer.from('{').toString('base64url')],
    ['a list', headerOf([good])],
    ['null', Buffer.from('null').toString('base64url')],
    ['one of another type', headerOf({ ...good, typ: 'JWT' })],
    ['one without a type', headerOf({ alg, jwk })],
    ['one with an extension that has to be understood', headerOf({ ...good, crit: ['x'], x: 1 })],
    ['one without a key', headerOf({ alg, typ: 'dpop+jwt' })],
    ['one with a point that is not on the curve', headerOf({ ...good, jwk: offCurve })],
    [
      'one with a point of small order, for which anybody can sign',
      headerOf({ alg: 'EdDSA', typ: 'dpop+jwt', jwk: { kty: 'OKP', crv: 'Ed25519', x: `AQ${'A'.repeat(41)}` } }),
    ],
    ['one that says its type twice', Buffer.from(`{"typ":"a",${JSON.stringify(good).slice(1)}`).toString('base64url')],
    ['one of many members', headerOf({ ...good, ...Object.fromEntries(Array.from({ length: 70 }, (_, i) => [i, i])) })],
  ])('%s', (_what, header) => expect(proofSigners(verify)(header, own.jkt)).toBeUndefined());

  test.each(['dpop+jwt', 'DPoP+jwt', 'application/dpop+jwt'])('but one of type %s is', (typ) => {
    expect(proofSigners(verify)(headerOf({ ...good, typ }), own.jkt)?.jkt).toBe(own.jkt);
  });
});

describe('headers that are kept', () => {
  const header = headerOf({ alg: own.alg, typ: 'dpop+jwt', jwk: own.jwk });
  const again = (signerOf: SignerOf, jkt: string, text = header): [ProofSigner, ProofSigner] => [
    signerOf(text, jkt)!,
    signerOf(text, jkt)!,
  ];

  test('are those whose key the token names', () => {
    const [first, second] = again(proofSigners(verify), own.jkt);
    expect(second).toBe(first);
  });

  test('and no others, which anybody could make up', () => {
    const [first, second] = again(proofSigners(verify), 'of-another-key');
    expect(second).not.toBe(first);
    expect(second.jkt).toBe(own.jkt);
  });

  test('are the last thousand', () => {
    const signerOf = proofSigners(verify);
    const first = signerOf(header, own.jkt);
    const more = (n: number) => headerOf({ alg: own.alg, typ: 'dpop+jwt', jwk: own.jwk, n });
    for (let n = 0; n < 999; n++) signerOf(more(n), own.jkt);
    expect(signerOf(header, own.jkt)).toBe(first);
    signerOf(more(999), own.jkt);
    expect(signerOf(header, own.jkt)).not.toBe(first);
  });
});
