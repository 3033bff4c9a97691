import * as z from 'zod';
import { LOG_LEVELS } from './log.js';
import {
  embeddedDefault,
  flagSetting,
  listSetting,
  portSetting,
  rangesSetting,
  secretSetting,
  urlSetting,
  whenHardened,
  wholeSetting,
} from './setting.js';

/** Where mcp-server's endpoint is; its metadata and what people are shown hang on it. */
export const MCP_PATH = '/mcp';

const mcpResource = urlSetting().refine(
  (url) => url.replace(/^https?:\/\/[^/]*/i, '') === MCP_PATH,
  `must have the path ${MCP_PATH}, where the endpoint is. Give https://HOST${MCP_PATH}, and let no proxy in front add to that path or change it`,
);

/**
 * The names that all services share; `portcullis config` prints them. An app's config.ts spreads it, gives PORT its own embedded
 * value, and omits what it does not use: `z.object({ ...common, … }).omit({ DATABASE_URL: true })`.
 */
export const common = {
  PORTCULLIS_MODE: z
    .enum(['embedded', 'hardened'])
    .default('hardened')
    .describe('embedded, or anything else for hardened'),
  PORT: portSetting().describe('the port of the API; 0 takes a free one'),
  HOST: z.string().default('127.0.0.1').describe('the address the API is bound to'),
  MANAGEMENT_PORT: portSetting()
    .optional()
    .describe('the port of /healthz, /readyz and /metrics; PORT + 100 unless given'),
  MANAGEMENT_HOST: z.string().default('127.0.0.1').describe('the address the management port is bound to'),
  LOG_LEVEL: z
    .enum(LOG_LEVELS)
    .default('info')
    .describe(`one of ${LOG_LEVELS.join(', ')}`),
  AUTH_ISSUER: embeddedDefault(urlSetting(), 'http://127.0.0.1:4400').describe(
    'the https URL of the authorization server',
  ),
  MCP_RESOURCE: embeddedDefault(mcpResource, 'http://127.0.0.1:4401/mcp').describe(
    `the https URL of the MCP endpoint, whose path is ${MCP_PATH}`,
  ),
  RATE_LIMITER_URL: embeddedDefault(urlSetting(), 'http://127.0.0.1:4402').describe(
    'the https URL of the rate limiter',
  ),
  ANALYTICS_URL: embeddedDefault(urlSetting(), 'http://127.0.0.1:4404').describe('the https URL of security analytics'),
  DATABASE_URL: embeddedDefault(secretSetting(), 'pglite://.portcullis/db').describe(
    'the Postgres database, a postgres:// URL',
  ),
  REDIS_URL: whenHardened(secretSetting()).describe('the Redis server, a rediss:// URL'),
  KAFKA_BROKERS: whenHardened(listSetting()).describe('the Kafka brokers, host:port, comma-separated'),
  OUTBOX_DIR: embeddedDefault(z.string(), '.portcullis/outbox').describe('the folder of the durable event spool'),
  TLS_CERT_FILE: z.string().optional().describe('the certificate chain (PEM) the API serves'),
  TLS_KEY_FILE: z.string().optional().describe('the private key (PEM) of that certificate'),
  TLS_CLIENT_CA_FILE: z.string().optional().describe('the authorities (PEM) whose client certificates are asked for'),
  TRUSTED_PROXIES: rangesSetting().describe(
    'addresses or CIDR ranges of proxies whose X-Forwarded-* headers count; none unless given',
  ),
  ALLOWED_HOSTS: listSetting().describe('values of the Host header that are served besides the own URL'),
  ALLOWED_ORIGINS: listSetting().describe('origins of web pages that may call the API'),
  FORCE_HTTPS: embeddedDefault(flagSetting().default(true), 'false').describe(
    'refuse requests that did not arrive over https',
  ),
  MAX_CONNECTIONS: wholeSetting(1, 1_000_000)
    .default(4096)
    .describe('connections at a time to the API; further ones are closed unread'),
  DRAIN_DELAY_MS: embeddedDefault(wholeSetting(0, 300_000).default(5000), '0').describe(
    'milliseconds that a service which is told to stop says so on /readyz, and serves on, before it takes no more connections',
  ),
  SHUTDOWN_GRACE_MS: embeddedDefault(wholeSetting(0, 300_000).default(25_000), '2000').describe(
    'milliseconds that calls under way have to finish after that',
  ),
  DEMO: flagSetting().default(false).describe('make demo clients, users and customers; embedded mode only'),
} as const satisfies Readonly<Record<string, z.ZodType>>;

export type CommonSettings = z.output<z.ZodObject<typeof common>>;

/** The management port: the one given, else 100 above PORT, or a free one when PORT is free too. */
export const managementPort = ({ PORT, MANAGEMENT_PORT }: Pick<CommonSettings, 'PORT' | 'MANAGEMENT_PORT'>): number =>
  MANAGEMENT_PORT ?? (PORT === 0 ? 0 : PORT + 100);
