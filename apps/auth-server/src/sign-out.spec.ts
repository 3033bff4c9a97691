import { adminToken, postToken, startGate, world, type Gate, type World } from './gate.fixture.js';
import { askAdmin } from './admin.fixture.js';
import { Browser, formIn, pkce } from './browser.fixture.js';
import { authorizeUrl, exchange, grantAs, typed } from './flow.fixture.js';
import { putWebClient } from './web-client.fixture.js';

let of: World;
let gate: Gate;
/** a person of the tenant `other` */
const olga = { username: 'olga', password: 'a password of olga' };
beforeAll(async () => {
  of = await world();
  gate = await startGate(of);
  await putWebClient(of, 'other');
  const platform = await adminToken(gate, gate.uris.authAdmin, 'admin:users platform:admin');
  const made = await askAdmin(gate, platform, 'POST', '/users', { ...olga, tenant: 'other', roles: ['agent-user'] });
  expect(made.status).toBe(201);
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const sam = () => gate.demo.users[0]!;
const S256 = () => ({ code_challenge: pkce().challenge, code_challenge_method: 'S256' });
const ofOther = { client_id: 'web-other', redirect_uri: 'https://web.example/callback', scope: 'customer:read' };
const visitOther = (browser: Browser, more = {}) =>
  browser.open(authorizeUrl(gate, { ...ofOther, ...S256(), ...more }));
const signOut = async (browser: Browser, query = '') => {
  const page = await browser.open(`/logout${query}`);
  const done = await browser.submit(formIn(page.html), { logout: 'yes' });
  expect(done.html).toContain('You are signed out');
};
const refresh = (token: unknown) =>
  postToken(gate, { grant_type: 'refresh_token', refresh_token: String(token), client_id: 'desktop' });
const granted = async (scope: string, browser?: Browser) => {
  const grant = await grantAs(gate, sam(), { scope }, browser);
  const { body } = await exchange(gate, grant.code!, grant.verifier);
  return { browser: grant.browser, refreshToken: body.refresh_token };
};
const said = (action: string) => gate.events.seen.filter(({ data }) => 'action' in data && data.action === action);

test('a sign-out ends every grant that came of the session, not only the last one of each client', async () => {
  const first = await granted('customer:read');
  const second = await granted('customer:read ticket:create', first.browser);
  const elsewhere = await granted('customer:read');
  await signOut(first.browser);
  for (const { refreshToken } of [first, second])
    expect(await refresh(refreshToken)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  expect((await refresh(elsewhere.refreshToken)).status).toBe(200);
});

test('a sign-out is on record, also when no grant is left to end', async () => {
  const admin = await adminToken(gate, gate.uris.authAdmin, 'admin:clients admin:users');
  const { browser } = await granted('customer:read');
  const { items } = (await askAdmin(gate, admin, 'GET', '/grants')).body as { items: { grant_id: string }[] };
  for (const { grant_id } of items) await askAdmin(gate, admin, 'DELETE', `/grants/${grant_id}`);
  const before = gate.events.seen.length;
  await signOut(browser);
  expect(gate.events.seen.slice(before)).toMatchObject([
    { tenant: 'default', data: { action: 'session.ended', sub: expect.any(String), address: '127.0.0.1' } },
  ]);
});

test('a sign-out that cannot be put on record ends nothing, and can be tried again', async () => {
  const { browser, refreshToken } = await granted('customer:read');
  const page = await browser.open('/logout');
  gate.events.state.full = true;
  const failed = await browser.submit(formIn(page.html), { logout: 'yes' });
  gate.events.state.full = false;
  expect(failed.html).not.toContain('You are signed out');
  await signOut(browser);
  expect((await refresh(refreshToken)).status).toBe(400);
});

describe("a visit of another tenant's client", () => {
  test.each(['none', undefined])('signs nobody out (prompt %s)', async (prompt) => {
    const { browser } = await granted('customer:read');
    const silent = async () =>
      (await browser.open(authorizeUrl(gate, { scope: 'customer:read', prompt: 'none', ...S256() }))).sentTo
        ?.searchParams;
    expect((await silent())?.get('error')).toBe('interaction_required');
    await visitOther(browser, { prompt });
    expect((await silent())?.get('error')).toBe('interaction_required');
  });

  test('takes nothing from a later sign-out, nor does being sent to it by that client', async () => {
    const { browser, refreshToken } = await granted('customer:read');
    await visitOther(browser);
    await signOut(browser, '?client_id=web-other');
    expect((await refresh(refreshToken)).status).toBe(400);
  });

  test('is a sign-in like any other for a person of that tenant, and ends the session of the one before', async () => {
    const { browser, refreshToken } = await granted('customer:read');
    const page = await visitOther(browser);
    const before = said('session.ended').length;
    const next = await browser.submit(formIn(page.html), typed(olga));
    // the page with which oidc-provider ends a session sends itself where scripts are allowed
    const consent = await browser.submit(formIn(next.html), {});
    const done = await browser.submit(formIn(consent.html), { decision: 'allow' });
    expect(done.sentTo?.searchParams.get('code')).toEqual(expect.any(String));
    expect(said('session.ended')).toHaveLength(before + 1);
    expect((await refresh(refreshToken)).status).toBe(400);
  });
});
