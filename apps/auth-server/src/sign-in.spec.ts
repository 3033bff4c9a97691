import { hashPassword, passwordMatches } from './password.js';
import { signIn } from './sign-in.js';
import type { UserRecord, Users } from './users.js';

const nobodysHash = await hashPassword('nobody has this', new Uint8Array(16).fill(1));
const sam: UserRecord = {
  tenant: 'default',
  userId: 'usr_sam',
  username: 'sam',
  passwordHash: await hashPassword('open sesame', new Uint8Array(16).fill(2)),
  roles: ['supervisor'],
  demo: false,
  disabled: false,
  createdAt: 0,
  version: 1,
};
const people = [sam, { ...sam, userId: 'usr_off', username: 'off', disabled: true }];
const asked: string[] = [];
const users = {
  byName: (tenant: string, username: string) => {
    asked.push(username);
    return Promise.resolve(people.find((one) => one.tenant === tenant && one.username === username));
  },
} as unknown as Users;
const attempt = (tenant: string, username: string, password: string) =>
  signIn({ users, nobodysHash }, tenant, username, password);

test.each([
  ['the right password signs in', 'default', 'sam', 'open sesame', { ok: true, user: sam }],
  ['case and blanks around a name do not matter', 'default', ' Sam ', 'open sesame', { ok: true, user: sam }],
  ['a wrong password does not', 'default', 'sam', 'open sesamE', { ok: false, sub: 'usr_sam' }],
  ['somebody unknown does not', 'default', 'pam', 'open sesame', { ok: false }],
  ['the password of the dummy hash signs nobody in', 'default', 'pam', 'nobody has this', { ok: false }],
  ['people of another tenant are unknown', 'other', 'sam', 'open sesame', { ok: false }],
  ['somebody who is disabled does not', 'default', 'off', 'open sesame', { ok: false, sub: 'usr_off' }],
])('%s', async (_says, tenant, username, password, result) => {
  expect(await attempt(tenant, username, password)).toEqual(result);
});

test('what cannot be a user name is not looked for', async () => {
  asked.length = 0;
  for (const name of ['', '\0', "x' or 1=1", 'a'.repeat(65)])
    expect(await attempt('default', name, 'x')).toEqual({ ok: false });
  expect(asked).toEqual([]);
});

test.each([
  ['the right password', 'default', 'sam', 'open sesame'],
  ['a wrong password', 'default', 'sam', 'x'],
  ['somebody unknown', 'default', 'pam', 'x'],
  ['somebody of another tenant', 'other', 'sam', 'open sesame'],
  ['somebody who is disabled', 'default', 'off', 'open sesame'],
  ['what cannot be a user name', 'default', 'a\0b', 'x'],
])(
  '%s costs one comparison of the one price, so that its time tells nothing',
  async (_says, tenant, username, password) => {
    const prices: string[] = [];
    const matches = (given: string, hash: string) => {
      prices.push(hash.split('$').slice(0, 4).join('$'));
      return passwordMatches(given, hash);
    };
    await signIn({ users, nobodysHash, matches }, tenant, username, password);
    expect(prices).toEqual(['$argon2id$v=19$m=19456,t=2,p=1']);
  },
);
