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
  const refused = longestWait([
    ['requests', limits.requests, requests],
    ...(tool && limits.tool ? ([['tool_requests', limits.tool, tool]] as const) : []),
    ['llm_tokens', limits.budget, budget],
  ]);
  if (refused) return refused;
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
  return (
    longestWait([['arrivals', rule, state]]) ?? {
      allowed: true,
      arrivals: takePermit(arrivals, rule, now),
      remaining: state.remaining - 1,
    }
  );
}

type Asked = readonly [
  LimitType,
  { readonly limit: number; readonly windowMs: number },
  { readonly remaining: number; readonly retryAfterMs: number },
];

function longestWait(asked: readonly Asked[]): Refused | undefined {
  const [type, rule, state] = asked.reduce(
    (a, b) => (b[2].retryAfterMs > a[2].retryAfterMs ? b : a),
    asked[0] as Asked,
  );
  if (state.retryAfterMs === 0) return undefined;
  const refused = { allowed: false, limitType: type, limit: rule.limit, remaining: state.remaining } as const;
  return Number.isFinite(state.retryAfterMs)
    ? { ...refused, retryAfterMs: state.retryAfterMs }
    : { ...refused, retryAfterMs: rule.windowMs, impossible: true };
}
