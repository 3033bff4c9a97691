import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import type { CallRecord } from './call.js';
import { CHAIN_RULES, FORBIDDEN_BY_LABEL, type ChainRule } from './chain.table.js';
import type { History, Past } from './history.js';
import type { AnyTool, Effect } from './tool.js';

/** The rules, found by the tool that may not follow. */
export interface ChainTable {
  readonly byThen: ReadonlyMap<string, readonly ChainRule[]>;
  /** tools that have to be remembered when they begin */
  readonly firsts: ReadonlySet<string>;
}

export function chainTable(rules: readonly ChainRule[]): ChainTable {
  const byThen = new Map<string, ChainRule[]>();
  for (const rule of rules) byThen.set(rule.then, [...(byThen.get(rule.then) ?? []), rule]);
  return { byThen, firsts: new Set(rules.map(({ first }) => first)) };
}
const HOUSE_RULES = chainTable(CHAIN_RULES);
const FORBIDDEN_EFFECTS: ReadonlySet<Effect> = new Set(Object.values(FORBIDDEN_BY_LABEL).flat());

export interface ChainPorts {
  readonly history: History;
  /** the rules of chain.table.ts unless given */
  readonly chain?: ChainTable;
  /** ms since epoch */
  now(): number;
}

/** A call as far as what was done before can forbid it. */
export interface Following {
  readonly caller: Caller;
  readonly tool: AnyTool;
  readonly record: CallRecord;
}

/** @throws Refusal chain_forbidden, which is a denial */
export function expectUnchained(call: Following, ports: ChainPorts): void | Promise<void> {
  const past = ports.history.pastOf(call.caller.tenant, call.caller);
  return past instanceof Promise ? past.then((known) => refuse(call, known, ports)) : refuse(call, past, ports);
}

/**
 * Asks again, immediately before a call is executed and after {@link noteBegun}: of two that begin at once at least one sees
 * the other. Only tools that something forbids are asked for.
 * @throws Refusal chain_forbidden, which is a denial
 */
export function expectStillUnchained(call: Following, ports: ChainPorts): void | Promise<void> {
  const { byThen } = ports.chain ?? HOUSE_RULES;
  const { name, effects } = call.tool;
  if (!byThen.has(name) && !effects.some((effect) => FORBIDDEN_EFFECTS.has(effect))) return;
  const past = ports.history.pastOf(call.caller.tenant, call.caller);
  const ask = (known: Past) => refuse(call, known, ports, name);
  return past instanceof Promise ? past.then(ask) : ask(past);
}

/** Writes down that a tool which forbids others begins; before it is executed, so that none can run beside it. */
export function noteBegun(
  { caller, tool }: Following,
  { history, chain = HOUSE_RULES }: ChainPorts,
): void | Promise<void> {
  if (!chain.firsts.has(tool.name)) return;
  // no customers, so no budget is asked
  const taken = history.take(caller.tenant, caller, { tool: tool.name }, { perTask: 0, perHour: 0 });
  if (taken instanceof Promise) return taken.then(() => undefined);
}

function refuse(
  { tool, record }: Following,
  past: Past,
  { chain = HOUSE_RULES, now }: ChainPorts,
  begun?: string,
): void {
  const refusal = chainRefusal(tool, past, now(), chain, begun);
  if (refusal === undefined) return;
  record.denial = true;
  throw refusal;
}

/**
 * What forbids a tool after what was done and read before it.
 * @param now ms since epoch
 * @param begun the tool whose last beginning is this call's own, and forbids it nothing
 * @returns a refusal whose detail names the rule; undefined when nothing forbids it
 */
export function chainRefusal(
  tool: Pick<AnyTool, 'name' | 'effects'>,
  past: Past,
  now: number,
  chain: ChainTable = HOUSE_RULES,
  begun?: string,
): Refusal | undefined {
  for (const rule of chain.byThen.get(tool.name) ?? []) {
    if (rule.first !== begun && applies(rule, past, now)) return forbiddenBy(rule);
  }
  return labelRefusal(tool, past);
}

function applies({ first, inTaskMs, byPrincipalMs }: ChainRule, { task, principal }: Past, now: number): boolean {
  const [inTask, byPrincipal] = [task.began.get(first), principal.began.get(first)];
  return (
    (inTask !== undefined && now - inTask < inTaskMs) ||
    (byPrincipal !== undefined && now - byPrincipal < byPrincipalMs)
  );
}

const forbiddenBy = ({ name, first, then, since }: ChainRule): Refusal =>
  new Refusal(
    'chain_forbidden',
    {
      hint: `${then} may not follow ${first} in the same task, nor soon after it in another one, since ${since}. Trying again does not help; a person has to do this.`,
    },
    { detail: `rule ${name}` },
  );

function labelRefusal(
  { name, effects }: Pick<AnyTool, 'name' | 'effects'>,
  { task, principal }: Past,
): Refusal | undefined {
  if (task.labels.size === 0 && principal.labels.size === 0) return undefined;
  for (const label of new Set([...task.labels.keys(), ...principal.labels.keys()])) {
    const effect = FORBIDDEN_BY_LABEL[label].find((each) => effects.includes(each));
    if (effect === undefined) continue;
    return new Refusal(
      'chain_forbidden',
      {
        hint: `Something that was read in this task or in the last hour is ${label}: it holds text hidden from people. ${name} ${DOES[effect]}, and may not be called after that. Trying again does not help; tell the person you work for.`,
      },
      { detail: `label ${label} forbids ${effect}` },
    );
  }
  return undefined;
}

const DOES: Readonly<Partial<Record<string, string>>> = {
  'sends-outside': 'sends data outside',
  destroys: 'destroys data',
};
