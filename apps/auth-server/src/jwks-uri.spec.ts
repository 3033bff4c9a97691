import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { jest } from '@jest/globals';
import { parseRange } from '@portcullis/guard/addresses';
import { selfSigned } from '@portcullis/service/certificate.fixture';
import { createFetchOutside } from '@portcullis/service/fetch-outside.http';
import { parseAllowedHost } from '@portcullis/service/outside-url';
import type { JWK } from 'jose';
import {
  adminToken,
  assertion,
  ASSERTION_TYPE,
  postToken,
  privateJwk,
  startGate,
  world,
  type Gate,
} from './gate.fixture.js';

/**
 * A client's own server. Its first line is its certificate, each further one what it serves from then on; it says a line
 * for each that it read, and for each request.
 */
const SERVING = `
  const { createServer } = await import('node:https');
  const { createInterface } = await import('node:readline');
  let server, serves;
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      if (server) return (serves = JSON.parse(line)), console.log('now');
      server = createServer(JSON.parse(line), (request, response) => {
        console.log('asked ' + request.url);
        response.writeHead(serves.status, { 'content-type': 'application/json', ...serves.headers }).end(serves.text);
      });
      server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    })
    .on('close', () => process.exit());
`;

let gate: Gate;
let child: ChildProcess;
let uri: string;
let token: string;
let key: JWK;
let asked: string[] = [];
/** The next line that is no request; only one is waited for at a time. */
const tell = (line: unknown): Promise<string> =>
  new Promise((resolve) => {
    answered = resolve;
    child.stdin!.write(`${JSON.stringify(line)}\n`);
  });
let answered: (line: string) => void;
const serve = (status: number, content: unknown, headers: Record<string, string> = {}): Promise<string> =>
  tell({ status, text: JSON.stringify(content), headers });
const publicOf = ({ d: _d, ...rest }: JWK): JWK => rest;

beforeAll(async () => {
  // oidc-provider looks for Node's own fetch, which is another in a test, and warns that it cannot watch over it
  jest.spyOn(console, 'warn').mockReturnValue();
  const certificate = selfSigned('keys.example');
  child = spawn(process.execPath, ['--input-type=module', '-e', SERVING], {
    env: {},
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout! }).on('line', (line) =>
    line.startsWith('asked ') ? void asked.push(line) : answered(line),
  );
  const port = await tell(certificate);
  uri = `https://keys.example:${port}/jwks`;
  const allowed = [parseAllowedHost(`keys.example:${port}`), parseAllowedHost('keys.example')];
  const fetchOutside = createFetchOutside({
    allowed,
    addressesOf: async () => ['127.0.0.1'],
    forTests: { reach: [parseRange('127.0.0.0/8')], ca: certificate.cert },
  });
  gate = await startGate(
    await world(),
    { fetchOutside },
    { OUTSIDE_ALLOWED_HOSTS: `keys.example:${port},keys.example` },
  );
  token = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
  key = { ...(await privateJwk()), kid: 'one' };
}, 60_000);
afterAll(async () => {
  const ended = once(child, 'exit');
  child.stdin!.end();
  await ended;
  await gate.close();
  await gate.database.close();
});
beforeEach(() => {
  asked = [];
});

const admin = async (method: string, path: string, body: unknown) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${gate.issuer}/admin/v1/clients${path}`, {
    method,
    headers,
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const wish = (more: Record<string, unknown> = {}) => ({
  name: 'keys elsewhere',
  auth_method: 'private_key_jwt',
  jwks_uri: uri,
  scopes: ['customer:read'],
  dpop_bound_access_tokens: false,
  ...more,
});
/** a client of its own for each test: what is known of one's keys is kept */
let clients = 0;
const newClient = async (): Promise<string> => {
  const reply = await admin('POST', '', wish({ jwks_uri: `${uri}/${(clients += 1)}` }));
  expect(reply.status).toBe(201);
  return String(reply.body.client_id);
};
const tokenFor = async (clientId: string, by: JWK = key) =>
  postToken(gate, {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await assertion(by, clientId, gate.issuer, {}, { alg: 'ES256', kid: String(by.kid) }),
  });

test('a client is known by the keys that it serves, fetched once for many requests', async () => {
  await serve(200, { keys: [publicOf(key)] });
  const clientId = await newClient();
  const replies = await Promise.all(Array.from({ length: 5 }, () => tokenFor(clientId)));
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(asked).toHaveLength(1);
});

test('a key that it does not serve is invalid_client, and its server is not asked for each', async () => {
  await serve(200, { keys: [publicOf(key)] });
  const clientId = await newClient();
  const foreign = { ...(await privateJwk()), kid: 'two' };
  for (let at = 0; at < 5; at += 1) {
    expect(await tokenFor(clientId, foreign)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  }
  expect(asked).toHaveLength(1);
});

test.each([
  ['a redirect', 302, { keys: [] }, { location: 'https://keys.example/' }],
  ['an error', 500, {}, {}],
  ['HTML', 200, {}, { 'content-type': 'text/html' }],
  ['no key set', 200, { nothing: 1 }, {}],
  ['too much', 200, { keys: [], more: 'x'.repeat(70_000) }, {}],
])(
  'a server that answers %s makes it invalid_client, and not more is said',
  async (_says, status, content, headers) => {
    await serve(status, content, headers);
    const clientId = await newClient();
    const reply = await tokenFor(clientId);
    expect(reply).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(reply.text).not.toMatch(/127\.0\.0\.1:\d|keys\.example/);
    expect(gate.lines.at(-1)).toMatch(/the keys of a client cannot be fetched/);
    expect(asked).toHaveLength(1);
  },
);

test('the API shows where the keys are, changes it, and takes keys instead', async () => {
  const clientId = await newClient();
  expect((await admin('PATCH', `/${clientId}`, { jwks_uri: `${uri}/moved` })).body).toMatchObject({
    jwks_uri: `${uri}/moved`,
  });
  const { body } = await admin('PATCH', `/${clientId}`, { jwks: { keys: [publicOf(key)] } });
  expect([body.jwks_uri, (body.jwks as { keys: JWK[] }).keys[0]?.kid]).toEqual([undefined, 'one']);
  expect((await tokenFor(clientId)).status).toBe(200);
  expect(asked).toHaveLength(0);
});

test.each<[string, () => Record<string, unknown>]>([
  ['http', () => ({ jwks_uri: 'http://keys.example/jwks' })],
  ['an address of ours', () => ({ jwks_uri: 'https://127.0.0.1/jwks' })],
  ['an address of ours as one number', () => ({ jwks_uri: 'https://2130706433/jwks' })],
  ['the metadata service of clouds', () => ({ jwks_uri: 'https://[::ffff:169.254.169.254]/' })],
  ['a name of ours', () => ({ jwks_uri: 'https://localhost/jwks' })],
  ['a user name', () => ({ jwks_uri: 'https://a@keys.example/jwks' })],
  ['another port', () => ({ jwks_uri: 'https://keys.example:22/' })],
  ['a host that is not on the list', () => ({ jwks_uri: 'https://other.example/' })],
  ['no URL', () => ({ jwks_uri: 'jwks' })],
  ['keys besides', () => ({ jwks: { keys: [publicOf(key)] } })],
  ['a secret instead of keys', () => ({ auth_method: 'client_secret_basic' })],
])('a jwks_uri with %s is refused, and nobody is asked', async (_says, more) => {
  expect(await admin('POST', '', wish(more()))).toMatchObject({ status: 400, body: { error: 'input_invalid' } });
  const clientId = await newClient();
  if (more().auth_method === undefined)
    expect((await admin('PATCH', `/${clientId}`, { jwks_uri: uri, ...more() })).status).toBe(400);
  expect(asked).toHaveLength(0);
});
