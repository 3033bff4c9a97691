import { Refusal } from '@portcullis/contract/refusals';

/** What callers are told to wait when no connection can be had. */
export const RETRY_AFTER_MS = 1000;

/** SQLSTATE of a server that ends, and of a connection that it ends (class 57, operator intervention; class 08). */
const LOST = /^(?:08...|57P0[1-5])$/;
/** of the socket, by Node.js; and what pg says, with no code at all, of one that ended without a word, now or before */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
const UNSAID = new Set<unknown>([
  'Connection terminated unexpectedly',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
]);
/** SQLSTATE lock_not_available: of a statement that waited for another's change longer than lock_timeout */
const LOCKED = '55P03';
/** SQLSTATE of transactions that Postgres takes back so that others can go on: serialization_failure, deadlock_detected */
const TAKEN_BACK = new Set<unknown>(['40001', '40P01']);

/** Was the connection lost under the statement, or before it? Else the statement itself was wrong, or had to wait. */
export function isLost(thrown: unknown): boolean {
  const { code, message } = (thrown ?? {}) as { code?: unknown; message?: unknown };
  return typeof code === 'string' ? LOST.test(code) || BROKEN.has(code) : UNSAID.has(message);
}

const codeOf = (thrown: unknown): unknown => (thrown as { code?: unknown } | null | undefined)?.code;

/** Was another transaction in the way? Nothing was changed, and the same may do when it is asked again. */
export const isInTheWay = (thrown: unknown): boolean => codeOf(thrown) === LOCKED || TAKEN_BACK.has(codeOf(thrown));

export const inTheWay = (cause: unknown): Refusal =>
  new Refusal(
    'overloaded',
    { retryAfterMs: RETRY_AFTER_MS },
    { detail: 'another change of the same rows was in the way', cause },
  );

/** Was the transaction taken back for another's sake, of which callers were told by {@link inTheWay}? */
export const wasTakenBack = (thrown: unknown): boolean =>
  thrown instanceof Refusal && TAKEN_BACK.has(codeOf(thrown.cause));

export const lost = (cause?: unknown, detail = 'the connection to the database was lost'): Refusal =>
  new Refusal(
    'overloaded',
    {
      retryAfterMs: RETRY_AFTER_MS,
      hint: 'The connection to the database was lost: whether a change took effect is not known.',
    },
    { detail, cause },
  );
