import { randomBytes } from 'node:crypto';
import type { LimitQuestion } from '@portcullis/contract/limits';
import { keyedId } from '@portcullis/redis/keyed-id';
import type { Redis } from '@portcullis/redis/redis';
import { AwayMemory } from './away.memory.js';
import type { Limiter } from './limiter.js';
import { redisLimiter, type RedisLimiterParts } from './limiter.redis.js';
import { RefusedMemory } from './refused.memory.js';

/** The same in every process of a test, as replicas have it. */
const idOf = keyedId(Buffer.alloc(32, 'the key of names'));

/** A limiter on a real Redis, whose clock the test turns when it gives one. */
export const limiterOn = (
  redis: Pick<Redis, 'run'>,
  { serverNow, ...more }: Partial<RedisLimiterParts> = {},
): Limiter =>
  redisLimiter({
    redis,
    now: serverNow ?? (() => performance.now()),
    ...(serverNow && { serverNow }),
    random: randomBytes,
    idOf,
    away: new AwayMemory(1, 50_000),
    refused: new RefusedMemory(10_000),
    ...more,
  });

/** The same limiter for tenants of its own, so that nothing is shared with others on the same server. */
export function apart(limiter: Limiter, freshTenant: () => string): Limiter {
  const tenants = new Map<string, string>();
  const own = (tenant = 'default'): string => {
    if (!tenants.has(tenant)) tenants.set(tenant, freshTenant());
    return tenants.get(tenant)!;
  };
  return {
    decide: (question: LimitQuestion, taker) => limiter.decide({ ...question, tenant: own(question.tenant) }, taker),
    settle: (tenant, ...used) => limiter.settle(own(tenant), ...used),
    release: (tenant, ...lease) => limiter.release(own(tenant), ...lease),
    close: () => limiter.close(),
  };
}
