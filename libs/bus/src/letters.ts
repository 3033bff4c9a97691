import type { Topic } from '@portcullis/contract/topics';
import { TOPICS } from '@portcullis/contract/topics';
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Bus, Handle, Message } from './bus.js';
import { DEAD_LETTERS, deadLetterSchema, MAX_VALUE, type DeadLetter } from './dead-letters.js';

/** A bus that can be read as a book: what it holds now, from the first message to the last. */
export interface Readable {
  readToEnd(topic: Topic, handle: Handle): Promise<void>;
}

/** Which letters are meant; what is absent does not matter. */
export interface Choice {
  readonly id?: string | undefined;
  readonly tenant?: string | undefined;
  readonly topic?: string | undefined;
  readonly group?: string | undefined;
}

/** A letter that waits to be looked after. */
export interface Waiting extends Omit<DeadLetter, 'text' | 'base64'> {
  /** the same for every copy of it: each replica that reads a compacted topic buries what it cannot take */
  readonly id: string;
  /** whose it is; `_` = nobody's */
  readonly tenant: string;
  /** bytes of its value */
  readonly bytes: number;
  /** why it cannot be published again; undefined = it can */
  readonly stays?: string | undefined;
  /** the beginning of its value, as text or as base64, when that was asked for */
  readonly payload?: string | undefined;
}
export interface LettersPage {
  readonly letters: readonly Waiting[];
  /** where the next page begins; undefined = there is none */
  readonly next: string | undefined;
}

/** Published beside a letter, under its key, when it was published again: it waits no longer. */
const markSchema = z.strictObject({ replayed: z.string() });
const MAX_PAYLOAD = 4_096;

/**
 * The letters that wait, oldest first. Reads the topic once, and holds a page of it.
 * @param after the `next` of the page before; where its letter has gone with time, whatever is left comes after it
 */
export async function waitingLetters(
  bus: Readable,
  choice: Choice,
  { limit, after, payload = false }: { limit: number; after?: string | undefined; payload?: boolean },
): Promise<LettersPage> {
  let found = after === undefined;
  let [last, more] = ['', false];
  const held = new Map<string, Waiting>();
  const seen = new Set<string>();
  await bus.readToEnd(DEAD_LETTERS, async (messages) => {
    for (const message of messages) {
      const marked = markIn(message);
      if (marked !== undefined) held.delete(marked);
      const letter = marked === undefined ? letterIn(message) : undefined;
      if (letter === undefined) continue;
      const waiting = waitingOf(message, letter, payload);
      if (waiting.id === after) found = true;
      else if (found && isChosen(waiting, choice) && !seen.has(waiting.id)) {
        if (seen.size === limit) more = true;
        else {
          seen.add(waiting.id);
          held.set(waiting.id, waiting);
          last = waiting.id;
        }
      }
    }
  });
  if (!found) return waitingLetters(bus, choice, { limit, payload });
  return { letters: [...held.values()], next: more ? last : undefined };
}

/** What came of a replay. */
export interface Replayed {
  /** published again, or, in a rehearsal, would have been */
  readonly replayed: number;
  /** chosen, but never published again, see {@link Waiting.stays} */
  readonly stay: number;
}
const PAGE = 500;

/**
 * Publishes the letters that wait to where they died, page by page, and marks them. Whoever can take them now takes them,
 * and whoever had them before knows them by their events' ids. Whatever ends a replay, the next one goes on with the
 * letters that have no mark yet; one that was published and not marked is published twice.
 * @param rehearse only counts
 */
export async function replayDeadLetters(
  bus: Pick<Bus, 'publish'> & Readable,
  choice: Choice,
  rehearse = false,
): Promise<Replayed> {
  let [replayed, stay] = [0, 0];
  let after: string | undefined;
  do {
    const page = await waitingLetters(bus, choice, { limit: PAGE, after });
    const due = new Set(page.letters.filter(({ stays }) => stays === undefined).map(({ id }) => id));
    stay += page.letters.length - due.size;
    replayed += due.size;
    if (!rehearse && due.size > 0) await publishAgain(bus, due);
    after = page.next;
  } while (after !== undefined);
  return { replayed, stay };
}

/** @param due ids of letters; each is published once */
async function publishAgain(bus: Pick<Bus, 'publish'> & Readable, due: Set<string>): Promise<void> {
  await bus.readToEnd(DEAD_LETTERS, async (messages) => {
    for (const message of messages) {
      const letter = letterIn(message);
      const id = letter && idOf(message, letter);
      if (letter?.text === undefined || id === undefined || !due.has(id)) continue;
      await bus.publish(letter.topic, [{ key: letter.key, value: letter.text }]);
      await bus.publish(DEAD_LETTERS, [{ key: message.key, value: JSON.stringify({ replayed: id }) }]);
      due.delete(id);
    }
  });
}

/** @returns the letter; undefined for a mark, and for what nobody of us has put there */
export function letterIn({ value }: Message): DeadLetter | undefined {
  return deadLetterSchema.safeParse(jsonOf(value)).data;
}
const markIn = ({ value }: Message): string | undefined => markSchema.safeParse(jsonOf(value)).data?.replayed;

/** The memory bus knows no offsets: there each letter counts, by what it holds. */
const idOf = ({ key, value }: Message, { group, offset }: DeadLetter): string =>
  createHash('sha256')
    .update(JSON.stringify([key, group, offset ?? value]))
    .digest('hex')
    .slice(0, 16);

function waitingOf(message: Message, letter: DeadLetter, payload: boolean): Waiting {
  const { text, base64, ...rest } = letter;
  const value = text ?? base64 ?? '';
  return {
    ...rest,
    id: idOf(message, letter),
    tenant: message.key.split('/', 1)[0] ?? '_',
    bytes: base64 === undefined ? Buffer.byteLength(value) : Buffer.byteLength(base64, 'base64'),
    stays: whyItStays(letter),
    ...(payload && { payload: value.slice(0, MAX_PAYLOAD) }),
  };
}

function whyItStays({ topic, key, keyIsBroken, text }: DeadLetter): string | undefined {
  if (topic === DEAD_LETTERS) return 'it is a dead letter itself';
  if (TOPICS[topic].compacted) return 'its topic keeps it, or has something newer of its key';
  if (text === undefined) return 'it is not text';
  if (key === '') return 'it has no key';
  if (keyIsBroken) return 'its key is too long, or not text';
  return Buffer.byteLength(text) > MAX_VALUE ? 'it is too large' : undefined;
}

const isChosen = (waiting: Waiting, choice: Choice): boolean =>
  (['id', 'tenant', 'topic', 'group'] as const).every(
    (each) => choice[each] === undefined || choice[each] === waiting[each],
  );

function jsonOf(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
