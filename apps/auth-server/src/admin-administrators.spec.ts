import { principalId } from '@portcullis/contract/ids';
import { askAdmin, machine } from './admin.fixture.js';
import { exchange, grantAs, type Person } from './flow.fixture.js';
import { adminToken, basic, postToken, privateJwk, startGate, world, type Gate } from './gate.fixture.js';

let gate: Gate;
let platform: string;
/** what the role `admin` gives, and no more */
let ordinary: string;
let ofUsers: string;
let ofClients: string;
/** a program through which people administer */
let consoleId: string;
beforeAll(async () => {
  gate = await startGate(await world());
  const token = (scope: string) => adminToken(gate, gate.uris.authAdmin, scope);
  platform = await token('admin:clients admin:users admin:keys platform:admin');
  ordinary = await token('admin:clients admin:users admin:keys');
  ofUsers = await token('admin:users');
  ofClients = await token('admin:clients');
  const made = await ask('POST', '/clients', platform, {
    name: 'Console',
    auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback'],
    scopes: ['admin:clients', 'admin:users', 'admin:keys'],
  });
  consoleId = String(made.body.client_id);
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const ask = (method: string, path: string, token: string, body?: unknown) => askAdmin(gate, token, method, path, body);
const status = async (...of: Parameters<typeof ask>) => (await ask(...of)).status;
const lastEvent = () => gate.events.seen.filter(({ type }) => type === 'portcullis.admin.v1').at(-1)?.data;
const add = async (more: object = {}) =>
  (await ask('POST', '/clients', platform, machine(more))).body as Record<string, string>;
let people = 0;
async function someone(roles: string[]) {
  const { body } = await ask('POST', '/users', platform, { username: `person-${(people += 1)}`, roles });
  return { id: String(body.user_id), username: String(body.username), password: String(body.password) };
}
/** Tokens of a person for this API, through the console. */
async function signIn(person: Person) {
  const scope = 'admin:users admin:clients admin:keys';
  const params = { client_id: consoleId, resource: gate.uris.authAdmin };
  const { code, verifier } = await grantAs(gate, person, { ...params, scope });
  const { body } = await exchange(gate, code ?? '', verifier, { client_id: consoleId });
  return { access: String(body.access_token), refresh: String(body.refresh_token) };
}

describe('a client that may have what people or services have', () => {
  const reserved = (more: object = {}) => add({ scopes: ['platform:admin', 'admin:clients'], ...more });

  test("keeps its secret: to rotate it is the platform administrator's", async () => {
    const { client_id: id } = await reserved();
    const before = gate.events.seen.length;
    expect(await ask('POST', `/clients/${id}/secret`, ordinary, { overlap_seconds: 0 })).toMatchObject({
      status: 403,
      body: { error: 'scope_insufficient', scopes: ['platform:admin'] },
    });
    expect(gate.events.seen.slice(before)).toMatchObject([{ data: { action: 'request.refused' } }]);
    expect(await status('POST', `/clients/${id}/secret`, platform, {})).toBe(200);
  });

  test('keeps its keys, its binding, its state and its ceiling, and is not removed', async () => {
    const { d: _d, ...jwk } = await privateJwk();
    const { client_id: id } = await reserved({ auth_method: 'private_key_jwt', jwks: { keys: [jwk] } });
    for (const change of [
      { jwks: { keys: [jwk] } },
      { jwks_uri: 'https://app.example/keys' },
      { dpop_bound_access_tokens: false },
      { disabled: true },
      { disabled: false },
      { scopes: ['customer:read'] },
      { name: 'Other' },
    ]) {
      expect([change, await status('PATCH', `/clients/${id}`, ordinary, change)]).toEqual([change, 403]);
    }
    expect(await status('DELETE', `/clients/${id}`, ordinary)).toBe(403);
    expect(await status('POST', '/revocations', ofClients, { what: 'client', id })).toBe(403);
    const agent = { what: 'principal', id: principalId('default', id!) };
    expect(await status('POST', '/revocations', ofClients, agent)).toBe(403);
    const local = { what: 'principal', id: principalId('default', 'local-admin') };
    expect(await status('POST', '/revocations', ofClients, local)).toBe(403);
    expect((await ask('GET', `/clients/${id}`, ordinary)).headers.get('etag')).toBe('"v1"');
    expect(await status('DELETE', `/clients/${id}`, platform)).toBe(204);
  });
});

describe('an administrator', () => {
  test('is changed, removed or signed out by those only who have the same rights', async () => {
    const boss = await someone(['admin']);
    await signIn(boss);
    const [grant] = (await ask('GET', `/grants?sub=${boss.id}`, ordinary)).body.items as { grant_id: string }[];
    const path = `/users/${boss.id}`;
    expect([
      await status('PATCH', path, ofUsers, { disabled: true }),
      await status('POST', `${path}/password`, ofUsers, {}),
      await status('DELETE', path, ofUsers),
      await status('DELETE', `/grants/${grant?.grant_id}`, ofUsers),
      await status('POST', '/revocations', ofUsers, { what: 'grant', id: grant?.grant_id }),
      await status('POST', '/revocations', ofUsers, { what: 'user', id: boss.id }),
      await status('POST', '/revocations', ofClients, { what: 'principal', client_id: consoleId, sub: boss.id }),
      await status('POST', '/revocations', ofClients, {
        what: 'principal',
        id: principalId('default', consoleId, boss.id),
      }),
    ]).toEqual([403, 403, 403, 403, 403, 403, 403, 403]);
    expect(await status('POST', '/revocations', ordinary, { what: 'user', id: boss.id })).toBe(200);
    expect(await status('DELETE', path, ordinary)).toBe(204);
  });

  test('who is one no more has no token that says so, and cannot become one again by it', async () => {
    const boss = await someone(['admin', 'agent-user']);
    const { access } = await signIn(boss);
    expect(await status('GET', '/users', access)).toBe(200);
    expect(await status('PATCH', `/users/${boss.id}`, platform, { roles: ['agent-user'] })).toBe(200);
    expect(lastEvent()).toMatchObject({ action: 'user.changed', target: boss.id, reason: 'roles=[agent-user]' });
    expect(await status('PATCH', `/users/${boss.id}`, access, { roles: ['admin'] })).toBe(401);
  });

  test('changes neither their own roles nor their state, nor removes themselves', async () => {
    const boss = await someone(['admin']);
    const { access } = await signIn(boss);
    for (const [method, body] of [
      ['PATCH', { roles: ['admin', 'agent-user'] }],
      ['PATCH', { disabled: false }],
      ['DELETE', undefined],
    ] as const) {
      expect(await ask(method, `/users/${boss.id}`, access, body)).toMatchObject({
        status: 403,
        body: { error: 'forbidden', error_description: expect.stringContaining('Ask another administrator') },
      });
    }
  });

  test('gives the roles of agents, and of those who respond only when they have that role', async () => {
    const [plain, responding] = [await someone(['admin']), await someone(['admin', 'responder'])];
    const give = async (person: Person, role: string) =>
      status('POST', '/users', (await signIn(person)).access, { username: `by-${person.username}`, roles: [role] });
    expect(await give(plain, 'responder')).toBe(403);
    expect(await give(plain, 'analyst')).toBe(403);
    expect(await give(plain, 'supervisor')).toBe(201);
    expect(await give(responding, 'responder')).toBe(201);
  });
});

describe('what carries a scope that was taken', () => {
  test('from a client is dead at once, and its next token is without it', async () => {
    const { client_id: id = '', client_secret: secret = '' } = await add({ scopes: ['admin:clients', 'admin:users'] });
    const form = { grant_type: 'client_credentials', resource: gate.uris.authAdmin };
    const scope = 'admin:clients admin:users';
    const token = await postToken(gate, { ...form, scope }, basic(id, secret));
    expect(await status('GET', '/clients', String(token.body.access_token))).toBe(200);
    expect(await status('PATCH', `/clients/${id}`, platform, { scopes: ['admin:users'] })).toBe(200);
    expect(lastEvent()).toMatchObject({ action: 'client.changed', target: id, reason: 'scopes=[admin:users]' });
    expect(await status('GET', '/clients', String(token.body.access_token))).toBe(401);
    expect((await postToken(gate, { ...form, scope }, basic(id, secret))).body.scope).toBe('admin:users');
  });

  test('from a person is dead at once, and their grant gives nothing of it', async () => {
    const boss = await someone(['admin']);
    const { access, refresh } = await signIn(boss);
    await ask('PATCH', `/users/${boss.id}`, platform, { roles: ['agent-user'] });
    expect(await status('GET', '/users', access)).toBe(401);
    const form = { grant_type: 'refresh_token', refresh_token: refresh, client_id: consoleId };
    expect(await postToken(gate, form)).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    // it was narrowed, not ended
    await ask('PATCH', `/users/${boss.id}`, platform, { roles: ['admin'] });
    expect(await postToken(gate, form)).toMatchObject({ status: 200 });
  });

  test('and what carries none lives on, as after a name or a role more', async () => {
    const { client_id: id = '', client_secret: secret = '' } = await add({ scopes: ['admin:users'] });
    const form = { grant_type: 'client_credentials', resource: gate.uris.authAdmin, scope: 'admin:users' };
    const token = String((await postToken(gate, form, basic(id, secret))).body.access_token);
    await ask('PATCH', `/clients/${id}`, platform, { name: 'Other', scopes: ['admin:users', 'customer:read'] });
    expect(await status('GET', '/users', token)).toBe(200);
  });
});
