import { isTenant } from '@portcullis/contract/ids';
import { TOPICS, type Topic } from '@portcullis/contract/topics';
import { Buffer } from 'node:buffer';
import { z } from 'zod';
import { Poison, type Bury, type Handle, type Message } from './bus.js';

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
  /** the key was too long or not UTF-8, so that this is only what can be shown of it */
  keyIsBroken: z.literal(true).optional(),
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
  if (key === null || key.length === 0) return 'no key';
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
  const keyIsWhole = key === null || (key.length <= MAX_KEY && textOf(key) !== undefined);
  return enveloped({
    ...death,
    partition,
    offset: String(offset),
    key: Buffer.from(key?.subarray(0, MAX_KEY) ?? []).toString(),
    ...(keyIsWhole ? {} : { keyIsBroken: true }),
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
 * Has a batch handled, without the messages that its handler buries or calls poisoned.
 * @param bury keeps such a message; it is called before the rest comes again
 * @throws what the handler or `bury` rejects with: then nothing of the batch counts as handled
 */
export async function handleWithout(handle: Handle, batch: readonly Message[], bury: Bury): Promise<void> {
  const buried = new Set<Message>();
  const buryOnce: Bury = async (message, reason) => {
    if (!batch.includes(message)) throw new RangeError('what is buried must be of the batch');
    await bury(message, reason);
    buried.add(message);
  };
  let rest = batch;
  while (rest.length > 0) {
    try {
      return await handle(rest, buryOnce);
    } catch (error) {
      if (!(error instanceof Poison) || !rest.includes(error.poisoned)) throw error;
      await buryOnce(error.poisoned, error.reason);
      rest = rest.filter((message) => !buried.has(message));
    }
  }
}
