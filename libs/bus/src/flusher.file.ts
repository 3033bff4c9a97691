/** Syncs come at least so far apart where nobody waits for one, milliseconds. */
const FLUSH_EVERY = 50;

/** Decides when what was written is synced to the disk: one sync at a time, which many may wait for. */
export interface Flusher {
  /** Has what was written before synced, without anybody waiting: at once, or when the rest after the last sync is over. */
  soon(): void;
  /**
   * Resolves when what was written before the call is synced. Starts at once; calls during a sync share the next one,
   * since the one under way may have begun before their bytes were there.
   * @throws what the sync threw
   */
  now(): Promise<void>;
  /** Syncs once more, and no more after that. @throws what the sync threw */
  stop(): Promise<void>;
}

/** @param sync makes all that was written before it began survive a power failure */
export function startFlusher(sync: () => Promise<void>): Flusher {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let rest: NodeJS.Timeout | undefined;
  let again = false;
  let stopped = false;

  const begin = (): Promise<void> => {
    again = false;
    next = undefined;
    clearTimeout(rest);
    current = sync().finally(() => {
      current = undefined;
      if (stopped) return;
      rest = setTimeout(() => {
        rest = undefined;
        if (again) soon();
      }, FLUSH_EVERY);
      rest.unref();
    });
    return current;
  };
  const now = (): Promise<void> => {
    if (current === undefined) return begin();
    return (next ??= current.then(begin, begin));
  };
  const soon = (): void => {
    if (current !== undefined || rest !== undefined) again = true;
    // whoever syncs says what went wrong; here nobody waits
    else begin().catch(() => undefined);
  };
  return {
    soon,
    now,
    async stop() {
      stopped = true;
      await now().finally(() => clearTimeout(rest));
    },
  };
}
