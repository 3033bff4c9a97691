import type { Rule, RuleTable } from './rule-table.js';

/** What one principal may do with one tool. */
export interface ToolRule {
  /** requests in any 60 s */
  readonly perMinute: number;
  /** LLM tokens reserved for one call unless the question says otherwise; settled to what was used */
  readonly llmTokens: number;
}

/** What one principal may do over all tools and methods. */
export interface PrincipalRule {
  /** requests that are served */
  readonly perMinute: number;
  /** requests that arrive, refused ones included: each costs an event, and up to 1 MiB while its body is read */
  readonly arrivalsPerMinute: number;
  readonly llmTokensPerHour: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const PRINCIPAL_RULE: PrincipalRule = { perMinute: 60, arrivalsPerMinute: 180, llmTokensPerHour: 100_000 };

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

/**
 * The rule table of a server with tools of its own.
 * @param tools by name; every other tool has {@link OTHER_TOOLS}
 * @param rule  over the house's own
 */
export function tableOf(tools: ReadonlyMap<string, ToolRule>, rule: Partial<PrincipalRule> = {}): RuleTable {
  const { perMinute, arrivalsPerMinute, llmTokensPerHour } = { ...PRINCIPAL_RULE, ...rule };
  const rowOf = ({ llmTokens }: ToolRule) => ({ llmTokens, costMicros: 0 });
  return {
    version: 0,
    rules: [
      perPrincipal('arrivals', arrivalsPerMinute, MINUTE),
      perPrincipal('requests', perMinute, MINUTE),
      ...toolRules(tools),
      { ...perPrincipal('llm_tokens', llmTokensPerHour, HOUR), id: 'llm-tokens' },
    ],
    tools: Object.fromEntries([...tools].map(([name, tool]) => [name, rowOf(tool)])),
    otherTools: rowOf(OTHER_TOOLS),
  };
}

const perPrincipal = (type: 'arrivals' | 'requests' | 'llm_tokens', limit: number, windowMs: number): Rule => ({
  id: type,
  type,
  per: ['principal'],
  windows: [{ limit, windowMs }],
  fail: 'closed',
});

/** One rule for all tools of one figure; each tool is counted by itself. */
function toolRules(tools: ReadonlyMap<string, ToolRule>): Rule[] {
  const byFigure = new Map<number, string[]>();
  for (const [name, { perMinute }] of tools) {
    if (perMinute === OTHER_TOOLS.perMinute) continue;
    byFigure.set(perMinute, [...(byFigure.get(perMinute) ?? []), name]);
  }
  const per: Rule['per'] = ['principal', 'tool'];
  const ruleOf = (
    id: string,
    limit: number,
    when: { tools: string[] } | { otherThan: string[] } | undefined,
  ): Rule => ({
    ...{ id, type: 'tool_requests', per, windows: [{ limit, windowMs: MINUTE }], fail: 'closed' },
    ...(when && { when }),
  });
  const named = [...byFigure.values()].flat();
  const others = named.length === 0 ? undefined : { otherThan: named };
  return [
    ruleOf('tool-requests', OTHER_TOOLS.perMinute, others),
    ...[...byFigure].map(([figure, names]) => ruleOf(`tool-requests-${figure}`, figure, { tools: names })),
  ];
}

/** The table of the house: what applies where no other is given. */
export const HOUSE_TABLE: RuleTable = tableOf(new Map(Object.entries(TOOL_RULES)));
