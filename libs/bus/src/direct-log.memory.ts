import { setTimeout as waited } from 'node:timers/promises';
import type { Log } from '@portcullis/contract/log';
import type { Refusal } from '@portcullis/contract/refusals';
import { overloaded } from './appends.js';
import type { Bus, Message } from './bus.js';
import { complaints } from './complaints.js';
import { eventKey, expectServiceName, link, newChain, type EventLog, type Link } from './outbox.js';

export interface DirectLogOptions {
  /** name in the events' source: `[a-z-]+` */
  readonly service: string;
  /** a bus that has stored what it takes, and whose publish does not wait for who listens */
  readonly bus: Bus;
  /** ms since epoch */
  now(): number;
  /** UUIDv7 */
  newId(): string;
  readonly log: Log;
  /** bytes of events that may wait for the bus; beyond that appends are refused. Default 64 MiB */
  readonly maxBytes?: number;
  /** how long an append waits for the bus before it is refused, milliseconds; default 5000 */
  readonly waitMs?: number;
  /** longest wait between two tries to publish, milliseconds; default 2000 */
  readonly maxBackoffMs?: number;
}

interface Waiting {
  readonly message: Message;
  readonly event: Link['event'];
  /** performance.now() */
  readonly since: number;
  /** undefined once its caller was answered */
  caller: { resolve(event: Link['event']): void; reject(error: Refusal): void } | undefined;
}

/** UTF-16 units of one publish; a single event has 64 Ki at most. */
const BATCH = 512 * 1024;
const FIRST_BACKOFF = 50;
const CLOSE_WITHIN = 2000;
/** Whose waiting is over is looked for so often at most, milliseconds. */
const LOOK_EVERY = 50;

/**
 * An event log without a disk: an append resolves when the bus has answered for the event. One batch is with the bus at a
 * time, all that came meanwhile is the next. A batch that the bus did not take is tried until it does, since its numbers
 * are given and nobody knows whether it has some of it; the callers are refused after `waitMs` all the same. What waits
 * dies with the process, and nobody was told that it was kept. Each opening begins a chain of its own.
 */
export function directEventLog(options: DirectLogOptions): EventLog {
  const { service, bus, now, newId, log, waitMs = 5000 } = options;
  expectServiceName(service);
  const maxUnits = options.maxBytes ?? 64 * 1024 * 1024;
  const maxBackoff = options.maxBackoffMs ?? 2000;
  const complain = complaints(log, now);
  const closed = new AbortController();
  let head = newChain(service, newId());
  let queue: Waiting[] = [];
  let units = 0;
  let spooled = 0;
  let failing = false;
  let sending: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  let looking: NodeJS.Timeout | undefined;

  const send = async (): Promise<void> => {
    let backoff = Math.min(FIRST_BACKOFF, maxBackoff);
    while (queue.length > 0 && !closed.signal.aborted) {
      const batch = queue.slice(0, batchOf(queue));
      try {
        await bus.publish(
          'portcullis.events',
          batch.map(({ message }) => message),
        );
      } catch (error) {
        failing = true;
        complain({ error, events: queue.length }, 'events cannot be handed on now; their answers wait, or are refused');
        await pause(backoff, closed.signal);
        backoff = Math.min(backoff * 2, maxBackoff);
        continue;
      }
      failing = false;
      backoff = Math.min(FIRST_BACKOFF, maxBackoff);
      queue = queue.slice(batch.length);
      spooled += batch.length;
      for (const each of batch) {
        units -= each.message.value.length;
        each.caller?.resolve(each.event);
      }
    }
    sending = undefined;
  };
  const refuse = (each: Waiting, why: string): void => {
    each.caller?.reject(overloaded(why));
    each.caller = undefined;
  };
  /** The queue is in the order of time, so the first that still waits says when to look again. */
  const look = (): void => {
    looking = undefined;
    const over = performance.now() - waitMs;
    for (const each of queue) {
      if (each.since > over) return lookIn(each.since - over);
      refuse(each, 'the bus did not answer in time');
    }
  };
  const lookIn = (ms: number): void => {
    looking ??= setTimeout(look, Math.max(ms, LOOK_EVERY)).unref();
  };

  return {
    append: (draft) =>
      new Promise((resolve, reject) => {
        if (closing) throw overloaded('the event log is closed');
        const { event, line, head: next } = link(head, draft, newId());
        if (units + line.length > maxUnits) throw overloaded('too many events wait for the bus');
        head = next;
        units += line.length;
        queue.push({
          message: { key: eventKey(event), value: line },
          event,
          since: performance.now(),
          caller: { resolve, reject },
        });
        lookIn(waitMs);
        sending ??= new Promise<void>(setImmediate).then(send);
      }),
    stats: () => ({ spooled, pending: queue.length, lost: 0, failing }),
    close: () =>
      (closing ??= (async () => {
        const late = setTimeout(() => closed.abort(), CLOSE_WITHIN);
        await Promise.race([sending, aborted(closed.signal)]);
        clearTimeout(late);
        clearTimeout(looking);
        closed.abort();
        for (const each of queue) refuse(each, 'the event log was closed before the bus had the event');
      })()),
  };
}

/** How many of the first are published at once. */
function batchOf(queue: readonly Waiting[]): number {
  let size = 0;
  const end = queue.findIndex(({ message }) => (size += message.value.length) > BATCH);
  return end === -1 ? queue.length : Math.max(1, end);
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

/** Waits, or does not any longer once the signal is there. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  waited(ms, undefined, { signal }).catch(() => undefined);
