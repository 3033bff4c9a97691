import type { WindowRule } from './sliding-window.js';
import type { BudgetRule } from './token-budget.js';

/** What one principal may do with one tool. */
export interface ToolRule {
  /** requests in any 60 s */
  readonly perMinute: number;
  /** LLM tokens reserved for one call unless the question says otherwise; settled to what was used */
  readonly llmTokens: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What one principal may do over all tools and methods. */
export const PRINCIPAL_RULE = {
  /** requests that are served */
  perMinute: 60,
  /** requests that arrive, refused ones included: each costs an event, and up to 1 MiB while its body is read */
  arrivalsPerMinute: 180,
  llmTokensPerHour: 100_000,
} as const;

/** The tools with figures of their own. Adding one is adding a row. */
export const TOOL_RULES: Readonly<Record<string, ToolRule>> = {
  get_customer_info: { perMinute: 60, llmTokens: 500 },
  create_support_ticket: { perMinute: 20, llmTokens: 800 },
  calculate_account_value: { perMinute: 30, llmTokens: 1_000 },
};

/** Every tool without a row. */
export const OTHER_TOOLS: ToolRule = { perMinute: 60, llmTokens: 500 };

/** The row of a tool. A tool repeats its figures, so that its own page says everything; a spec keeps them equal. */
export const ruleFor = (tool: string): ToolRule =>
  (Object.hasOwn(TOOL_RULES, tool) ? TOOL_RULES[tool] : undefined) ?? OTHER_TOOLS;

/** How long a reservation can be settled or released. After that it stays charged as it was reserved. */
export const LEASE_MS = 2 * MINUTE;

/** The limits that the questions about one request touch; `tool` is absent for requests that are no tool call. */
export interface Limits {
  readonly arrivals: WindowRule;
  readonly requests: WindowRule;
  readonly tool: WindowRule | undefined;
  readonly budget: BudgetRule;
}

/** What one principal may do over all tools and methods. */
export interface PrincipalRule {
  readonly perMinute: number;
  readonly arrivalsPerMinute: number;
  readonly llmTokensPerHour: number;
}

/**
 * The limits of a server with tools of its own.
 * @param toolRule what the tool's definition says; undefined = a tool without figures
 * @param rule     over the house's own
 */
export const limitsOf =
  (toolRule: (tool: string) => ToolRule | undefined, rule: Partial<PrincipalRule> = {}): typeof limitsFor =>
  (tool, share) =>
    limitsIn({ ...PRINCIPAL_RULE, ...rule }, tool === undefined ? undefined : (toolRule(tool) ?? OTHER_TOOLS), share);

/**
 * @param share above 0 to 1: how much of each limit counts; rounded down, but never to nothing
 * @throws RangeError for a share outside that
 */
export const limitsFor = (tool: string | undefined, share: number): Limits =>
  limitsIn(PRINCIPAL_RULE, tool === undefined ? undefined : ruleFor(tool), share);

function limitsIn(principal: PrincipalRule, tool: ToolRule | undefined, share: number): Limits {
  if (!(share > 0 && share <= 1)) throw new RangeError('share must be above 0 and at most 1');
  const part = (limit: number): number => Math.max(1, Math.floor(limit * share));
  return {
    arrivals: { limit: part(principal.arrivalsPerMinute), windowMs: MINUTE },
    requests: { limit: part(principal.perMinute), windowMs: MINUTE },
    tool: tool === undefined ? undefined : { limit: part(tool.perMinute), windowMs: MINUTE },
    budget: { limit: part(principal.llmTokensPerHour), windowMs: HOUR, slotMs: MINUTE },
  };
}
