import { Browser, formIn, pkce } from './browser.fixture.js';
import { authorizeUrl, typed } from './flow.fixture.js';
import { startGate, world, type Gate } from './gate.fixture.js';

const ISSUER = 'https://auth.example';
let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world(), {}, { AUTH_ISSUER: ISSUER });
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

test('with an https issuer every cookie is Secure, although TLS ends in front of us, and the session is bound to the host', async () => {
  const browser = new Browser(gate.url);
  const cookies: string[] = [];
  const ask = async (...request: Parameters<Browser['request']>) => {
    const response = await browser.request(...request);
    cookies.push(...response.headers.getSetCookie());
    // what stands in front of us would have sent it on
    return { response, next: (response.headers.get('location') ?? '').replace(ISSUER, gate.url) };
  };
  const params = { code_challenge: pkce().challenge, code_challenge_method: 'S256', scope: 'customer:read' };
  const { next: login } = await ask(authorizeUrl(gate, params));
  const form = formIn(await (await ask(login)).response.text());
  const body = new URLSearchParams({ ...form.hidden, ...typed(gate.demo.users[0]!) });
  const { response, next: resume } = await ask(form.action, { method: 'POST', body });
  expect(response.headers.get('location')).toMatch(/^https:\/\/auth\.example\/authorize\//);
  const { next: consent } = await ask(resume);
  expect(await (await ask(consent)).response.text()).toContain('to act for you?');

  const set = cookies.filter((cookie) => !cookie.includes('expires=Thu, 01 Jan 1970'));
  for (const cookie of set) expect(cookie).toMatch(/; secure/i);
  expect(set.find((cookie) => cookie.startsWith('__Host-portcullis_session='))).toMatch(/; path=\/;/);
  expect(set.join()).not.toMatch(/domain=/i);
});

test('the metadata names the issuer, not where we listen', async () => {
  const metadata = await (await fetch(`${gate.url}/.well-known/oauth-authorization-server`)).text();
  expect(metadata).toContain(`"token_endpoint":"${ISSUER}/token"`);
  expect(metadata).not.toContain('127.0.0.1');
});
