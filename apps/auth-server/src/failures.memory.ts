/** Counts what failed per address, so that guessing costs time. One process's memory; bounded. */
export interface Failures {
  /** @returns ms until the address may try again, or undefined when it may now */
  waitFor(address: string, now: number): number | undefined;
  note(address: string, now: number): void;
}

const WINDOW_MS = 5 * 60_000;
const MOST_FAILURES = 30;
const MOST_ADDRESSES = 10_000;

export function memoryFailures(): Failures {
  const windows = new Map<string, { since: number; count: number }>();
  const current = (address: string, now: number) => {
    const window = windows.get(address);
    return window !== undefined && now - window.since < WINDOW_MS ? window : undefined;
  };
  return {
    waitFor(address, now) {
      const window = current(address, now);
      return window !== undefined && window.count >= MOST_FAILURES ? window.since + WINDOW_MS - now : undefined;
    },
    note(address, now) {
      const window = current(address, now) ?? { since: now, count: 0 };
      window.count += 1;
      windows.delete(address);
      windows.set(address, window);
      // the one that has been quiet for longest makes room
      const oldest = windows.keys().next().value;
      if (windows.size > MOST_ADDRESSES && oldest !== undefined) windows.delete(oldest);
    },
  };
}
