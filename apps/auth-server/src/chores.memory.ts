import type { Log } from '@portcullis/contract/log';

/** Something to be done again and again, by every replica; what fails is done the next time. */
export interface Chore {
  readonly everyMs: number;
  /** what the log says when it failed, such as `expired codes stay for now` */
  readonly otherwise: string;
  run(): Promise<unknown>;
}

/** @returns what ends them; a run under way is not waited for */
export function doRegularly(chores: readonly Chore[], log: Log): () => void {
  const timers = chores.map(({ everyMs, otherwise, run }) =>
    setInterval(() => void run().catch((error: unknown) => log.warn(otherwise, { error })), everyMs).unref(),
  );
  return () => timers.forEach((timer) => clearInterval(timer));
}
