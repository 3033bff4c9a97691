import { createHash, randomBytes } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { Browser } from './browser.js';
import { Gate, outcomeOf } from './gate.js';

let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start();
}, 60_000);
afterAll(() => gate.stop());

const REDIRECT = 'http://127.0.0.1:45678/callback';

/** Signs the person in at our pages, allows what the client asks for, and gets the token. */
async function signIn(person: { username: string; password: string }, scope: string): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'desktop',
    redirect_uri: REDIRECT,
    scope,
    resource: gate.ready.mcp,
    state: 'xyz',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const browser = new Browser(gate.ready.authServer);
  const login = await browser.open(`${gate.ready.authServer}/authorize?${query}`);
  const consent = await browser.submit(login, { username: person.username, password: person.password });
  expect(consent.html).toContain('Desktop assistant');
  const back = await browser.submit(consent, { decision: 'allow' });
  const answer = new URL(back.url).searchParams;
  expect([answer.get('state'), answer.get('iss')]).toEqual(['xyz', gate.ready.authServer]);
  const tokens = await fetch(`${gate.ready.authServer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'desktop',
      code: answer.get('code')!,
      redirect_uri: REDIRECT,
      code_verifier: verifier,
      resource: gate.ready.mcp,
    }),
  });
  expect(tokens.status).toBe(200);
  return ((await tokens.json()) as { access_token: string }).access_token;
}

const user = (role: string) => gate.demo.users.find(({ roles }) => roles.includes(role))!;

test('a supervisor who has just signed in may have a customer deleted once another person agrees, and the token says who, for what and until when', async () => {
  const token = await signIn(user('supervisor'), 'customer:read customer:delete');
  expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
  const claims = decodeJwt(token);
  expect(claims).toMatchObject({
    iss: gate.ready.authServer,
    aud: gate.ready.mcp,
    client_id: 'desktop',
    scope: 'customer:read customer:delete',
    tenant: 'default',
    task: expect.stringMatching(/^tsk_/) as string,
  });
  expect(claims.exp! - claims.iat!).toBe(15 * 60);
  expect(claims.sub).not.toBe('desktop');
  expect(claims['auth_time']).toBeGreaterThan(Date.now() / 1000 - 60);

  expect(outcomeOf(await gate.call(token, 'delete_customer', { customer_id: 'XYZ789' }))).toBe('approval_needed');
  expect(outcomeOf(await gate.call(token, 'get_customer_info', { customer_id: 'XYZ789' }))).toBe('allowed');
}, 60_000);

test('what a person may not, the agent may not either: the roles bound what is granted', async () => {
  const token = await signIn(user('agent-user'), 'customer:read customer:delete');
  expect(decodeJwt(token)).toMatchObject({ scope: 'customer:read' });
  const refused = await gate.call(token, 'delete_customer', { customer_id: '12345' });
  expect(refused).toMatchObject({ status: 403, body: { error: { data: { code: 'scope_insufficient' } } } });
}, 60_000);

test('a machine that may delete, but has no person who signed in, is told that it needs one', async () => {
  const token = await gate.tokenFor(await gate.newClient(['customer:delete']), { scope: 'customer:delete' });
  const refused = await gate.call(token, 'delete_customer', { customer_id: '12345' });
  expect(refused).toMatchObject({ status: 401, body: { error: { code: 40102, data: { code: 'login_too_old' } } } });
  expect(refused.headers.get('www-authenticate')).toMatch(/error="insufficient_user_authentication".*max_age="?300/);
});

test('a wrong password and an unknown user read the same', async () => {
  const { username } = user('supervisor');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'desktop',
    redirect_uri: REDIRECT,
    resource: gate.ready.mcp,
    code_challenge: createHash('sha256').update('x'.repeat(43)).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const pages = [];
  for (const name of [username, 'nobody']) {
    const browser = new Browser(gate.ready.authServer);
    const login = await browser.open(`${gate.ready.authServer}/authorize?${query}`);
    const { html } = await browser.submit(login, { username: name, password: 'wrong' });
    pages.push(html.replaceAll(/value="[^"]*"|action="[^"]*"/g, ''));
  }
  expect(pages[0]).toBe(pages[1]);
  expect(pages[0]).toContain('<form');
}, 60_000);
