import { expect } from '@jest/globals';
import type { Bus, Message } from './bus.js';

const KEYS = 8;
export const wait = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));

/** Something that happens all the time, while what it runs on is broken. */
export interface SteadyLoad {
  /** rounds that were published */
  reached(): number;
  /** publishes that were refused, and were tried again */
  failures(): number;
  /** what the reader of events has heard */
  readonly events: readonly Message[];
  /** Ends the load, and waits until both readers have the last of each key. */
  end(): Promise<{ events: readonly Message[]; standing: readonly Message[]; sent: number }>;
  close(): Promise<void>;
}

/**
 * Publishes 200 messages a second, each batch again until it is taken, and notes what comes to a reader of each kind.
 * @param open gives a bus of a process of its own
 */
export async function steadyLoad(open: () => Bus): Promise<SteadyLoad> {
  const [publisher, reader] = [open(), open()];
  const [events, standing]: [Message[], Message[]] = [[], []];
  await reader.subscribe('portcullis.events', 'a', async (messages) => void events.push(...messages));
  await reader.subscribe('portcullis.standing', 'a', async (messages) => void standing.push(...messages));
  let [sent, failures, running, closed] = [0, 0, true, false];
  const again = async (topic: 'portcullis.events' | 'portcullis.standing', batch: Message[]): Promise<void> => {
    while (!closed) {
      try {
        return await publisher.publish(topic, batch);
      } catch {
        failures += 1;
        await wait(50);
      }
    }
  };
  const publishing = (async () => {
    while (running) {
      const batch = Array.from({ length: KEYS }, (_, key) => ({ key: `acme/${key}`, value: String(sent) }));
      await again('portcullis.events', batch);
      await again('portcullis.standing', batch);
      sent += 1;
      await wait(40);
    }
  })();
  const has = (heard: readonly Message[]): boolean =>
    new Set(heard.filter(({ value }) => value === String(sent - 1)).map(({ key }) => key)).size === KEYS;
  return {
    reached: () => sent,
    failures: () => failures,
    events,
    async end() {
      running = false;
      await publishing;
      while (!has(events) || !has(standing)) await wait(20);
      return { events, standing, sent };
    },
    async close() {
      [running, closed] = [false, true];
      await Promise.all([publisher.close(), reader.close()]);
      await publishing;
    },
  };
}

/** Of each key: every value, first heard in its order. */
export function expectWhole(heard: readonly Message[], sent: number): void {
  for (let key = 0; key < KEYS; key += 1) {
    const values = heard.filter((message) => message.key === `acme/${key}`).map(({ value }) => Number(value));
    expect([...new Set(values)]).toEqual(Array.from({ length: sent }, (_, i) => i));
  }
}

/** Waits until the load gets through again, and shows that it did so by itself. */
export async function recovered(steady: Pick<SteadyLoad, 'reached'>, rounds = 20): Promise<void> {
  const from = steady.reached();
  while (steady.reached() < from + rounds) await wait(20);
}
