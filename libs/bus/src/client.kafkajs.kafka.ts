import { CompressionTypes, Kafka, logLevel, type Admin, type KafkaConfig, type Producer } from 'kafkajs';
import { DEFAULT_TIMEOUT_MS, type KafkaClient, type KafkaOptions } from './kafka.js';
import { readAll, share } from './read.kafkajs.kafka.js';
import { LOOKED_AT, type TopicFound } from './topic-settings.js';
import { within } from './within.kafka.js';

/** kafkajs, as the bus needs it. It compresses by gzip, whatever else is asked for but none. */
export function kafkajsClient(options: KafkaOptions): KafkaClient {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, topicPrefix = '', clientId } = options;
  const kafka = new Kafka(configOf(options));
  const compression = options.compression === 'none' ? CompressionTypes.None : CompressionTypes.GZIP;
  let admin: Promise<Admin> | undefined;
  let producer: Promise<Producer> | undefined;
  const bounded = <T>(work: Promise<T>): Promise<T> => within(timeoutMs, 'the brokers did not answer', work);

  const connected = async <T extends { connect(): Promise<void>; disconnect(): Promise<void> }>(one: T): Promise<T> => {
    await one.connect().catch(async (error: unknown) => {
      await one.disconnect().catch(() => undefined);
      throw error;
    });
    return one;
  };
  /** Once connected it reconnects by itself; what could not connect is made anew. */
  const ask = async <T>(question: (admin: Admin) => Promise<T>): Promise<T> => {
    admin ??= connected(kafka.admin()).catch((error: unknown) => {
      admin = undefined;
      throw error;
    });
    return bounded(admin.then(question));
  };
  const forgetProducer = async (): Promise<void> => {
    const old = producer;
    producer = undefined;
    await old?.then((one) => within(timeoutMs, 'no goodbye', one.disconnect())).catch(() => undefined);
  };

  return {
    describe: (names) =>
      ask(async (one) => {
        const existing = new Set(await one.listTopics());
        const topics = names.filter((name) => existing.has(name));
        if (topics.length === 0) return new Map();
        const [{ topics: found }, configs] = await Promise.all([
          one.fetchTopicMetadata({ topics }),
          configsOf(one, topics),
        ]);
        return new Map(
          found.map(({ name, partitions }): [string, TopicFound] => [
            name,
            {
              partitions: partitions.length,
              replicas: partitions[0]?.replicas.length ?? 0,
              configs: configs?.get(name),
            },
          ]),
        );
      }),
    make: (topics) =>
      ask(async (one) => {
        // Says false, and no more, where another replica was faster.
        await one.createTopics({
          waitForLeaders: false,
          timeout: timeoutMs,
          topics: topics.map(({ name, partitions, replicas, configs }) => ({
            topic: name,
            numPartitions: partitions,
            replicationFactor: replicas,
            configEntries: Object.entries(configs).map(([setting, value]) => ({ name: setting, value })),
          })),
        });
      }),

    async produce(topic, messages) {
      producer ??= connected(
        // The order of a key is kept, when a request is repeated, only with one in flight.
        kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false }),
      );
      await (await producer).send({ topic, acks: -1, timeout: timeoutMs, compression, messages: [...messages] });
    },
    forgetProducer,

    share: (topic, group, take, rebalanced) => share(kafka, topic, group, take, rebalanced),
    readAll: (topic, from, take) => readAll(kafka, topic, topicPrefix + clientId, from, take),

    spans: (topic) =>
      ask(async (one) => {
        const found = await one.fetchTopicOffsets(topic);
        return new Map(found.map(({ partition, low, high }) => [partition, { first: BigInt(low), end: BigInt(high) }]));
      }),
    committed: (topic, group) =>
      ask(async (one) => {
        const found = await one.fetchOffsets({ groupId: group, topics: [topic] });
        const partitions = found.flatMap((each) => each.partitions).filter(({ offset }) => !offset.startsWith('-'));
        return new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
      }),

    async close() {
      await forgetProducer();
      await admin?.then((one) => within(timeoutMs, 'no goodbye', one.disconnect())).catch(() => undefined);
    },
  };
}

/** This library's enum of what has settings is no named export of it, nor are its errors. */
const OF_TOPIC = 2;
const isRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  (('type' in error && error.type === 'TOPIC_AUTHORIZATION_FAILED') || isRefusal(error.cause));

/** @returns undefined where this user may not ask */
async function configsOf(
  admin: Admin,
  topics: readonly string[],
): Promise<Map<string, Record<string, string>> | undefined> {
  const resources = topics.map((name) => ({ type: OF_TOPIC, name, configNames: [...LOOKED_AT] }));
  try {
    const { resources: found } = await admin.describeConfigs({ resources, includeSynonyms: false });
    return new Map(
      found.map(({ resourceName, configEntries }) => [
        resourceName,
        Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

function configOf({ brokers, clientId, tls, sasl, timeoutMs = DEFAULT_TIMEOUT_MS }: KafkaOptions): KafkaConfig {
  return {
    clientId,
    brokers: [...brokers],
    // What goes wrong is thrown, and said once by the bus.
    logLevel: logLevel.NOTHING,
    connectionTimeout: Math.min(3_000, timeoutMs),
    requestTimeout: timeoutMs,
    // Few: what does not work is begun afresh by the bus, which takes less time than a client that waits ever longer.
    retry: { retries: 4, initialRetryTime: 100, maxRetryTime: 500 },
    ...(tls && {
      ssl: {
        minVersion: 'TLSv1.2' as const,
        ...(tls.ca !== undefined && { ca: tls.ca }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.servername !== undefined && { servername: tls.servername }),
        ...(tls.key && { key: tls.key.reveal() }),
      },
    }),
    ...(sasl && {
      sasl: { mechanism: 'scram-sha-512' as const, username: sasl.username, password: sasl.password.reveal() },
    }),
  };
}
