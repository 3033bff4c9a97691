import type { Topic } from '@portcullis/contract/topics';

/**
 * `value` is JSON text, or a statement (contract/containment); messages of one key keep their order. On a compacted topic an empty value is a tombstone: nothing
 * is kept of the key, and whoever listens should take no notice.
 */
export interface Message {
  readonly key: string;
  readonly value: string;
}

/**
 * Takes a batch; one batch at a time. What it rejects with is a {@link Poison}, or it gets the batch again.
 * @param bury for what it can never take, and goes on after
 */
export type Handle = (messages: readonly Message[], bury: Bury) => Promise<void>;
/**
 * Puts a message of the batch among the dead letters, and resolves when it is there.
 * @param reason for the operators: a few words
 */
export type Bury = (message: Message, reason: string) => Promise<void>;

/**
 * Publish and subscribe between services, at least once. Variants: memory (one process), kafka (with the backbone).
 * A handler that rejects gets the same batch again; what a handler does must therefore be idempotent. A message that can
 * never be taken, however often it comes, is named by rejecting with {@link Poison}: it goes to the dead letters, and the
 * rest of the batch comes again without it.
 */
export interface Bus {
  /**
   * Resolves when the bus answers for the messages: a durable bus has stored them, the memory bus has had every
   * subscriber handle them.
   * @throws when that is not so; the caller keeps them and tries again
   */
  publish(topic: Topic, messages: readonly Message[]): Promise<void>;
  /**
   * Resolves when the subscription is live and, for a compacted topic, what the topic holds has been handled.
   * The topic's row says who gets what. Compacted: every subscriber gets everything, so each replica of a service knows
   * the whole. Not compacted: the replicas that subscribe with one group share the messages, each key going to one of
   * them at a time; a new group begins with the oldest message that is kept.
   * @param group of `[a-z0-9-]`; a second subscription with it to the same topic of one bus is refused
   */
  subscribe(topic: Topic, group: string, handle: Handle): Promise<{ stop(): Promise<void> }>;
  close(): Promise<void>;
  /** What a bus that others share has to tell of itself; one that is a process's own has nothing. */
  stats?(): Promise<BusStats>;
}

/** Figures since the bus was made, for metrics. */
export interface BusStats {
  readonly published: number;
  readonly failedPublishes: number;
  readonly subscriptions: readonly SubscriptionStats[];
}
export interface SubscriptionStats {
  readonly topic: Topic;
  readonly group: string;
  /**
   * messages that wait, by partition: for the group as a whole, or for this reader of a compacted topic; undefined when
   * the brokers do not answer
   */
  readonly behind: ReadonlyMap<number, number> | undefined;
  readonly handled: number;
  /** batches that a handler rejected */
  readonly rejected: number;
  /** messages that went to the dead letters */
  readonly buried: number;
  /** how often the partitions were dealt out anew */
  readonly rebalances: number;
  /** how often reading broke off and began again */
  readonly restarts: number;
}

/** A handler rejects with this to say that one message of its batch can never be taken. */
export class Poison extends Error {
  /**
   * @param poisoned the message itself, as it was in the batch
   * @param reason for the operators: a few words that quote nothing of the message
   */
  constructor(
    readonly poisoned: Message,
    readonly reason: string,
  ) {
    super(`a message can never be taken: ${reason}`);
    this.name = 'Poison';
  }
}
