import { closeSync, fdatasync, ftruncateSync, fstatSync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { answerSynced, answerWritten, overloaded, type Waiting } from './appends.js';
import { startFlusher } from './flusher.file.js';
import { isDurable, link, newChain, type EventLog } from './outbox.js';

export interface FileEventLogOptions {
  /** the file, made with mode 0600 when it is absent; one process writes it */
  readonly path: string;
  /** name in the events' source: `[a-z-]+` */
  readonly service: string;
  /** UUIDv7 */
  newId(): string;
}

/**
 * Events as lines of JSON at the end of a file, for a server that has no bus: whatever follows files (`tail -F`, a log
 * agent) has them at once. All appends of one turn of the event loop become one write, which the death of the process
 * cannot undo, and a sync, which that of the machine cannot, where one of them waits for it. A terminal or a pipe has no
 * disk to wait for. Each opening begins a chain of its own.
 */
export function fileEventLog({ path, service, newId }: FileEventLogOptions): EventLog {
  const file = openSync(path, 'a', 0o600);
  let written = newChain(service, newId());
  let tail = written;
  let waiting: Waiting[] = [];
  let spooled = 0;
  let failing = false;
  let closed: Promise<void> | undefined;
  const isFile = fstatSync(file).isFile();
  const flusher = startFlusher(() => sync(file));

  const commit = (): void => {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      writeWhole(file, Buffer.from(batch.map(({ link: { line } }) => `${line}\n`).join('')));
    } catch (error) {
      // none of the batch is in the file, so the chain stays where it was
      tail = written;
      failing = true;
      for (const { reject } of batch) reject(overloaded('the event file cannot be written', error));
      return;
    }
    failing = false;
    written = tail;
    spooled += batch.length;
    if (answerWritten(batch)) void answerSynced(batch, flushed(), 'the event file cannot be synced');
  };
  const flushed = (): Promise<void> =>
    flusher.now().catch((error: unknown) => {
      failing = true;
      throw error;
    });

  return {
    append: (draft, options) =>
      new Promise((resolve, reject) => {
        if (closed) throw overloaded('the event log is closed');
        const next = link(tail, draft, newId());
        tail = next.head;
        const synced = isFile && isDurable(draft, options);
        if (waiting.push({ link: next, synced, resolve, reject }) === 1) setImmediate(commit);
      }),
    stats: () => ({ spooled, pending: 0, lost: 0, failing }),
    close: () =>
      (closed ??= (async () => {
        commit();
        if (isFile) await flusher.stop().catch(() => undefined);
        closeSync(file);
      })()),
  };
}

const sync = promisify(fdatasync);

/** Writes all of it or nothing: half a line would spoil the next one. */
function writeWhole(file: number, bytes: Buffer): void {
  const before = fstatSync(file).size;
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  } catch (error) {
    ftruncateSync(file, before);
    throw error;
  }
}
