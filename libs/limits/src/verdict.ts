import type { LimitVerdict } from '@portcullis/contract/limits';
import { isRequests, type Draw } from './draws.js';
import type { DrawState } from './turn.js';
import type { WindowCount } from './window.js';

export type Refused = Extract<LimitVerdict, { allowed: false }>;

/** How a draw stands. @param window what was counted so far; undefined = nothing */
export function stateOf(window: WindowCount | undefined, { limit, cost }: Draw, now: number): DrawState {
  if (window === undefined) return { remaining: limit, retryAfterMs: cost > limit ? Infinity : 0, resetMs: 0 };
  const retryAfterMs = window.waitFor(limit, cost, now);
  return { remaining: Math.max(0, limit - window.used(now)), retryAfterMs, resetMs: window.resetMs(now) };
}

/**
 * What one question is answered, from how each of its draws stood: refused when one has to wait, and then the one with the
 * longest wait is named, so that waiting that long is enough.
 * @param states one for each draw, in the same order
 * @param lease  of the reservation; '' = nothing was reserved
 */
export function verdictOf(
  draws: readonly Draw[],
  states: readonly DrawState[],
  lease: string,
  rulesVersion: number,
): LimitVerdict {
  const longest = longestWait(states);
  if (longest >= 0) return { ...refusedBy(draws[longest]!, states[longest]!), rulesVersion };
  let tightest = -1;
  for (let i = 0; i < draws.length; i++) {
    if (!isRequests(draws[i]!)) continue;
    if (tightest < 0 || states[i]!.remaining < states[tightest]!.remaining) tightest = i;
  }
  if (tightest < 0) return { allowed: true, lease, remaining: 0, rulesVersion };
  const { limit, rule, cost, windowMs } = draws[tightest]!;
  // the permit that was just taken is the last to leave
  const remaining = states[tightest]!.remaining - cost;
  return { allowed: true, lease, remaining, limit, resetMs: windowMs, windowMs, rule, rulesVersion };
}

/** @returns the index of the draw that has to wait longest, the first of several; -1 = none has to */
export function longestWait(states: readonly DrawState[]): number {
  let longest = -1;
  for (let i = 0; i < states.length; i++) {
    if (states[i]!.retryAfterMs > (longest < 0 ? 0 : states[longest]!.retryAfterMs)) longest = i;
  }
  return longest;
}

function refusedBy({ type, limit, windowMs, rule }: Draw, { remaining, retryAfterMs, resetMs }: DrawState): Refused {
  const refused = { allowed: false, limitType: type, limit, remaining, resetMs, windowMs, rule } as const;
  return Number.isFinite(retryAfterMs)
    ? { ...refused, retryAfterMs }
    : { ...refused, retryAfterMs: windowMs, impossible: true };
}
