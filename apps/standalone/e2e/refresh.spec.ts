import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Client,
  DpopSession,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { openPglite } from '@portcullis/sql/pglite.sql';
import { decodeJwt } from 'jose';
import { Browser } from './browser.js';
import { Gate } from './gate.js';

/** The same ports over a restart, so that the gate comes back as the same issuer; below those the system hands out. */
const PORT_BASE = 10_000 + ((process.pid + 7_000) % 20_000);
let folder: string;
let gate: Gate;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-refresh-'));
  gate = await start();
}, 60_000);
afterAll(async () => {
  await gate?.stop();
  rmSync(folder, { recursive: true, force: true });
});
const start = () => Gate.start(['--data', folder, '--port-base', String(PORT_BASE)]);

/** The demo's desktop assistant as the MCP SDK plays it: its person is sent to a browser only when nothing else is left. */
async function desktop(dpop?: DpopSession) {
  const kept: { tokens?: StoredOAuthTokens; verifier?: string; code?: string; state?: OAuthDiscoveryState } = {};
  const counts = { browser: 0, saved: 0 };
  const person = gate.demo.users.find(({ roles }) => roles.includes('supervisor'))!;
  const redirectUrl = 'http://127.0.0.1:45679/callback';
  const provider: OAuthClientProvider = {
    redirectUrl,
    clientMetadata: { redirect_uris: [redirectUrl], client_name: 'Desktop', scope: 'customer:read ticket:read' },
    clientInformation: () => ({ client_id: 'desktop', issuer: gate.ready.authServer }),
    tokens: () => kept.tokens,
    saveTokens(tokens) {
      counts.saved += 1;
      kept.tokens = tokens;
    },
    async redirectToAuthorization(url) {
      counts.browser += 1;
      const sent = await new Browser(gate.ready.authServer).grant(url.href, person);
      kept.code = sent.get('code') ?? '';
      expect(sent.get('iss')).toBe(gate.ready.authServer);
    },
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier ?? '',
    saveDiscoveryState: (state) => void (kept.state = state),
    discoveryState: () => kept.state,
    ...(dpop && { dpop: () => dpop }),
  };
  const transport = () => new StreamableHTTPClientTransport(new URL(gate.ready.mcp), { authProvider: provider });
  const connected = async (): Promise<Client> => {
    const client = new Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(transport());
    return client;
  };
  const first = transport();
  const none = new Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await expect(none.connect(first)).rejects.toBeInstanceOf(UnauthorizedError);
  await first.finishAuth(new URLSearchParams({ code: kept.code ?? '', iss: gate.ready.authServer }));
  return { kept, counts, connected };
}
const ask = (client: Client) => client.callTool({ name: 'get_customer_info', arguments: { customer_id: '12345' } });
/** What an hour does to it, in no time. */
const spoil = (tokens: StoredOAuthTokens | undefined): StoredOAuthTokens => {
  if (tokens === undefined) throw new Error('no tokens');
  return { ...tokens, access_token: `${tokens.access_token.slice(0, -8)}AAAAAAAA` };
};

test.each([
  ['bearer', () => Promise.resolve(undefined)],
  ['bound', () => DpopSession.create()],
])(
  'a person signs in once, and the SDK refreshes %s tokens by itself from then on',
  async (_kind, session) => {
    const { kept, counts, connected } = await desktop(await session());
    const client = await connected();
    expect((await ask(client)).structuredContent).toMatchObject({ customer_id: '12345' });
    const first = kept.tokens!;
    for (let turn = 0; turn < 3; turn += 1) {
      kept.tokens = spoil(kept.tokens);
      expect((await ask(client)).structuredContent).toMatchObject({ customer_id: '12345' });
    }
    await client.close();
    expect(counts).toEqual({ browser: 1, saved: 4 });
    expect(kept.tokens?.refresh_token).not.toBe(first.refresh_token);
    const [before, after] = [first, kept.tokens!].map((tokens) => decodeJwt(tokens.access_token));
    const { jti: _j, iat: _i, exp: _e, ...same } = before!;
    expect(after).toMatchObject(same);
  },
  60_000,
);

test('five calls at once after the token has expired all succeed, and nobody is sent to the browser', async () => {
  const { kept, counts, connected } = await desktop();
  const client = await connected();
  kept.tokens = spoil(kept.tokens);
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask(client)));
  for (const { structuredContent } of answers) expect(structuredContent).toMatchObject({ customer_id: '12345' });
  kept.tokens = spoil(kept.tokens);
  expect((await ask(client)).structuredContent).toMatchObject({ customer_id: '12345' });
  await client.close();
  expect(counts.browser).toBe(1);
}, 60_000);

test('a gate that is killed after it has rotated logs nobody out: the token comes back and gets its successor', async () => {
  const { kept } = await desktop();
  const form = { grant_type: 'refresh_token', client_id: 'desktop', refresh_token: kept.tokens!.refresh_token! };
  const refresh = async () => {
    const answer = await fetch(`${gate.ready.authServer}/token`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: answer.status, ...((await answer.json()) as { refresh_token?: string }) };
  };
  const lost = await refresh();
  expect(lost.status).toBe(200);
  await gate.stop('SIGKILL');
  await beginWindowNow();
  gate = await start();
  expect(await refresh()).toMatchObject({ status: 200, refresh_token: lost.refresh_token });
}, 90_000);

/** However long this machine takes to start a gate: the tokens that were used by the time of the kill are used just now. */
async function beginWindowNow(): Promise<void> {
  const database = await openPglite(`pglite://${join(folder, 'db')}`);
  const tokens = database.schema<{ refresh_tokens: { used_at: Date | null } }>('auth').updateTable('refresh_tokens');
  await tokens
    .set({ used_at: new Date(Date.now() + 30_000) })
    .where('used_at', 'is not', null)
    .execute();
  await database.close();
}
