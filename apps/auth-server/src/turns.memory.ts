/** Does work in turns. `undefined`: too much is waiting, and it is not done. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T | undefined>;

/**
 * @param most    how much is done at once
 * @param waiting how much more may wait for its turn
 */
export function memoryTurns(most: number, waiting: number): Turns {
  let busy = 0;
  const queue: (() => void)[] = [];
  return async (work) => {
    if (busy >= most) {
      if (queue.length >= waiting) return undefined;
      // whoever ends hands its turn on
      await new Promise<void>((resolve) => queue.push(resolve));
    } else busy += 1;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else busy -= 1;
    }
  };
}
