import { randomBytes } from 'node:crypto';
import type { Log } from '@portcullis/contract/log';
import { AwayMemory } from '@portcullis/limits/away.memory';
import type { Limiter } from '@portcullis/limits/limiter';
import { httpLimiter } from '@portcullis/limits/limiter.http';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { redisLimiter } from '@portcullis/limits/limiter.redis';
import { RefusedMemory } from '@portcullis/limits/refused.memory';
import type { RuleTable } from '@portcullis/limits/rule-table';
import { keyedId } from '@portcullis/redis/keyed-id';
import type { Redis } from '@portcullis/redis/redis';
import type { CommonSettings, SharedLimits } from './common.js';
import { fetchInside } from './fetch-inside.http.js';
import { keyBytes } from './key-text.js';
import type { LimitsService } from './limits-service.js';
import { serviceTokens } from './service-token.http.js';
import { SettingsError } from './settings.js';

/** Counts that are kept while Redis, or the rate limiter, is away. */
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
    ...ownParts({ LIMIT_SHARES }),
    refused: new RefusedMemory(REFUSED),
    onAway: (error) => log.warn('Redis gives no answer; each limit holds as its rule says for that', { error }),
  });
}

type RemoteSettings = Pick<CommonSettings, 'AUTH_ISSUER' | 'RATE_LIMITER_URL'> & SharedLimits & LimitsService;

/**
 * The rate limiter that LIMITS_URL names, asked with tokens of this service; undefined when it names none.
 * @param table the rules that hold while it is away; the house's own unless given
 */
export function openRemoteLimiter(settings: RemoteSettings, log: Log, table?: () => RuleTable): Limiter | undefined {
  const { LIMITS_URL: url, SERVICE_CLIENT_ID: clientId, SERVICE_KEY: key } = settings;
  if (url === undefined || clientId === undefined || key === undefined) return undefined;
  const tokens = serviceTokens({
    issuer: settings.AUTH_ISSUER,
    resource: `${settings.RATE_LIMITER_URL}/v1`,
    scope: 'limits:decide',
    clientId,
    key,
    fetch: fetchInside,
    now: Date.now,
  });
  return httpLimiter({
    url,
    post: fetchInside,
    tokens,
    deadlineMs: settings.LIMITS_DEADLINE_MS,
    ...ownParts(settings),
    ...(table && { table }),
    onAway: (error) =>
      log.warn('the rate limiter gives no decision; each limit holds as its rule says for that', { error }),
  });
}

/** What a limiter of several processes has of its own: its clock, its leases, and what it counts while nobody else does. */
const ownParts = ({ LIMIT_SHARES }: Pick<SharedLimits, 'LIMIT_SHARES'>) => ({
  random: randomBytes,
  now: () => performance.now(),
  away: new AwayMemory(LIMIT_SHARES, COUNTS_AWAY),
});
