import { clientSecretOf, indexOfHash, secretHash, secretHashes } from './client-secret.js';

const [key, old, other] = [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) as [Uint8Array, Uint8Array, Uint8Array];
const secret = clientSecretOf(new Uint8Array(32).fill(7));

test('a secret is 256 bits with a prefix that scanners find', () => {
  expect(secret).toMatch(/^pcs_[A-Za-z0-9_-]{43}$/);
});

test('the hash is HMAC-SHA-256 and does not hold the secret', () => {
  const hash = secretHash(key, 'a', secret);
  expect(Buffer.from(hash, 'base64url')).toHaveLength(32);
  expect(hash).not.toContain(secret.slice(4));
});

test.each([
  ['the secret', [key], 'a', secret, true],
  ['the secret, hashed under the key that is being retired', [other, key], 'a', secret, true],
  ['another secret', [key], 'a', `${secret}x`, false],
  ['no secret', [key], 'a', '', false],
  ['the hash itself', [key], 'a', secretHash(key, 'a', secret), false],
  ['the secret at another client', [key], 'b', secret, false],
  ['the secret under a key that is gone', [old, other], 'a', secret, false],
])('%s', (_says, keys, clientId, presented, matches) => {
  expect(indexOfHash(secretHashes(keys, clientId, presented), secretHash(key, 'a', secret)) >= 0).toBe(matches);
});

test('which key it was is said, so that the hash can be made anew under the present one', () => {
  expect(indexOfHash(secretHashes([other, key], 'a', secret), secretHash(key, 'a', secret))).toBe(1);
});

test('a client without a stored hash has no secret that fits', () => {
  expect(indexOfHash(secretHashes([key], 'a', ''), '')).toBe(-1);
});
