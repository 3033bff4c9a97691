import type { LimitType, LimitVerdict } from '@portcullis/contract/limits';

/** What of a verdict its caller may be told in headers. */
export type ToldVerdict = Pick<LimitVerdict, 'remaining' | 'limit' | 'rule' | 'resetMs' | 'windowMs'> & {
  readonly limitType?: LimitType;
  readonly retryAfterMs?: number;
};

/** The fields by which a caller can pace itself; none where no limit of a rule was asked. */
export interface RateLimitHeaders {
  readonly RateLimit?: string;
  readonly 'RateLimit-Policy'?: string;
}

const NONE: RateLimitHeaders = {};
/** A type without a row counts requests, which is the unit where none is said. A unit of ours carries our name. */
const UNITS: Partial<Record<LimitType, string>> = {
  concurrency: ';qu="concurrent-requests"',
  llm_tokens: ';qu="portcullis-llm-tokens"',
  cost: ';qu="portcullis-cost-micros"',
};

/**
 * The limit that decided, as structured fields: `RateLimit: "requests";r=59;t=60` and `RateLimit-Policy: "requests";q=60;w=60`.
 * `t` is how long no more than `r` can be used, in whole seconds, rounded up: of a refusal the wait, else the window, since
 * permits leave a sliding window one by one. What is open at a time has no window, and comes back at any moment.
 * @see draft-ietf-httpapi-ratelimit-headers-11 §3, §4
 */
export function rateLimitHeaders(verdict: ToldVerdict): RateLimitHeaders {
  // ids of rules hold neither a quote nor a backslash (rule-table.ts)
  const { rule, limit, remaining, limitType, retryAfterMs, resetMs, windowMs } = verdict;
  if (rule === undefined || limit === undefined) return NONE;
  const unit = (limitType !== undefined && UNITS[limitType]) || '';
  if (limitType === 'concurrency' || windowMs === undefined) {
    return { RateLimit: `"${rule}";r=${remaining}`, 'RateLimit-Policy': `"${rule}";q=${limit}${unit}` };
  }
  return {
    RateLimit: `"${rule}";r=${remaining};t=${seconds(retryAfterMs ?? resetMs ?? windowMs)}`,
    'RateLimit-Policy': `"${rule}";q=${limit}${unit};w=${Math.max(1, seconds(windowMs))}`,
  };
}

const seconds = (ms: number): number => Math.ceil(ms / 1000);
