import { randomBytes } from 'node:crypto';
import type { AuditEvent } from '@portcullis/audit-schemas/envelope';
import type { Bus } from '@portcullis/bus/bus';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { link, newChain, type EventLog } from '@portcullis/bus/outbox';
import type { Log, LogFacts } from '@portcullis/contract/log';
import { Refusal } from '@portcullis/contract/refusals';
import { Secret } from '@portcullis/contract/secret';
import type { PrincipalId } from '@portcullis/contract/ids';
import type { BehaviourState } from '@portcullis/contract/standing';
import { memoryContainment } from '@portcullis/guard/containment.memory';
import { signersOn } from '@portcullis/guard/feeds.fixture';
import { bind } from '@portcullis/service/listener.http';
import { resourceUris } from '@portcullis/service/resource-uris';
import { expectNoSecrets, secret, secretsOf } from '@portcullis/service/secrets.fixture';
import { readSettings } from '@portcullis/service/settings';
import type { Database } from '@portcullis/sql/database';
import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { config } from './config.js';
import type { PublicJwk } from './clients.js';
import { newDemoAccounts, type DemoAccounts } from './demo.js';
import { startAuthServer, type AuthServerParts } from './start.js';

export const MCP = 'http://127.0.0.1:4401/mcp';

export const privateJwk = async () =>
  secretsOf(await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)) as JWK & {
    kty: 'EC';
    crv: 'P-256';
    x: string;
    y: string;
    d: string;
  };

/** Keeps what was appended, held to the schemas; `full` makes it refuse like a full disk. */
export function recordedEvents() {
  let head = newChain('auth-server', 'test');
  const seen: AuditEvent[] = [];
  const state = { full: false };
  const log: EventLog = {
    async append(draft) {
      if (state.full) throw new Refusal('overloaded');
      const next = link(head, draft, uuidv7());
      head = next.head;
      seen.push(next.event);
      return next.event;
    },
    close: async () => {},
    stats: () => ({ spooled: seen.length, pending: 0, lost: 0 }),
  };
  return { log, seen, state };
}

/** Everything that outlives one run of the server. */
export async function world(database?: Database) {
  const key = () => [new Secret(secret('key of the server', randomBytes(32).toString('base64url')))] as const;
  return {
    database: database ?? (await openTestDatabase()),
    containment: memoryContainment(),
    keys: { keyEncryption: key(), cookie: key(), secretHash: key() },
    demo: await newDemoAccounts({
      clientSecret: () => secret('client secret', randomBytes(32).toString('base64url')),
      password: () => secret('password', randomBytes(12).toString('base64url')),
      privateJwk,
    }),
    port: 0,
  };
}
export type World = Awaited<ReturnType<typeof world>> & {
  /** the local administrator's; a new one for each start unless given */
  readonly adminKey?: Awaited<ReturnType<typeof privateJwk>>;
};

/** Suites of bad input fail more often in a minute than anybody should. */
const MANY_FAILURES = {
  failuresOnRecord: { limit: 10_000, windowMs: 60_000 },
  failures: { limit: 10_000, windowMs: 60_000 },
};

/** The real server on a free port of loopback (the same one when the world is started again). */
export async function startGate(of: World, more: Partial<AuthServerParts> = {}, env: Record<string, string> = {}) {
  const adminKey = of.adminKey ?? (await privateJwk());
  const { d: _d, ...adminPublic } = adminKey;
  const bus = more.bus ?? memoryBus();
  const events = recordedEvents();
  const lines: string[] = [];
  const say = (level: string) => (message: string, facts?: LogFacts) =>
    void lines.push(`${level} ${message} ${describe(facts)}`);
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  const bound = await bind('127.0.0.1', of.port);
  of.port = bound.port;
  const settings = readSettings(config, {
    PORTCULLIS_MODE: 'embedded',
    PORT: String(bound.port),
    MANAGEMENT_PORT: '0',
    AUTH_ISSUER: bound.url,
    MCP_RESOURCE: MCP,
    ...env,
  });
  const { database, keys, demo, containment } = of;
  const localAdmin = { jwk: adminPublic as PublicJwk, uid: 1000 };
  const service = await startAuthServer(
    settings,
    { database, keys, containment, events: events.log, log, localAdmin, demo, limits: MANY_FAILURES, ...more, bus },
    bound,
  );
  return {
    ...service,
    /** Stops it. What a test was given must be in no line of its log and no event. */
    async close() {
      await service.close();
      expectNoSecrets('the log', lines.join('\n'));
      expectNoSecrets('the events', JSON.stringify(events.seen));
    },
    issuer: settings.AUTH_ISSUER,
    uris: resourceUris(settings),
    bus,
    /** Says what security-analytics would say. */
    say: (agent: PrincipalId, state: BehaviourState) => sayStanding(bus, of, agent, state),
    events,
    lines,
    adminKey,
    demo,
    database,
  };
}
/** What security-analytics says on a bus, also before a gate is there. */
export async function sayStanding(bus: Bus, of: World, agent: PrincipalId, state: BehaviourState): Promise<void> {
  const body = { tenant: 'default', agent, state, since: new Date().toISOString() };
  const key = `default/${agent}`;
  const seq = Math.round(performance.now() * 1000);
  await signersOn(bus, of.containment).publish('portcullis.standing', { key, seq, body });
}

export type Gate = Awaited<ReturnType<typeof startGate>>;

const describe = (facts: LogFacts = {}): string =>
  Object.values(facts)
    .map((fact) => (fact instanceof Object && 'stack' in fact ? String(fact.stack) : JSON.stringify(fact)))
    .join(' ');

export const basic = (id: string, secret: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});

export interface TokenReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

/** POST /token, at `url` where that is not the issuer's; a list of pairs can name a parameter twice. */
export async function postToken(
  gate: Pick<Gate, 'issuer'> & { readonly url?: string },
  form: Record<string, string> | [string, string][],
  headers: Record<string, string> = {},
): Promise<TokenReply> {
  const response = await fetch(`${gate.url ?? gate.issuer}/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(form),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: secretsOf(jsonOf(text)) };
}

export function jsonOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A client_assertion (RFC 7523 §2.2); `claims` overwrite, undefined takes out. */
export async function assertion(
  key: JWK,
  clientId: string,
  audience: string,
  claims: Record<string, unknown> = {},
  header: { alg: string; kid?: string } = { alg: 'ES256' },
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: clientId, sub: clientId, aud: audience, jti: uuidv7(), iat: now, exp: now + 60, ...claims };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return secret(
    'assertion',
    await new SignJWT(given).setProtectedHeader(header).sign(await importJWK(key, header.alg)),
  );
}
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A token of the local administrator for one of the APIs. */
export async function adminToken(gate: Gate, resource: string, scope: string): Promise<string> {
  const reply = await postToken(gate, {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await assertion(gate.adminKey, 'local-admin', gate.issuer),
    resource,
    scope,
  });
  if (reply.status !== 200) throw new Error(reply.text);
  return String(reply.body.access_token);
}

export const secretOf = (demo: DemoAccounts, name: 'support-agent' | 'reporting-agent') =>
  basic(name, demo.clients[name].client_secret ?? '');
