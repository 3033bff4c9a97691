import * as z from 'zod';

/** How long a reservation can be settled or released, ms. After that it stays charged as it was reserved. */
export const LEASE_MS = 120_000;

const DAY = 86_400_000;

/** By what a rule counts: one count for each combination of these. `tenant` adds nothing, since every count is one tenant's. */
export const DIMENSIONS = ['tenant', 'principal', 'user', 'tool', 'chain', 'address'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

const toolName = z.string().min(1).max(128);
/** integer, in the unit of the rule's type; sums of such stay exact in a double */
const amount = z.int().min(1).max(1e12);

/** At most `limit` in any span of `windowMs`. */
const window = z.strictObject({
  limit: amount,
  windowMs: z
    .int()
    .min(1)
    .max(31 * DAY),
});

const common = {
  /** names the rule in verdicts, and its counts */
  id: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/),
  per: z.array(z.enum(DIMENSIONS)).min(1).max(DIMENSIONS.length),
  /**
   * what holds when the limiter's store is away: refuse (closed), this replica's share of the limit, or admit uncounted
   * (open), which only rules on tools without effects may
   */
  fail: z.enum(['closed', 'share', 'open']).default('closed'),
};
/** The tools a rule is for, or those it is not for; absent = all requests, tool calls or not. */
const when = z
  .union([
    z.strictObject({ tools: z.array(toolName).min(1).max(1_000) }),
    z.strictObject({ otherThan: z.array(toolName).min(1).max(1_000) }),
  ])
  .optional();
const windows = z.array(window).min(1).max(8);

/**
 * One rule. Its type says what it counts: requests as they arrive, requests or tool calls that are served, LLM tokens or
 * cost in millionths of the currency (both reserved, then settled), or leases that are open at a time (`concurrency`).
 */
const rule = z.discriminatedUnion('type', [
  z.strictObject({ ...common, type: z.literal('arrivals'), windows }),
  z.strictObject({ ...common, type: z.enum(['requests', 'tool_requests', 'llm_tokens', 'cost']), when, windows }),
  z.strictObject({ ...common, type: z.literal('concurrency'), when, limit: amount }),
]);
export type Rule = z.output<typeof rule>;

const reserved = {
  /** LLM tokens reserved for one call unless the question says otherwise; settled to what was used */
  llmTokens: z.int().min(0).max(1_000_000),
  /** the same for cost, in millionths of the currency */
  costMicros: z.int().min(0).max(1_000_000_000).default(0),
};

/** All limits of a deployment: what is counted, and what one call of a tool reserves. */
export const ruleTable = z
  .strictObject({
    /** grows with every change; every decision names it */
    version: z.int().min(0),
    rules: z.array(rule).max(100),
    /** `effects` is said of tools that have none; every other is taken to have some */
    tools: z.record(toolName, z.strictObject({ ...reserved, effects: z.literal('none').optional() })),
    /** tools that have no row */
    otherTools: z.strictObject(reserved),
  })
  .superRefine(({ rules, tools }, context) => {
    const wrong = (index: number, message: string): void =>
      context.addIssue({ code: 'custom', path: ['rules', index], message });
    const ids = new Set<string>();
    rules.forEach((each, i) => {
      if (ids.has(each.id)) wrong(i, `a rule ${each.id} stands above`);
      ids.add(each.id);
      if (new Set(each.per).size < each.per.length) wrong(i, 'names a dimension twice');
      if ('windows' in each && new Set(each.windows.map(({ windowMs }) => windowMs)).size < each.windows.length) {
        wrong(i, 'has two windows of one length');
      }
      if (each.type === 'arrivals' && each.per.includes('tool')) {
        wrong(i, 'counts arrivals by tool, before anybody knows which tool is asked for');
      }
      if (each.fail === 'open' && !namesHarmless(each, tools)) wrong(i, 'fails open for a tool that has effects');
    });
  });
export type RuleTable = z.output<typeof ruleTable>;

function namesHarmless(
  rule: Rule,
  tools: Readonly<Record<string, { readonly effects?: 'none' | undefined }>>,
): boolean {
  if (rule.type === 'arrivals' || rule.when === undefined || !('tools' in rule.when)) return false;
  return rule.when.tools.every((tool) => Object.hasOwn(tools, tool) && tools[tool]?.effects === 'none');
}
