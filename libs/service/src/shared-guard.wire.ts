import { createHmac, randomBytes } from 'node:crypto';
import type { Log } from '@portcullis/contract/log';
import type { GuardOf } from '@portcullis/guard/guard.memory';
import { redisHistory } from '@portcullis/guard/history.redis';
import { nonces } from '@portcullis/guard/nonces';
import { memoryProofChecks } from '@portcullis/guard/proof-checks.memory';
import { redisProofReplay } from '@portcullis/guard/proof-replay.redis';
import { AwayMemory } from '@portcullis/limits/away.memory';
import type { Limiter } from '@portcullis/limits/limiter';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { redisLimiter } from '@portcullis/limits/limiter.redis';
import { RefusedMemory } from '@portcullis/limits/refused.memory';
import type { RuleTable } from '@portcullis/limits/rule-table';
import { keyedId } from '@portcullis/redis/keyed-id';
import type { Redis } from '@portcullis/redis/redis';
import type { SharedLimits } from './common.js';
import { keyBytes } from './key-text.js';
import { SettingsError } from './settings.js';

/** Counts that are kept while Redis is away. */
const COUNTS_AWAY = 50_000;
/** Callers far over a limit that are remembered. */
const REFUSED = 10_000;

/**
 * The limiter of all replicas on Redis; without it, of this process alone.
 * @throws SettingsError without LIMITS_KEY: services that named people each in their own way would not count together
 */
export function openLimiter(
  { LIMIT_SHARES, LIMITS_KEY }: SharedLimits,
  redis: Redis | undefined,
  log: Log,
  table: () => RuleTable,
): Limiter {
  if (redis === undefined) return memoryLimiter({ now: Date.now, random: randomBytes, table });
  if (LIMITS_KEY === undefined) {
    const says = 'is missing. REDIS_URL needs it: 32 random bytes as base64url.';
    throw new SettingsError([{ variable: 'LIMITS_KEY', says }]);
  }
  return redisLimiter({
    redis,
    table,
    idOf: keyedId(keyBytes(LIMITS_KEY[0])),
    random: randomBytes,
    now: () => performance.now(),
    away: new AwayMemory(LIMIT_SHARES, COUNTS_AWAY),
    refused: new RefusedMemory(REFUSED),
    onAway: (error) => log.warn('Redis gives no answer; each limit holds as its rule says for that', { error }),
  });
}

/**
 * What the guards of all replicas have in common on Redis: histories and used proofs.
 * @param key 32 bytes, the same in every replica; names and nonces are derived from it, each under a word of its own
 */
export function sharedGuard(redis: Redis, service: string, key: Uint8Array): NonNullable<GuardOf['shared']> {
  const derived = (use: string): Uint8Array => createHmac('sha256', key).update(`portcullis/${use}`).digest();
  const idOf = keyedId(derived('redis-names'));
  const now = Date.now;
  return {
    history: redisHistory({ redis, idOf, now }),
    proofs: {
      ...memoryProofChecks(now),
      nonces: nonces(derived('dpop-nonces'), now, () => redis.runs()),
      replay: redisProofReplay({ redis, service, idOf, now }),
    },
  };
}
