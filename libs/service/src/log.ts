export type { Log, LogFacts } from '@portcullis/contract/log';

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Names of facts whose values never reach a log, at any of the first three depths. The second line of defence: nobody
 * should pass these to begin with, and a `Secret` does not print itself.
 */
const HIDDEN_NAMES = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'secret',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'client_secret',
  'client_assertion',
  'code_verifier',
  'private_jwk',
];
/** The same as paths of pino's `redact`. */
export const HIDDEN_PATHS = HIDDEN_NAMES.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
