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
  ANALYTICS_URL: httpsOnly,
  DATABASE_URL: (text) =>
    /^postgres(ql)?:\/\//.test(text)
      ? undefined
      : 'must be a postgres:// URL; an embedded store is for embedded mode only.',
  REDIS_URL: (text) =>
    /^rediss(\+[a-z]+)?:\/\//.test(text) ? undefined : 'must be a rediss:// URL, so that the connection is encrypted.',
  KAFKA_BROKERS: (text) => (/[^,\s]/.test(text) ? undefined : 'names no broker. Give host:port, comma-separated.'),
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
  ...tlsProblems(env),
];

/** Embedded mode is for one machine: whatever it binds, it binds on loopback. */
export const embeddedProblems = (env: Env): Problem[] => [
  ...['HOST', 'MANAGEMENT_HOST'].flatMap((variable) => {
    const host = env[variable]?.trim();
    return !host || isLoopback(host)
      ? []
      : [{ variable, says: 'must be 127.0.0.1, ::1 or localhost in embedded mode. To serve others, run hardened.' }];
  }),
  ...tlsProblems(env),
];

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);

function httpsOnly(text: string): string | undefined {
  return /^https:\/\//i.test(text) ? undefined : 'must be an https:// URL.';
}

function tlsProblems(env: Env): Problem[] {
  const [cert, key] = [Boolean(env.TLS_CERT_FILE?.trim()), Boolean(env.TLS_KEY_FILE?.trim())];
  if (cert && !key) return [{ variable: 'TLS_KEY_FILE', says: 'is missing. TLS_CERT_FILE needs it.' }];
  if (key && !cert) return [{ variable: 'TLS_CERT_FILE', says: 'is missing. TLS_KEY_FILE needs it.' }];
  return [];
}
