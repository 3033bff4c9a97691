import { isTenant } from '@portcullis/contract/ids';
import { TOPICS, type Topic } from '@portcullis/contract/topics';
import { Buffer } from 'node:buffer';
import { z } from 'zod';
import { Poison, type Bus, type Handle, type Message } from './bus.js';

export const DEAD_LETTERS = 'portcullis.dead-letters' satisfies Topic;
const topics = z.enum(Object.keys(TOPICS) as [Topic, ...Topic[]]);

/** A message that a subscriber could not take, whole, with where it was and why. */
export const deadLetterSchema = z.strictObject({
  reason: z.string().max(500),
  /** the subscriber that could not take it */
  group: z.string(),
  topic: topics,
  /** where a durable bus had it; absent from the memory bus */
  partition: z.number().int().optional(),
  offset: z.string().optional(),
  key: z.string(),
  /** the value; `base64` where it is not UTF-8 */
  text: z.string().optional(),
  base64: z.string().optional(),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** A value longer than this is refused by publish, and is a dead letter when it comes from elsewhere; bytes. */
export const MAX_VALUE = 524_288;
/** So many bytes can a key have. */
export const MAX_KEY = 1024;

/** A message as it lies on a durable bus. */
export interface Stored {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
};

/** A dead letter may hold the largest message, as base64. */
export const maxValueOf = (topic: Topic): number => (topic === DEAD_LETTERS ? 3 * MAX_VALUE : MAX_VALUE);

/** @returns the message, or why it is none */
export function messageOf({ key, value }: Stored, maxValue: number = MAX_VALUE): Message | string {
  if (key === null) return 'no key';
  if (key.length > MAX_KEY) return 'the key is too long';
  if ((value?.length ?? 0) > maxValue) return 'the value is too large';
  const [keyText, valueText] = [textOf(key), value === null ? '' : textOf(value)];
  if (keyText === undefined) return 'the key is not UTF-8';
  if (valueText === undefined) return 'the value is not UTF-8';
  return { key: keyText, value: valueText };
}

/** Where and for whom a message died. */
export interface Death {
  readonly reason: string;
  readonly group: string;
  readonly topic: Topic;
}

/** The dead letter for bytes from a durable bus. */
export function letterOf(death: Death, { partition, offset, key, value }: Stored): Message {
  const text = value === null ? '' : textOf(value);
  return enveloped({
    ...death,
    partition,
    offset: String(offset),
    key: Buffer.from(key?.subarray(0, MAX_KEY) ?? []).toString(),
    ...(text === undefined ? { base64: Buffer.from(value ?? []).toString('base64') } : { text }),
  });
}

/** The dead letter of a bus that has no offsets. */
export const letterOfMessage = (death: Death, { key, value }: Message): Message =>
  enveloped({ ...death, key, text: value });

/** A tenant's name has no underscore, so what is nobody's falls to nobody. */
function enveloped(letter: DeadLetter): Message {
  const claimed = letter.key.split('/', 1)[0];
  const tenant = isTenant(claimed) ? claimed : '_';
  return {
    key: `${tenant}/${letter.topic}/${letter.partition ?? ''}/${letter.offset ?? ''}`,
    value: JSON.stringify({ ...letter, reason: letter.reason.slice(0, 500) }),
  };
}

/**
 * Has a batch handled, without the messages that its handler calls poisoned.
 * @param bury keeps a poisoned message; it is called before the rest comes again
 * @throws what the handler or `bury` rejects with: then nothing of the batch counts as handled
 */
export async function handleWithout(
  handle: Handle,
  batch: readonly Message[],
  bury: (message: Message, reason: string) => Promise<void>,
): Promise<void> {
  let rest = batch;
  while (rest.length > 0) {
    try {
      return await handle(rest);
    } catch (error) {
      const at = error instanceof Poison ? rest.indexOf(error.poisoned) : -1;
      if (!(error instanceof Poison) || at === -1) throw error;
      await bury(error.poisoned, error.reason);
      rest = rest.toSpliced(at, 1);
    }
  }
}

/** A bus that can be read as a book: what it holds now, from the first message to the last. */
export interface Readable {
  readToEnd(topic: Topic, handle: Handle): Promise<void>;
}

/**
 * Publishes dead letters again to where they died. Whoever can take them now takes them; a letter stays where it is, so
 * a second replay publishes it again, which subscribers know by the event's id.
 * @param chosen which letters; all of them are read
 * @returns how many were published again, and how many were chosen but are no message (not UTF-8, no key, too large)
 */
export async function replayDeadLetters(
  bus: Bus & Readable,
  chosen: (letter: DeadLetter) => boolean,
): Promise<{ replayed: number; unreadable: number }> {
  let [replayed, unreadable] = [0, 0];
  const seen = new Set<string>();
  await bus.readToEnd(DEAD_LETTERS, async (letters) => {
    for (const { key, value } of letters) {
      const letter = parsed(value);
      const name = `${key} ${letter?.group ?? ''}`;
      // Each replica that reads a compacted topic buries what it cannot take.
      if (letter === undefined || (letter.offset !== undefined && seen.has(name)) || !chosen(letter)) continue;
      seen.add(name);
      if (letter.text === undefined || letter.key === '' || Buffer.byteLength(letter.text) > MAX_VALUE) unreadable += 1;
      else {
        await bus.publish(letter.topic, [{ key: letter.key, value: letter.text }]);
        replayed += 1;
      }
    }
  });
  return { replayed, unreadable };
}

function parsed(value: string): DeadLetter | undefined {
  try {
    return deadLetterSchema.parse(JSON.parse(value));
  } catch {
    return undefined;
  }
}
