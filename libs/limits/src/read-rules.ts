import * as z from 'zod';
import { ruleTable, type Rule, type RuleTable } from './rule-table.js';
import { effectsOf, type ToolEffects } from './tool-effects.js';

/** Bytes of a table of rules as JSON: what is larger is none. */
export const MAX_RULES_BYTES = 256 * 1024;

/** A table, or everything that is wrong with the text: for operators, each a line that names rule and tool. */
export type ReadRules = { readonly table: RuleTable } | { readonly problems: readonly string[] };

/** A text that is wrong all over is not worth more words than these. */
const PROBLEMS_NAMED = 50;

/** Reads a table of rules and checks it whole, also against the tools that there are. */
export function readRules(text: string, effects: ToolEffects): ReadRules {
  const problems: string[] = [];
  try {
    const json: unknown = JSON.parse(text);
    const { data, error } = ruleTable.safeParse(json);
    if (error !== undefined) problems.push(...error.issues.map((issue) => worded(issue, json)));
    else {
      problems.push(...openOnEffects(data.rules, effects));
      // what is left out in the file is written out where it is published
      if (new TextEncoder().encode(JSON.stringify(data)).length > MAX_RULES_BYTES) problems.push(TOO_LARGE);
      if (problems.length === 0) return { table: data };
    }
  } catch (error) {
    problems.push(`is no JSON${placeIn(error)}`);
  }
  const more = problems.length - PROBLEMS_NAMED;
  return { problems: more > 0 ? [...problems.slice(0, PROBLEMS_NAMED), `and ${more} more`] : problems };
}

export const TOO_LARGE = `is larger than ${MAX_RULES_BYTES / 1024} KiB`;

/** Rules that would admit uncounted, and with an effect, while the store is away. */
function openOnEffects(rules: readonly Rule[], effects: ToolEffects): string[] {
  return rules.flatMap((rule) =>
    toolsOpenIn(rule).flatMap((tool) => {
      const known = effectsOf(effects, tool);
      if (known === 'none') return [];
      return `rule ${rule.id} fails open for ${tool}, ${known === 'some' ? 'which has effects' : 'a tool that nobody knows'}`;
    }),
  );
}

/** The same table, with what fails open for a tool that has effects, or is not known, failing closed. */
export function openNowhereWithEffects(table: RuleTable, effects: ToolEffects): RuleTable {
  if (openOnEffects(table.rules, effects).length === 0) return table;
  const rules = table.rules.map((rule) =>
    openOnEffects([rule], effects).length === 0 ? rule : { ...rule, fail: 'closed' as const },
  );
  return { ...table, rules };
}

function toolsOpenIn(rule: Rule): readonly string[] {
  if (rule.fail !== 'open' || rule.type === 'arrivals' || rule.when === undefined) return [];
  return 'tools' in rule.when ? rule.when.tools : [];
}

/** `rule few: windows.0.limit: …`: where, by the name that people gave it, and what. */
function worded({ path, message }: z.core.$ZodIssue, json: unknown): string {
  const [first, nth, ...rest] = path;
  const rules: unknown = (json as { rules?: unknown } | null)?.rules;
  const id: unknown = Array.isArray(rules) && typeof nth === 'number' ? rules[nth]?.id : undefined;
  const where =
    first === 'rules' && typeof nth === 'number'
      ? [typeof id === 'string' ? `rule ${id}` : `rule ${nth + 1}`, rest.join('.')]
      : [path.join('.')];
  return [...where, message]
    .filter((part) => part !== '')
    .join(': ')
    .slice(0, 300);
}

/** V8 says where, and quotes what it found there, which is left out. */
const placeIn = (error: unknown): string => {
  const [place] = /line \d+ column \d+/.exec(error instanceof Error ? error.message : '') ?? [];
  return place === undefined ? '' : ` at ${place}`;
};
