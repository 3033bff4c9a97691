import { newChain, link, type EventLog } from '@portcullis/bus/outbox';
import { memoryBus } from '@portcullis/bus/bus.memory';
import type { Bus } from '@portcullis/bus/bus';
import type { AuditEvent, EventData } from '@portcullis/audit-schemas/envelope';
import type { SignedTopic } from '@portcullis/contract/containment';
import { signersOn } from '@portcullis/guard/feeds.fixture';
import { silentLog } from '@portcullis/contract/log';
import { principalId } from '@portcullis/contract/ids';
import { Refusal } from '@portcullis/contract/refusals';
import type { BehaviourState } from '@portcullis/contract/standing';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { bind, closeBound, listen } from '@portcullis/service/listener.http';
import { readSettings } from '@portcullis/service/settings';
import type { Database } from '@portcullis/sql/database';
import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { v7 as uuidv7 } from 'uuid';
import { config } from './config.js';
import { startMcpServer, type McpServerParts } from './start.js';

/** What a test says of a token; everything else is as our authorization server would say it. */
export interface TokenWords {
  readonly client?: string;
  readonly tenant?: string;
  readonly scope?: string;
  /** the scope unless said otherwise */
  readonly ceiling?: string;
  /** claims over the others; undefined takes one out */
  readonly claims?: JWTPayload & Record<string, unknown>;
  readonly header?: Record<string, string>;
}

export const MODERN = '2026-07-28';
export const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A request of 2026-07-28 with the headers it must carry. */
export function modern(method: string, params: Record<string, unknown> = {}, id: unknown = 1) {
  const name = params['name'] ?? params['uri'];
  return {
    headers: {
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
    },
    body: { jsonrpc: '2.0', id, method, params: { ...params, _meta: META } },
  };
}
export const call = (name: string, args: unknown = {}) => modern('tools/call', { name, arguments: args });

/** The same of an older revision. */
export const legacy = (method: string, params: Record<string, unknown> = {}, revision = '2025-11-25') => ({
  headers: { 'mcp-protocol-version': revision },
  body: { jsonrpc: '2.0', id: 1, method, params },
});

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // tests look wherever they like
  readonly json: any;
}

/** mcp-server as it is started, on a free port, with an issuer of its own and everything in memory, but for what is in `more`. */
export async function startRig(env: Record<string, string> = {}, more: Partial<McpServerParts> = {}) {
  const issuer = await startIssuer();
  const bound = await bind('127.0.0.1', 0);
  const mcp = `${bound.url}/mcp`;
  const settings = readSettings(config, {
    PORTCULLIS_MODE: 'embedded',
    PORT: '0',
    AUTH_ISSUER: issuer.url,
    MCP_RESOURCE: mcp,
    ...env,
  });
  const database: Database = await openTestDatabase();
  const bus: Bus = memoryBus();
  const events = keptEvents();
  const limiter = memoryLimiter({ now: Date.now, random: randomBytes });
  let skipped = 0;
  const now = () => Date.now() + skipped;
  // stands still unless a test has the feeds grow old
  let uptime = 0;
  const signers = signersOn(bus);
  const beat = async (): Promise<void> => {
    await signers.beat('portcullis.standing', now());
    await signers.beat('portcullis.revocations', now());
  };
  await beat();
  const auditDigestKey = randomBytes(32);
  const stateKeys = [randomBytes(32)];
  const { containment } = signers;
  const engines = {
    database,
    bus,
    containment,
    events: events.log,
    limiter,
    log: silentLog,
    auditDigestKey,
    stateKeys,
  };
  const parts: McpServerParts = { ...engines, demoData: true, now, uptime: () => uptime, ...more };
  let service = await startMcpServer(settings, parts, bound).catch(async (error: unknown) => {
    // what stays open would keep the test's process for ever
    await Promise.all([closeBound(bound), issuer.close(), database.close()]);
    throw error;
  });

  const token = ({
    client = 'agent',
    tenant = 'default',
    scope = 'customer:read',
    ceiling,
    claims,
    header,
  }: TokenWords = {}) =>
    issuer.sign(
      {
        iss: issuer.url,
        aud: mcp,
        sub: client,
        client_id: client,
        jti: uuidv7(),
        scope,
        ceiling: ceiling ?? scope,
        tenant,
        ...claims,
      },
      header,
    );

  const raw = async (init: RequestInit & { url?: string }): Promise<Answered> => {
    const response = await fetch(init.url ?? mcp, init);
    const text = await response.text();
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, text, json };
  };

  return {
    mcp,
    url: service.url,
    managementUrl: service.managementUrl,
    now,
    /** moves the server's clock on */
    skip(ms: number) {
      skipped += ms;
    },
    /** stops the server and starts it again where it was, on the same database */
    async restart() {
      await service.close();
      service = await startMcpServer(settings, parts, await bind('127.0.0.1', bound.port));
    },
    /** lets the feeds grow old without a heartbeat */
    ageFeeds(ms: number) {
      uptime += ms;
    },
    beat,
    /** says on a containment topic what its signer would say */
    tell: (topic: SignedTopic, key: string, body: unknown) => signers.say(topic, key, body),
    issuer,
    database,
    bus,
    limiter,
    events,
    stateKeys,
    token,
    raw,
    /** Posts a message as a well-behaved client does. */
    async post(
      message: { headers: Record<string, string>; body: unknown },
      words: TokenWords | undefined = {},
      headers: Record<string, string> = {},
    ): Promise<Answered> {
      return raw({
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: `Bearer ${await token(words)}`,
          ...message.headers,
          ...headers,
        },
        body: JSON.stringify(message.body),
      });
    },
    /** Says what security-analytics would say. */
    say: (state: BehaviourState, client = 'agent', tenant = 'default') => {
      const agent = principalId(tenant, client);
      const body = { tenant, agent, state, since: new Date().toISOString() };
      return signers.say('portcullis.standing', `${tenant}/${agent}`, body);
    },
    /** How many rows there are, table by table. */
    async rows(): Promise<Record<string, number>> {
      const db = database.everyTenant<Record<string, object>>('tools');
      const counts: Record<string, number> = {};
      for (const table of ['customers', 'purchases', 'tickets', 'attachments', 'outgoing_mail', 'numbers', 'seeded']) {
        const { n } = await db
          .selectFrom(table)
          .select((eb) => eb.fn.countAll<string>().as('n'))
          .executeTakeFirstOrThrow();
        counts[table] = Number(n);
      }
      return counts;
    },
    async close() {
      await service.close();
      await Promise.all([bus.close(), limiter.close(), issuer.close()]);
      await database.close();
    },
  };
}
export type Rig = Awaited<ReturnType<typeof startRig>>;

/** An authorization server as far as mcp-server looks at it: metadata and keys. */
async function startIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'test-key', alg: 'ES256', use: 'sig' };
  const bound = await bind('127.0.0.1', 0);
  let away = false;
  const codes = new Map<string, string>();
  const exchange = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await textOf(request));
    const token = codes.get(form.get('code') ?? '');
    const answer = token === undefined ? { error: 'invalid_grant' } : { access_token: token, token_type: 'Bearer' };
    response.writeHead(token === undefined ? 400 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  };
  listen(bound, (request, response) => {
    if (away) return void response.writeHead(500).end();
    if (request.url === '/token') return void exchange(request, response);
    const answers: Record<string, object> = {
      '/jwks': { keys: [jwk] },
      '/.well-known/oauth-authorization-server': { issuer: bound.url, token_endpoint: `${bound.url}/token` },
    };
    const answer = answers[request.url ?? ''];
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  });
  return {
    url: bound.url,
    jwk,
    privateKey,
    publicKey,
    /** what /token gives for each code */
    codes,
    setAway(now: boolean) {
      away = now;
    },
    sign(claims: JWTPayload, header: Record<string, string> = {}): Promise<string> {
      const seconds = Math.floor(Date.now() / 1000);
      const whole = Object.entries({ iat: seconds, exp: seconds + 900, ...claims });
      return new SignJWT(Object.fromEntries(whole.filter(([, value]) => value !== undefined)))
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'test-key', ...header })
        .sign(privateKey);
    },
    close: () => closeBound(bound),
  };
}

/** An event log that keeps its events in memory, checked against their schema and chained as the durable one does. */
function keptEvents() {
  let head = newChain('mcp-server', uuidv7());
  let full = false;
  const kept: AuditEvent[] = [];
  const log: EventLog = {
    async append(draft) {
      if (full) throw new Refusal('overloaded');
      const next = link(head, draft, uuidv7());
      head = next.head;
      kept.push(next.event);
      return next.event;
    },
    close: async () => {},
    stats: () => ({ spooled: kept.length, pending: 0, lost: 0 }),
  };
  return {
    log,
    all: kept,
    calls: (): EventData<'portcullis.call.v1'>[] =>
      kept.flatMap((event) => (event.type === 'portcullis.call.v1' ? [event.data] : [])),
    lastCall(): EventData<'portcullis.call.v1'> {
      const last = this.calls().at(-1);
      if (last === undefined) throw new Error('no call was recorded');
      return last;
    },
    setFull(now: boolean) {
      full = now;
    },
  };
}
