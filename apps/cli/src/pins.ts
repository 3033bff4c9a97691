import * as z from 'zod';
import { jsonOf } from './ask.js';
import { NotDone, WrongUse } from './faults.js';
import type { Column } from './table.js';
import type { VerbPorts } from './verb.js';

const pinState = z.object({
  name: z.string(),
  /** absent when the tool is as it was approved */
  problem: z.enum(['drifted', 'unknown', 'missing']).optional(),
  /** SHA-256 of its definition now, hex */
  pin: z.string().optional(),
  /** of the definition that was approved */
  approved: z.string().optional(),
});
export type PinState = z.output<typeof pinState>;
const names = z.array(z.string());
/** What an approval did, by names of tools. */
const pinChanges = z.object({ added: names, changed: names, removed: names });
export type PinChanges = z.output<typeof pinChanges>;
const answer = z.object({ file: z.string(), tools: z.array(pinState), changes: pinChanges.optional() });
export type PinsAnswer = z.output<typeof answer>;

/**
 * What the server's own program says of its tools.
 * @throws WrongUse when it knows no such tool; NotDone when it cannot say anything
 */
export async function askPins(words: readonly string[], ports: Pick<VerbPorts, 'toolPins'>): Promise<PinsAnswer> {
  const { code, out, err } = await ports.toolPins(words);
  if (code === 2) throw new WrongUse(`Pins: ${err}.`);
  if (code !== 0) throw new NotDone(`The tools cannot be looked at: ${err.split('\n')[0] ?? ''}`);
  return answer.parse(jsonOf({ text: out }));
}

const short = (pin: string | undefined): string => pin?.slice(0, 16) ?? '-';
export const pinColumns: readonly Column<PinState>[] = [
  { head: 'tool', of: ({ name }) => name },
  { head: 'definition', of: ({ pin }) => short(pin) },
  { head: 'approved', of: ({ approved }) => short(approved) },
  { head: '', of: ({ problem }) => problem ?? 'ok' },
];
export const differing = ({ tools }: PinsAnswer): readonly PinState[] =>
  tools.filter(({ problem }) => problem !== undefined);

/** One line a kind of change; none when nothing changed. */
export const saidChanges = ({ added, changed, removed }: PinChanges): readonly string[] =>
  Object.entries({ Added: added, Changed: changed, Removed: removed }).flatMap(([what, tools]) =>
    tools.length === 0 ? [] : [`${what}: ${tools.join(', ')}`],
  );
