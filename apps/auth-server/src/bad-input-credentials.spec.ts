import { at, expectBadToken, expectRefused, sendBad, type BadRow, type Sent } from './bad-input.fixture.js';
import { adminToken, basic, postToken, secretOf, startGate, world, type Gate } from './gate.fixture.js';

// Clients at /token that prove nothing, and bodies that are no request.
let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world());
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const support = () => secretOf(gate.demo, 'support-agent');
const MACHINE = { grant_type: 'client_credentials', scope: 'customer:read' };
const machine =
  (change: Record<string, string> = {}) =>
  (): Sent => ({ form: { ...MACHINE, ...change }, headers: support() });

/** Basic credentials whose inside is as given. */
const credentials = (inside: string | Buffer): Sent => ({
  form: MACHINE,
  headers: { authorization: `Basic ${Buffer.from(inside).toString('base64')}` },
});
const secret = () => gate.demo.clients['support-agent'].client_secret ?? '';
const CREDENTIALS = at('POST', '/token', [
  ['no credentials', () => ({ form: MACHINE }), 400, 'invalid_request'],
  ['a wrong secret', () => credentials('support-agent:pcs_wrong'), 401, 'invalid_client'],
  ['an unknown client', () => credentials('nobody:x'), 401, 'invalid_client'],
  ['an id alone', () => ({ form: { ...MACHINE, client_id: 'support-agent' } }), 401, 'invalid_client'],
  ['no colon', () => credentials('support-agent'), 400, 'invalid_request'],
  ['no secret', () => credentials('support-agent:'), 400, 'invalid_request'],
  ['no id', () => credentials(':x'), 400, 'invalid_request'],
  ['an id in capitals', () => credentials(`SUPPORT-AGENT:${secret()}`), 401, 'invalid_client'],
  ['the secret with a blank behind it', () => credentials(`support-agent:${secret()} `), 401, 'invalid_client'],
  ['the secret with a NUL behind it', () => credentials(`support-agent:${secret()}%00`), 400, 'invalid_request'],
  ['the secret in capitals', () => credentials(`support-agent:${secret().toUpperCase()}`), 401, 'invalid_client'],
  [
    'the hash that is stored for a secret',
    async () => credentials(`support-agent:${await storedHash()}`),
    401,
    'invalid_client',
  ],
  [
    "another client's secret",
    () => credentials(`support-agent:${gate.demo.clients['reporting-agent'].client_secret}`),
    401,
    'invalid_client',
  ],
  ['a NUL in the id', () => credentials('support-agent\0:x'), 400, 'invalid_request'],
  ['bytes that are no UTF-8', () => credentials(Buffer.from([0xff, 0xfe, 0x3a, 0xff])), 400, 'invalid_request'],
  ['broken percent-encoding', () => credentials('support-agent:%zz'), 400, 'invalid_request'],
  ['no base64', () => ({ form: MACHINE, headers: { authorization: 'Basic %%%' } }), 400, 'invalid_request'],
  ['a scheme alone', () => ({ form: MACHINE, headers: { authorization: 'Basic' } }), 400, 'invalid_request'],
  [
    'a scheme that is not served',
    () => ({ form: MACHINE, headers: { authorization: 'Negotiate YIIB' } }),
    400,
    'invalid_request',
  ],
  ['a bearer token', () => ({ form: MACHINE, headers: { authorization: 'Bearer x' } }), 400, 'invalid_request'],
  ['ten thousand characters', () => credentials(`support-agent:${'x'.repeat(7_000)}`), 401, 'invalid_client'],
  [
    'credentials in header and body',
    () => ({ form: { ...MACHINE, client_secret: secret() }, headers: support() }),
    400,
    'invalid_request',
  ],
  [
    'another client in the body',
    () => ({ form: { ...MACHINE, client_id: 'reporting-agent' }, headers: support() }),
    400,
    'invalid_request',
  ],
  [
    'a secret in the body of a client registered for the header',
    () => ({ form: { ...MACHINE, client_id: 'support-agent', client_secret: secret() } }),
    401,
    'invalid_client',
  ],
  [
    'a secret in the URL',
    () => ({ form: MACHINE, query: { client_id: 'support-agent', client_secret: secret() } }),
    400,
    'invalid_request',
  ],
  [
    'client_secret twice',
    () => ({ form: [...Object.entries(MACHINE), ['client_id', 'a'], ['client_secret', 'b'], ['client_secret', 'c']] }),
    400,
    'invalid_request',
  ],
]);
const storedHash = async (): Promise<string> => {
  const db = gate.database.everyTenant<{ clients: { client_id: string; secret_hash: string } }>('auth');
  const row = await db
    .selectFrom('clients')
    .select('secret_hash')
    .where('client_id', '=', 'support-agent')
    .executeTakeFirst();
  return row?.secret_hash ?? '';
};

const BODIES: BadRow[] = [
  ['GET', 'GET', '/token', () => ({ query: MACHINE, headers: support() }), 404, 'not_found'],
  ['PUT', 'PUT', '/token', machine(), 404, 'not_found'],
  ['JSON', 'POST', '/token', () => ({ json: MACHINE, headers: support() }), 400, 'invalid_request'],
  [
    'several parts',
    'POST',
    '/token',
    () => ({ body: '--x--', headers: { ...support(), 'content-type': 'multipart/form-data; boundary=x' } }),
    400,
    'invalid_request',
  ],
  [
    'plain text',
    'POST',
    '/token',
    () => ({ body: 'grant_type=client_credentials', headers: { ...support(), 'content-type': 'text/plain' } }),
    400,
    'invalid_request',
  ],
  [
    'no content type',
    'POST',
    '/token',
    () => ({ body: 'grant_type=client_credentials', headers: support() }),
    400,
    'invalid_request',
  ],
  [
    'a compressed body',
    'POST',
    '/token',
    () => ({
      body: 'x',
      headers: { ...support(), 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' },
    }),
    400,
    'invalid_request',
  ],
  ['no body', 'POST', '/token', () => ({ headers: support() }), 400, 'invalid_request'],
  [
    'parameters in the URL',
    'POST',
    '/token',
    () => ({ query: MACHINE, form: {}, headers: support() }),
    400,
    'invalid_request',
  ],
  ['a megabyte', 'POST', '/token', machine({ scope: 'x'.repeat(1 << 20) }), 400, 'invalid_request'],
  [
    'ten thousand parameters',
    'POST',
    '/token',
    () => ({ form: Array.from({ length: 10_000 }, (_, at): [string, string] => [`p${at}`, '1']), headers: support() }),
    400,
    'invalid_request',
  ],
  [
    'a thousand levels of brackets',
    'POST',
    '/token',
    () => ({ form: { [`scope${'[a]'.repeat(1_000)}`]: 'x' }, headers: support() }),
    400,
    'invalid_request',
  ],
  [
    'brackets for a parameter',
    'POST',
    '/token',
    () => ({ form: { 'grant_type[]': 'client_credentials' }, headers: support() }),
    400,
    'invalid_request',
  ],
  [
    'properties of objects for parameters',
    'POST',
    '/token',
    () => ({
      form: { __proto__: 'x', 'constructor[prototype][grant_type]': 'client_credentials' },
      headers: support(),
    }),
    400,
    'invalid_request',
  ],
  [
    'bytes that are no UTF-8',
    'POST',
    '/token',
    () => ({
      body: Buffer.from([0x67, 0xff, 0xfe, 0x3d, 0x00]),
      headers: { ...support(), 'content-type': 'application/x-www-form-urlencoded' },
    }),
    400,
    'invalid_request',
  ],
];

describe('a client that shows', () =>
  void test.each(CREDENTIALS)('%s', (...row: unknown[]) => expectBadToken(gate, row as unknown as BadRow)));
describe('a request by', () =>
  void test.each(BODIES)('%s', (...row: unknown[]) => expectBadToken(gate, row as unknown as BadRow)));

test('of two answers that failed nobody can tell whether the client exists', async () => {
  const known = await sendBad(gate, 'POST', '/token', credentials('support-agent:pcs_wrong'));
  const unknown = await sendBad(gate, 'POST', '/token', credentials('nobody-there:pcs_wrong'));
  for (const got of [known, unknown]) expectRefused(gate, '/token', got, 401, 'invalid_client');
  expect(unknown.text).toBe(known.text);
  expect(unknown.headers.get('www-authenticate')).toBe(known.headers.get('www-authenticate'));
});

test('a secret that works in the header does so whatever else a stranger tried', async () => {
  expect((await postToken(gate, MACHINE, basic('support-agent', secret()))).status).toBe(200);
  expect(await adminToken(gate, gate.uris.authAdmin, 'admin:clients')).toMatch(/^eyJ/);
});
