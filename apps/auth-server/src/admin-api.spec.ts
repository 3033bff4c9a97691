import { decodeJwt } from 'jose';
import { grantAs, exchange } from './flow.fixture.js';
import {
  adminToken,
  assertion,
  ASSERTION_TYPE,
  basic,
  jsonOf,
  postToken,
  privateJwk,
  secretOf,
  startGate,
  world,
  type Gate,
} from './gate.fixture.js';

let gate: Gate;
/** the local administrator's token, and one without platform:admin */
let platform: string;
let ordinary: string;
beforeAll(async () => {
  gate = await startGate(await world());
  platform = await adminToken(gate, gate.uris.authAdmin, 'admin:clients admin:users admin:keys platform:admin');
  ordinary = await adminToken(gate, gate.uris.authAdmin, 'admin:clients admin:users');
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

async function ask(method: string, path: string, token: string | undefined, body?: unknown) {
  const response = await fetch(`${gate.issuer}/admin/v1${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: jsonOf(text) };
}
const machine = (more: object = {}) => ({
  name: 'Machine',
  auth_method: 'client_secret_basic',
  dpop_bound_access_tokens: false,
  scopes: ['customer:read'],
  ...more,
});
const items = (reply: { body: Record<string, unknown> }) => reply.body.items as Record<string, unknown>[];
const lastEvents = (count: number) => gate.events.seen.slice(-count).map(({ tenant, data }) => ({ tenant, ...data }));

describe('a client that is added', () => {
  test('with a secret gets it once, can use it at once, and both are on record', async () => {
    const added = await ask('POST', '/clients', ordinary, machine({ scopes: ['customer:read', 'ticket:create'] }));
    expect(added).toMatchObject({
      status: 201,
      body: {
        client_id: expect.stringMatching(/^cli_[a-z2-7]{26}$/),
        client_secret: expect.stringMatching(/^pcs_[\w-]{43}$/),
        tenant: 'default',
        name: 'Machine',
        auth_method: 'client_secret_basic',
        grant_types: ['client_credentials'],
        scopes: ['customer:read', 'ticket:create'],
        redirect_uris: [],
        disabled: false,
      },
    });
    const { client_id: id, client_secret: secret } = added.body as Record<string, string>;
    const reason = expect.stringMatching(/name="Machine", scopes=\[customer:read ticket:create\]$/);
    expect(lastEvents(1)).toEqual([
      { tenant: 'default', action: 'client.created', actor: 'local-admin/1000', target: id, reason },
    ]);
    const token = await postToken(gate, { grant_type: 'client_credentials' }, basic(id!, secret!));
    expect(token).toMatchObject({ status: 200, body: { scope: 'customer:read' } });
    const shown = await ask('GET', `/clients/${id}`, ordinary);
    expect(shown.text + (await ask('GET', '/clients?limit=200', ordinary)).text).not.toMatch(/secret_hash|pcs_/);
    expect(JSON.stringify(gate.events.seen) + gate.lines.join()).not.toContain(secret);
  });

  test('with a key gets no secret and uses its key', async () => {
    const key = await privateJwk();
    const { d: _d, ...jwk } = key;
    const added = await ask(
      'POST',
      '/clients',
      ordinary,
      machine({ auth_method: 'private_key_jwt', jwks: { keys: [{ ...jwk, kid: 'k' }] } }),
    );
    expect(added.body).not.toHaveProperty('client_secret');
    const id = String(added.body.client_id);
    const client_assertion = await assertion({ ...key, kid: 'k' }, id, gate.issuer, {}, { alg: 'ES256', kid: 'k' });
    const form = { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion };
    expect(await postToken(gate, form)).toMatchObject({ status: 200 });
  });

  test('for people is native when it listens on loopback only, and works in the browser', async () => {
    const added = await ask('POST', '/clients', ordinary, {
      name: 'CLI',
      auth_method: 'none',
      scopes: ['customer:read'],
      redirect_uris: ['http://127.0.0.1/callback'],
    });
    expect(added.body).toMatchObject({
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
    });
    const client_id = String(added.body.client_id);
    const granted = await grantAs(gate, gate.demo.users[0]!, { client_id });
    expect(granted.pages[0]).toContain('<strong>CLI</strong>');
    expect(await exchange(gate, granted.code ?? '', granted.verifier, { client_id })).toMatchObject({ status: 200 });
  });

  const { kty, crv, x, y } = { kty: 'EC', crv: 'P-256', x: 'a'.repeat(43), y: 'b'.repeat(43) };
  test.each<[string, unknown, string]>([
    ['no name', { ...machine(), name: undefined }, 'name'],
    ['a name that turns text around', machine({ name: 'good\u202eevil' }), 'name'],
    ['an unknown way to prove itself', machine({ auth_method: 'client_secret_jwt' }), 'auth_method'],
    ['an unknown scope', machine({ scopes: ['customer:eat'] }), 'scopes'],
    ['no scopes', machine({ scopes: [] }), 'scopes'],
    ['a field that is none', machine({ client_id: 'mine' }), 'body: Unrecognized key: "client_id"'],
    ['a secret of its own', machine({ client_secret: 'x' }), 'body: Unrecognized key: "client_secret"'],
    ['a key and a secret', machine({ jwks: { keys: [{ kty, crv, x, y }] } }), 'jwks'],
    ['a key method without keys', machine({ auth_method: 'private_key_jwt' }), 'jwks'],
    [
      'a private key',
      machine({ auth_method: 'private_key_jwt', jwks: { keys: [{ kty, crv, x, y, d: x }] } }),
      'jwks.keys.0.d',
    ],
    [
      'an RSA key',
      machine({ auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'RSA', n: x, e: 'AQAB' }] } }),
      'jwks.keys.0.n',
    ],
    ['a tenant that is none', machine({ tenant: 'Not A Tenant' }), 'tenant'],
    [
      'a redirect without the grant',
      machine({ redirect_uris: ['https://a.example'], grant_types: ['client_credentials'] }),
      'redirect_uris',
    ],
    ['the grant without a redirect', machine({ grant_types: ['authorization_code'] }), 'redirect_uris'],
    ['an http redirect', machine({ redirect_uris: ['http://a.example/'] }), 'redirect_uris.0'],
    ['a script as redirect', machine({ redirect_uris: ['javascript:alert(1)'] }), 'redirect_uris.0'],
    [
      'a public machine',
      { name: 'x', auth_method: 'none', scopes: ['customer:read'], grant_types: ['client_credentials'] },
      'grant_types',
    ],
    ['an implicit grant', machine({ grant_types: ['implicit'] }), 'grant_types.0'],
    ['an array', [], 'body'],
    ['__proto__', '{"__proto__":{"name":"x"},"auth_method":"none","scopes":["customer:read"]}', 'name'],
  ])('with %s is 400 and the field is named', async (_says, body, field) => {
    const before = gate.events.seen.length;
    const reply = await ask('POST', '/clients', platform, body);
    expect(reply).toMatchObject({ status: 400, body: { error: 'input_invalid' } });
    expect((reply.body.issues as string[]).some((issue) => issue.startsWith(field))).toBe(true);
    expect(gate.events.seen).toHaveLength(before);
  });

  test.each([['{'], ['"text"'], ['']])('of %j is 400 without a stack', async (body) => {
    const reply = await ask('POST', '/clients', platform, body);
    expect(reply.status).toBe(400);
    expect(reply.text).not.toMatch(/\bat \/|SyntaxError|position/);
  });
});

describe('scopes of people and services in a ceiling', () => {
  test.each([['security:read'], ['limits:decide'], ['platform:admin']])(
    "%s is the platform administrator's to give",
    async (scope) => {
      const body = machine({ scopes: ['customer:read', scope] });
      expect(await ask('POST', '/clients', ordinary, body)).toMatchObject({
        status: 403,
        body: { error: 'scope_insufficient', scopes: ['platform:admin'] },
      });
      const added = await ask('POST', '/clients', platform, body);
      expect(added.status).toBe(201);
      const change = { scopes: ['customer:read', scope] };
      expect(await ask('PATCH', `/clients/${String(added.body.client_id)}`, ordinary, change)).toMatchObject({
        status: 403,
      });
    },
  );
});

describe('a client that is there', () => {
  const add = async (more: object = {}) =>
    (await ask('POST', '/clients', platform, machine(more))).body as Record<string, string>;
  const token = ({ client_id, client_secret }: Record<string, string>) =>
    postToken(gate, { grant_type: 'client_credentials' }, basic(client_id!, client_secret!));

  test('can be renamed, narrowed, disabled and enabled; each counts at once and is on record', async () => {
    const client = await add({ scopes: ['customer:read', 'ticket:read'] });
    const path = `/clients/${client.client_id}`;
    const changed = await ask('PATCH', path, ordinary, { name: 'Renamed', scopes: ['ticket:read'] });
    expect(changed).toMatchObject({ status: 200, body: { name: 'Renamed', scopes: ['ticket:read'] } });
    expect(await token(client)).toMatchObject({ status: 200, body: { scope: 'ticket:read' } });
    await ask('PATCH', path, ordinary, { disabled: true });
    expect(await token(client)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    await ask('PATCH', path, ordinary, { disabled: false });
    expect(await token(client)).toMatchObject({ status: 200 });
    expect(gate.events.seen.filter(({ data }) => 'target' in data && data.target === client.client_id)).toHaveLength(4);
    expect(await ask('PATCH', path, ordinary, {})).toMatchObject({ status: 400 });
    expect(await ask('PATCH', path, ordinary, { auth_method: 'none' })).toMatchObject({ status: 400 });
  });

  test('is gone at once when it is removed', async () => {
    const client = await add();
    expect(await ask('DELETE', `/clients/${client.client_id}`, ordinary)).toMatchObject({ status: 204, text: '' });
    expect(lastEvents(1)).toMatchObject([{ action: 'client.removed', target: client.client_id }]);
    expect(await token(client)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await ask('GET', `/clients/${client.client_id}`, ordinary)).toMatchObject({ status: 404 });
  });
});

describe('another tenant', () => {
  test('is for the platform administrator only; to others its ids are what unknown ids are', async () => {
    const theirs = await ask('POST', '/clients', platform, machine({ tenant: 'drill-x' }));
    expect(theirs.body.tenant).toBe('drill-x');
    expect(lastEvents(1)).toMatchObject([{ tenant: 'drill-x', action: 'client.created' }]);
    const { payload: claims } = {
      payload: decodeJwt(
        String(
          (
            await postToken(
              gate,
              { grant_type: 'client_credentials' },
              basic(String(theirs.body.client_id), String(theirs.body.client_secret)),
            )
          ).body.access_token,
        ),
      ),
    };
    expect(claims.tenant).toBe('drill-x');

    const [known, unknown] = [String(theirs.body.client_id), 'cli_unknown'];
    for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', { disabled: true }]] as [string, unknown?][]) {
      const [a, b] = await Promise.all([known, unknown].map((id) => ask(method, `/clients/${id}`, ordinary, body)));
      expect([a?.status, b?.status]).toEqual([404, 404]);
      expect({ ...a?.body, correlation_id: '' }).toEqual({ ...b?.body, correlation_id: '' });
      expect(await ask(method, `/clients/${known}?tenant=drill-x`, ordinary, body)).toMatchObject({ status: 403 });
    }
    expect((await ask('GET', '/clients?limit=200', ordinary)).text).not.toContain(known);
    expect(await ask('GET', '/clients?tenant=drill-x', ordinary)).toMatchObject({ status: 403 });
    expect(items(await ask('GET', '/clients?tenant=drill-x', platform))).toHaveLength(1);
    expect(lastEvents(1)).toMatchObject([{ tenant: 'drill-x', action: 'clients.listed', actor: 'local-admin/1000' }]);
    expect(await ask('DELETE', `/clients/${known}?tenant=drill-x`, platform)).toMatchObject({ status: 204 });
  });

  test('has people of its own', async () => {
    const added = await ask('POST', '/users', platform, { username: 'sam', roles: ['agent-user'], tenant: 'drill-x' });
    expect(added).toMatchObject({ status: 201, body: { tenant: 'drill-x', username: 'sam' } });
    const id = String(added.body.user_id);
    for (const one of [id, 'usr_unknown']) {
      expect(await ask('GET', `/users/${one}`, ordinary)).toMatchObject({
        status: 404,
        body: { error_description: 'There is no such user.' },
      });
      expect(await ask('DELETE', `/users/${one}`, ordinary)).toMatchObject({ status: 404 });
    }
    expect(await ask('DELETE', `/users/${id}?tenant=drill-x`, platform)).toMatchObject({ status: 204 });
  });
});

describe('a user', () => {
  test('is added with a password that is answered once, signs in, and is gone when removed', async () => {
    const added = await ask('POST', '/users', ordinary, { username: 'Nia', roles: ['agent-user'] });
    expect(added).toMatchObject({
      status: 201,
      body: { username: 'nia', roles: ['agent-user'], password: expect.stringMatching(/^[a-z2-7]{32}$/) },
    });
    const { user_id: id, password } = added.body as Record<string, string>;
    const [actor, reason] = ['local-admin/1000', 'roles=[agent-user]'];
    expect(lastEvents(1)).toEqual([{ tenant: 'default', action: 'user.created', actor, target: id, reason }]);
    const granted = await grantAs(gate, { username: 'nia', password: password! });
    expect(granted.code).toBeDefined();
    expect((await ask('GET', `/users/${id}`, ordinary)).text).not.toMatch(/argon2|password/);
    expect((await ask('GET', '/users', ordinary)).text).not.toMatch(/argon2|password/);
    await ask('DELETE', `/users/${id}`, ordinary);
    expect(await exchange(gate, granted.code ?? '', granted.verifier)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    const again = await grantAs(gate, { username: 'nia', password: password! }, {}, granted.browser);
    expect([again.code, again.status]).toEqual([undefined, 400]);
  });

  test.each<[string, object, string]>([
    ['no role', { username: 'a', roles: [] }, 'roles'],
    ['an unknown role', { username: 'a', roles: ['king'] }, 'roles'],
    ['a short password', { username: 'a', roles: ['analyst'], password: 'short' }, 'password'],
    ['a name that is none', { username: 'a b', roles: ['analyst'] }, 'username'],
    [
      'a hash instead of a password',
      { username: 'a', roles: ['analyst'], password_hash: '$argon2id$' },
      'body: Unrecognized key: "password_hash"',
    ],
  ])('with %s is 400 and the field is named', async (_says, body, field) => {
    const reply = await ask('POST', '/users', ordinary, body);
    expect(reply.status).toBe(400);
    expect((reply.body.issues as string[])[0]).toMatch(new RegExp(`^${field}`));
  });

  test('of a name that is taken is 409', async () => {
    expect(await ask('POST', '/users', ordinary, { username: ' SAM', roles: ['agent-user'] })).toMatchObject({
      status: 409,
    });
  });
});

test('lists go page by page', async () => {
  const all = items(await ask('GET', '/clients?limit=200', ordinary)).map(({ client_id }) => client_id);
  const seen: unknown[] = [];
  let cursor: unknown = undefined;
  do {
    const reply = await ask('GET', `/clients?limit=3${cursor ? `&cursor=${String(cursor)}` : ''}`, ordinary);
    seen.push(...items(reply).map(({ client_id }) => client_id));
    cursor = reply.body.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(all);
  expect(await ask('GET', '/clients?limit=999', ordinary)).toMatchObject({ status: 400 });
  expect(await ask('GET', '/clients?colour=red', ordinary)).toMatchObject({ status: 400 });
});

describe('who may call', () => {
  test.each<[string, () => Promise<string | undefined>, number, string]>([
    ['no token', () => Promise.resolve(undefined), 401, 'token_missing'],
    [
      'a token of ours for /mcp',
      async () =>
        String(
          (await postToken(gate, { grant_type: 'client_credentials' }, secretOf(gate.demo, 'support-agent'))).body
            .access_token,
        ),
      401,
      'token_invalid',
    ],
    [
      'a token for analytics',
      () => adminToken(gate, gate.uris.analytics, 'security:read platform:admin'),
      401,
      'token_invalid',
    ],
    ['a token without the scope', () => adminToken(gate, gate.uris.authAdmin, 'admin:keys'), 403, 'scope_insufficient'],
    ['the local administrator with the scope', () => Promise.resolve(ordinary), 200, ''],
  ])('%s', async (_says, token, status, error) => {
    const reply = await ask('GET', '/users', await token());
    expect(reply.status).toBe(status);
    if (error) expect(reply.body.error).toBe(error);
  });

  test('a person who is an administrator may, through a client whose ceiling allows it, and is the actor', async () => {
    const added = await ask('POST', '/clients', platform, {
      name: 'Console',
      auth_method: 'none',
      scopes: ['admin:users'],
      redirect_uris: ['http://127.0.0.1/callback'],
    });
    const params = { client_id: String(added.body.client_id) };
    const resource = gate.uris.authAdmin;
    const ada = await grantAs(gate, gate.demo.users[2]!, { ...params, resource, scope: 'admin:users platform:admin' });
    const reply = await exchange(gate, ada.code ?? '', ada.verifier, { ...params, resource });
    expect(reply.body.scope).toBe('admin:users');
    const user = await ask('POST', '/users', String(reply.body.access_token), {
      username: 'by-ada',
      roles: ['analyst'],
    });
    expect(user.status).toBe(201);
    expect(lastEvents(1)).toMatchObject([{ actor: decodeJwt(String(reply.body.access_token)).sub }]);
    expect(await ask('GET', '/users?tenant=drill-x', String(reply.body.access_token))).toMatchObject({ status: 403 });
    const sam = await grantAs(gate, gate.demo.users[0]!, { ...params, resource, scope: 'admin:users' });
    expect(sam.sentTo?.searchParams.get('error')).toBe('invalid_scope');
  });

  test("the local administrator's tokens live five minutes", async () => {
    const { iat = 0, exp = 0 } = decodeJwt(platform);
    expect(exp - iat).toBe(300);
  });
});

test('a change that cannot be put on record does not happen', async () => {
  gate.events.state.full = true;
  const replies = [
    await ask('POST', '/users', ordinary, { username: 'unseen', roles: ['agent-user'] }),
    await ask('POST', '/clients', ordinary, machine({ name: 'Unseen' })),
  ];
  gate.events.state.full = false;
  expect(replies.map(({ status }) => status)).toEqual([503, 503]);
  expect((await ask('GET', '/users?limit=200', ordinary)).text).not.toContain('unseen');
  expect((await ask('GET', '/clients?limit=200', ordinary)).text).not.toContain('Unseen');
});
