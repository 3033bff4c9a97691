/**
 * Collects what has to be closed and closes it in reverse order, so that a start that fails half-way leaves nothing
 * behind. Every part is closed even when another one fails to.
 */
export class Closing {
  readonly #parts: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.#parts.push(close);
  }

  /** @throws the first failure, after everything else was closed */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#parts.pop(); close; close = this.#parts.pop()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
