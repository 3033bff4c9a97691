import { askAdmin, machine } from './admin.fixture.js';
import { pkce } from './browser.fixture.js';
import { ENDPOINT_RULES } from './endpoint-limits.js';
import { adminToken, basic, postToken, secretOf, startGate, world, type Gate } from './gate.fixture.js';
import { show } from './shown-token.fixture.js';

const perMinute = (limit: number) => ({ limit, windowMs: 60_000 });
const RULES = {
  failuresOnRecord: perMinute(3),
  failures: perMinute(6),
  pushes: perMinute(2),
  provenPushes: perMinute(4),
  revocations: perMinute(2),
};
let gate: Gate;
let skew = 0;
beforeAll(async () => {
  gate = await startGate(
    await world(),
    { limits: RULES, now: () => Date.now() + skew },
    { TRUSTED_PROXIES: '127.0.0.1' },
  );
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});
let networks = 0;
/** An address that nobody has come from. */
const from = () => ({ 'x-forwarded-for': `192.0.2.${++networks}` });
const support = () => secretOf(gate.demo, 'support-agent');
const machineToken = (headers = {}, as = support()) =>
  postToken(gate, { grant_type: 'client_credentials' }, { ...as, ...headers });
const wrong = basic('support-agent', 'wrong');
const push = (headers: Record<string, string>, form: Record<string, string> = {}) =>
  fetch(`${gate.issuer}/par`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({
      client_id: 'desktop',
      response_type: 'code',
      redirect_uri: 'http://127.0.0.1:53211/callback',
      scope: 'customer:read',
      code_challenge: pkce().challenge,
      code_challenge_method: 'S256',
      ...form,
    }),
  });
const statuses = async (count: number, ask: () => Promise<{ status: number }>) => {
  const all: number[] = [];
  for (let n = 0; n < count; n += 1) all.push((await ask()).status);
  return all;
};
async function program() {
  const admin = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
  const { body } = await askAdmin(gate, admin, 'POST', '/clients', machine());
  return basic(String(body.client_id), String(body.client_secret));
}

test('the bounds are what the documentation says', () => {
  const said = Object.entries(ENDPOINT_RULES).map(([name, { limit, windowMs }]) => [name, limit, windowMs]);
  expect(said).toEqual([
    ['failuresOnRecord', 60, 60_000],
    ['failures', 600, 60_000],
    ['pushes', 60, 60_000],
    ['provenPushes', 600, 60_000],
    ['revocations', 600, 60_000],
  ]);
});

describe.each<[string, (headers: Record<string, string>) => Promise<{ status: number; headers: Headers }>]>([
  ['/token', (headers) => machineToken(headers, wrong)],
  ['/revoke', (headers) => show(gate, '/revoke', { token: 'x' }, { ...wrong, ...headers })],
  ['/introspect', (headers) => show(gate, '/introspect', { token: 'x' }, { ...wrong, ...headers })],
  ['/par', (headers) => push({ ...wrong, ...headers }, { client_id: 'support-agent' })],
])('who proves nothing at %s', (_path, ask) => {
  test('is told to wait, a few times on record, while others behind the same address are served', async () => {
    const at = from();
    const before = gate.events.seen.length;
    expect(await statuses(5, () => ask(at))).toEqual([401, 401, 401, 429, 429]);
    expect(gate.events.seen.length - before).toBe(3);
    expect((await machineToken(at)).status).toBe(200);
    const said = await ask(at);
    expect(Number(said.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask(from())).status).toBe(401);
  });

  test('and goes on and on is not looked at, until a minute has passed; other addresses are', async () => {
    const at = from();
    await statuses(6, () => ask(at));
    expect((await machineToken(at)).status).toBe(429);
    expect((await machineToken(from())).status).toBe(200);
    skew += 60_001;
    expect((await machineToken(at)).status).toBe(200);
  });
});

test('what nobody can verify is a failure of who needs no secret to show it', async () => {
  const at = from();
  const shown = () => show(gate, '/introspect', { token: 'x', client_id: 'desktop' }, at);
  expect(await statuses(5, shown)).toEqual([200, 200, 200, 429, 429]);
});

test('a client that proved itself fails on its own account', async () => {
  const at = from();
  const as = await program();
  const ask = () => postToken(gate, { grant_type: 'client_credentials', scope: 'platform:admin' }, { ...as, ...at });
  expect(await statuses(8, ask)).toEqual([400, 400, 400, 429, 429, 429, 429, 429]);
  expect((await machineToken(at)).status).toBe(200);
});

test('in the name of a public client somebody pushes so many requests from a network (RFC 9126 §2.3)', async () => {
  const at = from();
  expect(await statuses(3, () => push(at))).toEqual([201, 201, 429]);
  const reply = await push(at);
  expect([Number(reply.headers.get('retry-after')) > 0, await reply.json()]).toMatchObject([
    true,
    { error: 'temporarily_unavailable' },
  ]);
  expect((await push(from())).status).toBe(201);
});

test('a client revokes so many tokens, each of which every service remembers, and goes on getting new ones', async () => {
  const as = await program();
  const revoke = async () => {
    const token = String((await machineToken({}, as)).body.access_token);
    return { ...(await show(gate, '/revoke', { token }, as)), token };
  };
  expect(await statuses(2, revoke)).toEqual([200, 200]);
  const refused = await revoke();
  expect(refused.status).toBe(429);
  expect((await show(gate, '/introspect', { token: refused.token }, as)).body.active).toBe(true);
});

test('an administrator revokes so much, and no token by what cannot be the id of one', async () => {
  const admin = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
  const revoke = (id: string) => askAdmin(gate, admin, 'POST', '/revocations', { what: 'token', id });
  for (const id of ['x', 'x'.repeat(65), `${'x'.repeat(30)}/`]) expect((await revoke(id)).status).toBe(400);
  const id = (n: number) => `${'x'.repeat(30)}${n}`;
  const replies = [await revoke(id(1)), await revoke(id(2)), await revoke(id(3))];
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(Number(replies[2]?.headers.get('retry-after'))).toBeGreaterThan(0);
});
