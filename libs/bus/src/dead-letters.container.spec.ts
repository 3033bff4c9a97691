import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { silentLog } from '@portcullis/contract/log';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { kafkajsBus } from './bus.kafkajs.kafka.js';
import { platformaticBus } from './bus.platformatic.kafka.js';
import { Poison, type Message } from './bus.js';
import { MAX_KEY, MAX_VALUE, type DeadLetter } from './dead-letters.js';
import { letterIn, replayDeadLetters, waitingLetters } from './letters.js';
import type { KafkaBus } from './kafka.js';
import { testKafka } from './kafka.fixture.js';

// What others than we put on a topic: written by a bare client, past the bus.
const { brokers, prefix } = testKafka();
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
let stranger: Producer;
const opened: KafkaBus[] = [];
beforeAll(async () => {
  stranger = kafka.producer();
  await stranger.connect();
});
afterAll(async () => {
  await stranger.disconnect();
  await Promise.all(opened.map((bus) => bus.close()));
});

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
};
/** A bus with a subscriber to events that takes what is JSON of version 1, and one to what is dead. */
const opening = async (open: typeof kafkajsBus, name: string) => {
  const bus = open({ brokers, clientId: 'spec', topicPrefix: `${prefix}${name}-`, log: silentLog });
  opened.push(bus);
  const [taken, letters]: [Message[], DeadLetter[]] = [[], []];
  let known = 1;
  await bus.subscribe('portcullis.events', 'a', async (messages) => {
    for (const message of messages) {
      if (JSON.parse(message.value).version > known) throw new Poison(message, 'a version from the future');
      taken.push(message);
    }
  });
  await bus.subscribe('portcullis.dead-letters', 'morgue', async (messages) => {
    letters.push(...messages.flatMap((message) => letterIn(message) ?? []));
  });
  return { bus, taken, letters, learn: () => void (known = 2), topic: `${prefix}${name}-portcullis.events` };
};

test.each([
  ['@platformatic/kafka', 'p', platformaticBus],
  ['kafkajs', 'k', kafkajsBus],
] as const)(
  'by %s: what is no message, and what is of the future, dies alone, and can be replayed',
  async (_l, name, open) => {
    const { bus, taken, letters, learn, topic } = await opening(open, name);
    const good = (n: number) => ({ key: 'acme/k', value: JSON.stringify({ version: 1, n }) });
    await stranger.send({
      topic,
      messages: [
        good(1),
        { key: 'acme/k', value: Buffer.from([0x7b, 0xff, 0x7d]) },
        { key: 'acme/k', value: Buffer.alloc(MAX_VALUE + 1, 'x') },
        { key: null, value: '{}' },
        { key: '', value: '{}' },
        { key: Buffer.from([0xff]), value: '{}' },
        { key: 'k'.repeat(MAX_KEY + 1), value: '{}' },
        { key: 'acme/k', value: '{"version":2}' },
        good(2),
      ],
    });
    await until(() => taken.some(({ value }) => value === good(2).value) && letters.length >= 7);
    expect([...new Set(taken.map(({ value }) => value))]).toEqual([good(1).value, good(2).value]);
    expect(letters.map(({ reason }) => reason).sort()).toEqual([
      'a version from the future',
      'no key',
      'no key',
      'the key is not UTF-8',
      'the key is too long',
      'the value is not UTF-8',
      'the value is too large',
    ]);
    expect(letters.find(({ reason }) => reason === 'the value is too large')?.text).toHaveLength(MAX_VALUE + 1);
    const stats = (await bus.stats()).subscriptions.find((one) => one.topic === 'portcullis.events');
    expect(stats).toMatchObject({ buried: 7 });
    expect([...(stats?.behind?.values() ?? [1])].every((behind) => behind === 0)).toBe(true);

    learn();
    expect(await replayDeadLetters(bus, { group: 'a' }, true)).toEqual({ replayed: 1, stay: 6 });
    expect(taken.some(({ value }) => value === '{"version":2}')).toBe(false);
    expect(await replayDeadLetters(bus, { group: 'a' })).toEqual({ replayed: 1, stay: 6 });
    await until(() => taken.some(({ value }) => value === '{"version":2}'));
    expect(await replayDeadLetters(bus, { group: 'a' })).toEqual({ replayed: 0, stay: 6 });
    const left = await waitingLetters(bus, { tenant: 'acme' }, { limit: 10 });
    expect(left.letters.map(({ stays }) => stays).sort()).toEqual(['it is not text', 'it is too large']);
  },
);

test('both clients put a key where every client puts it, so that its order is kept whoever publishes', async () => {
  const options = { brokers, clientId: 'spec', topicPrefix: `${prefix}both-`, log: silentLog };
  const buses = [kafkajsBus(options), platformaticBus(options)];
  opened.push(...buses);
  const keys = Array.from({ length: 60 }, (_, i) => `acme/agt_${i}`);
  for (const bus of buses)
    await bus.publish(
      'portcullis.events',
      keys.map((key) => ({ key, value: '{}' })),
    );
  const places = new Map<string, Set<number>>();
  const consumer = kafka.consumer({ groupId: `${prefix}places`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: `${prefix}both-portcullis.events`, fromBeginning: true });
  let seen = 0;
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const key = String(message.key);
      places.set(key, (places.get(key) ?? new Set()).add(partition));
      seen += 1;
    },
  });
  await until(() => seen === 2 * keys.length);
  await consumer.disconnect();
  expect([...places.values()].every((partitions) => partitions.size === 1)).toBe(true);
  expect(new Set([...places.values()].flatMap((partitions) => [...partitions])).size).toBeGreaterThan(6);
});

test('a message that is too large for the bus is refused when it is published', async () => {
  const bus = platformaticBus({ brokers, clientId: 'spec', topicPrefix: `${prefix}large-`, log: silentLog });
  opened.push(bus);
  const large = bus.publish('portcullis.events', [{ key: 'acme/k', value: 'x'.repeat(MAX_VALUE + 1) }]);
  await expect(large).rejects.toThrow('a message is too large');
  const long = bus.publish('portcullis.events', [{ key: 'k'.repeat(2_000), value: '{}' }]);
  await expect(long).rejects.toThrow('the key of a message is too long');
});
