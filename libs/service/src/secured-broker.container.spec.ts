import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import type { KafkaConfig } from 'kafkajs';
import type { ConnectionOptions } from 'node:tls';
import { KafkaContainer, type StartedKafkaContainer } from '../../../tools/test/kafka-container.mjs';
import { selfSigned } from './certificate.fixture.js';

// The broker's part of what is promised about logins: whoever's image it is, it refuses who has none.
const server = selfSigned('localhost');
const client = selfSigned();
const users = { writer: 'pw-of-writer', stranger: 'pw-of-stranger' };
let container: StartedKafkaContainer;
beforeAll(async () => {
  container = await new KafkaContainer().withSecurity({ ...server, clients: client.cert, users }).start();
  const admin = open(container.getBroker(), {}).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'open-to-writer', numPartitions: 1 }] });
  await admin.createAcls({
    acl: ['User:writer', 'User:CN=127.0.0.1'].map((principal) => ({
      principal,
      host: '*',
      resourceType: AclResourceTypes.TOPIC,
      resourceName: 'open-to-writer',
      resourcePatternType: ResourcePatternTypes.LITERAL,
      operation: AclOperationTypes.WRITE,
      permissionType: AclPermissionTypes.ALLOW,
    })),
  });
  await admin.disconnect();
});
afterAll(async () => {
  await container?.stop();
});

const open = (broker: string, config: Partial<KafkaConfig>): Kafka =>
  new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 0 }, ...config });
const tls: ConnectionOptions = { ca: [server.cert], servername: 'localhost', minVersion: 'TLSv1.3' };
const scram = (username: string, password: string) =>
  open(container.getScramBroker(), { ssl: tls, sasl: { mechanism: 'scram-sha-512', username, password } });

async function send(kafka: Kafka): Promise<number> {
  const producer = kafka.producer({ retry: { retries: 0 } });
  try {
    await producer.connect();
    const sent = await producer.send({ topic: 'open-to-writer', acks: -1, messages: [{ value: 'x' }] });
    return sent.length;
  } finally {
    await producer.disconnect();
  }
}

test('a user with the password writes where a rule lets it', async () => {
  expect(await send(scram('writer', users.writer))).toBe(1);
});

test('a user without a rule is refused', async () => {
  await expect(send(scram('stranger', users.stranger))).rejects.toThrow(/[Aa]uthoriz/);
});

test('a wrong password is refused', async () => {
  await expect(send(scram('writer', users.stranger))).rejects.toThrow(/SASL SCRAM SHA512 authentication failed/);
});

test('a certificate that the broker knows is a login', async () => {
  expect(await send(open(container.getMtlsBroker(), { ssl: { ...tls, ...client } }))).toBe(1);
});

test.each([
  ['no certificate', {}],
  ['a certificate of a stranger', selfSigned()],
])('%s is refused', async (_what, login) => {
  await expect(send(open(container.getMtlsBroker(), { ssl: { ...tls, ...login } }))).rejects.toThrow();
});

test('a broker that cannot prove its name is not talked to', async () => {
  const other = { ...tls, ca: [selfSigned('localhost').cert] };
  await expect(send(open(container.getMtlsBroker(), { ssl: { ...other, ...client } }))).rejects.toThrow(
    /self-signed|unable to verify/,
  );
});
