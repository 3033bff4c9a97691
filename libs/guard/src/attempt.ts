import { printable } from '@portcullis/validators/text';
import type { CallRecord } from './call.js';
import type { AnyTool, Effect } from './tool.js';

const LASTING: ReadonlySet<Effect> = new Set<Effect>(['writes', 'destroys', 'sends-outside']);

/** Does the tool change anything that outlasts the call? */
export const hasEffect = ({ effects }: Pick<AnyTool, 'effects'>): boolean => effects.some((each) => LASTING.has(each));

/** Keeps what is about to be done. @returns the id of the event */
export interface AttemptLog {
  /** @throws Refusal overloaded when it cannot be kept: then it must not be done */
  attempted(): Promise<string>;
}

/**
 * Puts the call of a tool with an effect on record before it is executed, so that no effect is without an event, even when
 * the process dies under it. What became of the call is an event of its own, which names this one.
 */
export async function attempt(record: CallRecord, log: AttemptLog): Promise<void> {
  record.attempt = await log.attempted();
}

export type SafeArguments = Readonly<Record<string, string | number | boolean>>;
const MAX_SAFE_TEXT = 64;

/** Of a validated input the fields that the tool declares safe for the audit trail; texts printable and bounded. */
export function safeArguments({ safe }: AnyTool, input: unknown): SafeArguments | undefined {
  if (safe === undefined || typeof input !== 'object' || input === null) return undefined;
  const kept: Record<string, string | number | boolean> = {};
  for (const name of safe) {
    const value = (input as Readonly<Record<string, unknown>>)[name];
    if (typeof value === 'number' || typeof value === 'boolean') kept[name] = value;
    else if (typeof value === 'string') kept[name] = printable(value, MAX_SAFE_TEXT) ?? '';
  }
  return kept;
}
