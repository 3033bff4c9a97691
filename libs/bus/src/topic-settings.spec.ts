import { expect, it, test } from '@jest/globals';
import { TOPICS, type Topic } from '@portcullis/contract/topics';
import { lookAt, settingsOf, TopicUnfit, type TopicFound } from './topic-settings.js';

const found = (topic: Topic, other: Partial<TopicFound> = {}, configs: Record<string, string> = {}): TopicFound => {
  const { partitions, configs: rows } = settingsOf(topic, {});
  return { partitions, replicas: 1, configs: { 'min.insync.replicas': '1', ...rows, ...configs }, ...other };
};
const look = (topic: Topic, is: TopicFound) => lookAt(topic, settingsOf(topic, { topicPrefix: 'a-' }), is);

test('a topic is named with its prefix, and keeps two copies of what is acknowledged where there are three', () => {
  expect(settingsOf('portcullis.events', { topicPrefix: 'a-', replicas: 3 })).toMatchObject({
    name: 'a-portcullis.events',
    partitions: 12,
    replicas: 3,
    configs: { 'cleanup.policy': 'delete', 'retention.ms': '604800000', 'min.insync.replicas': '2' },
  });
  expect(settingsOf('portcullis.standing', {}).configs['min.insync.replicas']).toBeUndefined();
});

test.each(Object.keys(TOPICS) as Topic[])('%s as its row makes it is as it should be', (topic) => {
  expect(look(topic, found(topic))).toEqual([]);
});

it.each([
  [
    'portcullis.standing',
    { partitions: 3 },
    {},
    'has 3 partitions and needs 1',
    '--delete --topic a-portcullis.standing',
  ],
  ['portcullis.revocations', { partitions: 2 }, {}, 'needs 1', '--delete --topic a-portcullis.revocations'],
  ['portcullis.standing', {}, { 'cleanup.policy': 'delete' }, 'needs compact', 'cleanup.policy=compact'],
  ['portcullis.standing', {}, { 'cleanup.policy': 'compact,delete' }, 'must keep for ever', 'cleanup.policy=compact'],
  ['portcullis.events', {}, { 'cleanup.policy': 'compact' }, 'only the last message', 'cleanup.policy=delete'],
] as const)('stops at %s with %j %j, and says what mends it', (topic, other, configs, says, command) => {
  const looking = () => look(topic, found(topic, other, configs));
  expect(looking).toThrow(TopicUnfit);
  expect(looking).toThrow(says);
  expect(looking).toThrow(command);
});

it.each([
  ['portcullis.events', { partitions: 6 }, {}, 'has 6 partitions instead of 12'],
  ['portcullis.events', {}, { 'retention.ms': '3600000' }, 'has retention.ms=3600000 instead of 604800000'],
  ['portcullis.events', {}, { 'max.message.bytes': '1' }, 'has max.message.bytes=1 instead of 2097152'],
  ['portcullis.events', { replicas: 3 }, {}, 'acknowledges what one broker alone has: min.insync.replicas is 1'],
  ['portcullis.events', { configs: undefined }, {}, 'cannot be looked at: this user lacks DescribeConfigs'],
] as const)('lives with %s with %j %j, and says so', (topic, other, configs, says) => {
  expect(look(topic, found(topic, other, configs))).toEqual([says]);
});
