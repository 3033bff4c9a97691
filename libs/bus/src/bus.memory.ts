import { TOPICS, type Topic } from '@portcullis/contract/topics';
import type { Bus, Message } from './bus.js';
import { DEAD_LETTERS, handleWithout, letterOfMessage } from './dead-letters.js';

/** One group's reading of one topic: a queue that is worked off one batch at a time. */
interface Subscription {
  /** Resolves when the handler has had the batch; rejects with what the handler threw, or when it was stopped before. */
  deliver(messages: readonly Message[]): Promise<void>;
  /** Resolves when the batch that is being handled, if any, is done. Must not be awaited by the handler itself. */
  stop(): Promise<void>;
}

/**
 * The bus of one process. It keeps nothing but the last message per key of compacted topics, so a publish resolves when
 * every group's handler has resolved, and rejects when one has not or when nobody has subscribed (to a topic that is not
 * compacted). The publisher then publishes the same batch again, and groups that had it see it twice.
 * A group is one subscriber here; a second one is refused. Dead letters go to whoever has subscribed to them; while nobody
 * has, a poisoned message keeps its batch from being taken.
 */
export function memoryBus(): Bus {
  const groups = new Map<Topic, Map<string, Subscription>>();
  const kept = new Map<Topic, Map<string, Message>>();
  let closed = false;

  const refuseClosed = (): void => {
    if (closed) throw new Error('the bus is closed');
  };

  const bus: Bus = {
    async publish(topic, messages) {
      refuseClosed();
      const batch = [...messages];
      if (TOPICS[topic].compacted) keepLast(inner(kept, topic), batch);
      const subscriptions = [...inner(groups, topic).values()];
      if (subscriptions.length === 0 && !TOPICS[topic].compacted) throw new Error(`nobody has subscribed to ${topic}`);
      const outcomes = await Promise.allSettled(subscriptions.map((subscription) => subscription.deliver(batch)));
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
    },

    async subscribe(topic, group, handle) {
      refuseClosed();
      const ofTopic = inner(groups, topic);
      if (ofTopic.has(group)) throw new Error(`group ${group} has subscribed to ${topic} already`);
      const bury = async (message: Message, reason: string): Promise<void> => {
        // It would wait for itself.
        if (topic === DEAD_LETTERS) throw new Error(`a dead letter cannot be taken: ${reason}`);
        await bus.publish(DEAD_LETTERS, [letterOfMessage({ reason, group, topic }, message)]);
      };
      const subscription = subscriptionOf((batch) => handleWithout(handle, batch, bury));
      ofTopic.set(group, subscription);
      const stop = async (): Promise<void> => {
        if (ofTopic.get(group) === subscription) ofTopic.delete(group);
        await subscription.stop();
      };
      try {
        // registered first: what is published meanwhile queues behind what the topic holds
        const held = [...inner(kept, topic).values()];
        if (held.length > 0) await subscription.deliver(held);
      } catch (error) {
        await stop();
        throw error;
      }
      return { stop };
    },

    async close() {
      closed = true;
      const all = [...groups.values()].flatMap((ofTopic) => [...ofTopic.values()]);
      groups.clear();
      await Promise.all(all.map((subscription) => subscription.stop()));
    },
  };
  return bus;
}

function subscriptionOf(handle: (messages: readonly Message[]) => Promise<void>): Subscription {
  let last: Promise<void> = Promise.resolve();
  let stopped = false;
  return {
    deliver(messages) {
      const turn = last.then(async () => {
        if (stopped) throw new Error('the subscription was stopped');
        await handle(messages);
      });
      last = turn.catch(() => undefined);
      return turn;
    },
    async stop() {
      stopped = true;
      await last;
    },
  };
}

/**
 * A key that comes again moves to the end, so that a replay has the order of the last messages. An empty value is a
 * tombstone: the key is forgotten.
 */
function keepLast(topic: Map<string, Message>, messages: readonly Message[]): void {
  for (const message of messages) {
    topic.delete(message.key);
    if (message.value !== '') topic.set(message.key, message);
  }
}

function inner<K, V>(outer: Map<Topic, Map<K, V>>, topic: Topic): Map<K, V> {
  const found = outer.get(topic) ?? new Map<K, V>();
  outer.set(topic, found);
  return found;
}
