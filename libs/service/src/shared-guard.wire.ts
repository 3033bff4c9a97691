import { createHmac } from 'node:crypto';
import type { GuardOf } from '@portcullis/guard/guard.memory';
import { redisHistory } from '@portcullis/guard/history.redis';
import { nonces } from '@portcullis/guard/nonces';
import { memoryProofChecks } from '@portcullis/guard/proof-checks.memory';
import { redisProofReplay } from '@portcullis/guard/proof-replay.redis';
import { keyedId } from '@portcullis/redis/keyed-id';
import type { Redis } from '@portcullis/redis/redis';

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
