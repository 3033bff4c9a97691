import { expect, test } from '@jest/globals';
import { SIGNED_TOPICS, type SignedTopic } from '@portcullis/contract/containment';
import { BUS_USERS, TOPIC_ACCESS, topicsOf, type Access } from '@portcullis/contract/topic-access';
import { TOPICS, type Topic } from '@portcullis/contract/topics';
import { readFileSync } from 'node:fs';
import { aclsScript, topicsScript } from './topic-scripts.js';

const ALL = Object.keys(TOPICS) as Topic[];
const accessOf = (topic: Topic): Access => TOPIC_ACCESS[topic];

test.each([
  ['topics.sh', topicsScript],
  ['acls.sh', aclsScript],
])('infra/kafka/%s is what tools/kafka-scripts.mjs makes of the tables', (file, make) => {
  expect(readFileSync(new URL(`../../../infra/kafka/${file}`, import.meta.url), 'utf8')).toBe(make());
});

test.each(Object.entries(SIGNED_TOPICS))('on %s only its signer can write', (topic, { signer }) => {
  expect(accessOf(topic as SignedTopic).write).toEqual([signer]);
});

test('every service can say what happened, and bury what it cannot take', () => {
  for (const topic of ['portcullis.events', 'portcullis.dead-letters'] as const)
    expect(new Set(accessOf(topic).write)).toEqual(new Set(BUS_USERS));
});

test('only security-analytics and the operator read what may tell of people', () => {
  const readers = ALL.filter((topic) => !TOPICS[topic].compacted).flatMap((topic) => accessOf(topic).read);
  expect([...new Set(readers)].sort()).toEqual(['operator', 'security-analytics']);
});

test('a user has to do with what it reads or writes, and with nothing else', () => {
  expect(topicsOf('mcp-server')).toEqual([
    'portcullis.events',
    'portcullis.revocations',
    'portcullis.standing',
    'portcullis.limit-rules',
    'portcullis.dead-letters',
  ]);
  expect(topicsOf('operator')).toEqual(['portcullis.events', 'portcullis.dead-letters']);
});
