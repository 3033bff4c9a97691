import type { Bury, Bus, Message } from '@portcullis/bus/bus';
import {
  heartbeatKey,
  heartbeatSchema,
  PASSED_OVER,
  STALE_MS,
  type SignedTopic,
  type PassedOver,
  type Statement,
} from '@portcullis/contract/containment';
import type { Log } from '@portcullis/contract/log';
import { readStatement } from './statement.js';
import type { SigningKeys } from './token.js';

export interface FeedPorts {
  /** the published keys of the topic's signer */
  keysOf(topic: SignedTopic): SigningKeys;
  /** ms since epoch */
  now(): number;
  /** ms of a clock that is never turned; from when is all the same */
  uptime(): number;
  /** counts what is passed over */
  passedOver?(topic: SignedTopic, why: PassedOver): void;
  /** the signer's own: a message stands on the topic under these keys that should not, and may hide a true one */
  mend?(topic: SignedTopic, key: string): void;
  readonly log: Log;
}

/** How a feed of statements does. */
export interface Feed {
  /** false before what the topic held has been handled, and once the feed has stopped */
  ready(): boolean;
  /** ms since the last heartbeat was heard; Infinity before the first */
  ageMs(): number;
  /** has the signer been heard in the last {@link STALE_MS}, so that what is known here is what it has said? */
  isFresh(): boolean;
  stop(): Promise<void>;
}

/** What a feed makes of its statements. */
export interface Taking {
  /** @returns why it is passed over; undefined when it was taken */
  take(statement: Statement): PassedOver | undefined;
  /** does what was said of a key still count, though a tombstone came for it? */
  stillCounts(key: string): boolean;
}

/** Signatures are verified so many at a time, off this thread. */
const AT_ONCE = 100;
/** Heartbeats of one batch that are looked at: a topic that was not compacted for a while holds one for each second. */
const BEATS_AT_ONCE = 8;
/** Processes of one signer whose heartbeats are numbered. */
const INSTANCES = 32;
/**
 * A recorded heartbeat says nothing of now. One of a process that was heard here has a number that was had; for one of
 * another the clocks decide, which may be an hour off without a false alarm.
 */
const CLOCKS_APART_MS = 2 * 60 * 60_000;

/**
 * Listens to a containment topic. Resolves when its present content has been handled. A heartbeat that the topic held is
 * as old as it says; one that comes later is as old as its arrival, whatever the clocks say. After this process was held
 * up the feed is stale until the next heartbeat, since others may have been contained meanwhile.
 * @param group the service that listens
 */
export async function statementFeed(
  bus: Bus,
  topic: SignedTopic,
  group: string,
  taking: Taking,
  ports: FeedPorts,
): Promise<Feed> {
  const { now, uptime, log } = ports;
  const keys = ports.keysOf(topic);
  const heartbeat = heartbeatKey(topic);
  const heard = new Map<string, number>();
  let [caughtUp, stopped, heardAt] = [false, false, -Infinity];

  const beat = ({ seq, body }: Statement): PassedOver | undefined => {
    const parsed = heartbeatSchema.safeParse(body);
    if (!parsed.success) return 'not_understood';
    const { instance, at } = parsed.data;
    const age = now() - at;
    if (seq <= (heard.get(instance) ?? -1) || Math.abs(age) > CLOCKS_APART_MS) return 'out_of_date';
    heard.delete(instance);
    heard.set(instance, seq);
    if (heard.size > INSTANCES) heard.delete(heard.keys().next().value!);
    // of how long the topic held it nobody knows but the clocks
    if (caughtUp) heardAt = uptime();
    else if (age >= 0) heardAt = Math.max(heardAt, uptime() - age);
    return undefined;
  };
  const passOver = (key: string, why: PassedOver): void => {
    const says = `a message on ${topic} ${PASSED_OVER[why]}`;
    // a bus that hands over at least once may say what was said
    if (why === 'out_of_date') log.warn(says, { reason: why });
    else log.error(says, { reason: why });
    ports.passedOver?.(topic, why);
    if (key !== heartbeat) ports.mend?.(topic, key);
  };
  /** @returns why it was passed over */
  const handle = (message: Message, read: Statement | PassedOver | undefined): PassedOver | undefined => {
    const { key } = message;
    // a tombstone; nothing can sign it
    if (read === undefined) {
      if (taking.stillCounts(key)) passOver(key, 'removed');
      return undefined;
    }
    const why = typeof read === 'string' ? read : key === heartbeat ? beat(read) : taking.take(read);
    // the topic holds the last heartbeat, and whoever comes again has had it
    if (why !== undefined && !(why === 'out_of_date' && key === heartbeat && !caughtUp)) passOver(key, why);
    return why;
  };
  /** The signer says again what such a message may hide, and so takes it off the topic: what it was is kept elsewhere. */
  const keep = async (message: Message, why: PassedOver | undefined, bury: Bury): Promise<void> => {
    if (why === undefined || why === 'out_of_date' || ports.mend === undefined || message.key === heartbeat) return;
    await bury(message, PASSED_OVER[why]).catch((error: unknown) => {
      log.warn('what was passed over cannot be put among the dead letters', { error, topic });
    });
  };

  const subscription = await bus.subscribe(topic, group, async (messages, bury) => {
    const looked = withoutOldBeats(messages, heartbeat);
    for (let from = 0; from < looked.length; from += AT_ONCE) {
      const some = looked.slice(from, from + AT_ONCE);
      const read = await Promise.all(
        some.map(async (message) => (message.value === '' ? undefined : readStatement(topic, message, keys))),
      );
      const passed = some.map((message, at) => handle(message, read[at]));
      await Promise.all(some.map((message, at) => keep(message, passed[at], bury)));
    }
  });
  caughtUp = true;
  const ageMs = (): number => (stopped ? Infinity : uptime() - heardAt);
  return {
    ready: () => !stopped,
    ageMs,
    isFresh: () => ageMs() <= STALE_MS,
    async stop() {
      stopped = true;
      await subscription.stop();
    },
  };
}

function withoutOldBeats(messages: readonly Message[], heartbeat: string): readonly Message[] {
  let beats = messages.reduce((count, { key }) => count + Number(key === heartbeat), 0);
  if (beats <= BEATS_AT_ONCE) return messages;
  return messages.filter(({ key }) => key !== heartbeat || beats-- <= BEATS_AT_ONCE);
}
