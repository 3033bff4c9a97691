import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { config as authConfig } from '@portcullis/auth-server/config';
import { startAuthServer } from '@portcullis/auth-server/start';
import { openParts as authParts } from '@portcullis/auth-server/wire';
import { memoryChanges } from '@portcullis/guard/mcp/changes.memory';
import { toolRegistry } from '@portcullis/guard/tool';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { config as mcpConfig } from '@portcullis/mcp-server/config';
import { startMcpServer } from '@portcullis/mcp-server/start';
import { openParts as mcpParts } from '@portcullis/mcp-server/wire';
import { bind } from '@portcullis/service/listener.http';
import { readSettings } from '@portcullis/service/settings';
import { loadOrMakeDemoAccounts } from '@portcullis/standalone/demo-accounts.file';
import { extend, FIXTURE_METHODS } from './prompts.mjs';
import { injectingProxy } from './proxy.mjs';
import { RESOURCES } from './resources.mjs';
import { fixtureTools, SCOPE } from './tools.mjs';

/** The suite sends in seconds what an agent sends in minutes; that limits hold is tested elsewhere. */
const WIDE = {
  version: 0,
  rules: [
    {
      id: 'arrivals',
      type: 'arrivals',
      per: ['principal'],
      windows: [{ limit: 1e9, windowMs: 60_000 }],
      fail: 'closed',
    },
  ],
  tools: {},
  otherTools: { llmTokens: 0, costMicros: 0 },
};

/**
 * The suite's fixtures behind the guard: mcp-server as it is started in production, with our authorization server, in this
 * process; and a proxy that adds an access token to what passes, since the suite has none.
 * @returns {Promise<{ ready: { url: string, injectingProxy: string, issuer: string, clientId: string, demo: string }, close: () => Promise<void> }>}
 */
export async function serveFixtures() {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-fixtures-'));
  const [auth, mcp] = [await bind('127.0.0.1', 0), await bind('127.0.0.1', 0)];
  const resource = `${mcp.url}/mcp`;
  const env = (service, port) => ({
    PORTCULLIS_MODE: 'embedded',
    LOG_LEVEL: 'warn',
    DATABASE_URL: 'pglite://memory',
    OUTBOX_DIR: join(dir, service, 'outbox'),
    PORT: String(port),
    MANAGEMENT_PORT: '0',
    AUTH_ISSUER: auth.url,
    MCP_RESOURCE: resource,
  });
  const settings = {
    auth: readSettings(authConfig, env('auth-server', auth.port)),
    mcp: readSettings(mcpConfig, env('mcp-server', mcp.port)),
  };
  const parts = { auth: await authParts(settings.auth), mcp: await mcpParts(settings.mcp) };
  for (const { bus } of Object.values(parts))
    await bus.subscribe('portcullis.events', 'fixtures', async () => undefined);
  const demo = await loadOrMakeDemoAccounts(dir, { issuer: auth.url, mcp: resource });
  const authServer = await startAuthServer(
    settings.auth,
    { ...parts.auth, bus: parts.mcp.bus, containment: parts.mcp.containment, demo: demo.accounts },
    auth,
  );
  const changes = memoryChanges('toolsListChanged', 'promptsListChanged');
  const limiter = memoryLimiter({ now: Date.now, random: randomBytes, table: () => WIDE });
  const mcpServer = await startMcpServer(
    settings.mcp,
    {
      ...parts.mcp,
      limiter,
      demoData: false,
      tools: toolRegistry(fixtureTools(changes)),
      more: { resources: RESOURCES, methods: FIXTURE_METHODS, extend, changes },
    },
    mcp,
  );
  const { client_id, client_secret } = demo.accounts.clients['support-agent'];
  const proxy = await injectingProxy(resource, tokensOf(auth.url, resource, client_id, client_secret));
  return {
    ready: {
      url: resource,
      injectingProxy: proxy.url,
      issuer: auth.url,
      clientId: demo.accounts.clients.desktop.client_id,
      demo: demo.path,
    },
    async close() {
      await proxy.close();
      for (const each of [mcpServer, authServer, limiter, parts.mcp, parts.auth]) {
        await each.close();
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Writes the file whole, by rename, readable by nobody else. */
export function writeReady(file, ready) {
  writeFileSync(`${file}.part`, `${JSON.stringify(ready, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.part`, file);
}

/** Access tokens for the fixtures, each used for half its life. */
function tokensOf(issuer, resource, clientId, clientSecret) {
  let held = { token: Promise.resolve(''), until: 0 };
  const fetchToken = async () => {
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${clientSecret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: SCOPE, resource }),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(`no token: ${JSON.stringify(body)}`);
    return body.access_token;
  };
  return () => {
    if (Date.now() > held.until) held = { token: fetchToken(), until: Date.now() + 7 * 60_000 };
    return held.token;
  };
}
