import type { Log } from '@portcullis/contract/log';

export interface MendingPorts {
  /** says again what is true of these keys */
  tell(keys: readonly string[]): Promise<void>;
  /** runs something after so many milliseconds; the answer stops it */
  later(ms: number, run: () => void): () => void;
  readonly log: Log;
}

/** Whoever can write to a topic can make its signer speak, but no more often than this. */
const MEND_EVERY_MS = 1000;
const KEYS_AT_ONCE = 1000;

/**
 * Puts the signer's own statement back on top where something else came to stand on its key: replicas that are there passed
 * it over, but a topic that keeps the last message per key would have nothing true for the next one.
 */
export function mending({ tell, later, log }: MendingPorts) {
  const keys = new Set<string>();
  let cancel: (() => void) | undefined;
  let underway: Promise<void> | undefined;
  let stopped = false;
  const mend = async (): Promise<void> => {
    const some = [...keys];
    keys.clear();
    try {
      await tell(some);
    } catch (error) {
      log.error('a statement could not be put back on its topic; trying again', { error });
      for (const key of some) if (keys.size < KEYS_AT_ONCE) keys.add(key);
    }
    cancel = undefined;
    if (keys.size > 0 && !stopped) wait();
  };
  const wait = (): void => {
    cancel ??= later(MEND_EVERY_MS, () => void (underway = mend()));
  };
  return {
    /** notes a key; what is true of it is said within a second or two */
    mend(key: string): void {
      if (stopped) return;
      if (keys.size < KEYS_AT_ONCE) keys.add(key);
      wait();
    },
    async stop(): Promise<void> {
      stopped = true;
      cancel?.();
      await underway;
    },
  };
}
