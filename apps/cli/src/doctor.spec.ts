import type { Ask } from './ask.js';
import { checksOf, findingOf, todosOf } from './doctor.js';
import { NotDone } from './faults.js';
import type { Place } from './place.js';
import type { Ready } from './ready.js';

const published = async () => ({
  issuer: 'http://127.0.0.1:1',
  resource: 'http://127.0.0.1:2/mcp',
  tokenEndpoint: 'http://127.0.0.1:1/token',
  jwksUri: 'http://127.0.0.1:1/jwks',
});
const ready = {
  authServer: 'http://127.0.0.1:1',
  mcpServer: 'http://127.0.0.1:2',
  rateLimiter: 'http://127.0.0.1:3',
  analytics: 'http://127.0.0.1:4',
  management: {
    authServer: 'http://127.0.0.1:11',
    mcpServer: 'http://127.0.0.1:12',
    rateLimiter: 'http://127.0.0.1:13',
    analytics: 'http://127.0.0.1:14',
  },
} as unknown as Ready;
const here: Place = { url: 'http://127.0.0.1:2', ready, path: '/x/ready.json', doubt: undefined };
const jwks = { keys: [{ kty: 'EC', crv: 'P-256', kid: 'k1', x: '', y: '' }] };

const gate =
  (answers: Record<string, [number, unknown]> = {}): Ask =>
  async (url) => {
    const [status, body] = answers[url] ?? [200, url.endsWith('/jwks') ? jwks : {}];
    return { status, header: () => undefined, text: JSON.stringify(body) };
  };
const examine = async (ask: Ask, place = here, logIn = async () => 'in') =>
  Promise.all(checksOf(place, published, logIn, ask).map(findingOf));

test('a gate that answers passes every check', async () => {
  const findings = await examine(gate());
  expect(findings.map(({ ok }) => ok)).toEqual(findings.map(() => true));
  expect(findings.map(({ check }) => check)).toEqual([
    ...['auth-server', 'mcp-server', 'rate-limiter', 'security-analytics'].map((service) => `${service} healthz`),
    ...['auth-server', 'mcp-server', 'rate-limiter', 'security-analytics'].map((service) => `${service} readyz`),
    'metadata',
    'keys',
    'admin login',
  ]);
});

test.each([
  ['rate-limiter healthz', { 'http://127.0.0.1:3/healthz': [500, {}] }, 'HTTP 500'],
  ['mcp-server readyz', { 'http://127.0.0.1:12/readyz': [503, { status: 'database: down' }] }, 'database: down'],
  ['keys', { 'http://127.0.0.1:1/jwks': [200, { keys: [] }] }, 'no ES256 key'],
  ['keys', { 'http://127.0.0.1:1/jwks': [200, { keys: [{ ...jwks.keys[0], d: 'x' }] }] }, 'a private key is published'],
  ['keys', { 'http://127.0.0.1:1/jwks': [404, 'x'] }, 'no key set'],
] as [string, Record<string, [number, unknown]>, string][])(
  '%s fails alone, with what was seen and what to do',
  async (check, answers, seen) => {
    const findings = await examine(gate(answers));
    expect(findings.filter(({ ok }) => ok === false)).toEqual([
      { check, ok: false, seen: expect.stringContaining(seen) as string, todo: expect.any(String) as string },
    ]);
  },
);

test('a login that fails is a failed check with its sentence', async () => {
  const logIn = async () => {
    throw new NotDone('No token.');
  };
  expect((await examine(gate(), here, logIn)).at(-1)).toMatchObject({
    check: 'admin login',
    ok: false,
    seen: 'No token.',
  });
});

test('without a ready file only what the URL shows is checked, and the rest is neither ok nor failed', async () => {
  const findings = await examine(gate(), { ...here, ready: undefined });
  expect(findings.filter(({ ok }) => ok === true).map(({ check }) => check)).toEqual([
    'mcp-server healthz',
    'metadata',
    'keys',
  ]);
  expect(findings.filter(({ ok }) => ok === null)).toHaveLength(8);
  expect(findings.every(({ ok, todo }) => ok !== null || todo !== undefined)).toBe(true);
});

test('what to do is said once for all the checks it helps', () => {
  expect(
    todosOf([
      { check: 'a', ok: true, seen: '' },
      { check: 'b', ok: false, seen: '', todo: 'Restart it.' },
      { check: 'c', ok: null, seen: '', todo: 'Say where.' },
      { check: 'd', ok: false, seen: '', todo: 'Restart it.' },
    ]),
  ).toEqual(['b, d: Restart it.', 'c: Say where.']);
});
