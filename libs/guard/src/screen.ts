import { Refusal } from '@portcullis/contract/refusals';
import { hiddenAt } from '@portcullis/validators/hidden-unicode';
import type { Following } from './chain.js';
import { FORBIDDEN_BY_LABEL } from './chain.table.js';
import type { History, Label } from './history.js';

export interface ScreenPorts {
  readonly history: History;
}

/**
 * Before a call is executed: do its arguments hold text that nobody can see? Then the task is labelled, since the agent was
 * given such a text somewhere. A tool that only reads, computes or keeps (a ticket holds what its customer wrote) gets it all
 * the same; one that the label forbids does not.
 * @throws Refusal input_invalid, which names the argument
 */
export function screenArguments(call: Following, args: unknown, ports: ScreenPorts): void | Promise<void> {
  const found = hiddenAt(args);
  if (found === undefined) return;
  if (!call.tool.effects.some((effect) => FORBIDDEN_BY_LABEL.hostile.includes(effect))) {
    return label(call, 'hostile', ports);
  }
  const where = found.path.slice(0, MAX_PATH) || 'arguments';
  throw new Refusal(
    'input_invalid',
    { issues: [`${where}: must not hold characters that nobody can see`] },
    { detail: `hidden Unicode in an argument: ${found.kind}` },
  );
}

/** Before an output leaves: does it hold text that nobody can see? Then the task and the principal carry it from now on. */
export function screenOutput(call: Following, output: unknown, ports: ScreenPorts): void | Promise<void> {
  if (hiddenAt(output) !== undefined) return label(call, 'hostile', ports);
}

const MAX_PATH = 100;

function label({ caller, record }: Following, found: Label, { history }: ScreenPorts): void | Promise<void> {
  if (record.labels?.includes(found)) return;
  record.labels = [...(record.labels ?? []), found];
  // no customers, so no budget is asked
  const taken = history.take(caller.tenant, caller, { labels: [found] }, { perTask: 0, perHour: 0 });
  if (taken instanceof Promise) return taken.then(() => undefined);
}
