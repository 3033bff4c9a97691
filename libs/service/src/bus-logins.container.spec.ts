import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Message } from '@portcullis/bus/bus';
import { kafkajsBus } from '@portcullis/bus/bus.kafkajs.kafka';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import type { KafkaOptions } from '@portcullis/bus/kafka';
import { silentLog } from '@portcullis/contract/log';
import { Secret } from '@portcullis/contract/secret';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { KafkaContainer, type StartedKafkaContainer } from '../../../tools/test/kafka-container.mjs';
import { selfSigned } from './certificate.fixture.js';

// How the bus logs in, by a password and by a certificate, to a broker that lets nobody else in.
const server = selfSigned('localhost');
const client = selfSigned();
const password = 'pw-of-writer';
let container: StartedKafkaContainer;
beforeAll(async () => {
  const users = { writer: password };
  container = await new KafkaContainer().withSecurity({ ...server, clients: client.cert, users }).start();
  const admin = new Kafka({ brokers: [container.getBroker()], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const resources = [AclResourceTypes.TOPIC, AclResourceTypes.GROUP].flatMap((resourceType) =>
    ['User:writer', 'User:CN=127.0.0.1'].map((principal) => ({ resourceType, principal })),
  );
  await admin.createAcls({
    acl: resources.map((each) => ({
      ...each,
      host: '*',
      resourceName: 'login-',
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      operation: AclOperationTypes.ALL,
      permissionType: AclPermissionTypes.ALLOW,
    })),
  });
  await admin.disconnect();
});
afterAll(() => container?.stop());

describe.each([
  ['@platformatic/kafka', 'login-p-', platformaticBus],
  ['kafkajs', 'login-k-', kafkajsBus],
])('the bus by %s', (_library, topicPrefix, open) => {
  const topics = ['portcullis.events'] as const;
  const base = { clientId: 'login-spec', topicPrefix, topics, timeoutMs: 5_000, log: silentLog };
  const tls = { ca: server.cert, servername: 'localhost' };
  const scram = (name: string, secret: string): KafkaOptions => ({
    ...base,
    brokers: [container.getScramBroker()],
    tls,
    sasl: { username: name, password: new Secret(secret) },
  });
  const mtls = (login: { cert?: string; key?: Secret }): KafkaOptions => ({
    ...base,
    brokers: [container.getMtlsBroker()],
    tls: { ...tls, ...login },
  });

  /** Publishes an event, reads it in a group, and closes. */
  const talk = async (options: KafkaOptions): Promise<Message | undefined> => {
    const bus = open(options);
    try {
      await bus.publish('portcullis.events', [{ key: 'acme/k', value: '{}' }]);
      return await new Promise<Message | undefined>((resolve, reject) => {
        bus.subscribe('portcullis.events', 'a', async ([first]) => resolve(first)).catch(reject);
      });
    } finally {
      await bus.close();
    }
  };

  it('logs in by SCRAM-SHA-512 over TLS', async () => {
    expect(await talk(scram('writer', password))).toEqual({ key: 'acme/k', value: '{}' });
  });

  it('logs in by a certificate', async () => {
    const login = { cert: client.cert, key: new Secret(client.key) };
    expect(await talk(mtls(login))).toEqual({ key: 'acme/k', value: '{}' });
  });

  it('is refused with a wrong password, and does not say which', async () => {
    const refused = await talk(scram('writer', 'wrong-guess')).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Error);
    expect(JSON.stringify(refused, Object.getOwnPropertyNames(refused))).not.toContain('wrong-guess');
  });

  it('is refused without a certificate', async () => {
    await expect(talk(mtls({}))).rejects.toThrow();
  });

  it('does not talk to a broker that cannot prove its name', async () => {
    const options = { ...scram('writer', password), tls: { ...tls, ca: selfSigned('localhost').cert } };
    await expect(talk(options)).rejects.toThrow();
  });

  it('does not talk to a broker that proves another name than the one it is reached by', async () => {
    await expect(
      talk({ ...scram('writer', password), tls: { ca: server.cert, servername: 'kafka.example' } }),
    ).rejects.toThrow();
  });
});
