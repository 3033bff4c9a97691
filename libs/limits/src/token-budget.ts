/** At most `limit` LLM tokens in any span of `windowMs`, kept in slots of `slotMs`. */
export interface BudgetRule {
  /** LLM tokens, integer >= 1 */
  readonly limit: number;
  readonly windowMs: number;
  /** how much is remembered as one; a token comes back at most this much late, never early */
  readonly slotMs: number;
}

interface Slot {
  /** floor(ms since epoch / slotMs) */
  readonly index: number;
  /** ms since epoch: the latest charge in this slot; the whole slot counts until this + windowMs */
  readonly lastAt: number;
  /** LLM tokens charged, integer > 0 */
  readonly tokens: number;
}

/** What was charged, ascending by slot; at most windowMs / slotMs + 1 slots, however many calls were made. */
export type Budget = readonly Slot[];

export interface BudgetState {
  /** LLM tokens left, integer >= 0 */
  readonly remaining: number;
  /** integer milliseconds, rounded up, until `cost` fits; 0 = it does; Infinity = it never will */
  readonly retryAfterMs: number;
}

/**
 * Says whether `cost` LLM tokens fit. A slot counts whole until its last charge is windowMs old, so what is counted is
 * never less than what was really charged within the window.
 * @param cost integer >= 0; nothing costs nothing, also when the budget is overdrawn
 * @param now  ms since epoch; earlier than the last charge counts as that charge's time
 */
export function budgetState(budget: Budget, rule: BudgetRule, cost: number, now: number): BudgetState {
  const first = firstLive(budget, rule, now);
  let used = 0;
  for (let at = first; at < budget.length; at++) used += budget[at]!.tokens;
  const remaining = Math.max(0, rule.limit - used);
  if (cost === 0) return { remaining, retryAfterMs: 0 };
  if (cost > rule.limit) return { remaining, retryAfterMs: Infinity };
  let excess = used + cost - rule.limit;
  let retryAfterMs = 0;
  for (let at = first; excess > 0 && at < budget.length; at++) {
    const { tokens, lastAt } = budget[at]!;
    excess -= tokens;
    retryAfterMs = Math.ceil(lastAt + rule.windowMs - now);
  }
  return { remaining, retryAfterMs };
}

/**
 * Reserves `cost` LLM tokens.
 * @returns the budget to store, and when the reservation was made, which {@link correct} wants back
 * @throws RangeError when they do not fit: ask {@link budgetState} first
 */
export function reserve(
  budget: Budget,
  rule: BudgetRule,
  cost: number,
  now: number,
): { readonly budget: Budget; readonly at: number } {
  if (budgetState(budget, rule, cost, now).retryAfterMs > 0) throw new RangeError('the budget lacks that many tokens');
  const at = noEarlierThan(budget, now);
  const first = firstLive(budget, rule, now);
  return { budget: charge(first === 0 ? budget : budget.slice(first), rule, at, cost), at };
}

/**
 * Corrects a reservation made at `at` from `reserved` to `used` LLM tokens. Usage above the reservation is charged even
 * when that overdraws the budget, since it has happened; a slot that falls to zero or below is dropped, never kept as a credit.
 */
export const correct = (budget: Budget, rule: BudgetRule, at: number, reserved: number, used: number): Budget =>
  charge(budget, rule, at, used - reserved);

/** True when nothing charged counts any more, so that forgetting the budget changes no answer. */
export const budgetIsIdle = (budget: Budget, windowMs: number, now: number): boolean =>
  budget.every((slot) => slot.lastAt + windowMs <= noEarlierThan(budget, now));

function charge(budget: Budget, { slotMs }: BudgetRule, at: number, tokens: number): Budget {
  const index = Math.floor(at / slotMs);
  let place = budget.length;
  while (place > 0 && budget[place - 1]!.index >= index) place -= 1;
  const found = budget[place]?.index === index ? budget[place] : undefined;
  const changed: Slot = {
    index,
    lastAt: Math.max(at, found?.lastAt ?? at),
    tokens: (found?.tokens ?? 0) + tokens,
  };
  const others = found === undefined ? 0 : 1;
  return changed.tokens > 0 ? budget.toSpliced(place, others, changed) : budget.toSpliced(place, others);
}

/** Index of the oldest slot that still counts; each was last charged before the next one was. */
function firstLive(budget: Budget, { windowMs }: BudgetRule, now: number): number {
  const at = noEarlierThan(budget, now);
  let index = 0;
  while (index < budget.length && budget[index]!.lastAt + windowMs <= at) index += 1;
  return index;
}

const noEarlierThan = (budget: Budget, now: number): number => Math.max(now, budget[budget.length - 1]?.lastAt ?? now);
