import { fetchInside } from '@portcullis/service/fetch-inside.http';
import { serviceTokens } from '@portcullis/service/service-token.http';
import { Secret } from '@portcullis/contract/secret';
import { decodeJwt, type JWK } from 'jose';
import { askAdmin, machine } from './admin.fixture.js';
import {
  adminToken,
  basic,
  MCP,
  postToken,
  privateJwk,
  startGate,
  world,
  type Gate,
  type World,
} from './gate.fixture.js';
import { AUTH, type AuthTables } from './tables.js';

let place: World;
let gate: Gate;
let platform: string;
let tenants: string;
beforeAll(async () => {
  place = await world();
  gate = await startGate(place);
  platform = await adminToken(gate, gate.uris.authAdmin, 'admin:clients platform:admin');
  tenants = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const SERVICE = { scopes: ['limits:decide'], all_tenants: true };
const admin = (method: string, path: string, body?: unknown, token = platform) =>
  askAdmin(gate, token, method, path, body);
const publicOf = ({ d: _d, ...key }: JWK): JWK => key;
const GRANT = () => ({
  grant_type: 'client_credentials',
  resource: gate.uris.rateLimiter,
  scope: 'limits:decide',
});
/** A service whose record says this besides, and a token of it. */
async function service(more: object = SERVICE) {
  const { status, body } = await admin('POST', '/clients', machine(more));
  expect(status).toBe(201);
  const id = String(body['client_id']);
  const auth = basic(id, String(body['client_secret']));
  return { id, body, claims: async () => decodeJwt(String((await postToken(gate, GRANT(), auth)).body.access_token)) };
}

test('a service of all tenants is shown as one, is on record as one, and its tokens say so', async () => {
  const { id, body, claims } = await service();
  expect(body).toMatchObject({ all_tenants: true, tenant: 'default' });
  expect((await admin('GET', `/clients/${id}`)).body).toMatchObject({ all_tenants: true });
  expect(await claims()).toMatchObject({ all_tenants: true, tenant: 'default', scope: 'limits:decide' });
  const made = gate.events.seen.find(({ data }) => 'target' in data && data.target === id);
  expect(made).toMatchObject({
    data: { action: 'client.created', reason: expect.stringContaining('all_tenants=true') },
  });
});

test('a service that is of one tenant has tokens that do not say so', async () => {
  const { body, claims } = await service({ scopes: ['limits:decide'] });
  expect(body).not.toHaveProperty('all_tenants');
  expect(await claims()).not.toHaveProperty('all_tenants');
});

test('what it loses its tokens lose: those it has are revoked', async () => {
  const { id, claims } = await service();
  const changed = await admin('PATCH', `/clients/${id}`, { all_tenants: false });
  expect(changed).toMatchObject({ status: 200 });
  expect(changed.body).not.toHaveProperty('all_tenants');
  expect(await claims()).not.toHaveProperty('all_tenants');
  const revoked = await gate.database
    .everyTenant<AuthTables>(AUTH)
    .selectFrom('revocations')
    .selectAll()
    .where('id', '=', id)
    .execute();
  expect(revoked).toMatchObject([{ tenant: 'default', what: 'client', reason: 'narrowed' }]);
  expect(await admin('PATCH', `/clients/${id}`, { all_tenants: true })).toMatchObject({ body: { all_tenants: true } });
  expect(await claims()).toMatchObject({ all_tenants: true });
});

describe('an administrator of a tenant', () => {
  const lacking = { status: 403, body: { error: 'scope_insufficient', scopes: ['platform:admin'] } };

  test('gives no client all tenants', async () => {
    expect(await admin('POST', '/clients', machine(SERVICE), tenants)).toMatchObject(lacking);
    const { id } = await service({ scopes: ['limits:decide'] });
    expect(await admin('PATCH', `/clients/${id}`, { all_tenants: true }, tenants)).toMatchObject(lacking);
    expect((await admin('GET', `/clients/${id}`)).body).not.toHaveProperty('all_tenants');
  });

  test('gives them to no client of theirs either, nor to one that nobody has: the answer is the same', async () => {
    const { body } = await admin('POST', '/clients', machine(), tenants);
    for (const id of [String(body['client_id']), 'nobody']) {
      expect(await admin('PATCH', `/clients/${id}`, { all_tenants: true }, tenants)).toMatchObject(lacking);
    }
  });

  test('changes nothing of one that has them', async () => {
    const { id } = await service();
    for (const change of [{ all_tenants: false }, { disabled: true }, { jwks: { keys: [] } }]) {
      const { status } = await admin('PATCH', `/clients/${id}`, change, tenants);
      expect([400, 403]).toContain(status);
    }
    expect(await admin('POST', `/clients/${id}/secret`, {}, tenants)).toMatchObject(lacking);
    expect(await admin('DELETE', `/clients/${id}`, undefined, tenants)).toMatchObject(lacking);
    expect((await admin('GET', `/clients/${id}`)).body).toMatchObject({ all_tenants: true, disabled: false });
  });
});

const PERSON = { auth_method: 'none', redirect_uris: ['http://127.0.0.1:1/cb'], dpop_bound_access_tokens: undefined };
test.each([
  ['reads customers', { scopes: ['limits:decide', 'customer:read'] }, 'customer:read is none'],
  ['administers', { scopes: ['platform:admin'] }, 'platform:admin is none'],
  ['reports', { scopes: ['events:write'] }, 'events:write is none'],
  ['acts for people', { ...PERSON, scopes: ['limits:decide'] }, 'only grant is client_credentials'],
])('a client that %s keeps to its tenant, whoever asks', async (_what, record, says) => {
  const refused = await admin('POST', '/clients', machine({ ...record, all_tenants: true }));
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining(says)]);
  const { body } = await admin('POST', '/clients', machine(record));
  const later = await admin('PATCH', `/clients/${String(body['client_id'])}`, { all_tenants: true });
  expect([later.status, later.text]).toEqual([400, expect.stringContaining(says)]);
});

test('a service of all tenants is given no other scope', async () => {
  const { id } = await service();
  const refused = await admin('PATCH', `/clients/${id}`, { scopes: ['limits:decide', 'customer:read'] });
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('customer:read is none')]);
  const both = { scopes: ['limits:decide', 'customer:read'], all_tenants: false };
  expect(await admin('PATCH', `/clients/${id}`, both)).toMatchObject({ status: 200 });
});

test.each(['true', 1, null, 'all'])('%j is no word for all tenants', async (wrong) => {
  expect((await admin('POST', '/clients', machine({ ...SERVICE, all_tenants: wrong }))).status).toBe(400);
});

test('no request makes a token one of all tenants', async () => {
  const { body } = await admin('POST', '/clients', machine({ scopes: ['limits:decide'] }));
  const auth = basic(String(body['client_id']), String(body['client_secret']));
  const asked = { ...GRANT(), all_tenants: 'true', tenant: 'acme', claims: '{"all_tenants":true}' };
  const reply = await postToken(gate, asked, auth);
  const claims = decodeJwt(String(reply.body.access_token));
  expect(claims).toMatchObject({ tenant: 'default' });
  expect(claims).not.toHaveProperty('all_tenants');
});

test('a record that an older version widened says nothing of all tenants for what is no service', async () => {
  const { id, body } = await service();
  const widened = { scopes: JSON.stringify(['limits:decide', 'customer:read']) };
  await gate.database
    .everyTenant<AuthTables>(AUTH)
    .updateTable('clients')
    .set(widened)
    .where('client_id', '=', id)
    .execute();
  const auth = basic(id, String(body['client_secret']));
  expect(await admin('PATCH', `/clients/${id}`, { name: 'read anew' })).toMatchObject({ status: 200 });
  const mcp = await postToken(gate, { grant_type: 'client_credentials', resource: MCP, scope: 'customer:read' }, auth);
  expect(decodeJwt(String(mcp.body.access_token))).not.toHaveProperty('all_tenants');
});

describe('a service gets its tokens by itself', () => {
  const tokensOf = (clientId: string, key: JWK, more: object = {}) =>
    serviceTokens({
      issuer: gate.issuer,
      resource: gate.uris.rateLimiter,
      scope: 'limits:decide',
      clientId,
      key: new Secret(JSON.stringify(key)),
      fetch: fetchInside,
      now: Date.now,
      ...more,
    });
  const registered = async (key: JWK, more: object = {}) => {
    const wish = machine({ ...SERVICE, auth_method: 'private_key_jwt', jwks: { keys: [publicOf(key)] }, ...more });
    return String((await admin('POST', '/clients', wish)).body['client_id']);
  };

  test('by an assertion of its key, and they are for the one API', async () => {
    const key = await privateJwk();
    const token = await tokensOf(await registered(key), key).token();
    expect(decodeJwt(token.reveal())).toMatchObject({
      ...{ aud: gate.uris.rateLimiter, scope: 'limits:decide', tenant: 'default', all_tenants: true },
    });
  });

  test('its key is replaced without a gap: both are good while both are registered', async () => {
    const [old, next] = [await privateJwk(), await privateJwk()];
    const id = await registered(old);
    const gets = (key: JWK) => Promise.resolve(tokensOf(id, key).token()).then(() => 'a token', String);
    expect(await gets(next)).toMatch(/401 invalid_client/);
    await admin('PATCH', `/clients/${id}`, { jwks: { keys: [publicOf(next), publicOf(old)] } });
    expect([await gets(old), await gets(next)]).toEqual(['a token', 'a token']);
    await admin('PATCH', `/clients/${id}`, { jwks: { keys: [publicOf(next)] } });
    expect([await gets(old), await gets(next)]).toEqual([expect.stringMatching(/401 invalid_client/), 'a token']);
  });

  test('a record that wants bound tokens is told apart from a wrong key', async () => {
    const key = await privateJwk();
    const id = await registered(key, { dpop_bound_access_tokens: true });
    await expect((async () => tokensOf(id, key).token())()).rejects.toThrow(/bearer tokens/);
  });

  test('an authorization server that is away gives none, and one that is back does', async () => {
    const key = await privateJwk();
    const id = await registered(key);
    const clock = { at: Date.now() };
    const tokens = tokensOf(id, key, { now: () => clock.at });
    await gate.close();
    await expect((async () => tokens.token())()).rejects.toThrow(/cannot be reached/);
    gate = await startGate(place);
    await expect((async () => tokens.token())()).rejects.toThrow(/cannot be reached/);
    clock.at += 1_000;
    const first = await tokens.token();
    await gate.close();
    expect(tokens.token()).toBe(first);
    gate = await startGate(place);
  });

  test('a scope beyond its ceiling is no token', async () => {
    const key = await privateJwk();
    const id = await registered(key);
    const asked = (async () => tokensOf(id, key, { scope: 'limits:decide limits:admin' }).token())();
    await expect(asked).rejects.toThrow(/grants less than limits:decide limits:admin/);
  });
});
