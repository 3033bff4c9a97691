// Each Kafka client by itself: it produces batches, and reads a topic as a group, as its documentation shows it.
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { compatibilityPartitioner, Consumer, Producer, stringSerializers } from '@platformatic/kafka';

/**
 * By client, for one broker: `producer(topic)` resolves to `send` (one batch, acknowledged by all replicas, idempotent, gzip)
 * and `close`; `consumer(topic, group, heard)` calls `heard(count)` from the oldest message on, and resolves to `close` when
 * it is a member of its group.
 */
export const bare = {
  '@platformatic/kafka': (broker) => {
    const base = { clientId: 'bench', bootstrapBrokers: [broker] };
    return {
      async producer(topic) {
        const settings = { idempotent: true, acks: -1, compression: 'gzip', partitioner: compatibilityPartitioner };
        const producer = new Producer({ ...base, ...settings, serializers: stringSerializers });
        return {
          send: (batch) => producer.send({ messages: batch.map((event) => ({ ...event, topic })) }),
          close: () => producer.close(),
        };
      },
      async consumer(topic, groupId, heard) {
        const consumer = new Consumer({ ...base, groupId });
        const stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' });
        stream.on('data', () => heard(1));
        return {
          async close() {
            await stream.close();
            await consumer.close(true);
          },
        };
      },
    };
  },
  kafkajs: (broker) => {
    const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
    return {
      async producer(topic) {
        const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
        await producer.connect();
        return {
          send: (messages) => producer.send({ topic, acks: -1, compression: CompressionTypes.GZIP, messages }),
          close: () => producer.disconnect(),
        };
      },
      async consumer(topic, groupId, heard) {
        const consumer = kafka.consumer({ groupId });
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        await consumer.run({ eachBatch: async ({ batch }) => void heard(batch.messages.length) });
        return { close: () => consumer.disconnect() };
      },
    };
  },
};
