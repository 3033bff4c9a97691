import { generateKeyPair, SignJWT, decodeJwt, decodeProtectedHeader } from 'jose';
import { exchange, grantAs } from './flow.fixture.js';
import { jsonOf, MCP, postToken, secretOf, startGate, world, type Gate } from './gate.fixture.js';

// What RFC 7662 §4 wants determined of a token before it is called active.
let gate: Gate;
/** how far the server's clock is ahead, ms */
let ahead = 0;
beforeAll(async () => {
  gate = await startGate(await world(), { now: () => Date.now() + ahead });
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});
afterEach(() => {
  ahead = 0;
});

const support = () => secretOf(gate.demo, 'support-agent');
async function machineToken(): Promise<string> {
  const form = { grant_type: 'client_credentials', scope: 'customer:read', resource: MCP };
  return String((await postToken(gate, form, support())).body.access_token);
}
async function introspect(form: Record<string, string>, headers: Record<string, string> = support()) {
  const init = { method: 'POST', headers, body: new URLSearchParams(form) };
  const response = await fetch(`${gate.issuer}/introspect`, init);
  return { status: response.status, headers: response.headers, body: jsonOf(await response.text()) };
}
const INACTIVE = { status: 200, body: { active: false } };

test('a token that has expired is inactive', async () => {
  const token = await machineToken();
  expect(await introspect({ token })).toMatchObject({ status: 200, body: { active: true } });
  ahead = 15 * 60_000 + 60_000;
  const { status, body } = await introspect({ token });
  expect({ status, body }).toEqual(INACTIVE);
});

test('a token whose signature is not ours, or was changed, is inactive', async () => {
  const token = await machineToken();
  const { privateKey } = await generateKeyPair('ES256');
  const header = { ...decodeProtectedHeader(token), alg: 'ES256' };
  const forged = await new SignJWT(decodeJwt(token)).setProtectedHeader(header).sign(privateKey);
  const [head = '', payload = '', signature = ''] = token.split('.');
  const none = Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url');
  const widened = { ...decodeJwt(token), scope: 'customer:delete' };
  const claims = Buffer.from(JSON.stringify(widened)).toString('base64url');
  for (const each of [forged, `${head}.${claims}.${signature}`, `${none}.${payload}.`, `${head}.${payload}.`]) {
    const { status, body } = await introspect({ token: each });
    expect({ status, body }).toEqual(INACTIVE);
  }
});

test('what is said of a token may not be kept', async () => {
  for (const token of [await machineToken(), 'unknown']) {
    const { headers } = await introspect({ token });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  }
});

test('a token is found whatever the hint says it is', async () => {
  const { code = '', verifier } = await grantAs(gate, gate.demo.users[0]!, { scope: 'customer:read' });
  const { body } = await exchange(gate, code, verifier);
  for (const token of [String(body.access_token), String(body.refresh_token)]) {
    for (const token_type_hint of ['access_token', 'refresh_token', 'client_credentials', 'pizza']) {
      const form = { token, token_type_hint, client_id: 'desktop' };
      expect(await introspect(form, {})).toMatchObject({ status: 200, body: { active: true } });
    }
  }
});
