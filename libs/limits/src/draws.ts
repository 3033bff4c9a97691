import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { LimitQuestion, LimitType } from '@portcullis/contract/limits';
import { LEASE_MS, type Dimension, type Rule, type RuleTable } from './rule-table.js';
import { SLOTS, slotMsOf } from './window.js';

/** One count that one question draws on; a limiter knows nothing else of rules. */
export interface Draw {
  /** id of the rule, for the verdict */
  readonly rule: string;
  readonly type: LimitType;
  /** what is counted, without the tenant: `requests/60000/agt_…`; two different counts never share one, whatever the names hold */
  readonly key: string;
  /** integer >= 1 */
  readonly limit: number;
  readonly windowMs: number;
  /** how much time is remembered as one charge: 1 where a window holds few charges, else so that it has about {@link SLOTS} */
  readonly slotMs: number;
  /** integer >= 0: 1 for requests; LLM tokens; millionths of the currency */
  readonly cost: number;
  /** `lease`: counted until the lease is settled, released or expired; `window`: until it is windowMs old */
  readonly until: 'window' | 'lease';
  /** what holds when the store is away */
  readonly fail: 'closed' | 'share' | 'open';
}

/** True for what {@link Draw} a settlement corrects: reservations, not requests, which have happened. */
export const isReserved = ({ type }: Draw): boolean =>
  type === 'llm_tokens' || type === 'cost' || type === 'concurrency';
/** What was really used of a reservation; of a place among those open at a time, nothing is used. */
export const usedOf = ({ type, cost }: Draw, llmTokens: number, costMicros: number | undefined): number =>
  type === 'llm_tokens' ? llmTokens : type === 'cost' ? (costMicros ?? cost) : 0;
/** True for the windows whose permits a verdict counts. */
export const isRequests = ({ type }: Draw): boolean =>
  type === 'requests' || type === 'tool_requests' || type === 'arrivals';

/** @throws RangeError for what is no amount: a negative one would give back what others reserved */
export function expectAmount(name: string, amount: number): number {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError(`${name} must be an integer >= 0`);
  return amount;
}

/**
 * The counts that a question draws on, in the order of the table. A rule that counts by what the question does not name
 * (no tool, no user) does not touch it.
 * @throws RangeError for a share or costs outside the schema
 */
export const drawsOf = (table: RuleTable, question: LimitQuestion): readonly Draw[] => planOf(table)(question);

export interface DrawPlan {
  (question: LimitQuestion): Draw[];
  /** what any rule of the table counts by; what a question says besides changes nothing */
  readonly by: ReadonlySet<Dimension>;
}

const plans = new WeakMap<RuleTable, DrawPlan>();

/** {@link drawsOf} of one table, which is not to be changed afterwards: sorted by tool once, not per question. */
export function planOf(table: RuleTable): DrawPlan {
  let plan = plans.get(table);
  if (plan === undefined) plans.set(table, (plan = makePlan(table)));
  return plan;
}

/** How whoever could be known by a name is called in keys that leave the process. */
export type CalledBy = (tenant: string, dimension: 'user' | 'address' | 'chain', names: readonly string[]) => string;

/** One window of one rule. */
interface Line extends Omit<Draw, 'key' | 'cost'> {
  readonly prefix: string;
  readonly per: readonly Dimension[];
}
/** What the calls of one tool draw on, and reserve. */
interface Row {
  readonly lines: readonly Line[];
  readonly llmTokens: number;
  readonly costMicros: number;
}

/** The same, where keys leave the process. @param calledBy gives different names for different people, hidden or not */
export function makePlan({ rules, tools, otherTools }: RuleTable, calledBy?: CalledBy): DrawPlan {
  const rowFor = (tool: string | undefined, reserved: { llmTokens: number; costMicros: number }): Row => ({
    lines: rules.filter((rule) => isFor(rule, tool)).flatMap(linesOf),
    ...reserved,
  });
  const arrival: Row = {
    lines: rules.filter(({ type }) => type === 'arrivals').flatMap(linesOf),
    llmTokens: 0,
    costMicros: 0,
  };
  const noTool = rowFor(undefined, { llmTokens: 0, costMicros: 0 });
  const named = new Set([...rules.flatMap(namesIn), ...Object.keys(tools)]);
  const rows = new Map(
    [...named].map((tool) => [tool, rowFor(tool, (Object.hasOwn(tools, tool) && tools[tool]) || otherTools)]),
  );
  // no tool has this name, so no rule names it: the row of all that none names
  const otherTool = rowFor('', otherTools);

  const plan = (question: LimitQuestion): Draw[] => {
    const { tool, share = 1, stage = 'call' } = question;
    if (!(share > 0 && share <= 1)) throw new RangeError('share must be above 0 and at most 1');
    const row = stage === 'arrival' ? arrival : tool === undefined ? noTool : (rows.get(tool) ?? otherTool);
    const llmTokens = expectAmount('llmTokens', question.llmTokens ?? row.llmTokens);
    const costMicros = expectAmount('costMicros', question.costMicros ?? row.costMicros);
    const draws: Draw[] = [];
    for (const { rule, type, prefix, per, limit, windowMs, slotMs, until, fail } of row.lines) {
      const key = keyOf(prefix, per, question, calledBy);
      if (key === undefined) continue;
      const cost = type === 'llm_tokens' ? llmTokens : type === 'cost' ? costMicros : 1;
      // rounded down, but never to nothing
      const part = share === 1 ? limit : Math.max(1, Math.floor(limit * share));
      draws.push({ rule, type, key, limit: part, windowMs, slotMs, cost, until, fail });
    }
    return draws;
  };
  return Object.assign(plan, { by: new Set(rules.flatMap(({ per }) => per)) });
}

function namesIn(rule: Rule): readonly string[] {
  if (rule.type === 'arrivals' || rule.when === undefined) return [];
  return 'tools' in rule.when ? rule.when.tools : rule.when.otherThan;
}

function isFor(rule: Rule, tool: string | undefined): boolean {
  if (rule.type === 'arrivals') return false;
  if (tool === undefined) return rule.type !== 'tool_requests' && rule.when === undefined;
  const { when } = rule;
  if (when === undefined) return true;
  return 'tools' in when ? when.tools.includes(tool) : !when.otherThan.includes(tool);
}

function linesOf(rule: Rule): Line[] {
  const { id, type, fail } = rule;
  const per = rule.per.filter((dimension) => dimension !== 'tenant');
  const until = type === 'concurrency' ? 'lease' : 'window';
  const windows = type === 'concurrency' ? [{ limit: rule.limit, windowMs: LEASE_MS }] : rule.windows;
  return windows.map(({ limit, windowMs }) => {
    const prefix = `${id}/${windowMs}/`;
    // LLM tokens and cost come in any number of small amounts, also by settlements above what was reserved
    const slotMs =
      type === 'llm_tokens' || type === 'cost' ? Math.ceil(windowMs / SLOTS) : slotMsOf({ limit, windowMs });
    return { rule: id, type, prefix, per, limit, windowMs, slotMs, until, fail };
  });
}

/** Every name but the last is told by its length, so that no two lists of names read alike. */
function keyOf(
  prefix: string,
  per: readonly Dimension[],
  question: LimitQuestion,
  calledBy: CalledBy | undefined,
): string | undefined {
  let key = prefix;
  for (let i = 0; i < per.length; i++) {
    const name = calledBy === undefined ? nameOf(per[i]!, question) : hiddenNameOf(per[i]!, question, calledBy);
    if (name === undefined) return undefined;
    key += i < per.length - 1 ? `${name.length}:${name}/` : name;
  }
  return key;
}

function nameOf(dimension: Dimension, question: LimitQuestion): string | undefined {
  switch (dimension) {
    case 'principal':
      return question.principal;
    case 'tool':
      return question.tool;
    case 'user':
      return question.user;
    case 'address':
      return question.address;
    case 'chain':
      return question.chain?.map((actor) => `${actor.length}:${actor}`).join('/');
    case 'tenant':
      return '';
  }
}

/** Principals are ids that say nothing, and tools are nobody. */
function hiddenNameOf(dimension: Dimension, question: LimitQuestion, calledBy: CalledBy): string | undefined {
  if (dimension !== 'user' && dimension !== 'address' && dimension !== 'chain') return nameOf(dimension, question);
  const named = question[dimension];
  if (named === undefined) return undefined;
  return calledBy(question.tenant ?? DEFAULT_TENANT, dimension, typeof named === 'string' ? [named] : named);
}
