import type { Log } from '@portcullis/contract/log';
import type * as z from 'zod';
import type { CommonSettings } from './common.js';
import { bind, type Bound } from './listener.http.js';
import type { RunningService } from './running.js';
import { readSettings } from './settings.js';
import { readSecretFile } from './settings.file.js';
import { runUntilSignal } from './signals.file.js';
import { readTls } from './tls.file.js';

/** What running a service takes of its settings. */
type Wanted = Pick<
  CommonSettings,
  | 'PORTCULLIS_MODE'
  | 'HOST'
  | 'PORT'
  | 'TLS_CERT_FILE'
  | 'TLS_KEY_FILE'
  | 'TLS_CLIENT_CA_FILE'
  | 'MAX_CONNECTIONS'
  | 'DRAIN_DELAY_MS'
  | 'SHUTDOWN_GRACE_MS'
>;

/** For what is let go of after the last call, ms; an embedded service is gone within 5 s. */
const LETTING_GO_MS = 3_000;

/** A service as its main.ts names it: what it is told, what it works with, how it starts. */
export interface ServiceProgram<Settings extends Wanted, Parts> {
  readonly config: z.ZodObject & z.ZodType<Settings>;
  /** the engines of this process */
  readonly parts: (settings: Settings) => Promise<Parts>;
  readonly start: (settings: Settings, parts: Parts, bound: Bound) => Promise<RunningService>;
}

/** Runs one service alone until a signal ends it. A start that fails says why in one line, without a stack, and exits 1. */
export async function runService<Settings extends Wanted, Parts extends { readonly log: Log; close(): Promise<void> }>(
  program: ServiceProgram<Settings, Parts>,
): Promise<void> {
  try {
    const settings = readSettings(program.config, process.env, readSecretFile) as Settings;
    const parts = await program.parts(settings);
    const bound = await bind(settings.HOST, settings.PORT, readTls(settings));
    bound.server.maxConnections = settings.MAX_CONNECTIONS;
    const service = await program.start(settings, parts, bound);
    parts.log.info('listening', {
      url: service.url,
      management: service.managementUrl,
      mode: settings.PORTCULLIS_MODE,
    });
    const withinMs = settings.DRAIN_DELAY_MS + settings.SHUTDOWN_GRACE_MS + LETTING_GO_MS;
    await runUntilSignal({ close: () => service.close().then(() => parts.close()) }, parts.log, withinMs);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'could not start'}\n`);
    // not exitCode: a port that is bound already would keep the process alive
    process.exit(1);
  }
}
