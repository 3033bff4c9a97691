import { Browser, formIn, pkce } from './browser.fixture.js';
import { authorizeUrl, grantAs, typed } from './flow.fixture.js';
import { startGate, world, type Gate } from './gate.fixture.js';

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

const sam = () => gate.demo.users[0]!;
const samTyped = () => typed(sam());
const request = () =>
  authorizeUrl(gate, { scope: 'customer:read', code_challenge: pkce().challenge, code_challenge_method: 'S256' });
const atLogin = async (browser = new Browser(gate.issuer)) => ({ browser, page: await browser.open(request()) });
const atConsent = async () => {
  const { browser, page } = await atLogin();
  return { browser, page: await browser.submit(formIn(page.html), samTyped()) };
};
const said = (action: string) => gate.events.seen.filter(({ data }) => 'action' in data && data.action === action);

describe('the pages', () => {
  test('carry a policy without scripts that lets the form answer to the client only', async () => {
    const { page } = await atLogin();
    expect(page.headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self' data:; " +
        "form-action 'self' http://127.0.0.1:53211; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    expect(page.headers.get('cache-control')).toBe('no-store');
  });

  test('have their style sheet where the policy allows it', async () => {
    const { page } = await atLogin();
    const href = /<link rel="stylesheet" href="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const sheet = await fetch(new URL(href, gate.issuer));
    expect([sheet.status, sheet.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/css/)]);
  });

  test('set cookies that scripts and other sites do not get, each signed', async () => {
    const response = await fetch(request(), { redirect: 'manual' });
    const cookies = response.headers.getSetCookie();
    expect(cookies.length).toBeGreaterThanOrEqual(4);
    for (const cookie of cookies) expect(cookie).toMatch(/; samesite=lax; httponly/i);
    const names = cookies.map((cookie) => cookie.split('=')[0]);
    expect(names.filter((name) => name?.endsWith('.sig')).length).toBe(names.length / 2);
  });

  test('a cookie that was changed is no cookie', async () => {
    const response = await fetch(request(), { redirect: 'manual' });
    const location = new URL(response.headers.get('location') ?? '', gate.issuer);
    const pairs = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '');
    const page = (cookies: string[]) => fetch(location, { headers: { cookie: cookies.join('; ') } });
    expect((await page(pairs)).status).toBe(200);
    const forged = pairs.map((pair) =>
      pair.includes('.sig=') ? pair.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) : pair,
    );
    expect((await page(forged)).status).toBe(400);
  });
});

describe('a failed login', () => {
  test('reads the same whether the password or the name is wrong, and is on record without either', async () => {
    const { browser, page } = await atLogin();
    const form = formIn(page.html);
    const before = said('login.failed').length;
    const known = await browser.submit(form, { username: 'sam', password: 'hunter2hunter2' });
    const unknown = await browser.submit(form, { username: 'pam', password: 'hunter2hunter2' });
    expect([known.status, unknown.status]).toEqual([400, 400]);
    expect(unknown.html.replaceAll('pam', 'sam')).toBe(known.html);
    expect(known.html).toContain('The user name or password is wrong.');
    const events = said('login.failed').slice(before);
    expect(events).toHaveLength(2);
    for (const event of events) expect(event).toMatchObject({ data: { clientId: 'desktop', address: '127.0.0.1' } });
    expect(events.every(({ subject }) => subject === undefined)).toBe(true);
    expect(JSON.stringify(gate.events.seen) + gate.lines.join()).not.toMatch(/hunter2|"pam"/);
  });

  test('does not end the sign-in: the right password still works', async () => {
    const { browser, page } = await atLogin();
    const form = formIn(page.html);
    await browser.submit(form, { username: 'sam', password: 'wrong' });
    await browser.submit(form, { username: '', password: '' });
    expect((await browser.submit(form, samTyped())).html).toContain('to act for you?');
  });
});

describe('a form that our page did not make', () => {
  const rows: [string, (form: ReturnType<typeof formIn>) => [ReturnType<typeof formIn>, Record<string, string>]][] = [
    ['without its token', (form) => [{ ...form, hidden: {} }, {}]],
    ['with a made-up token', (form) => [{ ...form, hidden: { form_token: 'x'.repeat(43) } }, {}]],
    ['sent by another site', (form) => [form, { 'sec-fetch-site': 'cross-site' }]],
    ['sent by another port of this machine', (form) => [form, { 'sec-fetch-site': 'same-site' }]],
  ];
  test.each(rows)('%s signs nobody in', async (_says, forge) => {
    const { browser, page } = await atLogin();
    const before = said('login.succeeded').length;
    const [form, headers] = forge(formIn(page.html));
    const answer = await browser.submit(form, samTyped(), headers);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([403, expect.stringMatching(/^text\/html/)]);
    expect(said('login.succeeded')).toHaveLength(before);
  });

  test.each(rows)('%s allows nothing', async (_says, forge) => {
    const { browser, page } = await atConsent();
    const before = said('consent.granted').length;
    const [form, headers] = forge(formIn(page.html));
    expect((await browser.submit(form, { decision: 'allow' }, headers)).status).toBe(403);
    expect(said('consent.granted')).toHaveLength(before);
  });

  test('with the token of another sign-in signs nobody in', async () => {
    const [mine, theirs] = [await atLogin(), await atLogin()];
    const form = { ...formIn(mine.page.html), hidden: formIn(theirs.page.html).hidden };
    expect((await mine.browser.submit(form, samTyped())).status).toBe(403);
  });

  test('in a browser that did not begin the sign-in does nothing', async () => {
    const { page } = await atLogin();
    const stranger = await new Browser(gate.issuer).submit(formIn(page.html), samTyped());
    expect([stranger.status, stranger.html.includes('Start again')]).toEqual([400, true]);
  });

  test('for another step does nothing', async () => {
    const { browser, page } = await atConsent();
    const form = formIn(page.html);
    const answer = await browser.submit({ ...form, action: form.action.replace('/consent', '/login') }, samTyped());
    expect(answer.status).toBe(400);
  });
});

describe('a person who says no', () => {
  test.each([
    ['to the question', 'deny'],
    ['by an answer that is none', 'perhaps'],
  ])('%s sends the client access_denied, on record', async (_says, decision) => {
    const { browser, page } = await atConsent();
    const { sentTo } = await browser.submit(formIn(page.html), { decision });
    expect(Object.fromEntries(sentTo?.searchParams ?? [])).toMatchObject({
      error: 'access_denied',
      state: 's-1',
      iss: gate.issuer,
    });
    expect(gate.events.seen.at(-1)).toMatchObject({ data: { action: 'consent.refused', scope: 'customer:read' } });
  });

  test('at the login does so too', async () => {
    const { browser, page } = await atLogin();
    const form = formIn(page.html);
    const { sentTo } = await browser.submit({ ...form, action: form.action.replace('/login', '/cancel') }, {});
    expect(sentTo?.searchParams.get('error')).toBe('access_denied');
  });
});

test('a sign-in that is over, and one that never was, are a page that says so', async () => {
  const { browser, page } = await atConsent();
  const form = formIn(page.html);
  await browser.submit(form, { decision: 'allow' });
  for (const path of [form.action.replace('/consent', ''), '/interaction/never']) {
    const again = await browser.open(path);
    expect([again.status, again.html.includes('Start again')]).toEqual([400, true]);
  }
});

test('a page that fails says so without saying why, and our log says why', async () => {
  const { browser, page } = await atLogin();
  gate.events.state.full = true;
  const answer = await browser.submit(formIn(page.html), samTyped());
  gate.events.state.full = false;
  expect(answer.status).toBe(503);
  expect(answer.html).not.toMatch(/Refusal|\bat \//);
  const reference = /Reference: <code>([^<]+)/.exec(answer.html)?.[1] ?? 'none';
  expect(gate.lines.some((line) => line.startsWith('error') && line.includes(reference))).toBe(true);
});

test('signing out ends the session', async () => {
  const { browser } = await grantAs(gate, sam(), { scope: 'customer:read' });
  const question = await browser.open('/logout');
  expect(question.html).toContain('Sign out?');
  const answer = await browser.submit(formIn(question.html), { logout: 'yes' });
  expect(answer.html).toContain('You are signed out');
  expect((await browser.open(request())).html).toContain('<h1>Sign in</h1>');
});

test('signing out without a session works, with and without scripts', async () => {
  const browser = new Browser(gate.issuer);
  const page = await browser.open('/logout');
  const script = /<script>([^]*?)<\/script>/.exec(page.html)?.[1] ?? '';
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256').update(script).digest('base64');
  expect(page.headers.get('content-security-policy')).toContain(`'sha256-${hash}'`);
  expect((await browser.submit(formIn(page.html), {})).html).toContain('You are signed out');
});

test('after ten wrong passwords in a row an account has to wait for a moment, whoever knows the password', async () => {
  const { browser, page } = await atLogin();
  const form = formIn(page.html);
  stopped = Date.now();
  for (let i = 0; i < 10; i += 1) await browser.submit(form, { username: 'uma', password: 'wrong' });
  const answer = await browser.submit(form, typed(gate.demo.users[1]!));
  stopped += 1000;
  const later = await browser.submit(form, typed(gate.demo.users[1]!));
  stopped = undefined;
  expect([answer.status, answer.html.includes('Try again in 1 second.')]).toEqual([429, true]);
  expect(later.html).toContain('to act for you?');
});

// last: it uses up what this address may try
test('after thirty failed logins an address has to wait, even with the right password', async () => {
  const { browser, page } = await atLogin();
  const form = formIn(page.html);
  const before = said('login.failed').length;
  // all begin before the first has been compared
  const guess = (_: unknown, i: number) => browser.submit(form, { username: `user-${i}`, password: 'wrong' });
  const statuses = (await Promise.all(Array.from({ length: 60 }, guess))).map(({ status }) => status);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(30);
  expect(said('login.failed').length - before).toBeLessThanOrEqual(30);
  const answer = await browser.submit(form, samTyped());
  expect([answer.status, answer.html.includes('Too many failed sign-ins')]).toEqual([429, true]);
}, 30_000);
