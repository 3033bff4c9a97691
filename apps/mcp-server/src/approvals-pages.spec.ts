import { principalId } from '@portcullis/contract/ids';
import { DELETE, person, refusalIn, samsAgent, withApproval, saysIn } from './approvals.fixture.js';
import { call, startRig, type Rig, type TokenWords } from './rig.fixture.js';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 60_000);
afterAll(() => rig?.close());

let agents = 0;
const asked = async (args: unknown = DELETE, more: TokenWords = {}, tool = 'delete_customer') => {
  const words = samsAgent(rig, { client: `desktop-${++agents}`, ...more });
  const { approval, approvalUrl } = refusalIn(await rig.post(call(tool, args), words));
  return { words, url: String(approvalUrl), approval: String(approval) };
};

test('the page shows who asks for what, and every argument as nothing but text', async () => {
  const evil = '<script>alert(1)</script> <a href="https://evil.example">see</a> "}, approved';
  const letter = { customer_ids: ['12345'], subject: evil, body: 'one\ntwo' };
  const { url, words } = await asked(letter, {}, 'send_bulk_email');
  const page = await person(rig, 'rita').open(url);
  expect(page.status).toBe(200);
  for (const shown of ['send_bulk_email', words.client!, 'sam', 'task-1', '0 of 2', '&quot;12345&quot;', 'one\\ntwo'])
    expect(page.html).toContain(shown);
  expect(page.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(page.html).not.toMatch(/<script|<a |<img|javascript:/i);
  expect(page.headers.get('content-security-policy')).toBe(
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  expect(page.headers.get('x-frame-options')).toBe('DENY');
  expect(page.headers.get('cache-control')).toBe('no-store');
});

test('the page shows the largest call in full: every customer, every line and the last word', async () => {
  const customer_ids = Array.from({ length: 500 }, (_, i) => `CUST${10_000 + i}`);
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i} `.padEnd(49, '.'));
  const body = `${lines.join('\n')}$`;
  expect(body).toHaveLength(5_000);
  const budget = { claims: { customers_per_task: 500, customers_per_hour: 500 } };
  const { url } = await asked({ customer_ids, subject: 'the last argument', body }, budget, 'send_bulk_email');
  const { html } = await person(rig, 'rita').open(url);
  const [, shown = ''] = /<pre[^>]*>([^]*?)<\/pre>/.exec(html) ?? [];
  const rows = shown.split('\n').map((row) => row.trim().replaceAll('&quot;', '"'));
  const ids = customer_ids.map((id, i) => (i < 499 ? `"${id}",` : `"${id}"`));
  expect(rows).toEqual([
    '{',
    `"body": ${JSON.stringify(body)},`,
    '"customer_ids": [',
    ...ids,
    '],',
    '"subject": "the last argument"',
    '}',
  ]);
});

test('the style sheet is a file of our own', async () => {
  const answer = await rig.raw({ url: `${rig.url}/approvals/style.css` });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
});

test('whoever opens a page signs in first, lately, for this tenant and for nothing else', async () => {
  const { url } = await asked();
  const first = await person(rig, 'rita').request(url);
  expect(first.status).toBe(303);
  const { origin, pathname, searchParams } = new URL(first.to!);
  expect(`${origin}${pathname}`).toBe(`${rig.issuer.url}/authorize`);
  expect(Object.fromEntries(searchParams)).toEqual({
    client_id: 'approvals.default',
    response_type: 'code',
    redirect_uri: `${rig.url}/approvals/callback`,
    scope: 'approvals:give',
    resource: `${rig.url}/approvals`,
    max_age: '300',
    state: expect.stringMatching(/^.{20,}$/),
    code_challenge: expect.stringMatching(/^.{43}$/),
    code_challenge_method: 'S256',
  });
  const [cookie] = first.headers.getSetCookie();
  expect(cookie).toMatch(/^portcullis_approvals_login=.+; Max-Age=600; Path=\/;.* HttpOnly; SameSite=Lax$/);
});

test('the browser keeps nothing that it could read, and the session lasts no longer than the sign-in is young', async () => {
  const { url } = await asked();
  const rita = person(rig, 'rita');
  await rita.open(url);
  const session = rita.jar.get('portcullis_approvals_session')!;
  expect(Buffer.from(session, 'base64url').toString('latin1')).not.toMatch(/token|eyJ/);
  expect((await rita.request(url)).status).toBe(200);
  rig.skip(301_000);
  expect((await rita.request(url)).to).toContain(rig.issuer.url);
});

test.each([
  ['without the scope', { scope: 'security:read' }],
  ['of another client', { client: 'desktop' }],
  ['for another API', { claims: { aud: 'https://elsewhere.example' } }],
  ['of another tenant', { tenant: 'acme' }],
  ['of another tenant, through its own client', { tenant: 'acme', client: 'approvals.acme' }],
  ['of a machine', { claims: { sub: 'approvals.default' } }],
  ['that is bound to a key', { claims: { cnf: { jkt: 'a'.repeat(43) } } }],
  ['of an old sign-in', { claims: { auth_time: 1 } }],
  ['of no sign-in', { claims: { auth_time: undefined } }],
])('a token %s opens nothing', async (_, more: TokenWords) => {
  const { url } = await asked();
  const page = await person(rig, 'rita', more).open(url);
  expect(page.status).toBe(403);
  expect(page.html).not.toContain('delete_customer');
});

test('unknown, expired, another tenant’s and no id at all look the same', async () => {
  const { url } = await asked();
  const elsewhere = await asked({ customer_id: 'NOBODY' }, { tenant: 'acme' });
  const rita = person(rig, 'rita');
  await rita.open(url);
  const { url: old } = await asked({ customer_id: 'OLD99' });
  const pages = [await rita.request(elsewhere.url), await rita.request(`${rig.url}/approvals/apr_${'a'.repeat(26)}`)];
  pages.push(await rita.request(`${rig.url}/approvals/nothing`));
  rig.skip(600_000);
  pages.push(await rita.request(old));
  const bare = pages.map(({ status, html }) => [status, html.replace(/Reference.*$/m, '')]);
  expect(bare[0]![0]).toBe(404);
  for (const each of bare) expect(each).toEqual(bare[0]);
});

describe('a form counts only', () => {
  test.each([
    ['from our page', {}, { form_token: 'x' }],
    ['with the token of this session and call', {}, { form_token: '' }],
    ['from our site', { 'sec-fetch-site': 'cross-site' }, {}],
    ['from our origin', { 'sec-fetch-site': 'same-site' }, {}],
    ['with a yes or a no', {}, { decision: 'maybe' }],
  ])('%s', async (_, headers, fields) => {
    const { url, approval, words } = await asked();
    const rita = person(rig, 'rita');
    const page = await rita.open(url);
    const [, token = ''] = /name="form_token" value="([^"]+)"/.exec(page.html) ?? [];
    const body = new URLSearchParams({ form_token: token, decision: 'approve', ...fields });
    expect((await rita.request(url, { method: 'POST', body, headers })).status).toBe(403);
    expect(saysIn(await rig.post(withApproval(approval), words))).toContain('Approved by 0 of 1');
  });

  test('for the call it was made for', async () => {
    const [one, other] = [await asked(), await asked({ customer_id: 'OTHER1' })];
    const rita = person(rig, 'rita');
    expect((await rita.submit(await rita.open(one.url), other.url, 'approve')).status).toBe(403);
  });

  test('of the person who is signed in', async () => {
    const { url } = await asked();
    const page = await person(rig, 'rita').open(url);
    const ron = person(rig, 'ron');
    expect((await ron.submit(page, url, 'approve')).status).toBe(403);
    await ron.open(url);
    expect((await ron.submit(page, url, 'approve')).status).toBe(403);
  });

  test('by POST', async () => {
    const { url, approval, words } = await asked();
    const rita = person(rig, 'rita');
    await rita.open(url);
    await rita.request(`${url}?decision=approve`);
    expect(saysIn(await rig.post(withApproval(approval), words))).toContain('Approved by 0 of 1');
  });
});

describe('the way back from the authorization server', () => {
  const back = async (params: Record<string, string> = {}) => {
    const { url } = await asked();
    const rita = person(rig, 'rita');
    const first = await rita.request(url);
    return { rita, callback: await rita.comeBack(first.to!, params) };
  };
  test.each([
    ['another state', { state: 'x' }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['a code that is none', { code: 'x' }],
    ['a no', { error: 'access_denied' }],
  ])('with %s is a page, and signs nobody in', async (_, params) => {
    const { rita, callback } = await back(params);
    expect((await rita.request(callback)).status).toBe(403);
    expect(rita.jar.has('portcullis_approvals_session')).toBe(false);
  });

  test('of another browser signs nobody in', async () => {
    const { callback } = await back();
    expect((await person(rig, 'mallory').request(callback)).status).toBe(403);
  });

  test('is good once', async () => {
    const { rita, callback } = await back();
    expect((await rita.request(callback)).status).toBe(303);
    expect((await rita.request(callback)).status).toBe(403);
  });

  test('while the authorization server is away is a page that says so', async () => {
    const { rita, callback } = await back();
    rig.issuer.setAway(true);
    const page = await rita.request(callback);
    rig.issuer.setAway(false);
    expect(page.status).toBe(503);
    expect(page.html).not.toMatch(/ at .*\.js|OAUTH|fetch/);
    expect(rita.jar.has('portcullis_approvals_session')).toBe(false);
  });
});

test('a person who is contained, or whose token was revoked, decides nothing', async () => {
  const { url } = await asked();
  const rita = person(rig, 'rita', { claims: { jti: 'ritas-token' } });
  const page = await rita.open(url);
  const [at, until] = [0, 3_600_000].map((ms) => new Date(rig.now() + ms).toISOString());
  const body = { tenant: 'default', what: 'token', id: 'ritas-token', at, until };
  await rig.tell('portcullis.revocations', 'default/token/ritas-token', body);
  expect((await rita.submit(page, url, 'approve')).status).toBe(403);
  expect((await rita.request(url)).to).toContain(rig.issuer.url);

  const ron = person(rig, 'ron');
  const rons = await ron.open(url);
  const agent = principalId('default', 'approvals.default', 'ron');
  const standing = { tenant: 'default', agent, state: 'Isolated', since: new Date().toISOString() };
  await rig.tell('portcullis.standing', `default/${agent}`, standing);
  expect((await ron.submit(rons, url, 'approve')).status).toBe(403);
});
