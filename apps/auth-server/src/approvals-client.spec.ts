import { decodeJwt } from 'jose';
import { Browser, formIn, pkce } from './browser.fixture.js';
import { authorizeUrl, CALLBACK, exchange, grantAs, typed, type Person } from './flow.fixture.js';
import { MCP, postToken, startGate, world, type Gate } from './gate.fixture.js';

const APPROVALS = 'http://127.0.0.1:4401/approvals';
const OURS = { client_id: 'approvals.default', redirect_uri: `${APPROVALS}/callback` };
let gate: Gate;
const sam = (): Person => gate.demo.users[0]!;
const uma = (): Person => gate.demo.users[1]!;
const ada = (): Person => gate.demo.users[2]!;

beforeAll(async () => {
  gate = await startGate(await world());
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const asked = (more: Record<string, string> = {}) => ({
  ...OURS,
  scope: 'approvals:give',
  resource: APPROVALS,
  max_age: '300',
  ...more,
});
const open = (more: Record<string, string>, browser = new Browser(gate.url)) => {
  const { challenge } = pkce();
  const url = authorizeUrl(gate, { ...asked(more), code_challenge: challenge, code_challenge_method: 'S256' });
  return browser.open(url);
};

test('whoever may approve signs in, is asked nothing else, and gets a token that is good for that only', async () => {
  for (const person of [sam(), ada()]) {
    const { code, verifier, pages } = await grantAs(gate, person, asked());
    expect(pages).toHaveLength(1);
    const { status, body } = await exchange(gate, code!, verifier, { ...OURS, resource: APPROVALS });
    expect(status).toBe(200);
    expect(decodeJwt(body.access_token as string)).toMatchObject({
      aud: APPROVALS,
      scope: 'approvals:give',
      ceiling: 'approvals:give',
      client_id: 'approvals.default',
      tenant: 'default',
      auth_time: expect.any(Number),
    });
    expect(body).not.toHaveProperty('refresh_token');
  }
});

test('whoever may not approve gets nothing', async () => {
  const { sentTo } = await grantAs(gate, uma(), asked());
  expect(sentTo?.searchParams.get('error')).toBe('invalid_scope');
});

test('to have signed in for another program is not enough', async () => {
  const { browser } = await grantAs(gate, sam(), { scope: 'customer:read' });
  expect((await grantAs(gate, sam(), asked(), browser)).pages[0]).toContain('name="password"');
});

test.each([
  ['another redirect URI', { redirect_uri: CALLBACK }],
  ['a client of no tenant', { client_id: 'approvals.NONE' }],
])('%s is no way in', async (_, more) => {
  const { status, html } = await open(more);
  expect(status).toBe(400);
  expect(html).not.toContain('name="password"');
});

test.each([
  ['scopes of tools', { scope: 'customer:read', resource: MCP }],
  ['scopes of other APIs', { scope: 'admin:users', resource: 'http://127.0.0.1:4400/admin' }],
])('%s are not to be had through it', async (_, more) => {
  expect((await open(more)).sentTo?.searchParams.get('error')).toMatch(/^invalid_(scope|target)$/);
});

test('where a tenant has no such person, nobody signs in', async () => {
  const browser = new Browser(gate.url);
  const page = await open({ client_id: 'approvals.nobody' }, browser);
  const again = await browser.submit(formIn(page.html), typed(sam()));
  expect(again.sentTo).toBeUndefined();
  expect(again.status).toBe(400);
  expect(again.html).toContain('name="password"');
});

test('it is no client for machines', async () => {
  const { status } = await postToken(gate, { grant_type: 'client_credentials', client_id: 'approvals.default' });
  expect(status).toBe(400);
});
