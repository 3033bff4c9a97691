import type { Bus } from '@portcullis/bus/bus';
import type { EventLog } from '@portcullis/bus/outbox';
import type { Log } from '@portcullis/contract/log';
import { remoteKeys } from '@portcullis/guard/jwks.http';
import { memoryCredentialChecks } from '@portcullis/guard/credential-checks.memory';
import type { Containment } from '@portcullis/guard/containment';
import { feedAge, feedState, openFeeds } from '@portcullis/guard/feeds';
import { startHeartbeats } from '@portcullis/guard/heartbeats.memory';
import { mending } from '@portcullis/guard/mending';
import { publishStatements } from '@portcullis/guard/statements';
import { managementPort } from '@portcullis/service/common';
import { busFigures } from '@portcullis/service/bus-figures';
import { drained } from '@portcullis/service/drain.http';
import { eventFigures, eventHealth } from '@portcullis/service/event-figures';
import { clientAddress } from '@portcullis/guard/forwarding';
import type { IncomingMessage } from 'node:http';
import { hostsOf } from '@portcullis/guard/hosts';
import { listen, type Bound } from '@portcullis/service/listener.http';
import { feedFigures } from '@portcullis/service/feed-figures';
import { startManagement } from '@portcullis/service/management.http';
import { countRequests, createMetrics } from '@portcullis/service/metrics.http';
import { createApi } from '@portcullis/service/nest-app.module';
import { newId } from '@portcullis/guard/new-id.memory';
import { boundedRefusals } from '@portcullis/service/refusal-events.memory';
import { recordRefusedCalls } from '@portcullis/service/refused-calls';
import { resourceUris } from '@portcullis/service/resource-uris';
import type { RunningService } from '@portcullis/service/running';
import type { Database } from '@portcullis/sql/database';
import { migrate } from '@portcullis/sql/migrate.sql';
import { later } from '@portcullis/service/later.memory';
import { AnalyticsModule } from './analytics.module.js';
import { announcer } from './announcer.js';
import { sqlAuditQuestions } from './audit-questions.sql.js';
import { sqlAuditStore } from './audit-store.sql.js';
import type { StandingRead } from './audit-store.js';
import type { SecurityAnalyticsSettings } from './config.js';
import { figures, mourning } from './figures.js';
import { intake } from './intake.js';
import { keyOf } from './reckon.js';
import { standingSaying, whoseKey } from './standing-statements.js';

/** What security-analytics shares with whoever starts it; closed by them. */
export interface SecurityAnalyticsParts {
  readonly database: Database;
  readonly bus: Bus;
  /** this service's own log of events */
  readonly events: EventLog;
  /** signs standings, and says whose word is believed on revocations */
  readonly containment: Containment<'security-analytics'>;
  readonly log: Log;
  /** ms since epoch; the system's clock unless given */
  readonly now?: () => number;
  /** ms of a clock that is never turned; the process's own unless given */
  readonly uptime?: () => number;
}

const GROUP = 'security-analytics';
const STANDING = 'portcullis.standing';

/**
 * Starts security-analytics on a port that is already bound. When it resolves, the standing of every agent that is not
 * Normal is on the feed again, and events are taken from the bus.
 */
export async function startSecurityAnalytics(
  settings: SecurityAnalyticsSettings,
  parts: SecurityAnalyticsParts,
  bound: Bound,
): Promise<RunningService> {
  const { database, bus, events, containment, log, now = Date.now, uptime = () => performance.now() } = parts;
  await migrate(database, 'audit', new URL('../migrations/', import.meta.url));
  const store = sqlAuditStore(database);
  const record = events.append.bind(events);
  const metrics = createMetrics(GROUP);
  eventFigures(metrics, events);
  busFigures(metrics, bus);
  const health = eventHealth(events);
  const feedsHear = feedFigures(metrics);
  const letters = await bus.subscribe('portcullis.dead-letters', GROUP, mourning(metrics, log));
  const mends = mending({ tell: (keys) => tell.retell(keys.flatMap((key) => whoseKey(key) ?? [])), later, log });
  const feeds = await openFeeds(bus, GROUP, {
    keysOf: containment.keysOf,
    now,
    uptime,
    passedOver: feedsHear.passedOver,
    mend: (topic, key) => topic === STANDING && mends.mend(key),
    log,
  });
  const { standing: feed, revocations } = feeds;
  feedsHear.ages(feeds);
  const signer = containment.signers[GROUP];
  const publish = (standings: readonly StandingRead[]): Promise<void> =>
    publishStatements(
      bus,
      STANDING,
      signer,
      standings.map((standing) => standingSaying(standing, feed.seqOf(keyOf(standing)))),
    );
  const tell = announcer({ store, publish, record, later, now, uptime, log });
  await tell.republish();
  await tell.announce();
  await tell.watch();
  const heartbeats = await startHeartbeats(bus, STANDING, signer, { now, isTold: tell.isPublished, log });
  const handle = intake({ store, announcer: tell, log, counted: figures(metrics) });
  const subscription = await bus.subscribe('portcullis.events', GROUP, handle);

  const desk = { questions: sqlAuditQuestions(database), store, announcer: tell, record, now };
  const rules = {
    issuer: settings.AUTH_ISSUER,
    audience: resourceUris(settings).analytics,
    keys: remoteKeys({ jwksUri: `${settings.AUTH_ISSUER}/jwks`, now }),
    now,
  };
  const addressOf = (request: IncomingMessage): string => clientAddress(request, settings.TRUSTED_PROXIES);
  const bearer = {
    checks: memoryCredentialChecks(rules),
    addressOf,
    baseUrl: settings.ANALYTICS_URL,
    isRevoked: revocations.isRevoked,
    stateOf: feed.stateOf,
  };
  const app = await createApi(AnalyticsModule.forRoot(desk, bearer), {
    log,
    newId,
    hosts: [...hostsOf(settings.ANALYTICS_URL, bound.url), ...settings.ALLOWED_HOSTS],
    forceHttps: settings.FORCE_HTTPS,
    trustedProxies: settings.TRUSTED_PROXIES,
    observe: countRequests(metrics),
    onRefused: recordRefusedCalls({
      record: boundedRefusals(events, now),
      addressOf,
      now,
    }),
  });
  listen(bound, app.listener);
  const management = await startManagement({
    host: settings.MANAGEMENT_HOST,
    port: managementPort(settings),
    checks: {
      ...health.checks,
      database: () => database.ping().then(() => 'ok'),
      announcements: async () => tell.state(),
      revocations: async () => feedState(revocations),
    },
    notes: {
      ...health.notes,
      standingFeed: async () => feedAge(feed),
      revocationFeed: async () => feedAge(revocations),
    },
    metrics,
    mode: settings.PORTCULLIS_MODE,
  });

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await drained(bound, management, settings);
    await heartbeats.stop();
    await mends.stop();
    await tell.stop();
    await ownEventsTaken(events);
    await Promise.all([subscription.stop(), feeds.stop()]);
    await letters.stop();
    await app.close();
  };
  return { url: bound.url, managementUrl: management.url, close: () => (closed ??= close()) };
}

/** This service takes its own events too: it listens until the last of them has come, or for a second. */
async function ownEventsTaken(events: EventLog): Promise<void> {
  for (let waits = 0; waits < 50 && events.stats().pending > 0; waits++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
