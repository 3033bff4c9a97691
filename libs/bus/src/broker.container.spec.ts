import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Kafka, logLevel, type Admin, type Producer } from 'kafkajs';
import { testKafka } from './kafka.fixture.js';

// What the rest relies on of the broker, whoever's image it is.
let admin: Admin;
let producer: Producer;
let kafka: Kafka;
const { brokers, prefix } = testKafka();
beforeAll(async () => {
  kafka = new Kafka({ brokers, clientId: 'broker-spec', logLevel: logLevel.NOTHING });
  admin = kafka.admin();
  producer = kafka.producer({ idempotent: true });
  await Promise.all([admin.connect(), producer.connect()]);
});
afterAll(async () => {
  await Promise.all([admin?.disconnect(), producer?.disconnect()]);
});

test('a topic that nobody made takes no message', async () => {
  const typo = kafka.producer({ retry: { retries: 0 } });
  await typo.connect();
  await expect(typo.send({ topic: `${prefix}typo`, messages: [{ value: 'x' }] })).rejects.toThrow(
    'This server does not host this topic-partition',
  );
  await typo.disconnect();
});

test('a compacted topic keeps the last value of each key', async () => {
  const topic = `${prefix}compacted`;
  await admin.createTopics({
    topics: [
      {
        topic,
        numPartitions: 1,
        configEntries: [
          { name: 'cleanup.policy', value: 'compact' },
          { name: 'min.cleanable.dirty.ratio', value: '0.01' },
          // what is not in the last segment is compacted
          { name: 'segment.ms', value: '100' },
        ],
      },
    ],
  });
  const written = ['1', '2', '3'].map((value) => ({ key: 'agent', value }));
  for (const message of written) await producer.send({ topic, acks: -1, messages: [message] });
  for (;;) {
    // each new message closes the segment before it
    await new Promise((resolve) => setTimeout(resolve, 150));
    await producer.send({ topic, acks: -1, messages: [{ key: 'other', value: 'tick' }] });
    const values = await valuesOf(topic, 'agent');
    if (values.length === 1) break;
  }
  expect(await valuesOf(topic, 'agent')).toEqual(['3']);
});

/** What a new reader of the whole topic is given for a key. */
async function valuesOf(topic: string, key: string): Promise<string[]> {
  const [end] = await admin.fetchTopicOffsets(topic);
  const consumer = kafka.consumer({ groupId: `${prefix}${Math.random()}`, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          if (message.key?.toString() === key) values.push(String(message.value));
          if (BigInt(message.offset) === BigInt(end!.high) - 1n) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return values;
}
