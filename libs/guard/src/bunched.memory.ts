/** So many are done in a row before others have their turn. */
const IN_A_ROW = 32;

/**
 * Makes of a costly function one whose calls are done in a row, at the end of the turn of the event loop they came in, and in
 * their order. What a call of a tool costs besides goes through other code and data than a check of a signature does: done
 * in between, each pushes the other out of the processor's cache, and both cost half as much again.
 */
export function bunched<Args extends readonly unknown[], Result>(
  work: (...args: Args) => Result,
): (...args: Args) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let planned = false;
  const plan = (): void => {
    if (planned || waiting.length === 0) return;
    planned = true;
    setImmediate(next);
  };
  const next = (): void => {
    for (const done of waiting.splice(0, IN_A_ROW)) done();
    planned = false;
    plan();
  };
  return (...args) =>
    new Promise((resolve, reject) => {
      const done = (): void => {
        try {
          resolve(work(...args));
        } catch (error) {
          reject(error);
        }
      };
      waiting.push(done);
      plan();
    });
}
