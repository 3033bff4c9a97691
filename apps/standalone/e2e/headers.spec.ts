import { request } from 'node:http';
import { connect } from 'node:net';
import { Gate } from './gate.js';

let gate: Gate;
let token: string;
beforeAll(async () => {
  gate = await Gate.start();
  token = await gate.tokenFor(gate.demo.clients['support-agent']!, { scope: 'customer:read' });
});
afterAll(() => gate?.stop());

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | undefined;
}

/** By node:http, as fetch neither names a Host nor leaves a body unsent. */
const ask = (
  url: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<{ status: number; headers: Headers }> =>
  new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, agent: false }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode!, headers: answer.headers });
    });
    asking.on('error', reject).end(body);
  });

const API = "default-src 'none'; frame-ancestors 'none'";
const JSON_BODY = { 'content-type': 'application/json' };
const LARGE = JSON.stringify('x'.repeat(2 * 1024 * 1024));
const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
/** what may answer with a page has a strict policy of its own */
const page = expect.stringMatching(/^default-src 'none'; .*frame-ancestors 'none'/) as string;
const auth = () => gate.ready.authServer;
const mcp = () => gate.ready.mcpServer;
const bearer = () => ({ authorization: `Bearer ${token}` });
const management = (name: keyof Gate['ready']['management']) => () => gate.ready.management[name]!;

type Row = [
  what: string,
  base: () => string,
  path: string,
  status: number,
  asked?: (() => Asked) | undefined,
  csp?: unknown,
];
const EVERYWHERE: Row[] = (
  [
    ['auth-server', auth],
    ['mcp-server', mcp],
    ['rate-limiter', () => gate.ready.rateLimiter],
    ['security-analytics', () => gate.ready.analytics],
  ] as [string, () => string][]
).flatMap(([service, base]): Row[] => [
  [`${service}, alive`, base, '/healthz', 200],
  [`${service}, no such path`, base, '/no/such/path', 404],
  [
    `${service}, a body that is no JSON`,
    base,
    '/no/such/path',
    400,
    () => ({ method: 'POST', headers: JSON_BODY, body: '{' }),
  ],
  [
    `${service}, a body that is too large`,
    base,
    '/no/such/path',
    413,
    () => ({ method: 'POST', headers: JSON_BODY, body: LARGE }),
  ],
  [`${service}, a name that is not its own`, base, '/no/such/path', 403, () => ({ headers: { host: 'evil.example' } })],
]);
const MANAGED: Row[] = (['authServer', 'mcpServer', 'rateLimiter', 'analytics'] as const).flatMap((name): Row[] => [
  [`management of ${name}, alive`, management(name), '/healthz', 200],
  [`management of ${name}, ready`, management(name), '/readyz', 200],
  [`management of ${name}, metrics`, management(name), '/metrics', 200],
  [`management of ${name}, no such path`, management(name), '/x', 404],
  [`management of ${name}, another method`, management(name), '/healthz', 405, () => ({ method: 'POST' })],
  [
    `management of ${name}, a name that is not its own`,
    management(name),
    '/healthz',
    403,
    () => ({ headers: { host: 'evil.example' } }),
  ],
]);
const OWN: Row[] = [
  ['the endpoint, no token', mcp, '/mcp', 401, () => ({ method: 'POST' })],
  ['the endpoint, another method', mcp, '/mcp', 405],
  [
    'the endpoint, no JSON',
    mcp,
    '/mcp',
    400,
    () => ({ method: 'POST', headers: { ...bearer(), ...JSON_BODY }, body: '{' }),
  ],
  ['the endpoint, no media type', mcp, '/mcp', 415, () => ({ method: 'POST', headers: bearer(), body: '{}' })],
  [
    'the endpoint, too large',
    mcp,
    '/mcp',
    413,
    () => ({ method: 'POST', headers: { ...bearer(), ...JSON_BODY }, body: LARGE }),
  ],
  [
    'the endpoint, another page',
    mcp,
    '/mcp',
    403,
    () => ({ method: 'POST', headers: { origin: 'https://evil.example' } }),
  ],
  ['the metadata of the resource', mcp, '/.well-known/oauth-protected-resource/mcp', 200],
  ['an API, no token', () => gate.ready.analytics, '/v1/agents', 401],
  [
    'decisions, no token',
    () => gate.ready.rateLimiter,
    '/v1/decide',
    401,
    () => ({ method: 'POST', headers: JSON_BODY, body: '{}' }),
  ],
  ['the metadata of the issuer', auth, '/.well-known/oauth-authorization-server', 200, undefined, page],
  ['the keys', auth, '/jwks', 200, undefined, page],
  ['the token endpoint, no client', auth, '/token', 400, () => form, page],
  ['the page of an authorization that is none', auth, '/authorize', 400, () => ({}), page],
];

test.each([...EVERYWHERE, ...MANAGED, ...OWN].map((row): [string, Row] => [row[0], row]))(
  '%s: the answer carries the security headers',
  async (_what, [, base, path, status, asked, csp = API]) => {
    const answer = await ask(`${base()}${path}`, asked?.());
    expect([answer.status, answer.headers]).toEqual([
      status,
      expect.objectContaining({
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'content-security-policy': csp,
      }),
    ]);
  },
);

test('so does the answer to what is no HTTP', async () => {
  const { hostname, port } = new URL(mcp());
  const text = await new Promise<string>((resolve, reject) => {
    let got = '';
    const socket = connect(Number(port), hostname, () => socket.write('NO HTTP\r\n\r\n'));
    socket
      .on('data', (chunk) => (got += String(chunk)))
      .on('end', () => resolve(got))
      .on('error', reject);
  });
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
  expect(text).toMatch(/x-frame-options: DENY/i);
  expect(text).toMatch(/strict-transport-security: /i);
});
