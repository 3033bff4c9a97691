import { addPublicClients, at, expectBadToken, twice, WEB, type BadRow, type Sent } from './bad-input.fixture.js';
import { pkce } from './browser.fixture.js';
import { CALLBACK, exchange, grantAs } from './flow.fixture.js';
import { MCP, postToken, secretOf, startGate, world, type Gate } from './gate.fixture.js';

// Codes and refresh tokens at /token that somebody found, stole, used before or made up.
let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world());
  await addPublicClients(gate);
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

type Row = Parameters<typeof at>[2][number];
const sam = () => gate.demo.users[0]!;
const support = () => secretOf(gate.demo, 'support-agent');
const MACHINE = { grant_type: 'client_credentials', scope: 'customer:read' };
const machine =
  (change: Record<string, string> = {}) =>
  (): Sent => ({ form: { ...MACHINE, ...change }, headers: support() });

/** A code that a person has just given, with what it takes to redeem it, spoilt. */
const code =
  (spoil: Record<string, string | undefined>, more: Partial<Sent> = {}, asked: Record<string, string> = {}) =>
  async (): Promise<Sent> => {
    const granted = await grantAs(gate, sam(), { scope: 'customer:read', ...asked });
    const all = {
      grant_type: 'authorization_code',
      code: granted.code,
      code_verifier: granted.verifier,
      redirect_uri: CALLBACK,
      client_id: 'desktop',
      ...spoil,
    };
    const form = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return { form, ...more };
  };
const used = async (): Promise<Sent> => {
  const sent = await code({})();
  expect((await postToken(gate, sent.form as [string, string][])).status).toBe(200);
  return sent;
};

const CODES = at('POST', '/token', [
  ['a code that was used', used, 400, 'invalid_grant'],
  ['a code at another public client', code({ client_id: 'web', redirect_uri: WEB }), 400, 'invalid_grant'],
  ['a code at another public client, with its own redirect URI', code({ client_id: 'loop' }), 400, 'invalid_grant'],
  [
    'a code at a machine',
    async () => ({ ...(await code({ client_id: undefined })()), headers: support() }),
    400,
    'unauthorized_client',
  ],
  ['a code without a client', code({ client_id: undefined }), 400, 'invalid_request'],
  ['a code without a verifier', code({ code_verifier: undefined }), 400, 'invalid_grant'],
  ['a code with an empty verifier', code({ code_verifier: '' }), 400, 'invalid_grant'],
  ['a code with another verifier', code({ code_verifier: 'x'.repeat(43) }), 400, 'invalid_grant'],
  ['a code with a verifier of 42 characters', code({ code_verifier: 'x'.repeat(42) }), 400, 'invalid_request'],
  ['a code with a verifier of 129 characters', code({ code_verifier: 'x'.repeat(129) }), 400, 'invalid_request'],
  ['a code with a verifier of other characters', code({ code_verifier: 'ü'.repeat(43) }), 400, 'invalid_request'],
  [
    'a code with its challenge for a verifier',
    async () => {
      const { challenge } = pkce();
      return code({ code_verifier: challenge }, {}, { code_challenge: challenge })();
    },
    400,
    'invalid_grant',
  ],
  ['a code without a redirect URI', code({ redirect_uri: undefined }), 400, 'invalid_request'],
  ['a code with another port', code({ redirect_uri: 'http://127.0.0.1:1/callback' }), 400, 'invalid_grant'],
  [
    'a code with another name of loopback',
    code({ redirect_uri: CALLBACK.replace('127.0.0.1', 'localhost') }),
    400,
    'invalid_grant',
  ],
  ['a code with another path', code({ redirect_uri: `${CALLBACK}/` }), 400, 'invalid_grant'],
  ['a code with another place', code({ redirect_uri: 'https://evil.example' }), 400, 'invalid_grant'],
  ['a code for another resource', code({ resource: 'http://127.0.0.1:4404/v1' }), 400, 'invalid_target'],
  ['a code for a resource of somebody else', code({ resource: 'https://evil.example' }), 400, 'invalid_target'],
  ['a code that is cut', async () => cut(await code({})()), 400, 'invalid_grant'],
  ['a code that nobody gave', code({ code: 'x'.repeat(43) }), 400, 'invalid_grant'],
  ['SQL for a code', code({ code: "' or 1=1 --" }), 400, 'invalid_grant'],
  ['a NUL in a code', code({ code: 'a\0b' }), 400, 'invalid_grant'],
  ['a JWT for a code', code({ code: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.' }), 400, 'invalid_grant'],
  ['no code', code({ code: undefined }), 400, 'invalid_request'],
  ...['code', 'code_verifier', 'redirect_uri', 'client_id', 'grant_type'].map((name): Row => [
    `${name} twice`,
    async () => twice(await code({})(), name),
    400,
    'invalid_request',
  ]),
]);
const cut = (sent: Sent): Sent => ({
  ...sent,
  form: (sent.form as [string, string][]).map(([name, value]) => [name, name === 'code' ? value.slice(0, -1) : value]),
});
const GRANTS = at('POST', '/token', [
  ['no grant type', () => ({ form: { scope: 'customer:read' }, headers: support() }), 400, 'invalid_request'],
  ...[
    'implicit',
    'password',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:saml2-bearer',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'urn:ietf:params:oauth:grant-type:device_code',
    '__proto__',
    'constructor',
    'client_credentials ',
    'CLIENT_CREDENTIALS',
    'x'.repeat(10_000),
  ].map((grant_type): Row => [
    `the grant ${grant_type.slice(0, 60)}`,
    machine({ grant_type }),
    400,
    'unsupported_grant_type',
  ]),
  [
    'a grant the client is not registered for',
    machine({ grant_type: 'refresh_token', refresh_token: 'x' }),
    400,
    'unauthorized_client',
  ],
  [
    'a public client that plays a machine',
    () => ({ form: { ...MACHINE, client_id: 'desktop' } }),
    400,
    'unauthorized_client',
  ],
  [
    'a refresh token that nobody gave',
    () => ({ form: { grant_type: 'refresh_token', refresh_token: 'x'.repeat(43), client_id: 'desktop' } }),
    400,
    'invalid_grant',
  ],
  ['no refresh token', () => ({ form: { grant_type: 'refresh_token', client_id: 'desktop' } }), 400, 'invalid_request'],
  ['a refresh token of another client', () => refresh({ client_id: 'web' }), 400, 'unauthorized_client'],
  [
    'a refresh token for more than was granted',
    () => refresh({ scope: 'customer:read customer:delete' }),
    400,
    'invalid_scope',
  ],
  [
    'a refresh token for another resource',
    () => refresh({ resource: 'http://127.0.0.1:4404/v1' }),
    400,
    'invalid_target',
  ],
  ['a refresh token that is cut', () => refresh({}, -1), 400, 'invalid_grant'],
  ['a refresh token with something behind it', () => refresh({}, undefined, 'A'), 400, 'invalid_grant'],
  ['refresh_token twice', async () => twice(await refresh({}), 'refresh_token'), 400, 'invalid_request'],
  [
    'an access token for a refresh token',
    async () => ({ form: { grant_type: 'refresh_token', client_id: 'desktop', refresh_token: await machineToken() } }),
    400,
    'invalid_grant',
  ],
  ['scopes beyond the ceiling only', machine({ scope: 'platform:admin' }), 400, 'invalid_scope'],
  ['a scope with a NUL', machine({ scope: 'customer:read\0' }), 400, 'invalid_scope'],
  ['a resource of somebody else', machine({ resource: 'https://evil.example' }), 400, 'invalid_target'],
  ['a resource that hides its host', machine({ resource: MCP.replace('//', '//evil@') }), 400, 'invalid_target'],
  ['a resource without end', machine({ resource: `${MCP}/${'x'.repeat(50_000)}` }), 400, 'invalid_target'],
  [
    'two resources',
    () => ({
      form: [...Object.entries(MACHINE), ['resource', MCP], ['resource', gate.uris.authAdmin]],
      headers: support(),
    }),
    400,
    'invalid_target',
  ],
  ['scope twice', () => twice(machine()(), 'scope'), 400, 'invalid_request'],
  [
    'the local administrator’s scopes for a machine',
    machine({ scope: 'admin:clients', resource: 'http://127.0.0.1:1/admin' }),
    400,
    'invalid_target',
  ],
]);
const refresh = async (change: Record<string, string>, cutTo?: number, behind = ''): Promise<Sent> => {
  const granted = await grantAs(gate, sam(), { scope: 'customer:read' });
  const { body } = await exchange(gate, granted.code ?? '', granted.verifier);
  const refresh_token = String(body.refresh_token).slice(0, cutTo) + behind;
  return { form: { grant_type: 'refresh_token', refresh_token, client_id: 'desktop', ...change } };
};
const machineToken = async (): Promise<string> => String((await postToken(gate, MACHINE, support())).body.access_token);

describe('a code', () =>
  void test.each(CODES)('%s', (...row: unknown[]) => expectBadToken(gate, row as unknown as BadRow)));
describe('a grant', () =>
  void test.each(GRANTS)('%s', (...row: unknown[]) => expectBadToken(gate, row as unknown as BadRow)));

test('a code that comes back ends what it gave', async () => {
  const granted = await grantAs(gate, sam(), { scope: 'customer:read' });
  const first = await exchange(gate, granted.code ?? '', granted.verifier);
  expect(first.status).toBe(200);
  expect((await exchange(gate, granted.code ?? '', granted.verifier)).body.error).toBe('invalid_grant');
  const again = { grant_type: 'refresh_token', refresh_token: String(first.body.refresh_token), client_id: 'desktop' };
  expect(await postToken(gate, again)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
});
