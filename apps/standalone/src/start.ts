import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { config as authConfig } from '@portcullis/auth-server/config';
import { startAuthServer } from '@portcullis/auth-server/start';
import { memoryBus } from '@portcullis/bus/bus.memory';
import type { EventLog } from '@portcullis/bus/outbox';
import { memoryContainment } from '@portcullis/guard/containment.memory';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { RulesInForce } from '@portcullis/limits/rules-in-force';
import { config as mcpConfig } from '@portcullis/mcp-server/config';
import { startMcpServer } from '@portcullis/mcp-server/start';
import { config as limiterConfig } from '@portcullis/rate-limiter/config';
import { bindGrpc, closePort } from '@portcullis/rate-limiter/grpc-port.http';
import { startRateLimiter } from '@portcullis/rate-limiter/start';
import { config as analyticsConfig } from '@portcullis/security-analytics/config';
import { startSecurityAnalytics } from '@portcullis/security-analytics/start';
import { keyBytes } from '@portcullis/service/key-text';
import { loadOrMakeKey } from '@portcullis/service/keys.file';
import { openEventLog, type EventLogSettings } from '@portcullis/service/event-log.wire';
import { bind, closeBound, type Bound } from '@portcullis/service/listener.http';
import { createLog } from '@portcullis/service/log.file';
import type { RunningService } from '@portcullis/service/running';
import { readSettings } from '@portcullis/service/settings';
import { openPglite } from '@portcullis/sql/pglite.sql';
import { makeAdminKey } from './admin-key.file.js';
import { Closing } from './closing.js';
import { openDataFolder } from './data-folder.js';
import { loadOrMakeDemoAccounts } from './demo-accounts.file.js';
import { serviceEnvironments } from './environment.js';
import type { Options } from './options.js';
import { announce } from './ready.file.js';
import type { Ready } from './ready.js';
import { grpcPortOf, portsOf, type ServiceName } from './services.js';

export interface Platform {
  readonly ready: Ready;
  close(): Promise<void>;
}

/**
 * Starts all four services in this process on shared embedded parts, and writes the ready file. Ports are bound first,
 * so that one that is taken stops the start before the database is opened; security-analytics starts first, so that every
 * agent's standing is known before a call or a token request is answered.
 * @throws DataDirInUse, SettingsError, or an Error that names the port that is taken
 */
export async function startPlatform(options: Options): Promise<Platform> {
  const closing = new Closing();
  try {
    return await start(options, closing);
  } catch (error) {
    await closing.close().catch(() => undefined);
    throw error;
  }
}

async function start(options: Options, closing: Closing): Promise<Platform> {
  const folder = await openDataFolder(options.data);
  closing.add(folder.release);
  const ports = await bindAll(options.portBase, closing);
  const grpc = await bindGrpc('127.0.0.1', grpcPortOf(options.portBase));
  closing.add(() => closePort(grpc));
  const env = serviceEnvironments(process.env, options, folder, ports);
  const settings = {
    authServer: readSettings(authConfig, env.authServer),
    mcpServer: readSettings(mcpConfig, env.mcpServer),
    rateLimiter: readSettings(limiterConfig, env.rateLimiter),
    analytics: readSettings(analyticsConfig, env.analytics),
  };

  const database = await openPglite(folder.databaseUrl);
  closing.add(() => database.close());
  const bus = memoryBus();
  closing.add(() => bus.close());
  const containment = memoryContainment();
  const rules = new RulesInForce();
  const limiter = memoryLimiter({ now: Date.now, random: randomBytes, table: rules.table });
  closing.add(() => limiter.close());
  const keyDir = join(folder.dir, 'keys');
  const keys = async (name: string) => [await loadOrMakeKey(keyDir, name)] as const;
  const part = async (
    service: string,
    of: EventLogSettings,
  ): Promise<{ log: ReturnType<typeof createLog>; events: EventLog }> => {
    const log = createLog(service, options.logLevel);
    const events = await openEventLog(of, service, { bus, log });
    closing.add(() => events.close());
    return { log, events };
  };
  const running = async <T extends RunningService>(service: Promise<T>): Promise<T> => {
    const started = await service;
    closing.add(() => started.close());
    return started;
  };

  const analytics = await running(
    startSecurityAnalytics(
      settings.analytics,
      { database, bus, containment, ...(await part('security-analytics', settings.analytics)) },
      ports.analytics,
    ),
  );
  const admin = await makeAdminKey(folder.dir);
  const urls = { issuer: settings.authServer.AUTH_ISSUER, mcp: settings.mcpServer.MCP_RESOURCE };
  const demo = options.demo ? await loadOrMakeDemoAccounts(folder.dir, urls) : undefined;
  const authServer = await running(
    startAuthServer(
      settings.authServer,
      {
        database,
        bus,
        containment,
        ...(await part('auth-server', settings.authServer)),
        keys: {
          keyEncryption: await keys('KEY_ENCRYPTION_KEY'),
          cookie: await keys('COOKIE_KEY'),
          secretHash: await keys('SECRET_HASH_KEY'),
        },
        localAdmin: { jwk: admin.publicJwk, uid: process.getuid?.() ?? 0 },
        ...(demo && { demo: demo.accounts }),
      },
      ports.authServer,
    ),
  );
  const rateLimiter = await running(
    startRateLimiter(
      settings.rateLimiter,
      { limiter, rules, bus, containment, grpc, ...(await part('rate-limiter', settings.rateLimiter)) },
      ports.rateLimiter,
    ),
  );
  const mcpServer = await running(
    startMcpServer(
      settings.mcpServer,
      {
        database,
        bus,
        containment,
        limiter,
        rules,
        ...(await part('mcp-server', settings.mcpServer)),
        auditDigestKey: keyBytes(await loadOrMakeKey(keyDir, 'AUDIT_DIGEST_KEY')),
        stateKeys: (await keys('STATE_KEY')).map(keyBytes),
        demoData: options.demo,
      },
      ports.mcpServer,
    ),
  );

  const ready: Ready = {
    authServer: authServer.url,
    mcpServer: mcpServer.url,
    mcp: urls.mcp,
    rateLimiter: rateLimiter.url,
    rateLimiterGrpc: rateLimiter.grpc ?? null,
    analytics: analytics.url,
    console: null,
    management: {
      authServer: authServer.managementUrl,
      mcpServer: mcpServer.managementUrl,
      rateLimiter: rateLimiter.managementUrl,
      analytics: analytics.managementUrl,
    },
    demo: demo?.path ?? null,
    admin: admin.path,
    pid: process.pid,
  };
  const copies = [join(folder.dir, 'ready.json'), ...(options.readyFile ? [resolve(options.readyFile)] : [])];
  closing.add(await announce(ready, copies));
  return { ready, close: () => closing.close() };
}

async function bindAll(portBase: number, closing: Closing): Promise<Record<ServiceName, Bound>> {
  const taken = async (service: ServiceName): Promise<Bound> => {
    const bound = await bind('127.0.0.1', portsOf(portBase, service).api);
    closing.add(() => closeBound(bound));
    return bound;
  };
  return {
    authServer: await taken('authServer'),
    mcpServer: await taken('mcpServer'),
    rateLimiter: await taken('rateLimiter'),
    analytics: await taken('analytics'),
  };
}
