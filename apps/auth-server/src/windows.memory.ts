import { slotMsOf, WindowCount, type WindowRule } from '@portcullis/limits/window';

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
  const counts = new Map<string, WindowCount>();
  const waitFor = (key: string, { limit }: WindowRule): number => counts.get(key)?.waitFor(limit, 1, now()) ?? 0;
  return {
    waitFor,
    take(key, rule) {
      const wait = waitFor(key, rule);
      if (wait > 0) return wait;
      const count = counts.get(key) ?? new WindowCount(rule.windowMs);
      count.charge(1, slotMsOf(rule), now());
      counts.delete(key);
      counts.set(key, count);
      const [oldest] = counts.keys();
      if (counts.size > most && oldest !== undefined) counts.delete(oldest);
      return 0;
    },
  };
}
