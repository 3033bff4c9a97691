import { randomBytes } from 'node:crypto';
import type { Log } from '@portcullis/contract/log';
import { AwayMemory } from '@portcullis/limits/away.memory';
import type { Limiter } from '@portcullis/limits/limiter';
import { httpLimiter } from '@portcullis/limits/limiter.http';
import type { RuleTable } from '@portcullis/limits/rule-table';
import type { CommonSettings, SharedLimits } from './common.js';
import { fetchInside } from './fetch-inside.http.js';
import type { LimitsService } from './limits-service.js';
import { serviceTokens } from './service-token.http.js';

type Settings = Pick<CommonSettings, 'AUTH_ISSUER' | 'RATE_LIMITER_URL'> & SharedLimits & LimitsService;

/** Counts that are kept while the rate limiter is away. */
const COUNTS_AWAY = 50_000;

/**
 * The rate limiter that LIMITS_URL names, asked with tokens of this service; undefined when it names none.
 * @param table the rules that hold while it is away; the house's own unless given
 */
export function openRemoteLimiter(settings: Settings, log: Log, table?: () => RuleTable): Limiter | undefined {
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
    now: () => performance.now(),
    random: randomBytes,
    away: new AwayMemory(settings.LIMIT_SHARES, COUNTS_AWAY),
    ...(table && { table }),
    onAway: (error) =>
      log.warn('the rate limiter gives no decision; each limit holds as its rule says for that', { error }),
  });
}
