import { TOPICS, type Topic } from '@portcullis/contract/topics';
import type { Handle } from './bus.js';
import type { KafkaBus, KafkaClient, KafkaOptions } from './kafka.js';
import { prepareTopics } from './prepare.kafka.js';
import { publisher } from './publisher.kafka.js';
import { reasonsOf } from './reasons.js';
import { subscription, type Subscription } from './subscription.kafka.js';

/**
 * The bus on a Kafka cluster, whatever library talks to it. Nothing is connected before the first publish or
 * subscription; the first that succeeds has looked at the topics, and made those that were missing.
 * A publish is stored by all in-sync replicas when it resolves. After one that was rejected some of its messages may be
 * stored all the same: it is published again, and subscribers know by the events' ids what they had.
 */
export function kafkaBus(client: KafkaClient, options: KafkaOptions): KafkaBus {
  const live = new Map<string, Subscription>();
  let closing: Promise<void> | undefined;
  let prepared: Promise<void> | undefined;
  const prepare = (): Promise<void> => {
    prepared ??= prepareTopics(client, options).catch((error: unknown) => {
      prepared = undefined;
      throw new Error(`Kafka at ${options.brokers.join(', ')}: ${reasonsOf(error)}`, { cause: error });
    });
    return prepared;
  };
  const out = publisher(client, options);
  const refuseClosed = (): void => {
    if (closing) throw new Error('the bus is closed');
  };
  const open = (topic: Topic, group: string, all: boolean, handle: Handle): Subscription =>
    subscription({ client, options, prepare, topic, group, all, handle, publish: out.publish });
  const close = async (): Promise<void> => {
    await Promise.all([...live.values()].map((one) => one.stop()));
    live.clear();
    await out.close();
    await client.close();
  };

  return {
    async publish(topic, messages) {
      refuseClosed();
      await prepare();
      refuseClosed();
      await out.publish(topic, messages);
    },

    async subscribe(topic, group, handle) {
      refuseClosed();
      const name = `${topic} ${group}`;
      if (live.has(name)) throw new Error(`group ${group} has subscribed to ${topic} already`);
      const one = open(topic, group, TOPICS[topic].compacted, handle);
      live.set(name, one);
      const stop = async (): Promise<void> => {
        if (live.get(name) === one) live.delete(name);
        await one.stop();
      };
      try {
        await one.start();
        refuseClosed();
      } catch (error) {
        await stop();
        throw error;
      }
      return { stop };
    },

    async readToEnd(topic, handle) {
      refuseClosed();
      const one = open(topic, 'reader', true, handle);
      try {
        await one.start();
      } finally {
        await one.stop();
      }
    },

    async stats() {
      const subscriptions = await Promise.all([...live.values()].map((one) => one.stats()));
      return { ...out.figures(), subscriptions };
    },

    close: () => (closing ??= close()),
  };
}
