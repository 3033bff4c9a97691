import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Log } from '@portcullis/contract/log';
import { TOPICS, type Topic } from '@portcullis/contract/topics';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { randomBytes } from 'node:crypto';
import { kafkajsBus } from './bus.kafkajs.kafka.js';
import { platformaticBus } from './bus.platformatic.kafka.js';
import { testKafka } from './kafka.fixture.js';
import type { KafkaBus } from './kafka.js';
import { settingsOf, TopicUnfit } from './topic-settings.js';

const { brokers, prefix } = testKafka();
let admin: Admin;
beforeAll(async () => {
  admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
const opened: KafkaBus[] = [];
afterAll(async () => {
  await Promise.all([admin.disconnect(), ...opened.map((bus) => bus.close())]);
});

describe.each([
  ['@platformatic/kafka', platformaticBus],
  ['kafkajs', kafkajsBus],
])('by %s', (_library, make) => {
  /** A bus, before the first use of which some topics were made by somebody else. */
  const on = async (existing: Partial<Record<Topic, { partitions?: number; configs?: Record<string, string> }>>) => {
    const topicPrefix = `${prefix}${randomBytes(4).toString('hex')}-`;
    await admin.createTopics({
      waitForLeaders: true,
      topics: Object.entries(existing).map(([topic, { partitions, configs }]) => {
        const row = settingsOf(topic as Topic, { topicPrefix });
        return {
          topic: row.name,
          numPartitions: partitions ?? row.partitions,
          configEntries: Object.entries({ ...row.configs, ...configs }).map(([name, value]) => ({ name, value })),
        };
      }),
    });
    const said: string[] = [];
    const note = (text: string): void => void said.push(text);
    const log: Log = { debug: note, info: note, warn: note, error: note };
    const bus = make({
      brokers,
      clientId: 'spec',
      topicPrefix,
      topics: ['portcullis.events', 'portcullis.standing'],
      log,
    });
    opened.push(bus);
    return { bus, said, topicPrefix };
  };
  const publish = ({ bus }: { bus: KafkaBus }): Promise<void> =>
    bus.publish('portcullis.events', [{ key: 'acme/k', value: '{}' }]);

  it('topics that are as their rows say are taken as they are', async () => {
    const here = await on({ 'portcullis.events': {}, 'portcullis.standing': {} });
    await publish(here);
    expect(here.said).toEqual([]);
  });

  it('only the topics that the user has to do with are made', async () => {
    const here = await on({});
    await publish(here);
    const names = (await admin.listTopics()).filter((name) => name.startsWith(here.topicPrefix));
    expect(names.sort()).toEqual(['portcullis.events', 'portcullis.standing'].map((name) => here.topicPrefix + name));
    const { topics } = await admin.fetchTopicMetadata({ topics: names });
    expect(topics.map(({ partitions }) => partitions.length).sort()).toEqual([
      1,
      TOPICS['portcullis.events'].partitions,
    ]);
  });

  it.each([
    ['partitions where order needs one', { 'portcullis.standing': { partitions: 2 } }, /has 2 partitions and needs 1/],
    [
      'an end for what must be kept',
      { 'portcullis.standing': { configs: { 'cleanup.policy': 'delete' } } },
      /kafka-configs\.sh .*cleanup\.policy=compact/,
    ],
    [
      'compaction of events',
      { 'portcullis.events': { configs: { 'cleanup.policy': 'compact' } } },
      /kafka-configs\.sh .*cleanup\.policy=delete/,
    ],
  ])('%s stops whoever would use the topic, at once', async (_what, existing, says) => {
    const here = await on(existing);
    for (const use of [publish(here), here.bus.subscribe('portcullis.standing', 'a', async () => undefined)]) {
      const error = await use.catch((thrown: unknown) => thrown);
      expect((error as Error).cause).toBeInstanceOf(TopicUnfit);
      expect((error as Error).message).toMatch(says);
    }
  });

  it('what differs without harm is said once, and lived with', async () => {
    const here = await on({ 'portcullis.events': { partitions: 3, configs: { 'retention.ms': '3600000' } } });
    await publish(here);
    await publish(here);
    expect(here.said).toEqual([
      `the topic ${here.topicPrefix}portcullis.events has 3 partitions instead of 12`,
      `the topic ${here.topicPrefix}portcullis.events has retention.ms=3600000 instead of 604800000`,
    ]);
  });
});
