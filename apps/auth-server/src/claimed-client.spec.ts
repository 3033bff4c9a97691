import { randomBytes, randomUUID } from 'node:crypto';
import { claimedClient } from './claimed-client.js';

test.each(['desktop', 'support-agent', 'web-2', 'local-admin', '0d8b3f7e-6a52-4f0b-9d57-2f7c3d9e1a44'])(
  '%s, which looks like an id of ours, is written down',
  (id) => expect(claimedClient(id)).toBe(id),
);

test('a new id of ours is written down', () => {
  const id = randomUUID();
  expect(claimedClient(id)).toBe(id);
});

test.each([
  ['a secret of ours', `pcs_${randomBytes(32).toString('base64url')}`],
  ['a code', randomBytes(32).toString('base64url')],
  ['a hex key', randomBytes(16).toString('hex')],
  ['the beginning of a JWT', 'eyJhbGciOiJFUzI1NiJ9.e30'],
  ['a password', 'Tr0ub4dor&3'],
  ['an address', 'sam@example.org'],
  ['nothing', ''],
  ['very much', 'a'.repeat(100_000)],
])('%s is a digest', (_what, text) => {
  const written = claimedClient(text);
  expect(written).toMatch(/^sha256:[0-9a-f]{16}$/);
  expect(claimedClient(text)).toBe(written);
});
