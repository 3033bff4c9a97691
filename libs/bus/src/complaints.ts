import type { Log } from '@portcullis/contract/log';

export type Complain = (facts: Record<string, unknown>, says: string) => void;

/** One trouble may befall every call, and is not logged for each; milliseconds. */
const EVERY = 10_000;

/** Logs a warning, unless the same words were logged a short while ago. */
export function complaints(log: Log, now: () => number): Complain {
  const last = new Map<string, number>();
  return (facts, says) => {
    const at = now();
    if (Math.abs(at - (last.get(says) ?? -Infinity)) < EVERY) return;
    last.set(says, at);
    log.warn(says, facts);
  };
}
