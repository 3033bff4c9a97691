import { Consumer, type BaseOptions, type Message } from '@platformatic/kafka';
import type { Stored } from './dead-letters.js';
import type { Reading, Take } from './kafka.js';

/** A fetch brings so many bytes at most, of each partition and in all; so much is held besides what is being handled. */
const PARTITION_BYTES = 1_048_576;
const FETCH_BYTES = 4 * PARTITION_BYTES;
/** messages that are taken together */
const TOGETHER = 2_000;

/** Reads a topic as a member of a group, and commits what was taken. */
export async function share(
  options: BaseOptions & { groupId: string },
  topic: string,
  take: Take,
  rebalanced: () => void,
): Promise<Reading> {
  const consumer = new Consumer({
    ...options,
    // A member that was killed is missed after the session's end, and its partitions wait until then.
    sessionTimeout: 10_000,
    rebalanceTimeout: 15_000,
    heartbeatInterval: 1_000,
  });
  consumer.on('consumer:group:rebalance', rebalanced);
  consumer.on('error', () => undefined);
  const stream = await consumer
    .consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
      maxWaitTime: 500,
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: PARTITION_BYTES,
      // Messages of many sizes: as long as one is left of what was fetched, nothing more is asked for.
      highWaterMark: 1,
    })
    .catch(async (error: unknown) => {
      await consumer.close(true).catch(() => undefined);
      throw error;
    });

  let stopping = false;
  let broken: unknown;
  let awake: () => void = () => undefined;
  // It listens always: a stream that nobody listens to stops fetching, and does not begin again by being read.
  stream.on('readable', () => awake());
  stream.on('error', (error) => {
    broken = error;
    stopping = true;
    awake();
  });
  /** What was fetched before a rebalance is another member's now. */
  const isOurs = ({ partition }: Message): boolean =>
    consumer.assignments?.some((one) => one.topic === topic && one.partitions.includes(partition)) ?? false;

  const step = async (): Promise<void> => {
    const messages: Message[] = [];
    while (messages.length < TOGETHER) {
      const message: Message | null = stream.read();
      if (message === null) break;
      if (isOurs(message)) messages.push(message);
    }
    if (messages.length === 0) {
      await new Promise<void>((resolve) => (awake = resolve));
      return;
    }
    const ends = new Map(messages.map((message) => [message.partition, message]));
    await take({
      messages: messages.map(storedOf),
      next: new Map([...ends].map(([partition, { offset }]) => [partition, offset + 1n])),
    });
    await consumer.commit({
      offsets: [...ends.values()].map(({ partition, offset, leaderEpoch }) => ({
        topic,
        partition,
        offset: offset + 1n,
        leaderEpoch,
      })),
    });
  };
  const run = async (): Promise<void> => {
    while (!stopping) await step();
    if (broken !== undefined) throw broken;
  };
  const close = async (): Promise<void> => {
    stopping = true;
    awake();
    await ended.catch(() => undefined);
    await stream.close().catch(() => undefined);
    await consumer.close(true).catch(() => undefined);
  };
  const ended = run();
  ended.catch(() => undefined);
  let closed: Promise<void> | undefined;
  return { ended, stop: () => (closed ??= close()) };
}

/** What has no key or value has undefined there, whatever the types say. */
const storedOf = ({ partition, offset, key, value }: Message): Stored => ({
  partition,
  offset,
  key: (key as Buffer | undefined) ?? null,
  value: (value as Buffer | undefined) ?? null,
});
