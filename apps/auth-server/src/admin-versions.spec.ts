import { askAdmin, machine } from './admin.fixture.js';
import { Browser } from './browser.fixture.js';
import { grantAs } from './flow.fixture.js';
import { adminToken, startGate, world, type Gate } from './gate.fixture.js';

let gate: Gate;
let token: string;
beforeAll(async () => {
  gate = await startGate(await world());
  token = await adminToken(gate, gate.uris.authAdmin, 'admin:clients admin:users');
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});
const ask = (method: string, path: string, body?: unknown, ifMatch?: string) =>
  askAdmin(gate, token, method, path, body, ifMatch === undefined ? {} : { 'if-match': ifMatch });
const actions = (target: string) =>
  gate.events.seen.flatMap(({ data }) => ('target' in data && data.target === target ? [data.action] : []));

const newClient = () => ask('POST', '/clients', machine());
const newUser = (name: string) => ask('POST', '/users', { username: name, roles: ['agent-user'] });

describe.each([
  ['a client', newClient, 'clients', 'client_id', { name: 'Renamed' }],
  ['a user', () => newUser(`v-${gate.events.seen.length}`), 'users', 'user_id', { roles: ['supervisor'] }],
] as const)('%s', (_says, add, kind, id, change) => {
  test('has a strong ETag that changes when it does', async () => {
    const added = await add();
    const path = `/${kind}/${String(added.body[id])}`;
    expect(added.headers.get('etag')).toBe('"v1"');
    expect((await ask('GET', path)).headers.get('etag')).toBe('"v1"');
    expect((await ask('PATCH', path, change)).headers.get('etag')).toBe('"v2"');
    expect((await ask('GET', path)).headers.get('etag')).toBe('"v2"');
  });

  test('that was changed since it was read is changed no further, nor removed', async () => {
    const added = await add();
    const path = `/${kind}/${String(added.body[id])}`;
    expect(await ask('PATCH', path, change, '"v1"')).toMatchObject({ status: 200 });
    for (const tag of ['"v1"', 'W/"v2"', '"other"']) {
      for (const [method, body] of [['PATCH', change], ['DELETE']] as const) {
        expect(await ask(method, path, body, tag)).toMatchObject({
          status: 412,
          body: { error: 'precondition_failed' },
        });
      }
    }
    const secret = kind === 'clients' ? 'secret' : 'password';
    expect(await ask('POST', `${path}/${secret}`, {}, '"v1"')).toMatchObject({ status: 412 });
    expect(actions(String(added.body[id]))).toHaveLength(2);
    expect(await ask('DELETE', path, undefined, '"v1", "v2"')).toMatchObject({ status: 204 });
  });
});

describe('a client', () => {
  test('can be bound to its key, made to push its requests, and the other way round', async () => {
    const { body } = await ask('POST', '/clients', {
      name: 'App',
      auth_method: 'none',
      scopes: ['customer:read'],
      redirect_uris: ['https://app.example/cb'],
    });
    expect(body).toMatchObject({ dpop_bound_access_tokens: false, require_pushed_authorization_requests: false });
    const path = `/clients/${String(body.client_id)}`;
    for (const both of [true, false]) {
      const wish = { dpop_bound_access_tokens: both, require_pushed_authorization_requests: both };
      expect(await ask('PATCH', path, wish)).toMatchObject({ status: 200, body: wish });
      expect((await ask('GET', path)).body).toMatchObject(wish);
    }
  });

  test('that acts by itself is bound to its key unless its record says otherwise', async () => {
    const { body } = await ask('POST', '/clients', machine({ dpop_bound_access_tokens: undefined }));
    expect(body).toMatchObject({ dpop_bound_access_tokens: true, grant_types: ['client_credentials'] });
  });
});

describe('a user', () => {
  const person = async (name: string, roles = ['agent-user']) => {
    const { body } = await ask('POST', '/users', { username: name, roles });
    return { id: String(body.user_id), username: name, password: String(body.password) };
  };
  const signsIn = async (someone: { username: string; password: string }, browser?: Browser) =>
    (await grantAs(gate, someone, {}, browser)).code !== undefined;

  test('that is disabled signs in no more, is signed out where they were, and can be enabled again', async () => {
    const mia = await person('mia');
    const browser = new Browser(gate.issuer);
    expect(await signsIn(mia, browser)).toBe(true);
    expect(await ask('PATCH', `/users/${mia.id}`, { disabled: true })).toMatchObject({ body: { disabled: true } });
    expect(await signsIn(mia)).toBe(false);
    await ask('PATCH', `/users/${mia.id}`, { disabled: false });
    const again = await grantAs(gate, mia, {}, browser);
    // asked for the password: the session from before is gone
    expect(again.pages[0]).toContain('name="password"');
    expect(again.code).toBeDefined();
    expect(actions(mia.id)).toEqual(['user.created', 'user.changed', 'user.changed']);
  });

  test('whose password is reset gets one that is answered once, and every browser is signed out', async () => {
    const noa = await person('noa');
    const browser = new Browser(gate.issuer);
    await signsIn(noa, browser);
    const reset = await ask('POST', `/users/${noa.id}/password`);
    expect(reset).toMatchObject({ status: 200, body: { password: expect.stringMatching(/^[a-z2-7]{32}$/) } });
    expect(await signsIn(noa)).toBe(false);
    const again = await grantAs(gate, { ...noa, password: String(reset.body.password) }, {}, browser);
    expect(again.pages[0]).toContain('name="password"');
    expect(again.code).toBeDefined();
    expect(actions(noa.id)).toEqual(['user.created', 'user.password_reset']);
    expect(JSON.stringify(gate.events.seen) + gate.lines.join()).not.toContain(String(reset.body.password));
    const chosen = await ask('POST', `/users/${noa.id}/password`, { password: 'long enough to be one' });
    expect(chosen.text).not.toContain('password');
    expect(await ask('POST', `/users/${noa.id}/password`, { password: 'short' })).toMatchObject({ status: 400 });
    expect(await ask('POST', '/users/usr_unknown/password')).toMatchObject({ status: 404 });
  });

  test('with rights that the caller lacks is not theirs to change', async () => {
    const ada = (await ask('GET', '/users?limit=200')).body.items as { user_id: string; username: string }[];
    const admin = ada.find(({ username }) => username === 'ada')?.user_id;
    const mine = await person('mine');
    const refused = { status: 403, body: { error: 'scope_insufficient' } };
    expect(await ask('POST', `/users/${admin}/password`)).toMatchObject(refused);
    expect(await ask('PATCH', `/users/${admin}`, { disabled: true })).toMatchObject(refused);
    expect(await ask('PATCH', `/users/${mine.id}`, { roles: ['admin'] })).toMatchObject(refused);
  });
});
