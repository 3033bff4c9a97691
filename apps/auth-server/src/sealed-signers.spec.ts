import { sealedSigners } from './sealed-signers.memory.js';
import { signersContract } from './signer.contract.js';
import { KeyCannotBeOpened } from './signer.js';
import { vault } from './vault-signers.fixture.js';

const [kek, old, other] = [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) as [Uint8Array, Uint8Array, Uint8Array];

describe('sealed keys', () => signersContract(() => sealedSigners([kek])));
describe('keys in a vault of another make', () => {
  const { signers } = vault();
  signersContract(() => signers);
});

test('a seal shows nothing of the private key, and is never the same twice', async () => {
  const made = await sealedSigners([kek]).make('ES256');
  const text = made.sealed.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
  expect(text[0]).toBe(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid: made.kid }));
  expect(text.slice(1).join()).not.toMatch(/"d"|P-256/);
  const resealed = await sealedSigners([other, kek]).reseal(made);
  expect([resealed === undefined, resealed === made.sealed]).toEqual([false, false]);
});

test('a key is sealed anew under the newest KEY_ENCRYPTION_KEY, and only then', async () => {
  const made = await sealedSigners([old]).make('ES256');
  const both = sealedSigners([kek, old]);
  await expect(both.open(made)).resolves.toMatchObject({ kid: made.kid });
  const sealed = (await both.reseal(made)) ?? '';
  await expect(sealedSigners([kek]).open({ ...made, sealed })).resolves.toMatchObject({ kid: made.kid });
  await expect(sealedSigners([old]).open({ ...made, sealed })).rejects.toThrow(KeyCannotBeOpened);
  expect(await both.reseal({ ...made, sealed })).toBeUndefined();
});

test.each<[string, (sealed: string) => string]>([
  ['a byte of the private key', (sealed) => changed(sealed, 3)],
  ['a byte of the tag', (sealed) => changed(sealed, 4)],
  ['the key it is for', (sealed) => changed(sealed, 0)],
  [
    'the algorithm of the seal',
    (sealed) => sealed.replace(/^[^.]*/, Buffer.from('{"alg":"dir","enc":"A128CBC-HS256"}').toString('base64url')),
  ],
])('a seal does not open when %s was changed', async (_what, change) => {
  const made = await sealedSigners([kek]).make('ES256');
  await expect(sealedSigners([kek]).open({ ...made, sealed: change(made.sealed) })).rejects.toThrow(KeyCannotBeOpened);
});

test('with another KEY_ENCRYPTION_KEY nothing opens, and the words say which setting and show no key', async () => {
  const made = await sealedSigners([kek]).make('ES256');
  const error = await sealedSigners([old, other])
    .open(made)
    .catch((thrown: Error) => thrown);
  expect(String(error)).toMatch(/KEY_ENCRYPTION_KEY/);
  expect(String(error)).not.toContain(made.sealed);
});

const changed = (sealed: string, part: number): string => {
  const parts = sealed.split('.');
  const bytes = Buffer.from(parts[part] ?? '', 'base64url');
  bytes[5]! ^= 1;
  return parts.with(part, bytes.toString('base64url')).join('.');
};
