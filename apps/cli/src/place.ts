import type { Ready } from './ready.js';

/** What the command line and the environment say about where the gate is. */
export interface Whereabouts {
  readonly url?: string | undefined;
  readonly readyFile?: string | undefined;
  readonly data?: string | undefined;
}

/** A gate as it was found. */
export interface Place {
  /** the mcp-server's base; everything else can be discovered from there */
  readonly url: string;
  /** what the gate wrote about itself, when it was found on this machine */
  readonly ready: Ready | undefined;
  /** the ready file that was read, or that would have been */
  readonly path: string;
  /** why the ready file may not be trusted with the administrator's key; undefined = it is the user's own */
  readonly doubt: string | undefined;
}

/** The ready file to look at: --ready-file, then --data, then PORTCULLIS_READY_FILE, then the default data folder. */
export function readyPath({ readyFile, data }: Whereabouts, env: Readonly<Record<string, string | undefined>>): string {
  if (readyFile !== undefined) return readyFile;
  if (data !== undefined) return `${data}/ready.json`;
  return env.PORTCULLIS_READY_FILE || '.portcullis/ready.json';
}
