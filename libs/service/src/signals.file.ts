import type { Log } from '@portcullis/contract/log';

const CLOSE_WITHIN_MS = 5_000;

/**
 * Resolves when SIGINT or SIGTERM came and the service is closed, then ends the process: 0 after a clean close, 1 after
 * one that failed or took longer than 5 s. A second signal ends it at once.
 */
export function runUntilSignal(service: { close(): Promise<void> }, log?: Log): Promise<void> {
  return new Promise(() => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(1);
      stopping = true;
      log?.info('stopping', { signal });
      setTimeout(() => process.exit(1), CLOSE_WITHIN_MS).unref();
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
