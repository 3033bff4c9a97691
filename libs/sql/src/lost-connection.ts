import { Refusal } from '@portcullis/contract/refusals';

/** What callers are told to wait when no connection can be had. */
export const RETRY_AFTER_MS = 1000;

/** SQLSTATE of a server that ends, and of a connection that it ends (class 57, operator intervention; class 08). */
const LOST = /^(?:08...|57P0[1-5])$/;
/** of the socket, by Node.js; and what pg says of one that ended without a word, which has no code at all */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
const UNSAID = 'Connection terminated unexpectedly';
/** SQLSTATE lock_not_available: of a statement that waited for another's change longer than lock_timeout */
const LOCKED = '55P03';

/** What callers are told of it; undefined when the statement itself was wrong. */
export function refusalOf(thrown: unknown): Refusal | undefined {
  const { code, message } = (thrown ?? {}) as { code?: unknown; message?: unknown };
  const isLost = typeof code === 'string' ? LOST.test(code) || BROKEN.has(code) : message === UNSAID;
  if (isLost) return lost(thrown);
  if (code !== LOCKED) return undefined;
  return new Refusal(
    'overloaded',
    { retryAfterMs: RETRY_AFTER_MS },
    { detail: 'another change of the same rows took too long', cause: thrown },
  );
}

export const lost = (cause?: unknown, detail = 'the connection to the database was lost'): Refusal =>
  new Refusal(
    'overloaded',
    {
      retryAfterMs: RETRY_AFTER_MS,
      hint: 'The connection to the database was lost: whether a change took effect is not known.',
    },
    { detail, cause },
  );
