import { RedisAway, RedisRefused, type Away } from './redis.js';

/** First words of answers that say: not now. Nothing was done. */
const NOT_NOW: ReadonlySet<string> = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
]);
/** What the driver, Node and TLS say of connections. The rest of their words may hold what was sent. */
const CODE = /^[A-Z][A-Z0-9_]{2,63}$/;
const FIRST_WORD = /^-?([A-Z][A-Z0-9]{2,31})(?: |$)/;
const SCRIPT_LINE = /user_script:(\d{1,5}):/;
/** Said before a command was sent. */
const UNSENT = /enableOfflineQueue|Cluster isn't ready|Connection in subscriber mode/;

/**
 * What an error of the driver amounts to. It quotes commands with their arguments, passwords too, so only its code is kept.
 * @param what was asked, a name of ours
 */
export function errorOf(error: unknown, what: string): RedisAway | RedisRefused {
  if (error instanceof RedisAway || error instanceof RedisRefused) return error;
  const { message, code, name } = wordsOf(error);
  const word = name === 'ReplyError' ? (FIRST_WORD.exec(message)?.[1] ?? 'ERR') : undefined;
  if (word !== undefined) {
    const line = SCRIPT_LINE.exec(message)?.[1];
    if (NOT_NOW.has(word)) return away('not_taken', word);
    return new RedisRefused(word, line === undefined ? what : `${what}, line ${line}`);
  }
  if (UNSENT.test(message)) return away('not_connected', 'not connected');
  if (CODE.test(code)) return away('not_connected', code);
  return away('unanswered', 'the connection broke before the answer');
}

const away = (kind: Away, detail: string): RedisAway => new RedisAway(kind, detail);

/** Does it say that the server does not know the script? */
export const isUnknownScript = (error: unknown): boolean => wordsOf(error).message.startsWith('NOSCRIPT');

const wordsOf = (error: unknown): { message: string; code: string; name: string } => ({
  message: textOf(error, 'message'),
  code: textOf(error, 'code'),
  name: textOf(error, 'name'),
});

function textOf(error: unknown, key: string): string {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, key) : undefined;
  return typeof value === 'string' ? value : '';
}
