import type { LimitVerdict } from '@portcullis/contract/limits';
import { rateLimitHeaders } from '@portcullis/limits/rate-limit-headers';

/** `envoy.service.ratelimit.v3.RateLimitResponse`, as protobufjs writes it. */
export interface RateLimitResponse {
  readonly overallCode: Code;
  /** as many as descriptors were asked about */
  readonly statuses: readonly DescriptorStatus[];
  readonly responseHeadersToAdd: readonly { readonly key: string; readonly value: string }[];
}
type Code = 'UNKNOWN' | 'OK' | 'OVER_LIMIT';
interface DescriptorStatus {
  readonly code: Code;
  readonly currentLimit?: { readonly name: string; readonly requestsPerUnit: number; readonly unit: string };
  readonly limitRemaining?: number;
  readonly durationUntilReset?: { readonly seconds: number; readonly nanos: number };
}

const UNITS: Readonly<Record<number, string>> = {
  1_000: 'SECOND',
  60_000: 'MINUTE',
  3_600_000: 'HOUR',
  86_400_000: 'DAY',
  604_800_000: 'WEEK',
};
const MOST_UINT32 = 0xffff_ffff;

/**
 * What Envoy is answered. The first verdict that refuses decides, and with it the headers for whoever is refused; else the
 * tightest tells how much is left.
 * @param verdicts of the first descriptors; those after a refusal were not asked about, and have the code UNKNOWN
 * @param count    of all descriptors
 * @param random   from 0 to 1: how much of a tenth the stated wait is longer, so that those refused at once do not return at once
 */
export function replyOf(verdicts: readonly LimitVerdict[], count: number, random: number): RateLimitResponse {
  const telling = verdicts.reduce((told, each) => (isTighter(each, told) ? each : told));
  const statuses = Array.from({ length: count }, (_, i) => statusOf(verdicts[i]));
  const headers: { key: string; value: string }[] = [];
  for (const [name, value] of Object.entries(rateLimitHeaders(telling)))
    headers.push({ key: name.toLowerCase(), value });
  if (!telling.allowed) headers.push({ key: 'retry-after', value: retryAfter(telling.retryAfterMs, random) });
  return { overallCode: telling.allowed ? 'OK' : 'OVER_LIMIT', statuses, responseHeadersToAdd: headers };
}

function isTighter(one: LimitVerdict, other: LimitVerdict): boolean {
  if (!one.allowed || !other.allowed) return other.allowed;
  return one.limit !== undefined && (other.limit === undefined || one.remaining < other.remaining);
}

/** Whole seconds, never less than the wait. */
const retryAfter = (ms: number, random: number): string =>
  String(Math.max(1, Math.ceil((ms * (1 + random / 10)) / 1000)));

function statusOf(verdict: LimitVerdict | undefined): DescriptorStatus {
  if (verdict === undefined) return { code: 'UNKNOWN' };
  const { allowed, rule, limit, remaining, windowMs, resetMs = 0 } = verdict;
  const code = allowed ? 'OK' : 'OVER_LIMIT';
  if (rule === undefined || limit === undefined) return { code };
  const untilMs = verdict.allowed ? resetMs : verdict.retryAfterMs;
  return {
    code,
    currentLimit: {
      name: rule,
      requestsPerUnit: Math.min(limit, MOST_UINT32),
      unit: (windowMs !== undefined && UNITS[windowMs]) || 'UNKNOWN',
    },
    limitRemaining: Math.min(remaining, MOST_UINT32),
    durationUntilReset: { seconds: Math.floor(untilMs / 1000), nanos: (untilMs % 1000) * 1_000_000 },
  };
}
