import { hashPassword, passwordMatches, SALT_BYTES } from './password.js';

const salt = new Uint8Array(SALT_BYTES).fill(5);

test('a hash is an argon2id PHC string with the parameters in it', async () => {
  const hash = await hashPassword('correct horse', salt);
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await passwordMatches('correct horse', hash)).toBe(true);
  expect(await passwordMatches('correct horsE', hash)).toBe(false);
  expect(await passwordMatches('', hash)).toBe(false);
});

test('another salt gives another hash', async () => {
  const [a, b] = await Promise.all([hashPassword('x', salt), hashPassword('x', new Uint8Array(SALT_BYTES))]);
  expect(a).not.toBe(b);
});

test('the same characters composed otherwise are the same password', async () => {
  expect(await passwordMatches('cafe\u0301', await hashPassword('caf\u00e9', salt))).toBe(true);
});

// reference vector: printf %s password | argon2 somesalt -id -v 13 -t 2 -k 256 -p 1 -e (phc-winner-argon2, test.c)
test('a hash that the reference implementation made fits', async () => {
  const reference = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
  expect(await passwordMatches('password', reference)).toBe(true);
});

test.each([
  ['nothing', ''],
  ['another algorithm', '$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'],
  ['a hash that is cut', '$argon2id$v=19$m=19456,t=2,p=1$BQUFBQUFBQUFBQUFBQUFBQ$'],
  [
    'a hash that would take all memory',
    '$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  ],
  [
    'a hash that would take all day',
    '$argon2id$v=19$m=256,t=999,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  ],
])('%s in the place of a hash fits nothing', async (_says, stored) => {
  expect(await passwordMatches('password', stored)).toBe(false);
});
