import type { Topic } from '@portcullis/contract/topics';
import { TOPICS } from '@portcullis/contract/topics';
import { Buffer } from 'node:buffer';
import type { Message } from './bus.js';
import { MAX_KEY, maxValueOf } from './dead-letters.js';
import { chunks, DEFAULT_TIMEOUT_MS, type KafkaClient, type KafkaOptions } from './kafka.js';
import { within } from './within.kafka.js';

interface Waiting {
  readonly messages: readonly Message[];
  resolve(): void;
  reject(error: unknown): void;
}

export interface Publisher {
  publish(topic: Topic, messages: readonly Message[]): Promise<void>;
  figures(): { published: number; failedPublishes: number };
  /** Waits for what is under way, which has a deadline. */
  close(): Promise<void>;
}

/** So many messages go out together, if so many wait. */
const TOGETHER = 5_000;

/**
 * One produce at a time; what is published meanwhile to one topic goes out together. When a produce fails, whatever waits
 * behind it for the same topic is refused too: it must not overtake what its publisher will publish again.
 */
export function publisher(client: KafkaClient, { topicPrefix = '', timeoutMs }: KafkaOptions): Publisher {
  const queues = new Map<Topic, Waiting[]>();
  let [published, failedPublishes] = [0, 0];
  let running: Promise<void> | undefined;

  const produce = async (topic: Topic, waiting: readonly Waiting[]): Promise<void> => {
    const messages = waiting.flatMap((one) => one.messages);
    for (const chunk of chunks(messages, sizeOf)) {
      // An empty value of a compacted topic is a tombstone, and Kafka's is null.
      const records = TOPICS[topic].compacted ? chunk.map(entombed) : chunk;
      await within(
        timeoutMs ?? DEFAULT_TIMEOUT_MS,
        'the brokers did not answer',
        client.produce(topicPrefix + topic, records),
      );
    }
    published += messages.length;
  };

  const step = async (topic: Topic, queue: Waiting[]): Promise<void> => {
    let count = 0;
    let size = 0;
    while (count < queue.length && size < TOGETHER) size += queue[count++]?.messages.length ?? 0;
    const waiting = queue.splice(0, count);
    try {
      await produce(topic, waiting);
      for (const one of waiting) one.resolve();
    } catch (error) {
      waiting.push(...queue.splice(0));
      failedPublishes += waiting.length;
      await client.forgetProducer();
      for (const one of waiting) one.reject(error);
    }
  };
  const run = async (): Promise<void> => {
    for (let found = true; found;) {
      found = false;
      for (const [topic, queue] of queues) {
        if (queue.length === 0) continue;
        found = true;
        await step(topic, queue);
      }
    }
    running = undefined;
  };

  return {
    async publish(topic, messages) {
      if (messages.length === 0) return;
      for (const message of messages) refuseUnfit(message, maxValueOf(topic));
      const queue = queues.get(topic) ?? [];
      queues.set(topic, queue);
      const done = new Promise<void>((resolve, reject) => queue.push({ messages: [...messages], resolve, reject }));
      running ??= run();
      await done;
    },
    figures: () => ({ published, failedPublishes }),
    close: async () => running,
  };
}

const sizeOf = ({ key, value }: Message): number => Buffer.byteLength(key) + Buffer.byteLength(value) + 32;
const entombed = ({ key, value }: Message): { key: string; value: string | null } => ({
  key,
  value: value === '' ? null : value,
});

function refuseUnfit({ key, value }: Message, maxValue: number): void {
  if (key === '') throw new RangeError('a message needs a key');
  if (Buffer.byteLength(key) > MAX_KEY) throw new RangeError('the key of a message is too long');
  if (Buffer.byteLength(value) > maxValue) throw new RangeError('a message is too large');
}
