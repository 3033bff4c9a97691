import type { Topic } from '@portcullis/contract/topics';

/**
 * `value` is JSON text; messages of one key keep their order. On a compacted topic an empty value is a tombstone: nothing
 * is kept of the key, and whoever listens should take no notice.
 */
export interface Message {
  readonly key: string;
  readonly value: string;
}

/**
 * Publish and subscribe between services, at least once. Variants: memory (one process), kafka (with the backbone).
 * A handler that rejects gets the same batch again; what a handler does must therefore be idempotent.
 */
export interface Bus {
  /**
   * Resolves when the bus answers for the messages: a durable bus has stored them, the memory bus has had every
   * subscriber handle them.
   * @throws when that is not so; the caller keeps them and tries again
   */
  publish(topic: Topic, messages: readonly Message[]): Promise<void>;
  /** Resolves when the subscription is live and, for a compacted topic, what the topic holds has been handled. */
  subscribe(
    topic: Topic,
    group: string,
    handle: (messages: readonly Message[]) => Promise<void>,
  ): Promise<{ stop(): Promise<void> }>;
  close(): Promise<void>;
}
