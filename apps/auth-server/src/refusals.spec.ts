import { askAdmin } from './admin.fixture.js';
import { Browser, formIn, pkce } from './browser.fixture.js';
import { authorizeUrl } from './flow.fixture.js';
import { adminToken, startGate, world, type Gate } from './gate.fixture.js';

let gate: Gate;
/** ms since epoch, where the clock stands still */
let stopped: number | undefined;
beforeAll(async () => {
  gate = await startGate(await world(), { now: () => stopped ?? Date.now() });
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const S256 = () => ({ code_challenge: pkce().challenge, code_challenge_method: 'S256' });
const atLogin = async () => {
  const browser = new Browser(gate.issuer);
  return {
    browser,
    form: formIn((await browser.open(authorizeUrl(gate, { scope: 'customer:read', ...S256() }))).html),
  };
};
/** The events that come of it. */
const during = async (work: () => Promise<unknown>) => {
  const before = gate.events.seen.length;
  await work();
  return gate.events.seen.slice(before);
};
const from = '127.0.0.1';

test('a call of the admin API by somebody without the right is on record, with who it was as far as a good token says so', async () => {
  const token = await adminToken(gate, gate.uris.authAdmin, 'admin:users');
  const refused: [string | undefined, string, number][] = [
    [token, '/clients', 403],
    [token, '/users?tenant=other', 403],
    [undefined, '/clients', 401],
    ['a.b.c', '/clients/pcs_secret', 401],
  ];
  const events = await during(async () => {
    for (const [bearer, path, status] of refused)
      expect((await askAdmin(gate, bearer, 'GET', path)).status).toBe(status);
  });
  expect(events).toMatchObject([
    { data: { actor: 'local-admin/1000', target: 'GET /admin/v1/clients', reason: `scope_insufficient from ${from}` } },
    { data: { actor: 'local-admin/1000', target: 'GET /admin/v1/users', reason: `scope_insufficient from ${from}` } },
    { data: { actor: 'unknown', reason: `token_missing from ${from}` } },
    {
      data: {
        actor: 'unknown',
        target: 'GET /admin/v1/clients/:client_id',
        reason: expect.stringMatching(/^token_inv/),
      },
    },
  ]);
  for (const event of events) expect(event).toMatchObject({ tenant: 'default', data: { action: 'request.refused' } });
});

test.each<[string, Record<string, string>, string]>([
  ['to a redirect URI that is not registered', { redirect_uri: 'https://evil.example/' }, 'invalid_redirect_uri'],
  ['without PKCE', {}, 'invalid_request'],
  ['that may show no page', { prompt: 'none', scope: 'customer:read', ...S256() }, 'login_required'],
])('an authorization request %s is on record once', async (_says, params, error) => {
  const events = await during(() => fetch(authorizeUrl(gate, params), { redirect: 'manual' }));
  expect(events).toMatchObject([
    {
      data: {
        action: 'authorization.refused',
        clientId: 'desktop',
        address: from,
        reason: expect.stringMatching(new RegExp(`^${error}: `)),
      },
    },
  ]);
});

test('an authorization request that cannot be put on record is not answered', async () => {
  gate.events.state.full = true;
  const reply = await fetch(authorizeUrl(gate, {}), { redirect: 'manual' });
  gate.events.state.full = false;
  expect([reply.status, reply.headers.get('location')]).toEqual([503, null]);
});

test('a form of another site is on record', async () => {
  const { browser, form } = await atLogin();
  const sent = { username: 'sam', password: 'x' };
  const events = await during(() => browser.submit(form, sent, { 'sec-fetch-site': 'cross-site' }));
  expect(events).toMatchObject([{ data: { action: 'form.refused', clientId: 'desktop', address: from } }]);
});

test('a person who cancels the sign-in is on record, once', async () => {
  const { browser, form } = await atLogin();
  const events = await during(() => browser.submit({ ...form, action: form.action.replace('/login', '/cancel') }, {}));
  expect(events).toMatchObject([{ data: { action: 'login.cancelled', clientId: 'desktop', address: from } }]);
});

test('a sign-in that has to wait is on record', async () => {
  const { browser, form } = await atLogin();
  stopped = Date.now();
  for (let i = 0; i < 10; i += 1) await browser.submit(form, { username: 'uma', password: 'wrong' });
  const events = await during(() => browser.submit(form, { username: 'uma', password: 'wrong' }));
  stopped = undefined;
  expect(events).toMatchObject([
    { data: { action: 'login.throttled', clientId: 'desktop', address: from, reason: 'too many failed sign-ins' } },
  ]);
});

// last: it uses up what this address may leave on record
test('refusals of one address are on record sixty times a minute at most, whatever they are', async () => {
  const { browser, form } = await atLogin();
  const events = await during(async () => {
    for (let i = 0; i < 50; i += 1) await fetch(authorizeUrl(gate, {}), { redirect: 'manual' });
    for (let i = 0; i < 30; i += 1) await askAdmin(gate, undefined, 'GET', '/clients');
    await browser.submit(form, {}, { 'sec-fetch-site': 'cross-site' });
  });
  expect(events.length).toBeLessThanOrEqual(60);
});
