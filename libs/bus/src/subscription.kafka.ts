import type { Topic } from '@portcullis/contract/topics';
import type { Handle, Message, SubscriptionStats } from './bus.js';
import { complaints } from './complaints.js';
import { DEAD_LETTERS, handleWithout, letterOf, maxValueOf, messageOf, type Stored } from './dead-letters.js';
import type { Fetched, KafkaClient, KafkaOptions, Offsets, Reading, Span } from './kafka.js';
import { pause, within } from './within.kafka.js';

export interface SubscriptionParts {
  readonly client: KafkaClient;
  readonly options: KafkaOptions;
  prepare(): Promise<void>;
  readonly topic: Topic;
  readonly group: string;
  /** everything, on each replica, without a group's offsets */
  readonly all: boolean;
  readonly handle: Handle;
  publish(topic: Topic, messages: readonly Message[]): Promise<void>;
}

export interface Subscription {
  /** Resolves when messages come and, with `all`, what the topic held has been handled. */
  start(): Promise<void>;
  /** Resolves when the batch that is being handled is done, and the group is left. */
  stop(): Promise<void>;
  stats(): Promise<SubscriptionStats>;
}

/** A handler gets so many messages at most. */
const BATCH = 1_000;
/** A handler that rejects, and brokers that are away, are tried again after this and then ever later; ms. */
const FIRST_BACKOFF = 50;
const HANDLER_BACKOFF = 5_000;
const BROKER_BACKOFF = 1_000;
const CATCH_UP_MS = 60_000;
/** Whoever asks for figures waits no longer for the brokers. */
const ASK_MS = 2_000;

/** One group's reading of one topic: it goes on, by itself, whatever happens to the brokers. */
export function subscription(parts: SubscriptionParts): Subscription {
  const { client, options, topic, group, all, handle } = parts;
  const { topicPrefix = '', catchUpMs = CATCH_UP_MS, log } = options;
  // Of each topic a group of its own: a reader of one would be dealt partitions of another that it does not read.
  const [topicName, groupName] = [topicPrefix + topic, `${topicPrefix}${group}.${topic}`];
  const complain = complaints(log, Date.now);
  const stopping = new AbortController();
  const counts = { handled: 0, rejected: 0, buried: 0, rebalances: 0, restarts: 0 };
  /** of each partition, the first message that was not handled yet */
  const positions = new Map<number, bigint>();
  let reading: Reading | undefined;
  let supervised: Promise<void> | undefined;
  let moved: () => void = () => undefined;
  /** grows until something was taken, so that what breaks off again and again does not so in haste */
  let brokerBackoff = FIRST_BACKOFF;

  const bury = async (stored: Stored, reason: string): Promise<void> => {
    complain({ topic, group, reason, partition: stored.partition }, 'a message cannot be taken');
    // A dead letter that nobody understands stays where it is.
    if (topic !== DEAD_LETTERS) await parts.publish(DEAD_LETTERS, [letterOf({ reason, group, topic }, stored)]);
    counts.buried += 1;
  };

  /** Resolves when each message was taken or buried, however often that has to be tried. */
  const deliver = async (stored: readonly Stored[]): Promise<void> => {
    const unreadable: [Stored, string][] = [];
    const origins = new Map<Message, Stored>();
    for (const one of stored) {
      const message = messageOf(one, maxValueOf(topic));
      if (typeof message === 'string') unreadable.push([one, message]);
      else origins.set(message, one);
    }
    const attempt = async (): Promise<void> => {
      for (let next = unreadable[0]; next !== undefined; next = unreadable[0]) {
        await bury(...next);
        unreadable.shift();
      }
      await handleWithout(handle, [...origins.keys()], async (message, reason) => {
        const origin = origins.get(message);
        if (origin !== undefined) await bury(origin, reason);
        origins.delete(message);
      });
    };
    for (let backoff = FIRST_BACKOFF; ; backoff = Math.min(2 * backoff, HANDLER_BACKOFF)) {
      try {
        await attempt();
        counts.handled += origins.size;
        return;
      } catch (error) {
        counts.rejected += 1;
        complain({ error, topic, group }, 'a batch was rejected; it comes again');
        await pause(backoff, stopping.signal);
        if (stopping.signal.aborted) throw error;
      }
    }
  };

  const takeNow = async ({ messages, next }: Fetched): Promise<void> => {
    if (stopping.signal.aborted) throw new Error('the subscription was stopped');
    // After a rebalance, or when reading broke off, some of what was handled comes again.
    const fresh = messages.filter(({ partition, offset }) => offset >= (positions.get(partition) ?? 0n));
    for (let from = 0; from < fresh.length; from += BATCH) await deliver(fresh.slice(from, from + BATCH));
    for (const [partition, offset] of next)
      if (offset > (positions.get(partition) ?? -1n)) positions.set(partition, offset);
    brokerBackoff = FIRST_BACKOFF;
    moved();
  };
  let last: Promise<void> = Promise.resolve();
  /** One batch at a time, whoever brings it. */
  const take = (fetched: Fetched): Promise<void> => {
    const turn = last.then(() => takeNow(fetched));
    last = turn.catch(() => undefined);
    return turn;
  };

  const begin = async (): Promise<ReadonlyMap<number, Span>> => {
    if (!all) {
      positions.clear();
      reading = await client.share(topicName, groupName, take, () => void (counts.rebalances += 1));
      return new Map();
    }
    const spans = await client.spans(topicName);
    for (const [partition, { first, end }] of spans) {
      const at = positions.get(partition) ?? first;
      // Beyond the end: the topic was made anew, or the cluster has lost what it had.
      positions.set(partition, at > end || at < first ? first : at);
    }
    reading = await client.readAll(topicName, new Map(positions), take);
    return spans;
  };

  const supervise = async (): Promise<void> => {
    for (;;) {
      try {
        await reading?.ended;
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        complain({ error, topic, group }, 'reading broke off; it begins again');
      }
      await reading?.stop().catch(() => undefined);
      await restart();
      if (stopping.signal.aborted) return;
    }
  };
  const restart = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await pause(brokerBackoff, stopping.signal);
      if (stopping.signal.aborted) return;
      brokerBackoff = Math.min(2 * brokerBackoff, BROKER_BACKOFF);
      try {
        counts.restarts += 1;
        await begin();
        return;
      } catch (error) {
        complain({ error, topic, group }, 'the brokers cannot be read from; it is tried again');
      }
    }
  };

  const caughtUp = (spans: ReadonlyMap<number, Span>): Promise<void> =>
    new Promise((resolve, reject) => {
      moved = () => {
        if ([...spans].every(([partition, { end }]) => (positions.get(partition) ?? 0n) >= end)) resolve();
      };
      stopping.signal.addEventListener('abort', () => reject(new Error('the subscription was stopped')), {
        once: true,
      });
      moved();
    });

  const behind = async (): Promise<ReadonlyMap<number, number>> => {
    const [spans, at]: [ReadonlyMap<number, Span>, Offsets] = await Promise.all([
      client.spans(topicName),
      all ? positions : client.committed(topicName, groupName),
    ]);
    return new Map(
      [...spans].map(([partition, { first, end }]) => {
        const reached = at.get(partition) ?? first;
        return [partition, Number(end - (reached < first ? first : reached))];
      }),
    );
  };

  return {
    async start() {
      await parts.prepare();
      const spans = await begin();
      supervised = supervise();
      if (all) await within(catchUpMs, `what ${topic} holds was not read`, caughtUp(spans));
    },
    async stop() {
      stopping.abort();
      await reading?.stop();
      await supervised;
      await last;
      // A restart that was under way when we stopped.
      await reading?.stop();
    },
    async stats() {
      const asked = within(ASK_MS, 'the brokers did not answer', behind());
      return { topic, group, behind: await asked.catch(() => undefined), ...counts };
    },
  };
}
