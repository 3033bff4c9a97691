import type { Bus } from '@portcullis/bus/bus';
import type { EventLog } from '@portcullis/bus/outbox';
import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { Log } from '@portcullis/contract/log';
import { memoryGuard, type GuardOf } from '@portcullis/guard/guard.memory';
import { remoteKeys } from '@portcullis/guard/jwks.http';
import type { GuardPorts } from '@portcullis/guard/pipeline';
import type { Trust } from '@portcullis/guard/containment';
import { feedAge, feedState, openFeeds } from '@portcullis/guard/feeds';
import { openRules } from '@portcullis/guard/rules-feed';
import type { AnyTool } from '@portcullis/guard/tool';
import { memoryCredentialChecks } from '@portcullis/guard/credential-checks.memory';
import type { TokenRules } from '@portcullis/guard/token';
import type { Limiter } from '@portcullis/limits/limiter';
import type { RulesInForce } from '@portcullis/limits/rules-in-force';
import { managementPort, MCP_PATH } from '@portcullis/service/common';
import { busFigures } from '@portcullis/service/bus-figures';
import { drained } from '@portcullis/service/drain.http';
import type { IncomingMessage } from 'node:http';
import { eventFigures, eventHealth } from '@portcullis/service/event-figures';
import { clientAddress } from '@portcullis/guard/forwarding';
import { listen, type Bound } from '@portcullis/service/listener.http';
import { feedFigures } from '@portcullis/service/feed-figures';
import { startManagement } from '@portcullis/service/management.http';
import { countRequests, createMetrics } from '@portcullis/service/metrics.http';
import { createApi } from '@portcullis/service/nest-app.module';
import { newId } from '@portcullis/guard/new-id.memory';
import { pathOf } from '@portcullis/service/arrival';
import { boundedRefusals } from '@portcullis/service/refusal-events.memory';
import { recordRefusedCalls } from '@portcullis/service/refused-calls';
import { resourceUris } from '@portcullis/service/resource-uris';
import type { RunningService } from '@portcullis/service/running';
import type { Database } from '@portcullis/sql/database';
import { migrate } from '@portcullis/sql/migrate.sql';
import type { McpServerSettings } from './config.js';
import { openApprovals } from './approvals.wire.js';
import { removeTenant, seedTenant } from './data/seed.sql.js';
import { SCHEMA, tenantData } from './data/tenant-data.sql.js';
import { issuerMirror } from './issuer-mirror.http.js';
import { mcpEndpoint, type EndpointParts } from '@portcullis/guard/mcp/endpoint.http';
import { McpModule } from './mcp.module.js';
import { resourceMetadata } from '@portcullis/guard/mcp/metadata';
import { servedHosts } from '@portcullis/guard/mcp/origins';
import { INSTRUCTIONS, SERVER_INFO } from './about.js';
import type { Pins } from '@portcullis/guard/pins';
import { expectApproved } from './pinned-tools.js';
import { readPins } from './pins.file.js';
import { RESOURCES } from './resources.js';
import type { ToolDeps, Workshop } from './tools/deps.js';
import { TOOLS } from './tools/tools.js';
import { workshopOf } from './workshop.wire.js';

/** The engines mcp-server works with; whoever made them closes them. */
export interface McpServerParts {
  readonly database: Database;
  readonly bus: Bus;
  /** whose word counts there on who is contained and what is revoked */
  readonly containment: Trust;
  readonly events: EventLog;
  readonly limiter: Limiter;
  /** the rules that it decides by, which get newer while it runs; unless given it has rules of its own, which do not */
  readonly rules?: RulesInForce;
  /** what this replica has in common with the others; in its own memory unless given */
  readonly shared?: GuardOf['shared'];
  readonly log: Log;
  /** 32 bytes */
  readonly auditDigestKey: Uint8Array;
  /** the present STATE_KEY and, while it is being rotated, the one before; 32 bytes each */
  readonly stateKeys: readonly Uint8Array[];
  /** give the default tenant its demo customers */
  readonly demoData: boolean;
  /** the tools that are served; ours unless given */
  readonly tools?: ReadonlyMap<string, AnyTool>;
  /** what was approved of our tools; what the file of pins says unless given */
  readonly pins?: Pins;
  /** ms since epoch */
  readonly now?: () => number;
  /** ms of a clock that is never turned; the process's own unless given */
  readonly uptime?: () => number;
  /** what is served besides the tools, or in place of what usually is */
  readonly more?: Partial<Pick<EndpointParts, 'resources' | 'extend' | 'methods' | 'changes'>>;
}

/** A question of nobody's, which any answer to says that the limiter is there. */
const PROBE = { tenant: DEFAULT_TENANT, principal: 'readyz', stage: 'arrival' } as const;
const MIGRATIONS = new URL('../migrations/', import.meta.url);

/** Starts the protected MCP server on a port that is bound already. Its database schema is brought up to date first. */
export async function startMcpServer(
  settings: McpServerSettings,
  parts: McpServerParts,
  bound: Bound,
): Promise<RunningService> {
  const { database, bus, events, limiter, log, now = Date.now, tools = TOOLS } = parts;
  const { containment, rules, uptime = () => performance.now() } = parts;
  const { MCP_RESOURCE, AUTH_ISSUER, PORTCULLIS_MODE } = settings;
  const loopback = PORTCULLIS_MODE === 'embedded';
  const names = servedHosts(MCP_RESOURCE, settings.ALLOWED_HOSTS, loopback);

  if (parts.tools === undefined) expectApproved(parts.pins ?? (await readPins()));
  await migrate(database, SCHEMA, MIGRATIONS);
  if (parts.demoData) await seedTenant(database, DEFAULT_TENANT, now());
  const metrics = createMetrics('mcp-server');
  eventFigures(metrics, events);
  busFigures(metrics, bus);
  const health = eventHealth(events);
  const figures = feedFigures(metrics);
  const { passedOver } = figures;
  const feeds = await openFeeds(bus, 'mcp-server', { keysOf: containment.keysOf, now, uptime, passedOver, log });
  const { standing: feed, revocations } = feeds;
  figures.ages(feeds);
  const ruleTable =
    rules && (await openRules(bus, 'mcp-server', rules, { keysOf: containment.keysOf, now, uptime, passedOver, log }));
  if (rules) figures.rules(rules);

  const keys = remoteKeys({ jwksUri: `${AUTH_ISSUER}/jwks`, now });
  const rulesFor = (audience: string): TokenRules => ({ issuer: AUTH_ISSUER, audience, keys, now });
  const uris = resourceUris(settings);
  const addressOf = (request: IncomingMessage): string => clientAddress(request, settings.TRUSTED_PROXIES);
  const approvals = openApprovals({
    ...parts,
    issuer: AUTH_ISSUER,
    approvalsUrl: uris.approvals,
    checks: { rules: rulesFor(uris.approvals), isRevoked: revocations.isRevoked, stateOf: feed.stateOf },
    isShutOut: revocations.isShutOut,
    addressOf,
    now,
  });
  const workshop = workshopOf(settings, () => management.url);
  const { guard, checks, running, streams } = memoryGuard({
    rules: rulesFor(MCP_RESOURCE),
    isRevoked: revocations.isRevoked,
    stateOf: feed.stateOf,
    isStandingFresh: feeds.isFresh,
    limiter,
    shared: parts.shared,
    slots: {
      maxCalls: settings.MAX_CALLS,
      maxCallsPerAgent: settings.MAX_CALLS_PER_AGENT,
      maxHeldBytes: settings.MAX_HELD_BYTES,
    },
    approval: approvals.guard,
    depsFor: narrowed(tenantData(database, now), workshop),
    now,
  });
  const mcp = mcpEndpoint({
    resource: MCP_RESOURCE,
    names,
    origins: settings.ALLOWED_ORIGINS,
    loopback,
    guard,
    streams,
    tools,
    resources: RESOURCES,
    ...parts.more,
    serverInfo: SERVER_INFO,
    instructions: INSTRUCTIONS,
    maxBodyBytes: settings.MAX_BODY_BYTES,
    events,
    auditDigestKey: parts.auditDigestKey,
    trustedProxies: settings.TRUSTED_PROXIES,
    forceHttps: settings.FORCE_HTTPS,
    newId,
    now,
    log,
  });

  const observe = countRequests(metrics);
  const api = await createApi(
    McpModule.forRoot({
      metadata: {
        resource: resourceMetadata(MCP_RESOURCE, AUTH_ISSUER, tools, SERVER_INFO.title),
        issuer: issuerMirror(AUTH_ISSUER, now),
      },
      approvals: approvals.pages,
      drills: {
        events,
        seed: (tenant) => seedTenant(database, tenant, now()),
        remove: (tenant) => removeTenant(database, tenant),
        now,
      },
      admin: {
        checks: memoryCredentialChecks(rulesFor(uris.mcpAdmin), checks),
        addressOf,
        baseUrl: new URL(MCP_RESOURCE).origin,
        isRevoked: revocations.isRevoked,
        stateOf: feed.stateOf,
      },
    }),
    {
      log,
      newId,
      observe,
      hosts: names,
      forceHttps: settings.FORCE_HTTPS,
      trustedProxies: settings.TRUSTED_PROXIES,
      forms: true,
      onRefused: recordRefusedCalls({
        record: boundedRefusals(events, now),
        addressOf,
        now,
      }),
    },
  );
  // the endpoint is served past Nest and Express, which cost more than the whole guard (docs/decisions/0013)
  listen(bound, (request, response) =>
    pathOf(request) === MCP_PATH
      ? observe(request, response, () => mcp.listener(request, response))
      : api.listener(request, response),
  );

  const management = await startManagement({
    host: settings.MANAGEMENT_HOST,
    port: managementPort(settings),
    checks: {
      ...health.checks,
      database: () => database.ping().then(() => 'ok'),
      standing: async () => feedState(feed),
      revocations: async () => feedState(revocations),
      ...(ruleTable && { rules: async () => feedState(ruleTable) }),
      limiter: async () => {
        await limiter.decide(PROBE);
        return 'ok';
      },
    },
    notes: {
      ...health.notes,
      scanner: workshop.scanner.state,
      standingFeed: async () => feedAge(feed),
      revocationFeed: async () => feedAge(revocations),
      ...(rules && { rules: async () => `version ${rules.version} is in force` }),
    },
    metrics,
    mode: PORTCULLIS_MODE,
  });

  let closed: Promise<void> | undefined;
  return {
    url: bound.url,
    managementUrl: management.url,
    close: () =>
      (closed ??= (async () => {
        // a subscription would hold the drain until it is cut
        streams.close();
        await drained(bound, management, settings, running.stopAll);
        approvals.stop();
        await mcp.close();
        await ruleTable?.stop();
        await feeds.stop();
        await api.close();
      })()),
  };
}

/** The tools' data, by the tenant that the token names and nothing else. */
const narrowed =
  (dataOf: ReturnType<typeof tenantData>, workshop: Workshop): GuardPorts['depsFor'] =>
  ({ tenant, principal }, call): ToolDeps =>
    Object.assign(dataOf(tenant, call), workshop, { agent: principal });
