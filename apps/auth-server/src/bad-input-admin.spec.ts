import { exportJWK, generateKeyPair } from 'jose';
import { askAdmin } from './admin.fixture.js';
import { expectBad, sendBad, trap, type BadRow, type Sent, type Trap } from './bad-input.fixture.js';
import {
  adminToken,
  assertion,
  MCP,
  postToken,
  privateJwk,
  secretOf,
  startGate,
  world,
  type Gate,
} from './gate.fixture.js';

// What is sent to /admin/v1 without a token, with a token for something else, or by an administrator who means ill.
let gate: Gate;
let snare: Trap;
let token: string;
beforeAll(async () => {
  gate = await startGate(await world());
  snare = await trap();
  token = await adminToken(gate, gate.uris.authAdmin, 'admin:clients admin:users admin:keys');
}, 60_000);
afterAll(async () => {
  expect(snare.visits()).toBe(0);
  await snare.close();
  await gate.close();
  await gate.database.close();
});

const bearer = (value: string, more: Partial<Sent> = {}): Sent => ({
  ...more,
  headers: { authorization: `Bearer ${value}`, ...more.headers },
});
const asAdmin =
  (more: Partial<Sent> = {}) =>
  () =>
    bearer(token, more);
const json = (body: unknown) => asAdmin({ json: body });
const text = (body: string | Buffer, headers: Record<string, string> = {}) =>
  asAdmin({ body, headers: { 'content-type': 'application/json', ...headers } });
const client = (change: Record<string, unknown>) =>
  json({ name: 'n', auth_method: 'client_secret_basic', scopes: ['customer:read'], ...change });
const web = (redirect_uri: string) => client({ auth_method: 'none', redirect_uris: [redirect_uri] });
const keyed = (jwks: unknown) => client({ auth_method: 'private_key_jwt', jwks });
const CLIENTS = '/admin/v1/clients';

const forged = async (header: object, claims: object = {}): Promise<Sent> => {
  const key = await privateJwk();
  const all = {
    aud: gate.uris.authAdmin,
    scope: 'admin:clients',
    client_id: 'local-admin',
    tenant: 'default',
    ceiling: 'admin:clients',
    ...claims,
  };
  return bearer(
    await assertion(key, 'local-admin', gate.uris.authAdmin, { ...all, iss: gate.issuer }, {
      alg: 'ES256',
      typ: 'at+jwt',
      ...header,
    } as never),
  );
};
const plain = (header: object, claims: object): string =>
  `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

const TOKENS: BadRow[] = [
  ['no token', 'GET', CLIENTS, () => ({}), 401, 'token_missing'],
  ['a token that is none', 'GET', CLIENTS, () => bearer('evil'), 401, 'token_invalid'],
  [
    'a token without signature',
    'GET',
    CLIENTS,
    () => bearer(plain({ alg: 'none', typ: 'at+jwt' }, { iss: gate.issuer, aud: gate.uris.authAdmin })),
    401,
    'token_invalid',
  ],
  ['a token signed by somebody else', 'GET', CLIENTS, () => forged({}), 401, 'token_invalid'],
  [
    'a token that brings its key',
    'GET',
    CLIENTS,
    async () => forged({ jwk: (({ d: _d, ...key }) => key)(await privateJwk()) }),
    401,
    'token_invalid',
  ],
  [
    'a token that says where its key is',
    'GET',
    CLIENTS,
    () => forged({ jku: snare.url, x5u: snare.url }),
    401,
    'token_invalid',
  ],
  ['a token whose key is a path', 'GET', CLIENTS, () => forged({ kid: '../../../dev/null' }), 401, 'token_invalid'],
  ['a token for another resource', 'GET', CLIENTS, async () => bearer(await machineToken()), 401, 'token_invalid'],
  [
    'a token without the scope',
    'GET',
    '/admin/v1/users',
    async () => bearer(await adminToken(gate, gate.uris.authAdmin, 'admin:keys')),
    403,
    'scope_insufficient',
  ],
  ['a token in its address', 'GET', CLIENTS, () => ({ query: { access_token: token } }), 401, 'token_missing'],
  ['a token in its body', 'POST', CLIENTS, () => ({ json: { access_token: token } }), 401, 'token_missing'],
  ['a cookie', 'GET', CLIENTS, () => ({ headers: { cookie: `access_token=${token}` } }), 401, 'token_missing'],
  [
    'the password of an administrator',
    'GET',
    CLIENTS,
    () => ({
      headers: { authorization: `Basic ${Buffer.from(`ada:${gate.demo.users[2]!.password}`).toString('base64')}` },
    }),
    401,
    'token_invalid',
  ],
  [
    'two tokens',
    'GET',
    CLIENTS,
    () => ({ headers: { authorization: `Bearer ${token}, Bearer evil` } }),
    401,
    'token_invalid',
  ],
  [
    'a token as DPoP without a proof',
    'GET',
    CLIENTS,
    () => ({ headers: { authorization: `DPoP ${token}` } }),
    401,
    'token_invalid',
  ],
  ['a token of fifteen thousand characters', 'GET', CLIENTS, () => bearer('x'.repeat(15_000)), 401, 'token_invalid'],
];
const machineToken = async (): Promise<string> =>
  String(
    (await postToken(gate, { grant_type: 'client_credentials', resource: MCP }, secretOf(gate.demo, 'support-agent')))
      .body.access_token,
  );

const BODIES: BadRow[] = [
  ['no body', 'POST', CLIENTS, asAdmin(), 400, 'input_invalid'],
  ['malformed JSON', 'POST', CLIENTS, text('{'), 400, 'json_malformed'],
  ['a list', 'POST', CLIENTS, text('[]'), 400, 'input_invalid'],
  ['a bare value', 'POST', CLIENTS, text('7'), 400, 'json_malformed'],
  ['bytes that are no UTF-8', 'POST', CLIENTS, text(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), 400, 'json_malformed'],
  [
    'ten thousand levels',
    'POST',
    CLIENTS,
    text(`{"name":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
    400,
    'input_invalid',
  ],
  ['a hundred thousand brackets', 'POST', CLIENTS, text('['.repeat(100_000)), 400, 'json_malformed'],
  ['a megabyte', 'POST', CLIENTS, text(JSON.stringify({ name: 'x'.repeat(1 << 20) })), 413, 'body_too_large'],
  ['a form', 'POST', CLIENTS, asAdmin({ form: { name: 'n' } }), 400, 'input_invalid'],
  ['text', 'POST', CLIENTS, text('{}', { 'content-type': 'text/plain' }), 415, 'media_type_unsupported'],
  [
    'another character set',
    'POST',
    CLIENTS,
    text('{}', { 'content-type': 'application/json; charset=iso-8859-1' }),
    415,
    'media_type_unsupported',
  ],
  ['a compressed body', 'POST', CLIENTS, text('{}', { 'content-encoding': 'gzip' }), 415, 'media_type_unsupported'],
  [
    'properties of objects',
    'POST',
    CLIENTS,
    text('{"__proto__":{"scopes":["platform:admin"]},"constructor":{}}'),
    400,
    'input_invalid',
  ],
  ['a field nobody asked for', 'POST', CLIENTS, client({ demo: true }), 400, 'input_invalid'],
  ['an id of its own', 'POST', CLIENTS, client({ client_id: 'local-admin' }), 400, 'input_invalid'],
  ['a secret of its own', 'POST', CLIENTS, client({ client_secret: 'x' }), 400, 'input_invalid'],
  ['a token life of its own', 'POST', CLIENTS, client({ token_seconds: 1e9 }), 400, 'input_invalid'],
  ['the tenant of others', 'POST', CLIENTS, client({ tenant: 'other' }), 403, 'scope_insufficient'],
  ['a tenant that is a path', 'POST', CLIENTS, client({ tenant: '../other' }), 400, 'input_invalid'],
  ['scopes of people', 'POST', CLIENTS, client({ scopes: ['platform:admin'] }), 403, 'scope_insufficient'],
  ['a scope that nobody knows', 'POST', CLIENTS, client({ scopes: ['evil'] }), 400, 'input_invalid'],
  ['no scope', 'POST', CLIENTS, client({ scopes: [] }), 400, 'input_invalid'],
  [
    'a thousand scopes',
    'POST',
    CLIENTS,
    client({ scopes: Array.from({ length: 1_000 }, () => 'customer:read') }),
    400,
    'input_invalid',
  ],
  ['an implicit grant', 'POST', CLIENTS, client({ grant_types: ['implicit'] }), 400, 'input_invalid'],
  ['a name that turns text around', 'POST', CLIENTS, client({ name: 'Bank \u202egro.live' }), 400, 'input_invalid'],
  ['a name with a NUL', 'POST', CLIENTS, client({ name: 'a\0b' }), 400, 'input_invalid'],
  [
    'half a surrogate for a name',
    'POST',
    CLIENTS,
    text('{"name":"\\ud800","auth_method":"client_secret_basic","scopes":["customer:read"]}'),
    400,
    'input_invalid',
  ],
  ['a name of a thousand characters', 'POST', CLIENTS, client({ name: 'x'.repeat(1_000) }), 400, 'input_invalid'],
  ...[
    'http://app.example/cb',
    'javascript:alert(1)',
    'https://app.example/cb#evil',
    'https://evil@app.example/cb',
    'https://*.example/cb',
    'com.example.app:/cb',
    'http://127.0.0.1.evil.example/cb',
    '//app.example/cb',
    'https://app.example/cb\r\nX-Evil: 1',
    'https://app.example/c\tb',
    ' https://app.example/cb',
    'https://app.example\\@evil.example/cb',
    'https://аpp.example/cb',
    `https://app.example/${'x'.repeat(2_000)}`,
  ].map((uri): BadRow => [
    `the redirect URI ${JSON.stringify(uri).slice(0, 60)}`,
    'POST',
    CLIENTS,
    web(uri),
    400,
    'input_invalid',
  ]),
  ['a private key', 'POST', CLIENTS, async () => keyed({ keys: [await privateJwk()] })(), 400, 'input_invalid'],
  ['a weak key', 'POST', CLIENTS, keyed({ keys: [{ kty: 'RSA', n: 'AQAB', e: 'AQAB' }] }), 400, 'input_invalid'],
  ['a symmetric key', 'POST', CLIENTS, keyed({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }), 400, 'input_invalid'],
  [
    'a point off the curve',
    'POST',
    CLIENTS,
    keyed({ keys: [{ kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }] }),
    400,
    'input_invalid',
  ],
  [
    'a key of another curve',
    'POST',
    CLIENTS,
    async () => keyed({ keys: [await exportJWK((await generateKeyPair('ES384')).publicKey)] })(),
    400,
    'input_invalid',
  ],
  [
    'keys that lie with us',
    'POST',
    CLIENTS,
    () => client({ auth_method: 'private_key_jwt', jwks_uri: snare.url })(),
    400,
    'input_invalid',
  ],
  [
    'keys that lie at the metadata service of clouds',
    'POST',
    CLIENTS,
    client({ auth_method: 'private_key_jwt', jwks_uri: 'https://169.254.169.254/' }),
    400,
    'input_invalid',
  ],
  [
    'a user with a short password',
    'POST',
    '/admin/v1/users',
    json({ username: 'eve', password: 'short', roles: ['admin'] }),
    400,
    'input_invalid',
  ],
  [
    'a user with a role nobody knows',
    'POST',
    '/admin/v1/users',
    json({ username: 'eve', roles: ['god'] }),
    400,
    'input_invalid',
  ],
  [
    'a user who is markup',
    'POST',
    '/admin/v1/users',
    json({ username: '<b>', roles: ['admin'] }),
    400,
    'input_invalid',
  ],
  [
    'a user by the name of another',
    'POST',
    '/admin/v1/users',
    json({ username: 'SAM', roles: ['agent-user'] }),
    409,
    'conflict',
  ],
];

const PLACES: BadRow[] = [
  ['an unknown client', 'GET', `${CLIENTS}/nobody`, asAdmin(), 404, 'not_found'],
  ['SQL for a client', 'GET', `${CLIENTS}/x'%20or%20'1'='1`, asAdmin(), 404, 'not_found'],
  ['a NUL for a client', 'GET', `${CLIENTS}/a%00b`, asAdmin(), 404, 'not_found'],
  ['no UTF-8 for a client', 'GET', `${CLIENTS}/%ff`, asAdmin(), 400, 'request_invalid'],
  ['an encoded way up', 'GET', `${CLIENTS}/..%2f..%2fkeys`, asAdmin(), 404, 'not_found'],
  ['a way up', 'GET', `${CLIENTS}/../../../etc/passwd`, asAdmin(), 404, 'not_found'],
  ['ten thousand characters', 'GET', `${CLIENTS}/${'x'.repeat(10_000)}`, asAdmin(), 404, 'not_found'],
  ['a list of none', 'GET', CLIENTS, asAdmin({ query: { limit: '0' } }), 400, 'input_invalid'],
  ['a list without end', 'GET', CLIENTS, asAdmin({ query: { limit: '1000000' } }), 400, 'input_invalid'],
  ['a list of half', 'GET', CLIENTS, asAdmin({ query: { limit: '1.5' } }), 400, 'input_invalid'],
  [
    'two limits',
    'GET',
    CLIENTS,
    asAdmin({
      query: [
        ['limit', '1'],
        ['limit', '2'],
      ],
    }),
    400,
    'input_invalid',
  ],
  [
    'a cursor that is none',
    'GET',
    CLIENTS,
    asAdmin({ query: { cursor: "'; drop table clients; --" } }),
    400,
    'input_invalid',
  ],
  ['the list of others', 'GET', CLIENTS, asAdmin({ query: { tenant: 'other' } }), 403, 'scope_insufficient'],
  [
    'two tenants',
    'GET',
    CLIENTS,
    asAdmin({
      query: [
        ['tenant', 'default'],
        ['tenant', 'other'],
      ],
    }),
    400,
    'input_invalid',
  ],
  ['a question nobody knows', 'GET', CLIENTS, asAdmin({ query: { evil: '1' } }), 400, 'input_invalid'],
  ['PUT', 'PUT', `${CLIENTS}/support-agent`, json({}), 404, 'not_found'],
  ['a change of nothing', 'PATCH', `${CLIENTS}/support-agent`, json({}), 400, 'input_invalid'],
  ['a change of its id', 'PATCH', `${CLIENTS}/support-agent`, json({ client_id: 'evil' }), 400, 'input_invalid'],
  ['a change of its tenant', 'PATCH', `${CLIENTS}/support-agent`, json({ tenant: 'other' }), 400, 'input_invalid'],
  [
    'a change beyond what may be given',
    'PATCH',
    `${CLIENTS}/support-agent`,
    json({ scopes: ['platform:admin'] }),
    403,
    'scope_insufficient',
  ],
  [
    'keys for a client with a secret',
    'PATCH',
    `${CLIENTS}/support-agent`,
    async () => json({ jwks: { keys: [(({ d: _d, ...key }) => key)(await privateJwk())] } })(),
    400,
    'input_invalid',
  ],
  ['a private key of ours', 'GET', '/admin/v1/keys/private', asAdmin(), 404, 'not_found'],
  ['another version', 'GET', '/admin/v2/clients', asAdmin(), 404, 'not_found'],
];

const check = async (...row: unknown[]): Promise<void> => {
  const before = gate.events.seen.length;
  const got = await expectBad(gate, row as unknown as BadRow);
  expect(got.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  if (got.status === 401) expect(got.headers.get('www-authenticate')).toMatch(/^(Bearer|DPoP) /);
  // what was refused changed nothing
  const actions = gate.events.seen.slice(before).map(({ data }) => ('action' in data ? data.action : ''));
  expect(actions.filter((action) => /\.(created|changed|removed|rotated)$/.test(String(action)))).toEqual([]);
};
describe('a request with', () => void test.each(TOKENS)('%s', check));
describe('a body with', () => void test.each(BODIES)('%s', check));
describe('a request for', () => void test.each(PLACES)('%s', check));

test('all the while the clients are the ones there were', async () => {
  const { body } = await askAdmin(gate, token, 'GET', '/clients');
  const names = (body.items as { client_id: string }[]).map(({ client_id }) => client_id).sort();
  expect(names).toEqual(['desktop', 'reporting-agent', 'secure-agent', 'support-agent']);
  const preflight = await sendBad(gate, 'OPTIONS', CLIENTS, {
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
});
