import type { Api, Query } from '../api.js';
import { NotDone } from '../faults.js';
import type { VerbPorts } from '../verb.js';
import { userAdd } from './user-add.js';
import { userDisable, userEnable } from './user-disable.js';
import { userList } from './user-list.js';
import { userRemove } from './user-remove.js';
import { userReset } from './user-reset.js';

const ID = `usr_${'b'.repeat(26)}`;
const user = (username: string, user_id = ID) => ({
  user_id,
  tenant: 'default',
  username,
  roles: ['analyst'],
  disabled: false,
  created_at: '2026-11-20T10:00:00.000Z',
});

/** Two pages of users: ann, then bob. */
function gate() {
  const changes: unknown[] = [];
  const notes: string[] = [];
  const api: Api = {
    get: async (_, { cursor }: Query = {}) =>
      cursor === 'two'
        ? { items: [user('bob')], next_cursor: null }
        : { items: [user('ann', `usr_${'a'.repeat(26)}`)], next_cursor: 'two' },
    async send(method, path, body, query) {
      changes.push([method, path, body, query]);
      return method === 'POST' ? { ...user('cid'), password: 'once' } : undefined;
    },
  };
  const ports = { admin: async () => api, note: (line: string) => void notes.push(line) } as unknown as VerbPorts;
  return { ports, changes, notes };
}

test('a user is made with roles, and the password that the gate made is printed once', async () => {
  const { ports, changes, notes } = gate();
  const { json, text } = await userAdd.run({ username: 'cid', role: ['analyst', 'responder'] }, ports);
  expect(json).toEqual({ user_id: ID, username: 'cid', password: 'once' });
  expect(text).toContain('once');
  expect(changes).toEqual([['POST', '/users', { username: 'cid', roles: ['analyst', 'responder'] }, undefined]]);
  expect(notes).toHaveLength(1);
});

test('no option takes a password', () => {
  expect(userAdd.options.map(({ flags }) => flags).join(' ')).not.toMatch(/pass|secret/i);
});

test.each([[{}], [{ role: [] }], [{ role: ['boss'] }]])('the roles %j are wrong use', (given) => {
  expect(userAdd.input.safeParse({ username: 'x', ...given }).error?.issues[0]?.path[0]).toBe('role');
});

test('a list that goes on says so beside itself', async () => {
  const { ports, notes } = gate();
  expect((await userList.run({ limit: 1 }, ports)).json).toMatchObject([{ username: 'ann' }]);
  expect(notes).toEqual(['There is more: add --cursor two']);
});

test('a user is removed by id, or by name wherever in the list it is', async () => {
  const { ports, changes } = gate();
  await userRemove.run({ user: ' Bob ' }, ports);
  await userRemove.run({ user: ID, tenant: 't1' }, ports);
  expect(changes).toEqual([
    ['DELETE', `/users/${ID}`, undefined, { tenant: undefined }],
    ['DELETE', `/users/${ID}`, undefined, { tenant: 't1' }],
  ]);
});

test('a name that nobody has removes nobody', async () => {
  const { ports, changes } = gate();
  await expect(userRemove.run({ user: 'carol' }, ports)).rejects.toThrow(NotDone);
  expect(changes).toEqual([]);
});

test('a user is disabled, enabled and given another password, by id or by name', async () => {
  const { ports, changes, notes } = gate();
  expect((await userDisable.run({ user: 'Bob' }, ports)).json).toEqual({ user_id: ID, disabled: true });
  expect((await userEnable.run({ user: ID, tenant: 't1' }, ports)).text).toBe(`${ID} is enabled.`);
  expect((await userReset.run({ user: 'bob' }, ports)).json).toEqual({
    user_id: ID,
    username: 'cid',
    password: 'once',
  });
  expect(changes).toEqual([
    ['PATCH', `/users/${ID}`, { disabled: true }, { tenant: undefined }],
    ['PATCH', `/users/${ID}`, { disabled: false }, { tenant: 't1' }],
    ['POST', `/users/${ID}/password`, {}, { tenant: undefined }],
  ]);
  expect(notes).toEqual([expect.stringMatching(/shown this once/)]);
});
