import type { Log } from '@portcullis/contract/log';

/** Room for what is closed after the calls under way have had their time. */
export const CLOSE_WITHIN_MS = 5_000;
/** A Ctrl-C reaches the whole group of processes, and npm passes it on once more: that is one wish, not two. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Resolves when SIGINT or SIGTERM came and the service is closed, then ends the process: 0 after a clean close, 1 after
 * one that failed or took longer than `withinMs` (5 s). A second signal, more than a second later, ends it at once.
 */
export function runUntilSignal(
  service: { close(): Promise<void> },
  log?: Log,
  withinMs = CLOSE_WITHIN_MS,
): Promise<void> {
  return new Promise(() => {
    let stopping = false;
    let impatient = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (impatient) process.exit(1);
      if (stopping) return;
      stopping = true;
      setTimeout(() => (impatient = true), SAME_SIGNAL_MS).unref();
      log?.info('stopping', { signal });
      setTimeout(() => process.exit(1), withinMs).unref();
      service.close().then(
        () => process.exit(0),
        (error: unknown) => {
          log?.error('could not stop cleanly', { error });
          process.exit(1);
        },
      );
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
