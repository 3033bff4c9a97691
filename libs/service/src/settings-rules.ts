import type { Env, Problem } from './settings.js';

const EMBEDDED_ONLY = 'is for embedded mode only. Remove it.';

/**
 * What hardened mode refuses, by variable. A rule sees the text of the variable (never missing, never empty) and says
 * what to change, without showing the text.
 */
const HARDENED: Readonly<Record<string, (text: string) => string | undefined>> = {
  AUTH_ISSUER: httpsOnly,
  MCP_RESOURCE: httpsOnly,
  RATE_LIMITER_URL: httpsOnly,
  LIMITS_URL: httpsOnly,
  ANALYTICS_URL: httpsOnly,
  DATABASE_URL: (text) =>
    /^postgres(ql)?:\/\//.test(text)
      ? undefined
      : 'must be a postgres:// URL; an embedded store is for embedded mode only.',
  REDIS_URL: (text) =>
    /^rediss(\+[a-z]+)?:\/\//.test(text) ? undefined : 'must be a rediss:// URL, so that the connection is encrypted.',
  KAFKA_BROKERS: (text) => (/[^,\s]/.test(text) ? undefined : 'names no broker. Give host:port, comma-separated.'),
  KAFKA_SSL: (text) =>
    /^(false|0|no)$/i.test(text) ? 'must be true, so that the connection is encrypted. Remove it.' : undefined,
  OUTBOX_SYNC: (text) =>
    text === 'none' ? 'must be effects or all, so that no power failure undoes what was answered.' : undefined,
  DEMO: (text) =>
    /^(true|1|yes)$/i.test(text) ? 'makes demo clients, whose secrets lie in a file. Remove it.' : undefined,
  LOCAL_ADMIN_FILE: () => EMBEDDED_ONLY,
  DEMO_FILE: () => EMBEDDED_ONLY,
  TOKEN_LIFE_MINUTES: (text) => {
    const minutes = Number(text);
    return minutes >= 15 && minutes <= 60 ? undefined : 'must be from 15 to 60.';
  },
};

export const hardenedProblems = (env: Env): Problem[] => [
  ...Object.entries(HARDENED).flatMap(([variable, rule]) => {
    const text = env[variable]?.trim();
    const says = text ? rule(text) : undefined;
    return says === undefined ? [] : [{ variable, says }];
  }),
  ...pairProblems(env),
];

/** Embedded mode is for one machine: whatever it binds, it binds on loopback. */
export const embeddedProblems = (env: Env): Problem[] => [
  ...['HOST', 'MANAGEMENT_HOST'].flatMap((variable) => {
    const host = env[variable]?.trim();
    return !host || isLoopback(host)
      ? []
      : [{ variable, says: 'must be 127.0.0.1, ::1 or localhost in embedded mode. To serve others, run hardened.' }];
  }),
  // on the bus inside the process an answer would wait for everyone who listens, and be no safer for it
  ...(env.OUTBOX?.trim() === 'direct' && !env.KAFKA_BROKERS?.trim()
    ? [{ variable: 'OUTBOX', says: 'direct needs KAFKA_BROKERS. Without brokers, use spool.' }]
    : []),
  ...pairProblems(env),
];

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);

function httpsOnly(text: string): string | undefined {
  return /^https:\/\//i.test(text) ? undefined : 'must be an https:// URL.';
}

/** Each is nothing without the other. */
const PAIRS = [
  ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
  ['REDIS_SSL_CERT_FILE', 'REDIS_SSL_KEY_FILE'],
  ['REDIS_SENTINEL_USERNAME', 'REDIS_SENTINEL_PASSWORD'],
  ['KAFKA_SSL_CERT_FILE', 'KAFKA_SSL_KEY_FILE'],
  ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'],
] as const;

const pairProblems = (env: Env): Problem[] =>
  PAIRS.flatMap(([cert, key]) => {
    const [one, other] = [Boolean(env[cert]?.trim()), Boolean(env[key]?.trim())];
    if (one === other) return [];
    const [there, missing] = one ? [cert, key] : [key, cert];
    return [{ variable: missing, says: `is missing. ${there} needs it.` }];
  });
