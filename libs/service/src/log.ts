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
  'client_secret',
  'client_assertion',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'code',
  'code_verifier',
  'private_jwk',
  'd',
];
export const HIDDEN_PATHS = HIDDEN_NAMES.flatMap((name) =>
  ['', '*.', '*.*.'].map((depth) =>
    name.includes('-') ? `${depth.replace(/\.$/, '')}["${name}"]` : `${depth}${name}`,
  ),
);
