import type { ConsumerConfig, EachBatchPayload, Kafka } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import type { Fetched, Offsets, Reading, Take } from './kafka.js';

const PARTITION_BYTES = 1_048_576;
const HEARTBEAT_MS = 1_000;
const SETTINGS: Omit<ConsumerConfig, 'groupId'> = {
  // A member that was killed is missed after the session's end, and its partitions wait until then.
  sessionTimeout: 10_000,
  rebalanceTimeout: 15_000,
  heartbeatInterval: HEARTBEAT_MS,
  // A rebalance waits for a fetch that waits.
  maxWaitTimeInMs: 200,
  maxBytesPerPartition: PARTITION_BYTES,
  maxBytes: 4 * PARTITION_BYTES,
  allowAutoTopicCreation: false,
  // The bus begins anew by itself.
  retry: { retries: 4, initialRetryTime: 100, maxRetryTime: 500, restartOnFailure: async () => false },
};

/** Reads a topic as a member of a group, and commits what was taken. */
export const share = (
  kafka: Kafka,
  topic: string,
  group: string,
  take: Take,
  rebalanced: () => void,
): Promise<Reading> =>
  read(kafka, topic, group, {
    rebalanced,
    async each({ batch, commitOffsetsIfNecessary }, fetched) {
      await take(fetched);
      const partitions = [...fetched.next].map(([partition, offset]) => ({ partition, offset: String(offset) }));
      await commitOffsetsIfNecessary({ topics: [{ topic: batch.topic, partitions }] });
    },
  });

/** Reads every partition. This library knows groups only: each reading is one of its own, which commits nothing. */
export async function readAll(
  kafka: Kafka,
  topic: string,
  reader: string,
  from: Offsets,
  take: Take,
): Promise<Reading> {
  return read(kafka, topic, `${reader}-all-${randomUUID()}`, {
    from,
    each: (_payload, fetched) => take(fetched),
  });
}

interface How {
  readonly from?: Offsets;
  rebalanced?(): void;
  each(payload: EachBatchPayload, fetched: Fetched): Promise<void>;
}

async function read(kafka: Kafka, topic: string, groupId: string, how: How): Promise<Reading> {
  const consumer = kafka.consumer({ ...SETTINGS, groupId });
  let joined: () => void = () => undefined;
  let broken: (error: Error) => void = () => undefined;
  let over: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (joined = resolve));
  const ended = new Promise<void>((resolve, reject) => {
    // It says STOP before it says CRASH too: only our own stop is an end.
    [over, broken] = [resolve, reject];
  });
  ended.catch(() => undefined);
  let joins = 0;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    if (++joins > 1) how.rebalanced?.();
    joined();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => broken(payload.error));

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const { batch, heartbeat, resolveOffset } = payload;
    const { partition } = batch;
    const messages = batch.messages.map(({ offset, key, value }) => ({
      partition,
      offset: BigInt(offset),
      key,
      value,
    }));
    const last = batch.lastOffset();
    // The group is told that we live, however long the handler takes; it hears of a rebalance after that.
    const timer = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
    try {
      await how.each(payload, { messages, next: new Map([[partition, BigInt(last) + 1n]]) });
      resolveOffset(last);
    } finally {
      clearInterval(timer);
    }
  };
  const stop = async (): Promise<void> => {
    await consumer.disconnect().catch(() => undefined);
    over();
    // Nobody joins it again.
    if (how.from) await forgetGroup(kafka, groupId).catch(() => undefined);
  };
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
    for (const [partition, offset] of how.from ?? []) consumer.seek({ topic, partition, offset: String(offset) });
    await Promise.race([ready, ended]);
  } catch (error) {
    await stop();
    throw error;
  }
  let stopped: Promise<void> | undefined;
  return { ended, stop: () => (stopped ??= stop()) };
}

async function forgetGroup(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } finally {
    await admin.disconnect();
  }
}
