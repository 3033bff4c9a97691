/** Lets one at a time have something, in the order they asked. */
export interface Turns {
  /**
   * Resolves when it is the asker's turn; every turn taken must be given back.
   * @throws TurnTooLong when whoever has it keeps it longer than the limit
   */
  take(): Promise<void>;
  giveBack(): void;
}

/** Runs `then` after `ms`; the answer stops it. */
export type Alarm = (ms: number, then: () => void) => () => void;

/** Those who wait are told so, instead of waiting for ever on a turn that (most likely) waits for one of them. */
export class TurnTooLong extends Error {
  override readonly name = 'TurnTooLong';
}

/**
 * @param limitMs how long one holder may keep others waiting; begins anew with every holder, so that a long queue of
 *   short turns harms nobody
 * @param says    message of the error
 */
export function turns(limitMs: number, says: string, alarm: Alarm): Turns {
  let waiting: { readonly go: () => void; readonly fail: (error: Error) => void }[] = [];
  let taken = false;
  let stopAlarm: (() => void) | undefined;

  const tooLong = (): void => {
    stopAlarm = undefined;
    const kept = waiting;
    waiting = [];
    for (const { fail } of kept) fail(new TurnTooLong(says));
  };

  return {
    take() {
      if (!taken) {
        taken = true;
        return Promise.resolve();
      }
      stopAlarm ??= alarm(limitMs, tooLong);
      return new Promise((go, fail) => waiting.push({ go, fail }));
    },
    giveBack() {
      stopAlarm?.();
      stopAlarm = undefined;
      const next = waiting.shift();
      if (next === undefined) {
        taken = false;
        return;
      }
      if (waiting.length > 0) stopAlarm = alarm(limitMs, tooLong);
      next.go();
    },
  };
}
