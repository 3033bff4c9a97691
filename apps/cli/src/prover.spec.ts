import { createHash } from 'node:crypto';
import { decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose';
import { newProver } from './prover.js';

const URL_ = 'https://mcp.example/mcp';
let words = 0;
const ports = { randomWord: () => `word-${++words}`, now: () => 1_800_000_000_000 };
const saying = (nonce?: string) => ({ header: (name: string) => (name === 'dpop-nonce' ? nonce : undefined) });
const claimsOf = async (proof: string) => (await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' })).payload;

test('a proof says what it is for, is signed by the key it shows, and is never the same twice', async () => {
  const prover = await newProver(ports);
  const [first, second] = [await prover.proof(URL_, 'token'), await prover.proof(URL_)];
  expect(await claimsOf(first)).toEqual({
    jti: 'word-1',
    htm: 'POST',
    htu: URL_,
    iat: 1_800_000_000,
    ath: createHash('sha256').update('token').digest('base64url'),
  });
  expect(await claimsOf(second)).toMatchObject({ jti: 'word-2' });
  expect(Object.keys(decodeProtectedHeader(first).jwk ?? {}).sort()).toEqual(['crv', 'kty', 'x', 'y']);
});

test('the nonce of a server goes into the next proof for it, and for no other', async () => {
  const prover = await newProver(ports);
  expect(prover.heard(URL_, saying())).toBe(false);
  expect(prover.heard(URL_, saying('n-1'))).toBe(true);
  expect((await claimsOf(await prover.proof(URL_))).nonce).toBe('n-1');
  expect((await claimsOf(await prover.proof('https://other.example/'))).nonce).toBeUndefined();
});
