import { generateKeyPairSync } from 'node:crypto';
import { assertionAlgOf, publicJwks } from './client-keys.js';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const okp = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicOf = ({ publicKey }: Pick<typeof ec, 'publicKey'>) => publicKey.export({ format: 'jwk' });
const privateOf = ({ privateKey }: Pick<typeof ec, 'privateKey'>) => privateKey.export({ format: 'jwk' });
const wrongWith = (...keys: object[]) => publicJwks.safeParse({ keys }).error?.issues[0];

test.each([
  ['P-256', publicOf(ec), 'ES256'],
  ['Ed25519', publicOf(okp), 'EdDSA'],
  ['RSA from 2048 bits', publicOf(rsa), 'RS256'],
])('a key of %s is good for one algorithm', (_, key, alg) => {
  const { keys } = publicJwks.parse({ keys: [{ ...key, alg, use: 'sig', kid: 'k', more: 1 }] });
  expect(keys).toEqual([{ ...key, kid: 'k' }]);
  expect(keys.map(assertionAlgOf)).toEqual([alg]);
});

test.each([
  ['EC', privateOf(ec)],
  ['Ed25519', privateOf(okp)],
  ['RSA', privateOf(rsa)],
])('a private key of %s is refused and called private', (_, key) => {
  expect(wrongWith(key)).toMatchObject({ message: expect.stringContaining('is private') });
});

test.each<[string, object, (string | number)[]]>([
  ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }, ['keys', 0, 'kty']],
  ['another curve', { ...publicOf(ec), crv: 'P-384' }, ['keys', 0, 'crv']],
  ['a point off the curve', { ...publicOf(ec), y: 'b'.repeat(43) }, ['keys', 0]],
  ['a key for agreement', { ...publicOf(okp), crv: 'X25519' }, ['keys', 0, 'crv']],
  ['RSA of 1024 bits', { kty: 'RSA', n: Buffer.alloc(128, 0xff).toString('base64url'), e: 'AQAB' }, ['keys', 0, 'n']],
  ['RSA of 2047 bits', { kty: 'RSA', n: nOf(0x7f, 256), e: 'AQAB' }, ['keys', 0, 'n']],
  ['RSA of 1024 bits behind zeros', { kty: 'RSA', n: nOf(0, 384, 256), e: 'AQAB' }, ['keys', 0, 'n']],
  ['RSA of 4104 bits', { kty: 'RSA', n: nOf(0xff, 513), e: 'AQAB' }, ['keys', 0, 'n']],
  ['the exponent 3', { ...publicOf(rsa), e: 'Aw' }, ['keys', 0, 'e']],
  ['the algorithm of another kind', { ...publicOf(rsa), alg: 'ES256' }, ['keys', 0, 'alg']],
  ['PS256', { ...publicOf(rsa), alg: 'PS256' }, ['keys', 0, 'alg']],
  ['a key for encryption', { ...publicOf(ec), use: 'enc' }, ['keys', 0, 'use']],
])('%s is refused, and what is wrong is named', (_, key, path) => {
  expect(wrongWith(key)?.path).toEqual(path);
});

test('a set has one to five keys', () => {
  expect(wrongWith()?.path).toEqual(['keys']);
  expect(wrongWith(...Array.from({ length: 6 }, () => publicOf(ec)))?.path).toEqual(['keys']);
});

/** A modulus of so many bytes that begins with `first`; the first `zeros` bytes are 0. */
function nOf(first: number, bytes: number, zeros = 0): string {
  const n = Buffer.alloc(bytes, 0xff);
  n[0] = first;
  return n.fill(0, 0, zeros).toString('base64url');
}
