import type { Log } from '@portcullis/contract/log';
import type { Secret } from '@portcullis/contract/secret';
import type { Topic } from '@portcullis/contract/topics';
import type { Bus, BusStats, Message } from './bus.js';
import type { Stored } from './dead-letters.js';
import type { Readable } from './letters.js';
import type { TopicFound, TopicSettings } from './topic-settings.js';

/** How to reach a Kafka cluster, the same for each client library. */
export interface KafkaOptions {
  /** `host:port` of some brokers */
  readonly brokers: readonly string[];
  /** which service this is; what brokers log and quotas go by */
  readonly clientId: string;
  /** TLS 1.2 or newer, and brokers prove their names */
  readonly tls?: KafkaTls | undefined;
  /** by SCRAM-SHA-512 */
  readonly sasl?: { readonly username: string; readonly password: Secret } | undefined;
  /** before the name of each topic and group: clusters of several stages, and tests. Default none */
  readonly topicPrefix?: string | undefined;
  /** the topics that this user has to do with: made where they are missing, and looked at. Default: all */
  readonly topics?: readonly Topic[] | undefined;
  /** copies of each topic that is made here. Default: what the brokers do */
  readonly replicas?: number | undefined;
  /** Default gzip, which every client reads; kafkajs reads and writes no zstd, and writes gzip where it is asked for */
  readonly compression?: Compression | undefined;
  /** one request waits so long at most, and a publish so long in all; ms. Default 10,000 */
  readonly timeoutMs?: number | undefined;
  /** a subscription to a compacted topic may take so long to read what the topic holds; ms. Default 60,000 */
  readonly catchUpMs?: number | undefined;
  readonly log: Log;
}
export interface KafkaTls {
  /** PEM of whoever vouches for the brokers; default: whom Node trusts */
  readonly ca?: string;
  /** our own certificate and key, PEM, where brokers ask who we are */
  readonly cert?: string;
  readonly key?: Secret;
  /** the name that each broker proves, where that is not the one it is reached by */
  readonly servername?: string;
}
export type Compression = 'none' | 'gzip' | 'zstd';
export const DEFAULT_TIMEOUT_MS = 10_000;

/** The bus with what only a durable one has. */
export interface KafkaBus extends Bus, Readable {
  stats(): Promise<BusStats>;
}

/** What a partition holds: its first offset, and the one that the next message gets. */
export interface Span {
  readonly first: bigint;
  readonly end: bigint;
}
/** Where to go on, by partition. */
export type Offsets = ReadonlyMap<number, bigint>;

/** Some messages in the order of their partitions, and how far each of these is read with them. */
export interface Fetched {
  readonly messages: readonly Stored[];
  readonly next: Offsets;
}
/** Resolves when they are handled; a rejection ends the reading. */
export type Take = (fetched: Fetched) => Promise<void>;

export interface Reading {
  /** Resolves after stop, rejects when reading breaks off. */
  readonly ended: Promise<void>;
  /** Ends after what is being handled, and commits it. */
  stop(): Promise<void>;
}

/** What the bus needs of a client library. Topics and groups are named as the cluster knows them. */
export interface KafkaClient {
  /** What there is of these topics; one that is missing, or that this user may not see, is absent. */
  describe(names: readonly string[]): Promise<ReadonlyMap<string, TopicFound>>;
  /** Makes topics, unless another replica was faster; their partitions may not have leaders yet. */
  make(topics: readonly TopicSettings[]): Promise<void>;
  /** Resolves when all in-sync replicas have the messages. One produce at a time. */
  produce(topic: string, messages: readonly { key: string; value: string | null }[]): Promise<void>;
  /** After a produce that failed the next one begins afresh. */
  forgetProducer(): Promise<void>;
  /** Reads as a member of a group; commits what was taken. Resolves when the group has taken it in. */
  share(topic: string, group: string, take: Take, rebalanced: () => void): Promise<Reading>;
  /** Reads every partition, beginning at `from` (default: its first message), in no one's company. */
  readAll(topic: string, from: Offsets, take: Take): Promise<Reading>;
  spans(topic: string): Promise<ReadonlyMap<number, Span>>;
  /** What a group has committed; a partition without is absent. */
  committed(topic: string, group: string): Promise<Offsets>;
  close(): Promise<void>;
}

/** One request takes at most so many bytes and messages, so that no partition's batch is larger than brokers accept. */
const CHUNK_BYTES = 786_432;
const CHUNK_MESSAGES = 5_000;

/** @param bytes the size of a message */
export function chunks(messages: readonly Message[], bytes: (message: Message) => number): Message[][] {
  const all: Message[][] = [];
  let [size, chunk]: [number, Message[]] = [0, []];
  for (const message of messages) {
    const more = bytes(message);
    if (chunk.length > 0 && (size + more > CHUNK_BYTES || chunk.length === CHUNK_MESSAGES)) {
      all.push(chunk);
      [size, chunk] = [0, []];
    }
    size += more;
    chunk.push(message);
  }
  if (chunk.length > 0) all.push(chunk);
  return all;
}
