import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Poison } from '@portcullis/bus/bus';
import { kafkajsBus } from '@portcullis/bus/bus.kafkajs.kafka';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import { MAX_VALUE } from '@portcullis/bus/dead-letters';
import { testKafka } from '@portcullis/bus/kafka.fixture';
import type { LettersPage } from '@portcullis/bus/letters';
import { silentLog } from '@portcullis/contract/log';
import { topicsOf } from '@portcullis/contract/topic-access';
import { openTestDatabase } from '@portcullis/sql/database.fixture';
import type { Database } from '@portcullis/sql/database';
import { Kafka, logLevel } from 'kafkajs';
import { deadLetters } from './dead-letters.wire.js';
import { call } from './events.fixture.js';
import { busMessage, startIssuer, startService, type Issuer } from './service.fixture.js';

// What others than our outboxes may put on the topic of events, and what becomes of it.
const { brokers, prefix } = testKafka();
let issuer: Issuer;
let database: Database;
beforeAll(async () => {
  [issuer, database] = await Promise.all([startIssuer(), openTestDatabase()]);
});
afterAll(async () => {
  await issuer?.close();
  await database?.close();
});

const good = call();
const { key, value } = busMessage(good);
const ofTheFuture = value.replace('portcullis.call.v1', 'portcullis.call.v2');
const POISON: readonly (readonly [reason: string, message: { key: string | Buffer | null; value: string | Buffer }])[] =
  [
    ['unknown type "portcullis.call.v2"', { key, value: ofTheFuture }],
    ['data.http: ', { key, value: value.replace('"http":200', '"http":"fine"') }],
    ['not JSON', { key, value: value.slice(1) }],
    ['longer than 65536 characters', { key, value: JSON.stringify('x'.repeat(70_000)) }],
    ['the value is too large', { key, value: Buffer.alloc(MAX_VALUE + 1, 'x') }],
    ['the value is not UTF-8', { key, value: Buffer.from([0x7b, 0xff, 0x7d]) }],
    ['no key', { key: '', value }],
    ['no key', { key: null, value }],
    ['its key is not that of its tenant and subject', { key: `other${key.slice(key.indexOf('/'))}`, value }],
  ];

test.each([
  ['@platformatic/kafka', 'p', platformaticBus],
  ['kafkajs', 'k', kafkajsBus],
])(
  'by %s: what is no event is a dead letter that says why, stops nothing, and can be replayed',
  async (_l, name, make) => {
    const topicPrefix = `${prefix}${name}-`;
    const topics = topicsOf('security-analytics');
    const open = () => make({ brokers, clientId: 'security-analytics', topicPrefix, topics, log: silentLog });
    const bus = open();
    const service = await startService({ database, issuer, bus });
    // another service, of an older version: it does not know the good event yet
    const other = open();
    let isOld = true;
    const learnt: string[] = [];
    await other.subscribe('portcullis.events', 'other', async (messages) => {
      for (const message of messages) {
        if (isOld && message.value === value) throw new Poison(message, 'a version from the future');
        learnt.push(message.value);
      }
    });
    const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({
      topic: `${topicPrefix}portcullis.events`,
      messages: [...POISON.map(([, message]) => message), { key, value }],
    });
    await producer.disconnect();

    const ask = async (question: object): Promise<unknown> => {
      const env = { PORTCULLIS_MODE: 'embedded', KAFKA_BROKERS: brokers.join(), KAFKA_TOPIC_PREFIX: topicPrefix };
      const { code, out, err } = await deadLetters(JSON.stringify(question), env);
      if (code !== 0) throw new Error(err);
      return JSON.parse(out ?? '');
    };
    const listed = async (group: string) =>
      (await ask({ verb: 'list', group, limit: 200, payload: false })) as LettersPage;
    const figures = async (line: string): Promise<number[]> => {
      const text = await (await fetch(`${service.managementUrl}/metrics`)).text();
      const lines = text.split('\n').filter((each) => each.startsWith(line));
      return lines.map((each) => Number(each.split(' ').at(-1)));
    };
    const figure = async (line: string): Promise<number> => (await figures(line)).reduce((sum, each) => sum + each, 0);
    const until = async (isSo: () => Promise<boolean>): Promise<void> => {
      while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await until(async () => (await figure('portcullis_dead_letters_total')) >= POISON.length + 5);

    const { letters } = await listed('security-analytics');
    const reasons = letters.map(({ reason }) => reason).sort();
    const wanted = POISON.map(([reason]) => reason).sort();
    expect(reasons).toHaveLength(wanted.length);
    reasons.forEach((reason, at) => expect(reason.startsWith(wanted[at]!)).toBe(true));
    expect(JSON.stringify(letters)).not.toContain('get_customer_info');
    expect(await figure('portcullis_bus_buried_total')).toBe(POISON.length);
    // the partitions of events, and one each of dead letters, standing and revocations
    await until(async () => (await figure('portcullis_bus_behind')) === 0);
    expect(await figures('portcullis_bus_behind')).toEqual(Array.from({ length: 12 + 3 }, () => 0));

    isOld = false;
    const before = await figure('portcullis_audit_messages_total');
    const [waiting] = (await listed('other')).letters.filter(({ reason }) => reason === 'a version from the future');
    expect(await ask({ verb: 'replay', id: waiting?.id, dryRun: false })).toEqual({ replayed: 1, stay: 0 });
    await until(async () => learnt.includes(value) && (await figure('portcullis_audit_messages_total')) > before);
    expect((await listed('other')).letters.map(({ id }) => id)).not.toContain(waiting?.id);

    await Promise.all([service.close(), other.close()]);
    await bus.close();
  },
);

test('without brokers it says what is missing', async () => {
  const question = JSON.stringify({ verb: 'list', limit: 1, payload: false });
  expect(await deadLetters(question, { PORTCULLIS_MODE: 'embedded' })).toMatchObject({
    code: 2,
    err: expect.stringContaining('KAFKA_BROKERS'),
  });
  expect(await deadLetters(question, {})).toMatchObject({ code: 2, err: expect.stringContaining('KAFKA_BROKERS') });
});

test('with brokers that are away it says so', async () => {
  const env = { PORTCULLIS_MODE: 'embedded', KAFKA_BROKERS: '127.0.0.1:1' };
  const question = JSON.stringify({ verb: 'replay', dryRun: true });
  expect(await deadLetters(question, env)).toMatchObject({ code: 1, err: expect.stringContaining('cannot be used') });
});
