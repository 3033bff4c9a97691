import type { JWK } from 'jose';
import { openKey, openSigningKeys, publicKeySet, sealKey, KeysCannotBeOpened, type SealedKey } from './signing-keys.js';

const [kek, old, other] = [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) as [Uint8Array, Uint8Array, Uint8Array];
const jwk: JWK = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'very private', kid: 'k1' };
const stored = async (kid = 'k1', key = kek): Promise<SealedKey> => ({
  kid,
  alg: 'ES256',
  state: 'active',
  publicJwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid },
  sealed: await sealKey(jwk, key),
  notBefore: 0,
  notAfter: undefined,
});

test('a sealed key does not show the private key, and opens with its key or the one before', async () => {
  const key = await stored();
  expect(Buffer.from(key.sealed, 'base64url').toString()).not.toContain('private');
  expect(key.sealed).not.toBe((await stored()).sealed);
  for (const keks of [[kek], [other, kek]])
    expect(await openKey(key, keks)).toEqual({ ...jwk, alg: 'ES256', use: 'sig' });
});

test.each<[string, () => Promise<SealedKey>]>([
  ['another key', () => stored('k1', old)],
  ['a seal that belongs to another row', () => stored('k2')],
  [
    'a seal that was changed',
    async () => ({ ...(await stored()), sealed: (await stored()).sealed.replace(/.{4}$/, 'AAAA') }),
  ],
  ['no seal', async () => ({ ...(await stored()), sealed: '' })],
])('%s does not open', async (_says, key) => {
  await expect(openKey(await key(), [kek, other])).rejects.toThrow(KeysCannotBeOpened);
});

test('the first key is made once', async () => {
  const rows: SealedKey[] = [];
  const keys = { list: () => Promise.resolve([...rows]), addFirst: async (key: SealedKey) => void rows.push(key) };
  let made = 0;
  const make = () => ((made += 1), stored());
  expect(await openSigningKeys(keys, [kek], make)).toHaveLength(1);
  expect(await openSigningKeys(keys, [kek], make)).toHaveLength(1);
  expect(made).toBe(1);
});

test('what verifiers get has no private member', () => {
  expect(publicKeySet([{ ...jwk, alg: 'ES256', use: 'sig' }])).toEqual({
    keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k1', alg: 'ES256', use: 'sig' }],
  });
});
