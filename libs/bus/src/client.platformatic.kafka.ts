import {
  Admin,
  compatibilityPartitioner,
  ConfigResourceTypes,
  Consumer,
  findErrorBy,
  Producer,
  stringSerializers,
  type BaseOptions,
} from '@platformatic/kafka';
import { DEFAULT_TIMEOUT_MS, type KafkaClient, type KafkaOptions, type Span } from './kafka.js';
import { readAll } from './read-all.platformatic.kafka.js';
import { share } from './share.platformatic.kafka.js';
import { LOOKED_AT, type TopicFound, type TopicSettings } from './topic-settings.js';
import { within } from './within.kafka.js';

/** @platformatic/kafka, as the bus needs it. */
export function platformaticClient(options: KafkaOptions): KafkaClient {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, compression = 'gzip' } = options;
  const base = baseOptions(options);
  const reader = (options.topicPrefix ?? '') + options.clientId;
  const admin = new Admin(base);
  /** asks for offsets; never joins a group */
  const looker = new Consumer({ ...base, groupId: `${reader}-look` });
  let producer: Producer<string, string, string, string> | undefined;
  const bounded = <T>(work: Promise<T>): Promise<T> => within(timeoutMs, 'the brokers did not answer', work);

  const make = async (topic: TopicSettings): Promise<void> => {
    const { name, partitions, replicas, configs } = topic;
    const settings = Object.entries(configs).map(([setting, value]) => ({ name: setting, value }));
    try {
      await admin.createTopics({ topics: [name], partitions, replicas, configs: settings });
    } catch (error) {
      // Another replica was faster.
      if (!(error instanceof Error && findErrorBy(error, 'apiId', 'TOPIC_ALREADY_EXISTS'))) throw error;
    }
  };
  const forgetProducer = async (): Promise<void> => {
    const old = producer;
    producer = undefined;
    await old?.close(true).catch(() => undefined);
  };

  return {
    async describe(names) {
      const existing = new Set(await bounded(admin.listTopics()));
      const topics = names.filter((name) => existing.has(name));
      if (topics.length === 0) return new Map();
      const [{ topics: found }, configs] = await bounded(
        Promise.all([admin.metadata({ topics, forceUpdate: true }), configsOf(admin, topics)]),
      );
      return new Map(
        [...found].map(([name, { partitions }]): [string, TopicFound] => [
          name,
          {
            partitions: partitions.length,
            replicas: partitions[0]?.replicas.length ?? 0,
            configs: configs?.get(name),
          },
        ]),
      );
    },
    make: async (topics) => void (await bounded(Promise.all(topics.map(make)))),

    async produce(topic, messages) {
      producer ??= new Producer({
        ...base,
        idempotent: true,
        acks: -1,
        compression,
        // as every other client places keys
        partitioner: compatibilityPartitioner,
        serializers: stringSerializers,
      });
      await producer.send({
        messages: messages.map(({ key, value }) => ({ topic, key, ...(value === null ? {} : { value }) })),
      });
    },
    forgetProducer,

    share: (topic, groupId, take, rebalanced) => share({ ...base, groupId }, topic, take, rebalanced),
    readAll: (topic, from, take) => readAll({ ...base, groupId: `${reader}-all` }, topic, from, take),

    async spans(topic) {
      const [firsts, ends] = await bounded(
        Promise.all([
          looker.listOffsets({ topics: [topic], timestamp: -2n }),
          looker.listOffsets({ topics: [topic], timestamp: -1n }),
        ]),
      );
      const first = firsts.get(topic) ?? [];
      return new Map<number, Span>((ends.get(topic) ?? []).map((end, at) => [at, { first: first[at] ?? 0n, end }]));
    },

    async committed(topic, group) {
      const groups = await bounded(admin.listConsumerGroupOffsets({ groups: [group] }));
      const found = groups.flatMap(({ topics }) => topics).filter(({ name }) => name === topic);
      const partitions = found.flatMap((one) => one.partitions).filter(({ committedOffset }) => committedOffset >= 0n);
      return new Map(partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]));
    },

    async close() {
      await forgetProducer();
      await Promise.all([admin.close(), looker.close(true)].map((closed) => closed.catch(() => undefined)));
    },
  };
}

/** @returns undefined where this user may not ask */
async function configsOf(
  admin: Admin,
  topics: readonly string[],
): Promise<Map<string, Record<string, string>> | undefined> {
  const resources = topics.map((resourceName) => ({
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName,
    configurationKeys: [...LOOKED_AT],
  }));
  try {
    const found = await admin.describeConfigs({ resources });
    return new Map(
      found.map(({ resourceName, configs }) => [
        resourceName,
        Object.fromEntries(configs.map(({ name, value }) => [name, value ?? ''])),
      ]),
    );
  } catch (error) {
    if (error instanceof Error && findErrorBy(error, 'apiId', 'TOPIC_AUTHORIZATION_FAILED')) return undefined;
    throw error;
  }
}

/** An address is not a name that TLS could announce. */
const ADDRESS = /^(\[|\d+\.\d+\.\d+\.\d+:)/;

function baseOptions({ brokers, clientId, tls, sasl, timeoutMs = DEFAULT_TIMEOUT_MS }: KafkaOptions): BaseOptions {
  const password = sasl?.password.reveal();
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    connectTimeout: Math.min(3_000, timeoutMs),
    requestTimeout: timeoutMs,
    // How long brokers may take to have all replicas store what was sent; below it, so that their word is heard.
    timeout: Math.ceil(timeoutMs / 2),
    retries: 3,
    retryDelay: 100,
    autocreateTopics: false,
    ...(tls && {
      tls: {
        minVersion: 'TLSv1.2' as const,
        ...(tls.ca !== undefined && { ca: tls.ca }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.key && { key: tls.key.reveal() }),
      },
      tlsServerName: tls.servername ?? !brokers.some((broker) => ADDRESS.test(broker)),
    }),
    ...(sasl &&
      password !== undefined && { sasl: { mechanism: 'SCRAM-SHA-512' as const, username: sasl.username, password } }),
  };
}
