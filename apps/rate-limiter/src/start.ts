import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { Bus } from '@portcullis/bus/bus';
import type { EventLog } from '@portcullis/bus/outbox';
import type { Log } from '@portcullis/contract/log';
import { remoteKeys } from '@portcullis/guard/jwks.http';
import { eventFigures, eventHealth } from '@portcullis/service/event-figures';
import { memoryCredentialChecks } from '@portcullis/guard/credential-checks.memory';
import type { Containment } from '@portcullis/guard/containment';
import { feedAge, feedState, openFeeds } from '@portcullis/guard/feeds';
import type { Limiter } from '@portcullis/limits/limiter';
import type { RulesInForce } from '@portcullis/limits/rules-in-force';
import { httpsOnly, inOrder, knownHosts } from '@portcullis/service/arrival';
import { managementPort } from '@portcullis/service/common';
import { busFigures } from '@portcullis/service/bus-figures';
import { drained } from '@portcullis/service/drain.http';
import { hostsOf } from '@portcullis/guard/hosts';
import { listen, type Bound } from '@portcullis/service/listener.http';
import { feedFigures } from '@portcullis/service/feed-figures';
import { startManagement } from '@portcullis/service/management.http';
import { countRequests, createMetrics } from '@portcullis/service/metrics.http';
import { createApi } from '@portcullis/service/nest-app.module';
import { newId } from '@portcullis/guard/new-id.memory';
import type { RunningService } from '@portcullis/service/running';
import { readTls } from '@portcullis/service/tls.file';
import { askers } from './asker.js';
import type { RateLimiterSettings } from './config.js';
import { countCalls, counted } from './figures.js';
import { bindGrpc, type GrpcPort } from './grpc-port.http.js';
import { limitsEndpoint } from './limits.http.js';
import { LimitsModule } from './limits.module.js';
import { openRuleTable } from './rules.wire.js';
import { serveRateLimits } from './rate-limit.grpc.js';

/** What the rate limiter shares with whoever starts it; closed by them. */
export interface RateLimiterParts {
  /** in one process with mcp-server the very instance that mcp-server asks */
  readonly limiter: Limiter;
  /** the rules that the limiter decides by, which get newer while it runs */
  readonly rules: RulesInForce;
  /** says who is contained, and so gets no answer */
  readonly bus: Bus;
  /** signs the table of rules, and says whose word counts there */
  readonly containment: Containment<'rate-limiter'>;
  /** this service's own log of events */
  readonly events: EventLog;
  readonly log: Log;
  /** a port for gRPC that is bound already; bound here, by the settings, unless given */
  readonly grpc?: GrpcPort;
  /** ms since epoch; the system's clock unless given */
  readonly now?: () => number;
  /** ms of a clock that is never turned; the process's own unless given */
  readonly uptime?: () => number;
}

/** A rate limiter that answers. */
export interface RunningRateLimiter extends RunningService {
  /** `host:port` of its gRPC API; undefined = it has none */
  readonly grpc: string | undefined;
}

/** Starts the rate limiter on a port that is already bound. */
export async function startRateLimiter(
  settings: RateLimiterSettings,
  parts: RateLimiterParts,
  bound: Bound,
): Promise<RunningRateLimiter> {
  const { limiter, rules: rulesInForce, bus, log, now = Date.now } = parts;
  const { containment, uptime = () => performance.now() } = parts;
  const { AUTH_ISSUER, RATE_LIMITER_URL, HOST, GRPC_PORT, FORCE_HTTPS: forceHttps } = settings;
  const grpc =
    parts.grpc ?? (GRPC_PORT === undefined ? undefined : await bindGrpc(HOST, GRPC_PORT, settings.MAX_CONNECTIONS));
  const metrics = createMetrics('rate-limiter');
  eventFigures(metrics, parts.events);
  busFigures(metrics, bus);
  const health = eventHealth(parts.events);
  const rules = {
    issuer: AUTH_ISSUER,
    audience: `${RATE_LIMITER_URL}/v1`,
    keys: remoteKeys({ jwksUri: `${AUTH_ISSUER}/jwks`, now }),
    now,
  };
  const figures = feedFigures(metrics);
  const { passedOver } = figures;
  const feeds = await openFeeds(bus, 'rate-limiter', { keysOf: containment.keysOf, now, uptime, passedOver, log });
  figures.ages(feeds);
  figures.rules(rulesInForce);
  const ruleTable = await openRuleTable(settings.RULES_FILE, {
    ...parts,
    ...{ metrics, now, uptime, passedOver },
  });
  const bearer = {
    checks: memoryCredentialChecks(rules),
    baseUrl: RATE_LIMITER_URL,
    isRevoked: feeds.revocations.isRevoked,
    stateOf: feeds.standing.stateOf,
  };
  const { TRUSTED_PROXIES: trustedProxies } = settings;
  const asking = { askerOf: askers(bearer, settings.CLIENT_CERTIFICATES), trustedProxies };
  const asked = counted(limiter, metrics);
  const hosts = [...hostsOf(RATE_LIMITER_URL, bound.url), ...settings.ALLOWED_HOSTS];
  const checks = [...(forceHttps ? [httpsOnly(trustedProxies)] : []), knownHosts(hosts)];
  const app = await createApi(LimitsModule.forRoot(rulesInForce.table, asking), {
    log,
    newId,
    hosts,
    forceHttps,
    trustedProxies,
    observe: inOrder([
      countRequests(metrics),
      limitsEndpoint({ limiter: asked, ...asking, newId, checks: inOrder(checks) }),
    ]),
  });
  const endCalls =
    grpc &&
    serveRateLimits(grpc, {
      ...{ limiter: asked, random: Math.random, ...asking },
      ...{ forceHttps, tls: readTls(settings), log, newId, observe: countCalls(metrics) },
    });
  listen(bound, app.listener);
  const management = await startManagement({
    host: settings.MANAGEMENT_HOST,
    port: managementPort(settings),
    // A lease that nobody has is looked up wherever the windows are kept, and nothing changes.
    checks: {
      ...health.checks,
      limiter: async () => {
        await limiter.release(DEFAULT_TENANT, 'readyz');
        return 'ok';
      },
      standing: async () => feedState(feeds.standing),
      revocations: async () => feedState(feeds.revocations),
      rules: async () => ruleTable.check(),
    },
    notes: {
      ...health.notes,
      standingFeed: async () => feedAge(feeds.standing),
      revocationFeed: async () => feedAge(feeds.revocations),
      rules: async () => ruleTable.note(),
    },
    metrics,
    mode: settings.PORTCULLIS_MODE,
  });

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const { DRAIN_DELAY_MS, SHUTDOWN_GRACE_MS } = settings;
    const called = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_DELAY_MS));
      await endCalls?.(SHUTDOWN_GRACE_MS);
    };
    await Promise.all([drained(bound, management, settings), called()]);
    await ruleTable.stop();
    await feeds.stop();
    await app.close();
  };
  return { url: bound.url, managementUrl: management.url, grpc: grpc?.address, close: () => (closed ??= close()) };
}
