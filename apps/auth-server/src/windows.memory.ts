import { takePermit, windowState, type WindowLog, type WindowRule } from '@portcullis/limits/sliding-window';

/** Counts what happens under a key in a sliding window. */
export interface Windows {
  /** @returns ms until there is room under the key; 0 = there is */
  waitFor(key: string, rule: WindowRule): number;
  /** Takes a place if there is one. @returns 0 = taken, else ms until there is room */
  take(key: string, rule: WindowRule): number;
}

const MOST_KEYS = 10_000;

/**
 * In one process's memory: each replica counts its own, so that several let through as many times as much.
 * @param now  ms since epoch
 * @param most keys at once; the one that has been quiet for longest makes room
 */
export function memoryWindows(now: () => number, most = MOST_KEYS): Windows {
  const logs = new Map<string, WindowLog>();
  const waitFor = (key: string, rule: WindowRule): number => windowState(logs.get(key) ?? [], rule, now()).retryAfterMs;
  return {
    waitFor,
    take(key, rule) {
      const wait = waitFor(key, rule);
      if (wait > 0) return wait;
      const log = takePermit(logs.get(key) ?? [], rule, now());
      logs.delete(key);
      logs.set(key, log);
      const [oldest] = logs.keys();
      if (logs.size > most && oldest !== undefined) logs.delete(oldest);
      return 0;
    },
  };
}
