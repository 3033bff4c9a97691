import type { LimitType, LimitVerdict } from '@portcullis/contract/limits';
import type { Limits } from './rules.js';
import { takePermit, windowState, type WindowLog, type WindowRule } from './sliding-window.js';
import { budgetState, reserve, type Budget } from './token-budget.js';

/** What is remembered of a principal, as far as one question touches it. */
export interface Held {
  readonly requests: WindowLog;
  /** of the tool that is asked for; empty for requests that are no tool call */
  readonly tool: WindowLog;
  readonly budget: Budget;
}

export type Refused = Extract<LimitVerdict, { allowed: false }>;
export interface Granted {
  readonly allowed: true;
  /** what to remember from now on */
  readonly held: Held;
  /** permits left in the tightest request window, integer >= 0 */
  readonly remaining: number;
  /** ms since epoch: when the LLM tokens were reserved */
  readonly reservedAt: number;
}

/**
 * One decision over all limits: every one is asked before any is taken from, so a refusal takes nothing. When several
 * refuse, the one with the longest wait is named, so that waiting that long is enough.
 * @param llmTokens LLM tokens to reserve, integer >= 0
 * @param now       ms since epoch
 * @throws RangeError for llmTokens that are no such integer; a negative cost would give back what others reserved
 */
export function weigh(held: Held, limits: Limits, llmTokens: number, now: number): Refused | Granted {
  if (!Number.isSafeInteger(llmTokens) || llmTokens < 0) throw new RangeError('llmTokens must be an integer >= 0');
  const requests = windowState(held.requests, limits.requests, now);
  const tool = limits.tool && windowState(held.tool, limits.tool, now);
  const budget = budgetState(held.budget, limits.budget, llmTokens, now);
  let longest = longer(undefined, 'requests', limits.requests, requests);
  if (tool && limits.tool) longest = longer(longest, 'tool_requests', limits.tool, tool);
  longest = longer(longest, 'llm_tokens', limits.budget, budget);
  if (longest) return refusedBy(longest);
  const reserved = reserve(held.budget, limits.budget, llmTokens, now);
  return {
    allowed: true,
    held: {
      requests: takePermit(held.requests, limits.requests, now),
      tool: limits.tool ? takePermit(held.tool, limits.tool, now) : held.tool,
      budget: reserved.budget,
    },
    remaining: Math.min(requests.remaining, tool?.remaining ?? Infinity) - 1,
    reservedAt: reserved.at,
  };
}

/** One more request, whatever will become of it. */
export function weighArrival(
  arrivals: WindowLog,
  rule: WindowRule,
  now: number,
): Refused | { readonly allowed: true; readonly arrivals: WindowLog; readonly remaining: number } {
  const state = windowState(arrivals, rule, now);
  const wait = longer(undefined, 'arrivals', rule, state);
  if (wait) return refusedBy(wait);
  return { allowed: true, arrivals: takePermit(arrivals, rule, now), remaining: state.remaining - 1 };
}

/** A limit that says to wait. */
interface Wait {
  readonly type: LimitType;
  readonly rule: { readonly limit: number; readonly windowMs: number };
  readonly state: { readonly remaining: number; readonly retryAfterMs: number };
}

/** The longer of two waits, if there is one at all. */
const longer = (wait: Wait | undefined, type: LimitType, rule: Wait['rule'], state: Wait['state']): Wait | undefined =>
  state.retryAfterMs > (wait?.state.retryAfterMs ?? 0) ? { type, rule, state } : wait;

function refusedBy({ type, rule, state }: Wait): Refused {
  const refused = { allowed: false, limitType: type, limit: rule.limit, remaining: state.remaining } as const;
  return Number.isFinite(state.retryAfterMs)
    ? { ...refused, retryAfterMs: state.retryAfterMs }
    : { ...refused, retryAfterMs: rule.windowMs, impossible: true };
}
