import { setTimeout } from 'node:timers/promises';

/**
 * @param says what went wrong when it takes longer
 * @throws what `work` rejects with, or after `ms` that; then the work may still go on
 */
export async function within<T>(ms: number, says: string, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = setTimeout(ms, undefined, { signal: done.signal }).then(() => {
    throw new Error(`${says} within ${ms} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
    late.catch(() => undefined);
    work.catch(() => undefined);
  }
}

/** Waits, or not any longer once the signal is there. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined);

/** Does it again, until it is done, so much time is over, or it went wrong for good. */
export async function eventually(
  ms: number,
  work: () => Promise<void>,
  isFinal: (error: unknown) => boolean,
): Promise<void> {
  const until = Date.now() + ms;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (isFinal(error) || Date.now() >= until) throw error;
      await setTimeout(RETRY_MS);
    }
  }
}
const RETRY_MS = 50;
