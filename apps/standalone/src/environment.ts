import type { Options } from './options.js';
import { portsOf, type ServiceName } from './services.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of the caller's environment that reach the services; everything else is decided here. HOST only to be refused. */
const PASSED_ON = [
  'HOST',
  'TOKEN_LIFE_MINUTES',
  'TOKEN_ALGORITHMS',
  'KEY_ROTATION_DAYS',
  'ALLOWED_HOSTS',
  'ALLOWED_ORIGINS',
  'TRUSTED_PROXIES',
  'RULES_FILE',
  'OUTBOX_SYNC',
  'OUTBOX_FULL',
  'OUTBOX_MAX_BYTES',
] as const;

/**
 * The environment of each service: embedded mode, the ports that are bound, and where the others are.
 * @param outer the environment this process was started with
 */
export function serviceEnvironments(
  outer: Environment,
  options: Options,
  folder: { readonly dir: string; readonly databaseUrl: string },
  ports: Readonly<Record<ServiceName, { readonly url: string; readonly port: number }>>,
): Record<ServiceName, Environment> {
  const common = {
    ...Object.fromEntries(PASSED_ON.map((name) => [name, outer[name]])),
    PORTCULLIS_MODE: 'embedded',
    LOG_LEVEL: options.logLevel,
    DATABASE_URL: folder.databaseUrl,
    OUTBOX_DIR: `${folder.dir}/outbox`,
    DEMO: String(options.demo),
    AUTH_ISSUER: ports.authServer.url,
    MCP_RESOURCE: `${ports.mcpServer.url}/mcp`,
    RATE_LIMITER_URL: ports.rateLimiter.url,
    ANALYTICS_URL: ports.analytics.url,
  };
  const of = (service: ServiceName): Environment => ({
    ...common,
    PORT: String(ports[service].port),
    MANAGEMENT_PORT: String(portsOf(options.portBase, service).management),
  });
  return {
    authServer: of('authServer'),
    mcpServer: of('mcpServer'),
    rateLimiter: of('rateLimiter'),
    analytics: of('analytics'),
  };
}
