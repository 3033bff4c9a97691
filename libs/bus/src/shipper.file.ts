import { setTimeout } from 'node:timers/promises';
import type { Bus } from './bus.js';
import type { Complain } from './complaints.js';
import type { Cursor } from './cursor.file.js';
import { follow, type ChainHead } from './outbox.js';
import { syncDirectory, type Spool } from './spool.file.js';

interface ShipperParts {
  readonly directory: string;
  readonly spool: Spool;
  readonly cursor: Cursor;
  readonly bus: Bus;
  readonly complain: Complain;
  readonly maxBackoffMs: number;
  /** the last event that was shipped */
  readonly from: ChainHead;
}

export interface Shipper {
  /** Says that there may be something to ship. */
  wake(): void;
  /** the last event that the bus has */
  shipped(): ChainHead;
  /** Ships the rest, until the bus refuses or 2 s are over, and saves how far it came. */
  stop(): Promise<void>;
}

const FIRST_BACKOFF = 50;
/** The cursor is saved at most so often, milliseconds; what it lags behind is shipped twice after a crash. */
const SAVE_EVERY = 100;
const STOP_WITHIN = 2000;

/** Takes events from the spool to the bus, in order, one batch at a time, each again until the bus has taken it. */
export function startShipper({
  directory,
  spool,
  cursor: { save },
  bus,
  complain,
  maxBackoffMs,
  from,
}: ShipperParts): Shipper {
  let shipped = from;
  /** after this, go on until something fails; once `stopped`, touch nothing any more */
  const stopping = new AbortController();
  let stopped = false;
  let woken = false;
  let endIdling: () => void = () => undefined;
  const cursor = cursorSaver(save, () => shipped, complain);

  /** @returns false when there is nothing to ship */
  const step = async (): Promise<boolean> => {
    if (spool.finished) {
      await cursor.save();
      syncDirectory(directory);
      await spool.drop();
    }
    const chunk = await spool.read();
    if (chunk === undefined) return spool.finished;
    if (stopped) return false;
    // what lies in a chunk may be a seal alone
    if (chunk.messages.length > 0) await bus.publish('portcullis.events', chunk.messages);
    if (stopped) return false;
    shipped = follow(undefined, chunk.messages.at(-1)?.value ?? '') ?? shipped;
    spool.advance(chunk);
    cursor.saveSoon();
    return true;
  };

  const firstBackoff = Math.min(FIRST_BACKOFF, maxBackoffMs);
  const run = async (): Promise<void> => {
    let backoff = firstBackoff;
    while (!stopped) {
      woken = false;
      try {
        if (await step()) backoff = firstBackoff;
        else if (stopping.signal.aborted) return;
        else if (!woken) await new Promise<void>((resolve) => (endIdling = resolve));
      } catch (error) {
        complain({ error, from: shipped.seq + 1 }, 'events cannot be handed on now; they wait in the spool');
        if (stopping.signal.aborted) return;
        await pause(backoff, stopping.signal);
        backoff = Math.min(backoff * 2, maxBackoffMs);
      }
    }
  };
  const wake = (): void => {
    woken = true;
    endIdling();
  };
  const running = run();

  return {
    wake,
    shipped: () => shipped,
    async stop() {
      stopping.abort();
      wake();
      const done = new AbortController();
      await Promise.race([running.then(() => done.abort()), pause(STOP_WITHIN, done.signal)]);
      stopped = true;
      await cursor.stop();
    },
  };
}

/** Waits, or does not any longer once the signal is there. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined);

/** Writes the cursor, one write at a time, and not for every batch. */
function cursorSaver(write: Cursor['save'], shipped: () => ChainHead, complain: Complain) {
  let saved = shipped().seq;
  let last: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const save = (): Promise<void> => {
    const turn = last.then(async () => {
      const upTo = shipped();
      if (upTo.seq === saved) return;
      await write(upTo);
      saved = upTo.seq;
    });
    last = turn.catch(() => undefined);
    return turn;
  };
  const saveOrComplain = (): Promise<void> =>
    save().catch((error: unknown) => complain({ error }, 'how far events were handed on cannot be saved now'));
  return {
    save,
    saveSoon(): void {
      timer ??= globalThis.setTimeout(() => {
        timer = undefined;
        void saveOrComplain();
      }, SAVE_EVERY);
      timer.unref();
    },
    async stop(): Promise<void> {
      clearTimeout(timer);
      await saveOrComplain();
    },
  };
}
