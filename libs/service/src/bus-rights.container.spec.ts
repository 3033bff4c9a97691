import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { KafkaBus, KafkaOptions } from '@portcullis/bus/kafka';
import { kafkajsBus } from '@portcullis/bus/bus.kafkajs.kafka';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import type { Log } from '@portcullis/contract/log';
import { Secret } from '@portcullis/contract/secret';
import { BUS_USERS, TOPIC_ACCESS, topicsOf, type Access, type BusUser } from '@portcullis/contract/topic-access';
import { TOPICS, type Topic } from '@portcullis/contract/topics';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { readFileSync } from 'node:fs';
import { KafkaContainer, type StartedKafkaContainer } from '../../../tools/test/kafka-container.mjs';
import { selfSigned } from './certificate.fixture.js';

// A broker on which nobody may do anything but what infra/kafka/acls.sh says.
const ALL = Object.keys(TOPICS) as Topic[];
const PREFIX = 'gate-';
const server = selfSigned('localhost');
const passwordOf = (user: string): string => `pw-of-${user}`;
let container: StartedKafkaContainer;

const run = async (script: string): Promise<void> => {
  const content = readFileSync(new URL(`../../../infra/kafka/${script}`, import.meta.url), 'utf8');
  await container.copyContentToContainer([{ content, target: `/tmp/${script}` }]);
  const settings = `KAFKA_JVM_PERFORMANCE_OPTS='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' PATH=/opt/kafka/bin:$PATH BOOTSTRAP=localhost:9092 KAFKA_TOPIC_PREFIX=${PREFIX} REPLICAS=1`;
  const { exitCode, output } = await container.exec(['sh', '-c', `${settings} sh /tmp/${script}`]);
  if (exitCode !== 0) throw new Error(`${script} failed:\n${output}`);
};
beforeAll(async () => {
  const users = Object.fromEntries([...BUS_USERS, 'writer'].map((user) => [user, passwordOf(user)]));
  container = await new KafkaContainer().withSecurity({ ...server, clients: selfSigned().cert, users }).start();
  await Promise.all([run('topics.sh'), run('acls.sh')]);
  const kafka = new Kafka({ brokers: [container.getBroker()], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const rule = {
    principal: 'User:writer',
    host: '*',
    resourceType: AclResourceTypes.TOPIC,
    resourceName: `${PREFIX}portcullis.events`,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    operation: AclOperationTypes.WRITE,
    permissionType: AclPermissionTypes.ALLOW,
  };
  await admin.createAcls({ acl: [rule] });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  for (const topic of ALL) await producer.send({ topic: PREFIX + topic, messages: [{ key: 'acme/k', value: '{}' }] });
  await producer.disconnect();
  // each line of the scripts starts a Java program
}, 300_000);
afterAll(() => container?.stop());

const opened: KafkaBus[] = [];
afterEach(() => Promise.all(opened.splice(0).map((bus) => bus.close())));

const said: string[] = [];
const note = (text: string): void => void said.push(text);
const log: Log = { debug: note, info: note, warn: note, error: note };
const as = (user: string, options: Partial<KafkaOptions> = {}, make = platformaticBus): KafkaBus => {
  const bus = make({
    brokers: [container.getScramBroker()],
    clientId: user,
    topicPrefix: PREFIX,
    topics: topicsOf(user as BusUser),
    tls: { ca: server.cert, servername: 'localhost' },
    sasl: { username: user, password: new Secret(passwordOf(user)) },
    log,
    ...options,
  });
  opened.push(bus);
  return bus;
};
const may = (user: BusUser, way: keyof Access): Topic[] =>
  ALL.filter((topic) => (TOPIC_ACCESS[topic] as Access)[way].includes(user));
const works = async (topics: readonly Topic[], use: (topic: Topic) => Promise<void>): Promise<Topic[]> => {
  const tried = await Promise.allSettled(topics.map(use));
  return topics.filter((_, at) => tried[at]?.status === 'fulfilled');
};

describe.each(BUS_USERS)('%s', (user) => {
  it('writes to the topics of its rows, and to no other', async () => {
    // each on its own: what is refused must not keep what is not from being sent
    const written = await works(ALL, (topic) =>
      as(user, { topics: [], timeoutMs: 5_000 }).publish(topic, [{ key: 'acme/k', value: '{}' }]),
    );
    expect(written).toEqual(may(user, 'write'));
  });

  it('reads the topics of its rows, and no other', async () => {
    const bus = as(user, { topics: [], timeoutMs: 5_000, catchUpMs: 5_000 });
    expect(await works(ALL, (topic) => bus.readToEnd(topic, async () => undefined))).toEqual(may(user, 'read'));
  });

  it.each([
    ['@platformatic/kafka', platformaticBus],
    ['kafkajs', kafkajsBus],
  ])('does by %s all that it has to do, in a group of its name, and nothing is amiss', async (_library, make) => {
    said.length = 0;
    const bus = as(user, {}, make);
    await bus.publish('portcullis.events', [{ key: 'acme/k', value: '{}' }]);
    await bus.publish('portcullis.dead-letters', [{ key: 'acme/k', value: '{}' }]);
    const heard = may(user, 'read').map(
      (topic) =>
        new Promise<void>((resolve, reject) => bus.subscribe(topic, user, async () => resolve()).catch(reject)),
    );
    await Promise.all(heard);
    const { subscriptions } = await bus.stats();
    expect(subscriptions.filter(({ behind }) => behind === undefined)).toEqual([]);
    expect(said).toEqual([]);
  });
});

it('the topics that contain agents and set limits take no word of mcp-server', () => {
  expect(may('mcp-server', 'write')).toEqual(['portcullis.events', 'portcullis.dead-letters']);
});

it.each([
  ['@platformatic/kafka', platformaticBus],
  ['kafkajs', kafkajsBus],
])('who may not ask by %s how a topic is set up goes on, and it is said', async (_library, make) => {
  said.length = 0;
  await as('writer', { topics: ['portcullis.events'] }, make).publish('portcullis.events', [{ key: 'k', value: '{}' }]);
  expect(said).toEqual([`the topic ${PREFIX}portcullis.events cannot be looked at: this user lacks DescribeConfigs`]);
});

it('nobody reads in the group of another', async () => {
  const analytics = as('security-analytics', { timeoutMs: 5_000 });
  await expect(analytics.subscribe('portcullis.events', 'mcp-server', async () => undefined)).rejects.toThrow();
});

it('nobody makes a topic, and is told who does', async () => {
  const elsewhere = as('mcp-server', { topicPrefix: 'elsewhere-', timeoutMs: 1_000 });
  await expect(elsewhere.publish('portcullis.events', [{ key: 'k', value: '{}' }])).rejects.toThrow(
    /elsewhere-portcullis\.events.* are missing.*infra\/kafka\/topics\.sh/,
  );
});
