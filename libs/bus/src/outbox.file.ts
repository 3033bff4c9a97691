import type { Log } from '@portcullis/contract/log';
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { answerSynced, answerWritten, overloaded, type Waiting } from './appends.js';
import type { Bus } from './bus.js';
import { complaints } from './complaints.js';
import { openCursor } from './cursor.file.js';
import { lockDirectory } from './directory-lock.file.js';
import { openSpool, OutboxDamaged } from './open-spool.file.js';
import { eventKey, expectServiceName, isDurable, link, newChain, type EventLog } from './outbox.js';
import { startFlusher } from './flusher.file.js';
import { startShipper } from './shipper.file.js';
import { nodeDisk, syncDirectory, type Disk } from './spool.file.js';

export interface OutboxOptions {
  /** directory of this outbox alone; made when it is absent */
  readonly dir: string;
  /** name in the events' source: `[a-z-]+` */
  readonly service: string;
  readonly bus: Bus;
  /** ms since epoch */
  now(): number;
  /** UUIDv7 */
  newId(): string;
  readonly log: Log;
  /** bytes of events not yet shipped at which appends are refused; default 256 MiB */
  readonly maxBytes?: number;
  /** bytes at which a segment is full; default 8 MiB */
  readonly segmentBytes?: number;
  /** longest wait between two tries to ship, milliseconds; default 2000 */
  readonly maxBackoffMs?: number;
  /** which appends wait until the disk has them: those that have to (isDurable, the default), all, or none */
  readonly sync?: OutboxSync;
  readonly disk?: Disk;
}
export type OutboxSync = 'effects' | 'all' | 'none';

/** How often it is tried whether a disk that could not be written to can, milliseconds. */
const PROBE_EVERY = 1000;

/**
 * A durable log in front of the bus. All appends of one turn of the event loop become one write, which the death of the
 * process cannot undo; a flush makes them survive the death of the machine, within about 50 ms, or at once where an append
 * waits for it, all those of a turn for the same one; only then are they shipped to `portcullis.events`, in order and again until the bus has taken them. Files are 0600 in a directory 0700.
 * @throws OutboxInUse, OutboxDamaged
 */
export async function openOutbox(options: OutboxOptions): Promise<EventLog> {
  expectServiceName(options.service);
  const directory = resolve(options.dir);
  const made = mkdirSync(directory, { recursive: true, mode: 0o700 });
  // the new names are on the disk before the first event relies on them
  if (made) for (let path = directory; path.length >= made.length; path = dirname(path)) syncDirectory(dirname(path));
  const unlock = lockDirectory(directory);
  try {
    return running(options, directory, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function running(options: OutboxOptions, directory: string, unlock: () => void): EventLog {
  const { service, bus, newId, log, now, sync: waitsFor = 'effects' } = options;
  const maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  const cursor = openCursor(directory);
  const opened = openSpool(directory, cursor.last, options.segmentBytes ?? 8 * 1024 * 1024, options.disk ?? nodeDisk);
  const { spool, lost, putAside } = opened;
  if (putAside) log.warn('the end of the event spool was damaged and was put aside', { putAside, lost });

  /** the chain as it is on disk, and as it will be when all that waits is written */
  let written = opened.head ?? newChain(service, newId());
  if (!written.source.startsWith(`/portcullis/${service}/`)) {
    throw new OutboxDamaged(`${directory} holds events of ${written.source}, not of ${service}`);
  }
  let tail = written;
  let waiting: Waiting[] = [];
  /** UTF-16 units of what waits: bytes all but for a few letters, and not worth counting for one turn of the loop */
  let waitingUnits = 0;
  let spooled = 0;
  let failing = false;
  let probing: NodeJS.Timeout | undefined;
  /** bytes that lay in the spool when an append found no room in it */
  let fullAt = Infinity;
  let closing: Promise<void> | undefined;
  const complain = complaints(log, now);
  const shipper = startShipper({
    directory,
    spool,
    cursor,
    bus,
    complain,
    maxBackoffMs: options.maxBackoffMs ?? 2000,
    from: cursor.last ?? { ...written, seq: opened.firstSeq - 1 },
  });
  const works = (): void => {
    failing = false;
    clearTimeout(probing);
    probing = undefined;
  };
  /** Where nobody sends calls to a service that cannot take them, nobody would find out that it can again. */
  const fails = (): void => {
    failing = true;
    probing ??= setTimeout(() => void probe(), PROBE_EVERY).unref();
  };
  const probe = async (): Promise<void> => {
    try {
      await spool.probe();
    } catch {
      probing = undefined;
      if (!closing) fails();
      return;
    }
    works();
    shipper.wake();
  };
  const flusher = startFlusher(async () => {
    try {
      await spool.sync();
    } catch (error) {
      fails();
      complain({ error }, 'the event spool could not be flushed; events are refused until it can be');
      throw error;
    }
    shipper.wake();
  });

  const commit = (): void => {
    const batch = waiting;
    const first = written.seq + 1;
    waiting = [];
    waitingUnits = 0;
    if (batch.length === 0) return;
    try {
      spool.write(
        batch.map(({ link: { event, line } }) => ({ key: eventKey(event), value: line })),
        first,
        tail.prev,
      );
    } catch (error) {
      // none of the batch is on disk, so the chain stays where it was and the numbers are given again
      tail = written;
      fails();
      complain({ error, events: batch.length }, 'events cannot be written now and are refused');
      for (const { reject } of batch) reject(overloaded('the spool cannot be written', error));
      return;
    }
    if (failing) works();
    written = tail;
    spooled += batch.length;
    if (answerWritten(batch)) void answerSynced(batch, flusher.now(), 'the spool cannot be flushed');
    else flusher.soon();
  };

  return {
    append: (draft, options) =>
      new Promise((resolve, reject) => {
        if (closing) throw overloaded('the event log is closed');
        const next = link(tail, draft, newId());
        if (spool.bytes + waitingUnits + next.line.length > maxBytes) {
          fullAt = spool.bytes;
          throw overloaded('the spool is full');
        }
        tail = next.head;
        waitingUnits += next.line.length;
        const waits = waitsFor === 'all' || (waitsFor === 'effects' && isDurable(draft, options));
        if (waiting.push({ link: next, synced: waits, resolve, reject }) === 1) setImmediate(commit);
      }),
    stats: () => ({
      spooled,
      pending: tail.seq - shipper.shipped().seq,
      lost,
      failing: failing || spool.bytes >= fullAt,
    }),
    close: () =>
      (closing ??= (async () => {
        commit();
        clearTimeout(probing);
        await flusher.stop().catch(() => undefined);
        await shipper.stop();
        await spool.close();
        unlock();
      })()),
  };
}
