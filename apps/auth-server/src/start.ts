import { createSecretKey, randomBytes } from 'node:crypto';
import 'reflect-metadata';
import type { Bus } from '@portcullis/bus/bus';
import type { EventLog } from '@portcullis/bus/outbox';
import type { Log } from '@portcullis/contract/log';
import { managementPort } from '@portcullis/service/common';
import { busFigures } from '@portcullis/service/bus-figures';
import { drained } from '@portcullis/service/drain.http';
import { clientAddress } from '@portcullis/guard/forwarding';
import { memoryCredentialChecks } from '@portcullis/guard/credential-checks.memory';
import type { PublishingContainment } from '@portcullis/guard/containment';
import { feedAge } from '@portcullis/guard/feeds';
import { createFetchOutside, type FetchOutside } from '@portcullis/service/fetch-outside.http';
import { hostsOf } from '@portcullis/guard/hosts';
import { keyBytes } from '@portcullis/service/key-text';
import { closeBound, listen, type Bound } from '@portcullis/service/listener.http';
import { feedFigures } from '@portcullis/service/feed-figures';
import { eventFigures, eventHealth } from '@portcullis/service/event-figures';
import { startManagement } from '@portcullis/service/management.http';
import { countRequests, createMetrics } from '@portcullis/service/metrics.http';
import { createApi } from '@portcullis/service/nest-app.module';
import { newId } from '@portcullis/guard/new-id.memory';
import { outsideProblem } from '@portcullis/service/outside-url';
import { boundedRefusals } from '@portcullis/service/refusal-events.memory';
import { recordRefusedCalls } from '@portcullis/service/refused-calls';
import { resourceUris } from '@portcullis/service/resource-uris';
import type { RunningService } from '@portcullis/service/running';
import type { Keys } from '@portcullis/service/setting';
import type { Database } from '@portcullis/sql/database';
import { migrate } from '@portcullis/sql/migrate.sql';
import { approvalsClients } from './approvals-client.js';
import { sqlArtefacts } from './artefacts.sql.js';
import { LOCAL_ADMIN } from './audit.js';
import { auditAuthorization } from './authorization-audit.js';
import { AuthServerModule } from './auth-server.module.js';
import { clientKeySets } from './client-key-sets.js';
import { recordLinks } from './bootstrap-links.js';
import { sqlBootstrapLinks } from './bootstrap-links.sql.js';
import { cachedClients } from './client-cache.memory.js';
import { clientSecretOf } from './client-secret.js';
import type { ClientRecord, Clients } from './clients.js';
import { sqlClients } from './clients.sql.js';
import type { AuthServerSettings } from './config.js';
import { doRegularly, type Chore } from './chores.memory.js';
import { cookieSigner, formToken } from './cookie-keys.js';
import type { DemoAccounts } from './demo.js';
import { putDemoAccounts } from './demo-accounts.js';
import { memoryFailures } from './failures.memory.js';
import { ENDPOINT_RULES, limitFailures, limitPushes, type EndpointRules } from './endpoint-limits.js';
import { grantEnding } from './grant-ending.js';
import { sqlGrants } from './grants.sql.js';
import { openKeys } from './keys.wire.js';
import { localAdminClient, type LocalAdmin } from './local-admin.js';
import { oidcMount } from './oidc-mount.js';
import { hashPassword, SALT_BYTES } from './password.js';
import { createProvider } from './provider.js';
import { auditPushedRequests } from './pushed-request-audit.js';
import { sqlRefreshTokens } from './refresh-tokens.sql.js';
import type { Signers } from './signer.js';
import { endGrantsAtSignOut } from './sign-out.js';
import { tokenNamed } from './shown-token.js';
import { serveShownTokens } from './shown-token-endpoints.js';
import { AUTH } from './tables.js';
import { auditTokens } from './token-audit.js';
import { refuseUnsafe } from './unsafe-start.js';
import { openRevocations } from './revocations.wire.js';
import { memoryTurns } from './turns.memory.js';
import { memoryWindows } from './windows.memory.js';
import { sqlUsers } from './users.sql.js';

/** What the authorization server shares with whoever starts it; closed by them. */
export interface AuthServerParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly events: EventLog;
  /** signs what is revoked, and says whose word is believed on standing */
  readonly containment: PublishingContainment;
  readonly log: Log;
  /** KEY_ENCRYPTION_KEY, COOKIE_KEY and SECRET_HASH_KEY, each the present one first */
  readonly keys: { readonly keyEncryption: Keys; readonly cookie: Keys; readonly secretHash: Keys };
  /** where private signing keys lie; in the database, sealed with KEY_ENCRYPTION_KEY, unless given */
  readonly signers?: Signers | undefined;
  /** to URLs that clients gave; the one of libs/service unless a test brings its own */
  readonly fetchOutside?: FetchOutside | undefined;
  /** embedded mode only */
  readonly localAdmin?: LocalAdmin | undefined;
  /** embedded mode only: brought into the database at every start */
  readonly demo?: DemoAccounts | undefined;
  /** how often what has expired is swept away, ms; every minute unless given */
  readonly sweepEveryMs?: number;
  /** bounds of the endpoints, {@link ENDPOINT_RULES} unless given */
  readonly limits?: Partial<EndpointRules> | undefined;
  /** ms since epoch; the system's clock unless given. oidc-provider itself knows no other than the system's */
  readonly now?: () => number;
  /** ms of a clock that is never turned; the process's own unless given */
  readonly uptime?: () => number;
}

/** Half of Node's thread pool: the rest is for the signatures of tokens. */
const PASSWORDS_AT_ONCE = 2;
/** About a second's worth. */
const PASSWORDS_WAITING = 50;
const SWEEP_EVERY_MS = 60_000;
/** How long the sealed successor of a refresh token may stay after its window. */
const SEALS_EVERY_MS = 5_000;
/** How far behind the others a replica may be with the signing keys, see key-rotation.ts. */
const KEYS_EVERY_MS = 1_000;

/**
 * Starts the authorization server on a port that is already bound. When it cannot start, the port is given back.
 * @throws SettingsError, KeyCannotBeOpened, MigrationError
 */
export async function startAuthServer(
  settings: AuthServerSettings,
  parts: AuthServerParts,
  bound: Bound,
): Promise<RunningService> {
  try {
    return await start(settings, parts, bound);
  } catch (error) {
    await closeBound(bound);
    throw error;
  }
}

async function start(settings: AuthServerSettings, parts: AuthServerParts, bound: Bound): Promise<RunningService> {
  const { database, events, log, localAdmin, demo, now = Date.now } = parts;
  const allowed = settings.OUTSIDE_ALLOWED_HOSTS;
  const fetchOutside = parts.fetchOutside ?? createFetchOutside({ allowed });
  const issuer = settings.AUTH_ISSUER;
  await migrate(database, AUTH, new URL('../migrations/', import.meta.url));
  const storedClients = sqlClients(database, now);
  const clients = cachedClients(storedClients, now);
  const [users, artefacts] = [sqlUsers(database, now), sqlArtefacts(database)];
  const refreshTokens = sqlRefreshTokens(database);
  const keys = {
    cookie: parts.keys.cookie.map(keyBytes),
    secretHash: parts.keys.secretHash.map((key) => createSecretKey(keyBytes(key))),
  };
  const secretHashKey = createSecretKey(keyBytes(parts.keys.secretHash[0]));

  await refuseUnsafe(settings, { demo: demo !== undefined || localAdmin !== undefined, clients });
  if (demo) await putDemoAccounts(demo, { clients, users, secretHashKey, now, randomBytes });
  const { stored: signingKeys, ring, keeping } = await openKeys(settings, parts);
  const metrics = createMetrics('auth-server');
  eventFigures(metrics, events);
  busFigures(metrics, parts.bus);
  const health = eventHealth(events);
  const figures = feedFigures(metrics);
  // before anything is served here: the keys to verify a token with are served here too
  const { announcer, feeds, revoke, stop: stopRevocations } = await openRevocations(parts, figures);
  const { standing, revocations: revoked } = feeds;
  figures.ages(feeds);

  const uris = resourceUris(settings);
  const approvals = approvalsClients(uris.approvals, now());
  const administrator = localAdmin && localAdminClient(localAdmin, now());
  const active =
    ({ find }: Pick<Clients, 'find'>) =>
    async (clientId: string): Promise<ClientRecord | undefined> => {
      if (clientId === LOCAL_ADMIN) return administrator;
      const builtIn = approvals(clientId);
      if (builtIn !== undefined) return builtIn;
      // what SQL cannot look for is nobody's id
      const client = /^[\x21-\x7e]{1,255}$/.test(clientId) ? await find(clientId) : undefined;
      return client?.disabled ? undefined : client;
    };
  const activeClient = active(clients);
  const provider = createProvider({
    issuer,
    uris,
    ring,
    algorithms: settings.TOKEN_ALGORITHMS,
    clientKeySets: clientKeySets({ fetchOutside, log, now }),
    cookies: cookieSigner(keys.cookie),
    nonceKey: keyBytes(parts.keys.cookie[0]),
    secretHashKeys: keys.secretHash,
    renewSecretHash: ({ tenant, clientId }, old, renewed) =>
      void clients
        .renewSecretHash(tenant, clientId, old, renewed)
        .catch((error: unknown) => log.warn('a hash under the older SECRET_HASH_KEY stays for now', { error })),
    users,
    artefacts,
    refreshTokens,
    endGrant: grantEnding({ revoke, events, now }),
    newToken: () => randomBytes(32).toString('base64url'),
    activeClient,
    activeClientNow: active(storedClients),
    stateOf: standing.stateOf,
    localAdmin,
    tokenSeconds: settings.TOKEN_LIFE_MINUTES * 60,
    log,
    now,
  });
  const addressOf = (request: Parameters<typeof clientAddress>[0]): string =>
    clientAddress(request, settings.TRUSTED_PROXIES);
  auditTokens(provider, { events, log, addressOf, now });
  auditPushedRequests(provider, { events, log, addressOf, now });
  const refused = boundedRefusals(events, now);
  auditAuthorization(provider, { refused, log, addressOf, now });
  endGrantsAtSignOut(provider, { artefacts, events, activeClient, addressOf, now });
  const windows = memoryWindows(now);
  const limits = { windows, rules: { ...ENDPOINT_RULES, ...parts.limits }, addressOf };
  serveShownTokens(provider, {
    limits,
    issuer,
    uris,
    keys: ring.verifying,
    tenantOfClient: async (clientId) => (await activeClient(clientId))?.tenant,
    isRevoked: revoked.isRevoked,
    stateOf: standing.stateOf,
    revoke,
    events,
    log,
    addressOf,
    now,
  });
  limitFailures(provider, limits);
  limitPushes(provider, limits);

  const links = sqlBootstrapLinks(database);
  const module = AuthServerModule.forRoot({
    interaction: {
      provider,
      users,
      artefacts,
      nobodysHash: await hashPassword(clientSecretOf(randomBytes(32)), randomBytes(SALT_BYTES)),
      failures: memoryFailures(),
      turns: memoryTurns(PASSWORDS_AT_ONCE, PASSWORDS_WAITING),
      formToken: formToken(keys.cookie),
      events,
      refused,
      log,
      addressOf,
      now,
    },
    bootstrap: { links, formToken: formToken(keys.cookie), events, now, randomBytes },
    admin: {
      clients,
      users,
      grants: sqlGrants(database),
      revoke,
      waitToRevoke: (actor) => windows.take(`revocations of ${actor}`, limits.rules.revocations),
      announceRevocations: announcer.announce,
      tokenShown: (tenant, token) => tokenNamed(tenant, token, { issuer, keys: ring.verifying, refreshTokens, now }),
      keys: signingKeys,
      rotateKeys: keeping.rotate,
      jwksUriProblem: (uri) => outsideProblem(uri, allowed),
      events,
      secretHashKey,
      now,
      randomBytes,
    },
    containmentKeys: parts.containment.publicKeys,
    bearer: {
      checks: memoryCredentialChecks({ issuer, audience: uris.authAdmin, keys: ring.verifying, now }),
      addressOf,
      baseUrl: issuer,
      isRevoked: revoked.isRevoked,
      stateOf: standing.stateOf,
    },
  });
  const app = await createApi(module, {
    log,
    newId,
    hosts: [...hostsOf(issuer, bound.url), ...settings.ALLOWED_HOSTS],
    forceHttps: settings.FORCE_HTTPS,
    trustedProxies: settings.TRUSTED_PROXIES,
    observe: countRequests(metrics),
    direct: oidcMount(provider),
    onRefused: recordRefusedCalls({ record: refused, addressOf, now }),
    forms: true,
  });
  listen(bound, app.listener);
  const management = await startManagement({
    host: settings.MANAGEMENT_HOST,
    port: managementPort(settings),
    checks: {
      ...health.checks,
      database: () => database.ping().then(() => 'ok'),
      revocations: async () => (revoked.ready() ? announcer.state() : 'not heard'),
    },
    notes: {
      ...health.notes,
      standingFeed: async () => feedAge(standing),
      revocationFeed: async () => feedAge(revoked),
    },
    metrics,
    mode: settings.PORTCULLIS_MODE,
  });
  const { sweepEveryMs: everyMs = SWEEP_EVERY_MS } = parts;
  const sweep = (otherwise: string, run: () => Promise<unknown>): Chore => ({ everyMs, otherwise, run });
  const stopChores = doRegularly(
    [
      sweep('expired sessions and codes stay for now', () => artefacts.sweep(now())),
      sweep('expired refresh tokens stay for now', () => refreshTokens.sweep(now())),
      sweep('what was revoked long ago stays for now', () => announcer.sweep()),
      sweep('a link waits for its event', () => recordLinks(links, events, now)),
      sweep('replaced secrets stay for now', () => clients.sweepSecrets(now())),
      {
        everyMs: SEALS_EVERY_MS,
        otherwise: 'sealed refresh tokens stay for now',
        run: () => refreshTokens.dropSeals(),
      },
      { everyMs: KEYS_EVERY_MS, otherwise: 'the signing keys stay as they are for now', run: () => keeping.tick() },
    ],
    log,
  );

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stopChores();
    await drained(bound, management, settings);
    await keeping.idle();
    await stopRevocations();
    await app.close();
  };
  return { url: bound.url, managementUrl: management.url, close: () => (closed ??= close()) };
}
