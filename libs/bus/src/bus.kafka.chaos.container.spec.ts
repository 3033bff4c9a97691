import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { silentLog } from '@portcullis/contract/log';
import { breaking, freePort } from '../../../tools/test/breaking.mjs';
import { KafkaContainer, type StartedKafkaContainer } from '../../../tools/test/kafka-container.mjs';
import type { Bus, Message } from './bus.js';
import { kafkajsBus } from './bus.kafkajs.kafka.js';
import { platformaticBus } from './bus.platformatic.kafka.js';

// With a broker of this file's own, which is broken under a steady load.
let container: StartedKafkaContainer;
let broker: Awaited<ReturnType<typeof breaking>>;
beforeAll(async () => {
  container = await new KafkaContainer().withFixedPort(await freePort()).start();
  broker = await breaking(container);
});
afterAll(() => container?.stop());

const opened: Bus[] = [];
afterEach(() => Promise.all(opened.splice(0).map((bus) => bus.close())));

const KEYS = 8;
const wait = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));

/** Publishes 200 messages a second, each batch again until it is taken, and notes what comes to a reader of each kind. */
const load = async (brokers: string[], topicPrefix: string, make = platformaticBus) => {
  const open = (): Bus => {
    const bus = make({ brokers, clientId: 'chaos', topicPrefix, timeoutMs: 3_000, log: silentLog });
    opened.push(bus);
    return bus;
  };
  const [publisher, reader] = [open(), open()];
  const [events, standing]: [Message[], Message[]] = [[], []];
  await reader.subscribe('portcullis.events', 'a', async (messages) => void events.push(...messages));
  await reader.subscribe('portcullis.standing', 'a', async (messages) => void standing.push(...messages));
  let [sent, failures, running] = [0, 0, true];
  const again = async (topic: 'portcullis.events' | 'portcullis.standing', batch: Message[]): Promise<void> => {
    for (;;) {
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
  return {
    reached: () => sent,
    failures: () => failures,
    /** Ends the load, and waits until both readers have the last of each key. */
    async end() {
      running = false;
      await publishing;
      const last = String(sent - 1);
      const has = (heard: readonly Message[]): boolean =>
        new Set(heard.filter(({ value }) => value === last).map(({ key }) => key)).size === KEYS;
      while (!has(events) || !has(standing)) await wait(20);
      return { events, standing, sent };
    },
  };
};

/** Of each key: every value, first heard in its order. */
const expectWhole = (heard: readonly Message[], sent: number): void => {
  for (let key = 0; key < KEYS; key += 1) {
    const values = heard.filter((message) => message.key === `acme/${key}`).map(({ value }) => Number(value));
    expect([...new Set(values)]).toEqual(Array.from({ length: sent }, (_, i) => i));
  }
};
/** Waits until the load gets through again, and shows that it did so by itself. */
const recovered = async (steady: { reached(): number }): Promise<void> => {
  const from = steady.reached();
  while (steady.reached() < from + 20) await wait(20);
};

test.each([
  ['@platformatic/kafka', 'killed-p-', platformaticBus],
  ['kafkajs', 'killed-k-', kafkajsBus],
])(
  'by %s: a broker that is killed and started again loses nothing, and each key keeps its order',
  async (_library, prefix, make) => {
    const steady = await load([container.getBroker()], prefix, make);
    await recovered(steady);
    await broker.kill();
    await wait(1_000);
    await broker.startAgain();
    await recovered(steady);
    const { events, standing, sent } = await steady.end();
    expectWhole(events, sent);
    expectWhole(standing, sent);
  },
);

test('a broker that is paused for longer than any request waits loses nothing', async () => {
  const steady = await load([container.getBroker()], 'paused-');
  await recovered(steady);
  await broker.pause();
  await wait(8_000);
  await broker.unpause();
  await recovered(steady);
  const { events, standing, sent } = await steady.end();
  expect(steady.failures()).toBeGreaterThan(0);
  expectWhole(events, sent);
  expectWhole(standing, sent);
});

test('a publish to a broker that does not answer is refused within its time', async () => {
  const bus = platformaticBus({
    brokers: [container.getBroker()],
    clientId: 'chaos',
    topicPrefix: 'refused-',
    timeoutMs: 1_000,
    log: silentLog,
  });
  opened.push(bus);
  await bus.publish('portcullis.events', [{ key: 'k', value: '1' }]);
  await broker.pause();
  const refused = bus.publish('portcullis.events', [{ key: 'k', value: '2' }]);
  await expect(refused).rejects.toThrow();
  await broker.unpause();
});
