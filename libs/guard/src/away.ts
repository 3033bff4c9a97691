import { Refusal } from '@portcullis/contract/refusals';
import { RedisAway } from '@portcullis/redis/redis';

/** A server that was killed is back in about a second. */
const RETRY_MS = 1_000;

/** What cannot be asked cannot be let in. @returns overloaded when Redis gave no answer; the error itself when it is another */
export const refusedByAway = (error: unknown): unknown =>
  error instanceof RedisAway
    ? new Refusal('overloaded', { retryAfterMs: RETRY_MS }, { detail: error.message, cause: error })
    : error;
