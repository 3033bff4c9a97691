import { Browser, formIn, pkce } from './browser.fixture.js';
import { authorizeUrl, CALLBACK, exchange, grantAs, typed } from './flow.fixture.js';
import { startGate, world, type Gate } from './gate.fixture.js';

// What RFC 9700 asks of the pages and redirects that a person's browser sees.
let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world());
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const sam = () => gate.demo.users[0]!;
const S256 = () => ({ code_challenge: pkce().challenge, code_challenge_method: 'S256' });
const asked = (more: Record<string, string> = {}) => authorizeUrl(gate, { ...S256(), scope: 'customer:read', ...more });

test('every redirect of a sign-in is 302 or 303, and after a form with a password it is 303 (§4.12)', async () => {
  const browser = new Browser(gate.issuer);
  const seen: [string, number][] = [];
  let answer = await browser.request(asked());
  let typedIn = false;
  for (let hops = 0; hops < 12; hops += 1) {
    const location = answer.headers.get('location');
    if (location !== null) {
      seen.push([location, answer.status]);
      if (typedIn) expect(answer.status).toBe(303);
      typedIn = false;
      if (location.startsWith(CALLBACK)) break;
      answer = await browser.request(new URL(location, gate.issuer).href);
      continue;
    }
    const form = formIn(await answer.text());
    const login = form.action.endsWith('/login');
    const body = new URLSearchParams({ ...form.hidden, ...(login ? typed(sam()) : { decision: 'allow' }) });
    const headers = { origin: gate.issuer, 'sec-fetch-site': 'same-origin' };
    typedIn = login;
    answer = await browser.request(new URL(form.action, gate.issuer).href, { method: 'POST', body, headers });
  }
  expect(seen.at(-1)?.[0]).toContain('code=');
  for (const [, status] of seen) expect([302, 303]).toContain(status);
});

test('a password goes nowhere but to our own page: it is in no redirect (§2.1, §4.12)', async () => {
  const granted = await grantAs(gate, sam(), { scope: 'customer:read' });
  expect(granted.sentTo?.href).not.toContain(sam().password);
  expect(granted.sentTo?.href).not.toContain('username');
});

test('no token, code or password is put into a cookie (RFC 6750 §5.2, §5.3)', async () => {
  const granted = await grantAs(gate, sam(), { scope: 'customer:read' });
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: granted.code ?? '',
    code_verifier: granted.verifier,
    redirect_uri: CALLBACK,
    client_id: 'desktop',
  });
  const answer = await fetch(`${gate.issuer}/token`, { method: 'POST', body });
  expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, []]);
  const { access_token: token, refresh_token: refresh = token } = (await answer.json()) as Record<string, string>;
  const kept = ['/', '/authorize', '/token', '/interaction/x'].map((path) => granted.browser.cookies(path)).join();
  expect(kept).not.toBe('');
  for (const secret of [token, refresh, granted.code, sam().password]) expect(kept).not.toContain(secret);
});

test('no other origin may script the authorization endpoint (§2.6)', async () => {
  const origin = 'http://localhost:6274';
  for (const method of ['GET', 'OPTIONS']) {
    const headers = { origin, 'access-control-request-method': 'GET' };
    const { headers: got } = await fetch(asked(), { method, headers, redirect: 'manual' });
    expect(got.get('access-control-allow-origin')).toBeNull();
  }
});

test('a page shows the browser no way to tell others its address, to frame it, or to load anything from elsewhere (§4.2.4, §4.16)', async () => {
  const login = await new Browser(gate.issuer).open(asked());
  const error = await new Browser(gate.issuer).open(asked({ redirect_uri: 'https://evil.example' }));
  for (const { headers, html } of [login, error]) {
    // same-origin: our forms are told their own origin, which no-referrer would hide
    expect(headers.get('referrer-policy')).toMatch(/^(?:no-referrer|same-origin)$/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  }
});

test.each([
  ['an error that comes before the sign-in', { scope: 'data:export' }, undefined],
  ['an error of a silent request', { prompt: 'none' }, 'login_required'],
])('%s goes to a redirect URI that is registered, and to no other (§4.11.2)', async (_says, params, error) => {
  const { sentTo } = await new Browser(gate.issuer).open(asked(params));
  expect(sentTo?.href.startsWith(`${CALLBACK}?`)).toBe(true);
  if (error) expect(sentTo?.searchParams.get('error')).toBe(error);
  const elsewhere = await new Browser(gate.issuer).open(asked({ ...params, redirect_uri: 'https://evil.example/' }));
  expect([elsewhere.sentTo, elsewhere.status]).toEqual([undefined, 400]);
});

test('what of our own paths takes a URL in its query redirects nowhere (§2.1, §4.11)', async () => {
  const evil = 'https://evil.example/';
  const names = ['redirect_uri', 'post_logout_redirect_uri', 'return_to', 'next', 'url', 'continue'];
  const query = new URLSearchParams(names.map((name): [string, string] => [name, evil]));
  for (const path of ['/logout', '/logout/success', '/authorize', '/interaction/x', '/userinfo', '/']) {
    const { headers } = await fetch(`${gate.issuer}${path}?${query}`, { redirect: 'manual' });
    expect(headers.get('location') ?? '').not.toContain('evil.example');
  }
});

describe('PKCE (§2.1.1, §4.8)', () => {
  test('a verifier is asked for with every code, since every request has a challenge', async () => {
    const granted = await grantAs(gate, sam(), { scope: 'customer:read' });
    const reply = await exchange(gate, granted.code ?? '', '');
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('the code and the answer tell nobody the challenge (RFC 7636 §4.4)', async () => {
    const { challenge } = pkce();
    const granted = await grantAs(gate, sam(), { scope: 'customer:read', code_challenge: challenge });
    expect(granted.sentTo?.href).not.toContain(challenge);
    const decoded = Buffer.from(granted.code ?? '', 'base64url').toString('latin1');
    expect(decoded).not.toContain(challenge);
    expect(granted.code?.length).toBeLessThan(64);
  });

  test('the challenge of one request is of no use for the code of another', async () => {
    const browser = new Browser(gate.issuer);
    const [mine, theirs] = [
      await grantAs(gate, sam(), { scope: 'customer:read' }, browser),
      await grantAs(gate, sam(), { scope: 'customer:read' }, browser),
    ];
    const reply = await exchange(gate, theirs.code ?? '', mine.verifier);
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});
