import type { Api, Query } from '../api.js';
import { WrongUse } from '../faults.js';
import type { VerbPorts } from '../verb.js';
import { clientAdd } from './client-add.js';
import { clientDisable, clientEnable } from './client-disable.js';
import { clientList } from './client-list.js';
import { clientRemove } from './client-remove.js';
import { clientRotate } from './client-rotate.js';
import { clientShow } from './client-show.js';

const client = {
  client_id: 'cli_a',
  tenant: 'default',
  name: 'support agent',
  auth_method: 'client_secret_basic',
  redirect_uris: [],
  grant_types: ['client_credentials'],
  scopes: ['customer:read'],
  dpop_bound_access_tokens: false,
  require_pushed_authorization_requests: false,
  disabled: false,
  created_at: '2026-11-20T10:00:00.000Z',
};

function gate(file = '') {
  const asked: unknown[] = [];
  const notes: string[] = [];
  const scopes: string[][] = [];
  const api: Api = {
    async get(path, query: Query = {}) {
      asked.push([path, query]);
      return path === '/clients' ? { items: [client], next_cursor: null } : client;
    },
    async send(method, path, body, query) {
      asked.push([method, path, body, query]);
      return method === 'POST' ? { ...client, client_secret: 'once' } : undefined;
    },
  };
  const ports = {
    admin: async (_: string, asked: string[]) => {
      scopes.push(asked);
      return api;
    },
    note: (line: string) => void notes.push(line),
    fileText: async () => file,
  } as unknown as VerbPorts;
  const add = (given: Record<string, unknown>) => clientAdd.run(clientAdd.input.parse({ name: 'n', ...given }), ports);
  return { ports, asked, notes, scopes, add };
}

test('a client is registered with its ceiling, and id and secret are all that is printed', async () => {
  const { add, asked, notes, scopes } = gate();
  const { json } = await add({ scope: ['customer:read ticket:read,ticket:create', 'account:calculate'] });
  expect(json).toEqual({ client_id: 'cli_a', client_secret: 'once' });
  expect(asked).toEqual([
    [
      'POST',
      '/clients',
      {
        name: 'n',
        auth_method: 'client_secret_basic',
        scopes: ['customer:read', 'ticket:read', 'ticket:create', 'account:calculate'],
        redirect_uris: [],
      },
      undefined,
    ],
  ]);
  expect(notes).toEqual([expect.stringMatching(/shown this once/)]);
  expect(scopes).toEqual([['admin:clients']]);
});

test('a ceiling with scopes of people or services is asked for as the platform’s administrator', async () => {
  const { add, scopes } = gate();
  await add({ scope: ['limits:decide'] });
  expect(scopes).toEqual([['admin:clients', 'platform:admin']]);
});

const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' };
test.each([
  ['a JWK set', { keys: [key] }],
  ['one JWK', key],
])('%s in a file is sent as the client’s keys', async (_, content) => {
  const { add, asked } = gate(JSON.stringify(content));
  await add({ scope: ['customer:read'], authMethod: 'private_key_jwt', jwks: 'key.json' });
  expect(asked).toEqual([['POST', '/clients', expect.objectContaining({ jwks: { keys: [key] } }), undefined]]);
});

test('where a client serves its keys is sent instead of keys', async () => {
  const { add, asked } = gate();
  const jwksUri = 'https://keys.example/jwks';
  await add({ scope: ['customer:read'], authMethod: 'private_key_jwt', jwksUri });
  expect(asked).toEqual([['POST', '/clients', expect.objectContaining({ jwks_uri: jwksUri }), undefined]]);
});

test.each([
  ['a private key', { ...key, d: 'secret' }, /key\.json holds a private key/],
  ['a private key in a set', { keys: [key, { ...key, d: 'secret' }] }, /holds a private key/],
  ['a symmetric key', { kty: 'oct', k: 'secret' }, /holds a private key/],
  ['no key', { hello: 1 }, /holds no JWK/],
])('%s never leaves this machine', async (_, content, says) => {
  const { add, asked } = gate(JSON.stringify(content));
  const adding = add({ scope: ['customer:read'], authMethod: 'private_key_jwt', jwks: 'key.json' });
  await expect(adding).rejects.toThrow(WrongUse);
  await expect(adding).rejects.toThrow(says);
  expect(asked).toEqual([]);
});

test('plain bearer tokens and pushed requests are asked for by name, and by nothing else', async () => {
  const { add, asked } = gate();
  await add({ scope: ['customer:read'], bearer: true, requirePar: true });
  await add({ scope: ['customer:read'] });
  const bodies = (asked as [string, string, object][]).map(([, , body]) => body);
  expect(bodies[0]).toMatchObject({ dpop_bound_access_tokens: false, require_pushed_authorization_requests: true });
  expect(Object.keys(bodies[1] ?? {})).not.toContain('dpop_bound_access_tokens');
});

test.each([
  ['no ceiling', {}, 'scope'],
  ['a jwks_uri without https', { scope: ['customer:read'], jwksUri: 'http://keys.example/' }, 'jwksUri'],
  [
    'keys in two places',
    { scope: ['customer:read'], authMethod: 'private_key_jwt', jwks: 'a.json', jwksUri: 'https://keys.example/' },
    'jwksUri',
  ],
  ['an unknown scope', { scope: ['customer:raed'] }, 'scope'],
  ['an empty ceiling', { scope: [' '] }, 'scope'],
  ['another way to prove itself', { scope: ['customer:read'], authMethod: 'password' }, 'authMethod'],
  ['a tenant that cannot be', { scope: ['customer:read'], tenant: 'A B' }, 'tenant'],
])('%s is wrong use', (_, given, wrong) => {
  expect(clientAdd.input.safeParse({ name: 'n', ...given }).error?.issues[0]?.path[0]).toBe(wrong);
});

test('clients are listed, shown and removed in the tenant that was named', async () => {
  const { ports, asked } = gate();
  expect((await clientList.run({ limit: 50, tenant: 't1' }, ports)).json).toEqual([client]);
  expect((await clientShow.run({ client: 'https://a.example/c', tenant: 't1' }, ports)).json).toEqual(client);
  await clientRemove.run({ client: 'cli_a', tenant: 't1' }, ports);
  expect(asked).toEqual([
    ['/clients', { limit: 50, cursor: undefined, tenant: 't1' }],
    ['/clients/https%3A%2F%2Fa.example%2Fc', { tenant: 't1' }],
    ['DELETE', '/clients/cli_a', undefined, { tenant: 't1' }],
  ]);
});

test('a client is disabled and enabled in the tenant that was named', async () => {
  const { ports, asked } = gate();
  expect((await clientDisable.run({ client: 'cli_a', tenant: 't1' }, ports)).json).toEqual({
    client_id: 'cli_a',
    disabled: true,
  });
  expect((await clientEnable.run({ client: 'cli_a' }, ports)).text).toBe('cli_a is enabled.');
  expect(asked).toEqual([
    ['PATCH', '/clients/cli_a', { disabled: true }, { tenant: 't1' }],
    ['PATCH', '/clients/cli_a', { disabled: false }, { tenant: undefined }],
  ]);
});

describe('client rotate', () => {
  const rotate = (given: Record<string, unknown>, of = gate()) =>
    clientRotate.run(clientRotate.input.parse({ client: 'cli_a', ...given }), of.ports);

  test('prints the new secret once, and asks for the overlap that was named', async () => {
    const of = gate();
    expect((await rotate({}, of)).json).toEqual({ client_id: 'cli_a', client_secret: 'once' });
    await rotate({ overlap: '0', tenant: 't1' }, of);
    expect(of.asked).toEqual([
      ['POST', '/clients/cli_a/secret', {}, { tenant: undefined }],
      ['POST', '/clients/cli_a/secret', { overlap_seconds: 0 }, { tenant: 't1' }],
    ]);
    expect(of.notes[0]).toMatch(/shown this once/);
  });

  test('sends the public keys of a file instead, and never a private one', async () => {
    const of = gate(JSON.stringify(key));
    await rotate({ jwks: 'key.json' }, of);
    expect(of.asked).toEqual([['PATCH', '/clients/cli_a', { jwks: { keys: [key] } }, { tenant: undefined }]]);
    const leaky = gate(JSON.stringify({ ...key, d: 'secret' }));
    await expect(rotate({ jwks: 'key.json' }, leaky)).rejects.toThrow(WrongUse);
    expect(leaky.asked).toEqual([]);
  });

  test.each([[{ overlap: '-1' }], [{ overlap: 'soon' }], [{ overlap: '2592001' }], [{ overlap: '1', jwks: 'x' }]])(
    '%j is wrong use',
    (given) => {
      const { error } = clientRotate.input.safeParse({ client: 'cli_a', ...given });
      expect(error?.issues[0]?.path[0]).toBe('overlap');
    },
  );
});

test('a service of all tenants is asked for by a word, and needs the platform’s administrator', async () => {
  const { add, asked, scopes } = gate();
  await add({ scope: ['limits:decide'], allTenants: true, bearer: true });
  expect(asked).toEqual([['POST', '/clients', expect.objectContaining({ all_tenants: true }), undefined]]);
  expect(scopes).toEqual([['admin:clients', 'platform:admin']]);
});

test.each([
  { scope: ['limits:decide customer:read'] },
  { scope: ['limits:decide'], authMethod: 'none' },
  { scope: ['limits:decide'], redirectUri: ['http://127.0.0.1:1/cb'] },
])('all tenants with %j is wrong use, and named', (given) => {
  const { error } = clientAdd.input.safeParse({ name: 'n', allTenants: true, ...given });
  expect(error?.issues[0]?.path).toEqual(['allTenants']);
});

test('a client of all tenants is shown as one', async () => {
  const shown = async (more: object) => {
    const api = { get: async () => ({ ...client, ...more }) };
    const ports = { admin: async () => api } as unknown as VerbPorts;
    return (await clientShow.run({ client: 'cli_a' }, ports)).text;
  };
  expect(await shown({ all_tenants: true })).toContain('default, acts on all');
  expect(await shown({})).not.toContain('acts on all');
});

test('its budgets of customers go along, as numbers', async () => {
  const { add, asked } = gate();
  await add({ scope: ['customer:read'], customersPerTask: '100', customersPerHour: '5000' });
  expect(asked).toEqual([
    ['POST', '/clients', expect.objectContaining({ customers_per_task: 100, customers_per_hour: 5000 }), undefined],
  ]);
});

test.each(['0', '10001', '1.5', 'many', ''])('a budget of %j is wrong use, and named', (wrong) => {
  const parsed = clientAdd.input.safeParse({ name: 'n', scope: ['customer:read'], customersPerTask: wrong });
  expect(parsed.error?.issues[0]?.path).toEqual(['customersPerTask']);
});

const perTask = (more: object) =>
  clientAdd.input.safeParse({ name: 'n', scope: ['customer:read'], ...more }).error?.issues[0];
const loopback = ['http://127.0.0.1:1/cb'];

test.each([
  [{ customersPerTask: '61' }, 1, 'the default of --customers-per-hour makes 60'],
  [{ customersPerTask: '100', customersPerHour: '99' }, 1, '--customers-per-hour 99 makes 99'],
  [{ customersPerTask: '481', redirectUri: loopback }, 8, 'the default of --customers-per-hour makes 480'],
  [{ customersPerTask: '9', customersPerHour: '1', authMethod: 'none' }, 8, '--customers-per-hour 1 makes 8'],
])('%j can never be reached, so it is wrong use, and both options are named', (given, hours, says) => {
  expect(perTask(given)).toMatchObject({
    path: ['customersPerTask'],
    message: `can never be reached: a task of this client lasts at most ${hours} h, in which ${says}. Lower it, or raise --customers-per-hour`,
  });
});

test.each([
  { customersPerTask: '60' },
  { customersPerTask: '100', customersPerHour: '100' },
  { customersPerTask: '480', redirectUri: loopback },
  { customersPerHour: '5' },
])('%j can be reached, or is as for everybody', (given) => expect(perTask(given)).toBeUndefined());
