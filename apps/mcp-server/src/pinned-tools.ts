import { expectPinned, pinsOf, type Pins } from '@portcullis/guard/pins';
import type { AnyTool } from '@portcullis/guard/tool';
import { RESOURCES } from './resources.js';
import { TOOLS } from './tools/tools.js';

/** Every tool of this server, and those that its resources are read with. */
export const PINNED_TOOLS: readonly AnyTool[] = [...TOOLS.values(), ...RESOURCES.map(({ tool }) => tool)];

export const HOW_TO_APPROVE =
  "See what changed with 'npx portcullis pins diff' and in the history of its file; when it is meant, run 'npx portcullis pins approve'.";

/** @throws Error naming the tools that are not as they were approved (apps/mcp-server/pins.json) */
export const expectApproved = (approved: Pins): void => expectPinned(PINNED_TOOLS, approved, HOW_TO_APPROVE);

/**
 * The pins after an approval.
 * @param names of the tools that are approved; none = all of them, and what is not there any more is forgotten
 * @throws RangeError naming one that is neither served nor pinned
 */
export function approvedWith(before: Pins, names: readonly string[], tools: readonly AnyTool[] = PINNED_TOOLS): Pins {
  const now = pinsOf(tools);
  if (names.length === 0) return now;
  const after: Record<string, string> = { ...before };
  for (const name of names) {
    const pin = Object.hasOwn(now, name) ? now[name] : undefined;
    if (pin !== undefined) after[name] = pin;
    else if (Object.hasOwn(before, name)) delete after[name];
    else throw new RangeError(`there is no tool ${JSON.stringify(name)}`);
  }
  return after;
}

/** Names of tools, each list sorted. */
export interface PinChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What an approval did. */
export function pinChanges(before: Pins, after: Pins): PinChanges {
  const names = Object.keys(after).toSorted();
  return {
    added: names.filter((name) => !Object.hasOwn(before, name)),
    changed: names.filter((name) => Object.hasOwn(before, name) && before[name] !== after[name]),
    removed: Object.keys(before)
      .filter((name) => !Object.hasOwn(after, name))
      .toSorted(),
  };
}
