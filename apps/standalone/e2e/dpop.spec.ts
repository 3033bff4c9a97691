import {
  Client,
  DpopSession,
  PrivateKeyJwtProvider,
  StreamableHTTPClientTransport,
  withDpop,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client';
import { decodeJwt } from 'jose';
import { Gate } from './gate.js';

let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start();
}, 60_000);
afterAll(() => gate?.stop());

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
  readonly headers: Headers;
  readonly status: number;
  readonly challenge: string;
}

/** The demo's secure-agent as the MCP SDK plays it, and every request that it sent. */
async function secureAgent() {
  const account = gate.demo.clients['secure-agent']!;
  const session = await DpopSession.create();
  const provider: OAuthClientProvider = new PrivateKeyJwtProvider({
    clientId: account.client_id,
    privateKey: account.private_jwk as Record<string, unknown>,
    algorithm: 'ES256',
    jwtLifetimeSeconds: 60,
    scope: 'customer:read',
    expectedIssuer: gate.ready.authServer,
  });
  provider.dpop = () => session;
  const sent: Sent[] = [];
  const fetching = async (url: string | URL, init: RequestInit = {}) => {
    const response = await fetch(url, init);
    const headers = new Headers(init.headers);
    const challenge = response.headers.get('www-authenticate') ?? '';
    // what a thief would see: all but the way to take it back
    sent.push({ url: String(url), init: { ...init, signal: null }, headers, status: response.status, challenge });
    return response;
  };
  const client = new Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  const transport = new StreamableHTTPClientTransport(new URL(gate.ready.mcp), {
    authProvider: provider,
    fetch: fetching,
  });
  await client.connect(transport);
  const answer = await client.callTool({ name: 'get_customer_info', arguments: { customer_id: '12345' } });
  await client.close();
  return { session, answer, sent, tokens: await provider.tokens() };
}

test('the MCP SDK gets a bound token and calls a tool with it, nonces included', async () => {
  const { session, answer, sent, tokens } = await secureAgent();
  expect(answer.structuredContent).toMatchObject({ customer_id: '12345' });
  expect(tokens?.token_type).toBe('DPoP');
  expect(decodeJwt(tokens!.access_token)['cnf']).toEqual({ jkt: session.thumbprint });

  const asked = sent.filter(({ url }) => url.endsWith('/token'));
  // sep-1932-client-token-request-proof, sep-1932-client-as-nonce
  expect(asked.map(({ status, headers }) => [status, headers.has('dpop')])).toEqual([
    [400, true],
    [200, true],
  ]);
  const called = sent.filter(({ headers }) => headers.has('authorization'));
  // sep-1932-client-rs-nonce, sep-1932-client-dpop-auth-scheme, sep-1932-client-fresh-proof
  expect([called[0]?.status, called[0]?.challenge]).toEqual([401, expect.stringContaining('error="use_dpop_nonce"')]);
  expect(called.slice(1).map(({ status }) => status)).toEqual(called.slice(1).map(() => 200));
  expect(called.every(({ headers }) => headers.get('authorization')?.startsWith('DPoP '))).toBe(true);
  expect(new Set(called.map(({ headers }) => headers.get('dpop'))).size).toBe(called.length);
}, 60_000);

test('what a thief saw of it is no good: not sent again, not as Bearer, not with a key of the thief', async () => {
  const { sent, tokens } = await secureAgent();
  const last = sent.at(-1)!;
  expect([last.url, last.status]).toEqual([gate.ready.mcp, 200]);
  const again = await fetch(last.url, last.init);
  expect([again.status, again.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('error="invalid_dpop_proof"'),
  ]);

  const token = tokens!.access_token;
  const stolen = await gate.call(token, 'get_customer_info', { customer_id: '12345' });
  expect([stolen.status, stolen.body.error?.code, stolen.body.error?.data?.code]).toEqual([401, 40101, 'dpop_invalid']);
  expect(stolen.headers.get('www-authenticate')).toMatch(/^DPoP .*error="invalid_token"/);

  const thief = withDpop(await DpopSession.create(), async () => token)(fetch);
  const own = await thief(gate.ready.mcp, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  expect([own.status, own.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringMatching(/^DPoP .*error="invalid_token"/),
  ]);
}, 60_000);

test('a machine client is bound unless its record says otherwise, and gets nothing without a proof', async () => {
  const account = await gate.newClient(['customer:read'], { dpop_bound_access_tokens: undefined });
  const refused = await gate.requestToken(account);
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: 'invalid_dpop_proof' }]);
  const bearer = await gate.newClient(['customer:read']);
  expect((await gate.requestToken(bearer)).status).toBe(200);
}, 60_000);

test('our own APIs take bound tokens with a proof for their own address, and as nothing else', async () => {
  const session = await DpopSession.create();
  const { authServer, mcpServer, analytics } = gate.ready;
  const apis = [
    [`${authServer}/admin`, `${authServer}/admin/v1/clients`, 'admin:clients', 'GET'],
    [`${mcpServer}/admin`, `${mcpServer}/admin/v1/drills/drill-none`, 'platform:admin', 'DELETE'],
    [`${analytics}/v1`, `${analytics}/v1/agents`, 'security:read', 'GET'],
  ] as const;
  for (const [resource, url, scope, method] of apis) {
    const token = await gate.adminToken(resource, scope, session);
    const asOwner = withDpop(session, async () => token)(fetch);
    expect((await asOwner(`${url}?limit=1`, { method })).status).toBe(200);
    expect((await asOwner(url, { method })).status).toBe(200);
    const stolen = await fetch(url, { method, headers: { authorization: `Bearer ${token}` } });
    expect([stolen.status, ((await stolen.json()) as { error: string }).error]).toEqual([401, 'dpop_invalid']);
  }
}, 60_000);
