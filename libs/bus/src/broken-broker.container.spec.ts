import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Kafka, logLevel, type Admin, type Producer } from 'kafkajs';
import { breaking, freePort } from '../../../tools/test/breaking.mjs';
import { KafkaContainer, type StartedKafkaContainer } from '../../../tools/test/kafka-container.mjs';

// A broker of this file's own, for it is broken. What is shown is the broker's part of what the buses promise.
let container: StartedKafkaContainer;
let broker: Awaited<ReturnType<typeof breaking>>;
let kafka: Kafka;
let admin: Admin;
let producer: Producer;
beforeAll(async () => {
  container = await new KafkaContainer().withFixedPort(await freePort()).start();
  broker = await breaking(container);
  kafka = new Kafka({ brokers: [container.getBroker()], logLevel: logLevel.NOTHING, retry: { retries: 30 } });
  admin = kafka.admin();
  producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }] });
});
afterAll(async () => {
  await Promise.allSettled([admin?.disconnect(), producer?.disconnect()]);
  await container?.stop();
});

const end = async (): Promise<number> => Number((await admin.fetchTopicOffsets('kept'))[0]?.high);

test('what a broker acknowledged is there after it was killed and started again, at the same address', async () => {
  await producer.send({ topic: 'kept', acks: -1, messages: [{ value: '1' }] });
  await broker.kill();
  await broker.startAgain();
  await producer.send({ topic: 'kept', acks: -1, messages: [{ value: '2' }] });
  expect(await end()).toBe(2);
});

test('a broker that is paused acknowledges nothing, and what waited when it goes on', async () => {
  await broker.pause();
  let acknowledged = false;
  const sent = producer.send({ topic: 'kept', acks: -1, messages: [{ value: '3' }] }).then(() => (acknowledged = true));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(acknowledged).toBe(false);
  await broker.unpause();
  await sent;
  expect(await end()).toBe(3);
});
