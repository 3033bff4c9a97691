/** At most `limit` permits in any span of `windowMs`. */
export interface WindowRule {
  /** permits, integer >= 1 */
  readonly limit: number;
  readonly windowMs: number;
}

/** When permits were taken, ms since epoch, ascending; never more entries than the rule's full limit. */
export type WindowLog = readonly number[];

export interface WindowState {
  /** permits free now, integer >= 0 */
  readonly remaining: number;
  /** integer milliseconds, rounded up, until one permit is free; 0 = there is one */
  readonly retryAfterMs: number;
}

/**
 * Says what a strict sliding window has left. A permit taken at t counts in [t, t + windowMs) and is free again exactly
 * at t + windowMs, so no span of that length ever holds more than the limit: no fixed windows with double bursts at
 * their edges, no weighted estimate.
 * @param rule may be tighter than the one the log was filled under (a share of it); the surplus has to leave first
 * @param now  ms since epoch; earlier than the last entry counts as that entry's time (clocks may step back)
 * @see RFC 6585 §4, RFC 9110 §10.2.3
 */
export function windowState(log: WindowLog, rule: WindowRule, now: number): WindowState {
  const first = firstLive(log, rule, now);
  const remaining = rule.limit - (log.length - first);
  const leaves = log[log.length - rule.limit];
  if (remaining > 0 || leaves === undefined) return { remaining, retryAfterMs: 0 };
  return { remaining: 0, retryAfterMs: Math.ceil(leaves + rule.windowMs - now) };
}

/**
 * Takes one permit.
 * @returns the log to store, without the entries that no longer count
 * @throws RangeError when none is free: ask {@link windowState} first
 */
export function takePermit(log: WindowLog, rule: WindowRule, now: number): WindowLog {
  const live = log.slice(firstLive(log, rule, now));
  if (live.length >= rule.limit) throw new RangeError('no permit is free in this window');
  live.push(noEarlierThan(log, now));
  return live;
}

/** True when nothing in the log counts any more, so that forgetting it changes no answer. */
export const windowIsIdle = (log: WindowLog, windowMs: number, now: number): boolean =>
  log.length === 0 || noEarlierThan(log, now) >= (log.at(-1) ?? 0) + windowMs;

/** Index of the oldest entry that still counts. */
function firstLive(log: WindowLog, { windowMs }: WindowRule, now: number): number {
  const at = noEarlierThan(log, now);
  let index = 0;
  while (index < log.length && log[index]! + windowMs <= at) index += 1;
  return index;
}

const noEarlierThan = (log: WindowLog, now: number): number => Math.max(now, log[log.length - 1] ?? now);
