import { Refusal } from '@portcullis/contract/refusals';
import type { Log } from '@portcullis/contract/log';
import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Bus } from './bus.js';
import { complaints, type Complain } from './complaints.js';
import { readCursor } from './cursor.file.js';
import { lockDirectory } from './directory-lock.file.js';
import { openSpool, OutboxDamaged } from './open-spool.file.js';
import { eventKey, link, newChain, type EventLog, type Link } from './outbox.js';
import { startShipper } from './shipper.file.js';
import { nodeDisk, type Disk, type Spool } from './spool.file.js';

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
  readonly disk?: Disk;
}

/** Flushes to the disk (fdatasync) start at least so far apart, milliseconds. */
const FLUSH_EVERY = 50;
/** What a caller is told to wait when an event could not be kept. */
const RETRY_AFTER = 1000;

interface Waiting {
  readonly link: Link;
  readonly resolve: (event: Link['event']) => void;
  readonly reject: (error: Refusal) => void;
}

/**
 * A durable log in front of the bus. All appends of one turn of the event loop become one write, which the death of the
 * process cannot undo; a flush makes them survive the death of the machine within about 50 ms; only then are they
 * shipped to `portcullis.events`, in order and again until the bus has taken them. Files are 0600 in a directory 0700.
 * @throws OutboxInUse, OutboxDamaged
 */
export async function openOutbox(options: OutboxOptions): Promise<EventLog> {
  if (!/^[a-z-]+$/.test(options.service))
    throw new Error(`"${options.service}" is no name for a service: use a-z and -`);
  const directory = resolve(options.dir);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unlock = lockDirectory(directory);
  try {
    return running(options, directory, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function running(options: OutboxOptions, directory: string, unlock: () => void): EventLog {
  const { service, bus, newId, log, now } = options;
  const maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  const cursor = readCursor(directory);
  const opened = openSpool(directory, cursor, options.segmentBytes ?? 8 * 1024 * 1024, options.disk ?? nodeDisk);
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
  let closing: Promise<void> | undefined;
  const complain = complaints(log, now);
  const shipper = startShipper({
    directory,
    spool,
    bus,
    complain,
    maxBackoffMs: options.maxBackoffMs ?? 2000,
    from: cursor ?? { ...written, seq: opened.firstSeq - 1 },
  });
  const flusher = startFlusher(spool, complain, shipper.wake);

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
      );
    } catch (error) {
      // none of the batch is on disk, so the chain stays where it was and the numbers are given again
      tail = written;
      failing = true;
      complain({ error, events: batch.length }, 'events cannot be written now and are refused');
      for (const { reject } of batch) reject(overloaded('the spool cannot be written', error));
      return;
    }
    failing = false;
    written = tail;
    spooled += batch.length;
    for (const { link, resolve } of batch) resolve(link.event);
    flusher.flush();
  };

  return {
    append: (draft: EventDraft) =>
      new Promise((resolve, reject) => {
        if (closing) throw overloaded('the event log is closed');
        const next = link(tail, draft, newId());
        if (spool.bytes + waitingUnits + next.line.length > maxBytes) throw overloaded('the spool is full');
        tail = next.head;
        waitingUnits += next.line.length;
        if (waiting.push({ link: next, resolve, reject }) === 1) setImmediate(commit);
      }),
    stats: () => ({ spooled, pending: tail.seq - shipper.shipped().seq, lost, failing }),
    close: () =>
      (closing ??= (async () => {
        commit();
        await flusher.stop();
        await shipper.stop();
        await spool.close();
        unlock();
      })()),
  };
}

const overloaded = (detail: string, cause?: unknown): Refusal =>
  new Refusal('overloaded', { retryAfterMs: RETRY_AFTER }, { detail, cause });

/** Flushes when told to, at once if the last time is long enough ago, and wakes the shipper after it. */
function startFlusher(spool: Spool, complain: Complain, flushed: () => void): { flush(): void; stop(): Promise<void> } {
  let current: Promise<void> = Promise.resolve();
  let resting = false;
  let again = false;

  const sync = async (): Promise<void> => {
    try {
      await spool.sync();
      flushed();
    } catch (error) {
      complain({ error }, 'the event spool could not be flushed; events are refused until a restart');
    }
  };
  const flush = (): void => {
    if (resting) {
      again = true;
      return;
    }
    resting = true;
    again = false;
    current = sync().then(() => {
      setTimeout(() => {
        resting = false;
        if (again) flush();
      }, FLUSH_EVERY).unref();
    });
  };
  return {
    flush,
    async stop() {
      await current;
      again = false;
      await sync();
    },
  };
}
