import { Consumer, type BaseOptions } from '@platformatic/kafka';
import type { Stored } from './dead-letters.js';
import type { Fetched, Offsets, Reading, Take } from './kafka.js';

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

const PARTITION_BYTES = 1_048_576;
const FETCH_BYTES = 4 * PARTITION_BYTES;
/** the bit of a batch that holds marks of transactions, and no messages */
const IS_CONTROL = 0b10_0000;

/** Reads every partition of a topic, without a group: each leader is asked on its own, again and again. */
export async function readAll(
  options: BaseOptions & { groupId: string },
  topic: string,
  from: Offsets,
  take: Take,
): Promise<Reading> {
  const consumer = new Consumer({ ...options, retries: 1 });
  consumer.on('error', () => undefined);
  consumer.topics.track(topic);
  const positions = new Map(from);
  let stopping = false;

  const readFrom = async (node: number, topicId: string, partitions: readonly number[]): Promise<void> => {
    while (!stopping) {
      const answer = await consumer.fetch({
        node,
        maxWaitTime: 500,
        maxBytes: FETCH_BYTES,
        topics: [
          {
            topicId,
            partitions: partitions.map((partition) => ({
              partition,
              fetchOffset: positions.get(partition) ?? 0n,
              partitionMaxBytes: PARTITION_BYTES,
              currentLeaderEpoch: -1,
              lastFetchedEpoch: -1,
            })),
          },
        ],
      });
      const fetched = fetchedIn(answer, topicId, positions);
      if (fetched.next.size === 0 || stopping) continue;
      await take(fetched);
      for (const [partition, offset] of fetched.next) positions.set(partition, offset);
    }
  };
  const run = async (): Promise<void> => {
    const found = (await consumer.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic);
    if (found === undefined) throw new Error(`there is no topic ${topic}`);
    const byLeader = Map.groupBy(
      found.partitions.map(({ leader }, partition) => ({ leader, partition })),
      ({ leader }) => leader,
    );
    await Promise.all(
      [...byLeader].map(([leader, led]) =>
        readFrom(
          leader,
          found.id,
          led.map(({ partition }) => partition),
        ),
      ),
    );
  };
  /** When one leader cannot be read, the others are not either: who leads what is asked anew. */
  const ended = run().finally(() => (stopping = true));
  ended.catch(() => undefined);
  const close = async (): Promise<void> => {
    stopping = true;
    // Ends the fetch that is waiting.
    await consumer.close(true).catch(() => undefined);
    await ended.catch(() => undefined);
  };
  let closed: Promise<void> | undefined;
  return {
    ended: ended.catch((error: unknown) => {
      if (closed === undefined) throw error;
    }),
    stop: () => (closed ??= close()),
  };
}

function fetchedIn(answer: FetchResponse, topicId: string, positions: Offsets): Fetched {
  const messages: Stored[] = [];
  const next = new Map<number, bigint>();
  for (const { partitionIndex: partition, records } of answer.responses.flatMap((one) =>
    one.topicId === topicId ? one.partitions : [],
  )) {
    const from = positions.get(partition) ?? 0n;
    for (const batch of records ?? []) {
      const end = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
      // A leader answers with whole batches: the first may begin before what was asked for.
      if (end > (next.get(partition) ?? from)) next.set(partition, end);
      if (batch.attributes & IS_CONTROL) continue;
      for (const { key, value, offsetDelta } of batch.records) {
        const offset = batch.firstOffset + BigInt(offsetDelta);
        if (offset >= from) messages.push({ partition, offset, key, value });
      }
    }
  }
  return { messages, next };
}
