import * as z from 'zod';
import { LOG_LEVELS } from './log.js';
import {
  embeddedDefault,
  fileSetting,
  flagSetting,
  keySetting,
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
  DATABASE_POOL_MAX: wholeSetting(1, 1000)
    .default(10)
    .describe(
      'connections to Postgres that this process makes at most; those of all processes have to fit into what the server allows (max_connections)',
    ),
  DATABASE_STATEMENT_TIMEOUT_MS: wholeSetting(100, 600_000)
    .default(15_000)
    .describe(
      'milliseconds that a statement may run, and a transaction may idle, on Postgres; a server that has not answered a second later is given up, and its connection with it',
    ),
  REDIS_URL: whenHardened(secretSetting()).describe(
    'the Redis server, a rediss:// URL; rediss+sentinel:// and rediss+cluster:// with several hosts',
  ),
  REDIS_SSL_CA_FILE: fileSetting().describe('the authorities (PEM) that sign the certificate of Redis'),
  REDIS_SSL_CERT_FILE: fileSetting().describe('the certificate (PEM) that is shown to Redis'),
  REDIS_SSL_KEY_FILE: fileSetting().describe('the key (PEM) of that certificate'),
  REDIS_SENTINEL_USERNAME: z
    .string()
    .min(1)
    .optional()
    .describe(
      'the user of this service at the sentinels, where REDIS_URL names some and they ask; default for a password alone',
    ),
  REDIS_SENTINEL_PASSWORD: secretSetting().optional().describe('the password of that user'),
  KAFKA_BROKERS: whenHardened(listSetting()).describe('the Kafka brokers, host:port, comma-separated'),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[a-z0-9._-]{0,64}$/, 'must be at most 64 of a-z, 0-9, dot, dash and underscore')
    .default('')
    .describe('what the names of topics and groups begin with, where several gates share a cluster'),
  KAFKA_REPLICAS: wholeSetting(1, 15)
    .optional()
    .describe('copies of each topic that is made here; what the brokers do unless given'),
  KAFKA_SASL_USERNAME: z.string().min(1).optional().describe('the user of this service at Kafka (SCRAM-SHA-512)'),
  KAFKA_SASL_PASSWORD: secretSetting().optional().describe('the password of that user'),
  KAFKA_SSL: embeddedDefault(flagSetting().default(true), 'false').describe('connect to Kafka over TLS'),
  KAFKA_SSL_CA_FILE: fileSetting().describe('the authorities (PEM) that sign the certificates of the brokers'),
  KAFKA_SSL_CERT_FILE: fileSetting().describe('the certificate (PEM) that is shown to Kafka'),
  KAFKA_SSL_KEY_FILE: fileSetting().describe('the key (PEM) of that certificate'),
  OUTBOX_DIR: embeddedDefault(z.string(), '.portcullis/outbox').describe('the folder of the durable event spool'),
  OUTBOX: z
    .enum(['spool', 'direct'], 'must be spool or direct')
    .default('spool')
    .describe(
      'where an event is before its answer leaves: spool, the folder; direct, the brokers, for machines without a durable disk',
    ),
  OUTBOX_SYNC: z
    .enum(['effects', 'all', 'none'], 'must be effects, all or none')
    .default('effects')
    .describe(
      'which answers wait until the disk cannot lose their events by a power failure: those of tools with an effect and of decisions that last (administration, approvals, containment, revocation), all, or none (embedded mode only); the others are written at once and synced within 50 milliseconds',
    ),
  OUTBOX_FULL: z
    .enum(['refuse', 'count'], 'must be refuse or count')
    .default('refuse')
    .describe(
      'what becomes of an answer whose event cannot be kept: refuse, it is withheld; count, it leaves, and the loss is counted, logged and recorded',
    ),
  OUTBOX_MAX_BYTES: wholeSetting(1024 * 1024, 1024 ** 4)
    .default(256 * 1024 * 1024)
    .describe('bytes of events that may wait for the brokers, on the disk or, with OUTBOX=direct, in memory'),
  TLS_CERT_FILE: fileSetting().describe('the certificate chain (PEM) the API serves'),
  TLS_KEY_FILE: fileSetting().describe('the private key (PEM) of that certificate'),
  TLS_CLIENT_CA_FILE: fileSetting().describe('the authorities (PEM) whose client certificates are asked for'),
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

/** What whoever decides on limits with others also needs. */
export const sharedLimits = {
  LIMIT_SHARES: wholeSetting(1, 1000)
    .default(4)
    .describe(
      'parts of a limit of which one process allows one while Redis is away, where its rule says so: as many as there are processes that decide, or more',
    ),
  LIMITS_KEY: whenHardened(
    keySetting().describe(
      'the key under which users, addresses and delegation chains are named in Redis where a limit counts by them, the same for mcp-server and rate-limiter: 32 random bytes as base64url',
    ),
  ),
} as const satisfies Readonly<Record<string, z.ZodType>>;

export type CommonSettings = z.output<z.ZodObject<typeof common>>;
export type SharedLimits = z.output<z.ZodObject<typeof sharedLimits>>;

/** The management port: the one given, else 100 above PORT, or a free one when PORT is free too. */
export const managementPort = ({ PORT, MANAGEMENT_PORT }: Pick<CommonSettings, 'PORT' | 'MANAGEMENT_PORT'>): number =>
  MANAGEMENT_PORT ?? (PORT === 0 ? 0 : PORT + 100);
