import { describe, expect, it } from '@jest/globals';
import { Buffer } from 'node:buffer';
import type { Message } from './bus.js';
import { letterOf, letterOfMessage, MAX_KEY, MAX_VALUE, type Death } from './dead-letters.js';
import { replayDeadLetters, waitingLetters, type Choice } from './letters.js';

const death = { reason: 'of another version', group: 'a', topic: 'portcullis.events' } as const;
const dead = (
  n: number,
  more: Partial<Death> = {},
  key: string | Buffer = 'acme/k',
  value: Uint8Array = Buffer.from(`{"n":${n}}`),
) =>
  letterOf(
    { ...death, ...more },
    { partition: 3, offset: BigInt(n), key: typeof key === 'string' ? Buffer.from(key) : key, value },
  );
const strange: Message = { key: 'acme/x', value: '{' };
const elsewhere: Message = {
  key: 'acme/x',
  value: JSON.stringify({ ...death, key: 'k', text: '', topic: '__offsets' }),
};

/** A bus that is read as a book, and written to at its end. */
const bookOf = (letters: readonly Message[], failing: (topic: string) => boolean = () => false) => {
  const book = [...letters];
  const published: string[] = [];
  return {
    book,
    published,
    bus: {
      publish: async (topic: string, messages: readonly Message[]): Promise<void> => {
        if (failing(topic)) throw new Error('the brokers are away');
        if (topic === 'portcullis.dead-letters') book.push(...messages);
        else published.push(...messages.map(({ key, value }) => `${topic} ${key} ${value}`));
      },
      readToEnd: async (_topic: string, handle: (messages: readonly Message[], bury: never) => Promise<void>) => {
        const now = [...book];
        for (let from = 0; from < now.length; from += 3) await handle(now.slice(from, from + 3), undefined as never);
      },
    },
  };
};
const list = (letters: readonly Message[], choice: Choice = {}, limit = 100, after?: string) =>
  waitingLetters(bookOf(letters).bus, choice, { limit, after });

describe('a list of dead letters', () => {
  it('says of each whose it is, where and why it died, and nothing of what it holds', async () => {
    const { letters, next } = await list([dead(7)]);
    expect(letters).toEqual([
      {
        ...death,
        id: expect.stringMatching(/^[0-9a-f]{16}$/),
        tenant: 'acme',
        partition: 3,
        offset: '7',
        key: 'acme/k',
        bytes: 7,
        stays: undefined,
      },
    ]);
    expect(next).toBeUndefined();
  });

  it('shows the beginning of what they hold, when asked to', async () => {
    const { letters } = await waitingLetters(
      bookOf([dead(1, {}, 'acme/k', Buffer.alloc(9_000, 'x'))]).bus,
      {},
      {
        limit: 1,
        payload: true,
      },
    );
    expect(letters[0]).toMatchObject({ bytes: 9_000, payload: 'x'.repeat(4_096) });
  });

  it.each([
    ['what is not text', dead(1, {}, 'acme/k', Buffer.from([0xff])), 'it is not text'],
    ['what has no key', dead(1, {}, ''), 'it has no key'],
    ['what had a key that is not text', dead(1, {}, Buffer.from([0xff])), 'its key is too long, or not text'],
    ['what had a key that is too long', dead(1, {}, 'k'.repeat(MAX_KEY + 1)), 'its key is too long, or not text'],
    ['what is too large', dead(1, {}, 'acme/k', Buffer.alloc(MAX_VALUE + 1, 'x')), 'it is too large'],
    ['what a compacted topic holds', dead(1, { topic: 'portcullis.standing' }), 'its topic keeps it'],
    ['a dead letter', dead(1, { topic: 'portcullis.dead-letters' }), 'it is a dead letter itself'],
  ])('says why %s stays', async (_what, letter, says) => {
    expect((await list([letter])).letters[0]?.stays).toContain(says);
  });

  it('has one of all copies, one for each group, and passes over what is no letter', async () => {
    const { letters } = await list([strange, dead(1), dead(1), elsewhere, dead(1, { group: 'b' })]);
    expect(letters.map(({ group }) => group)).toEqual(['a', 'b']);
  });

  it.each([
    [{ tenant: 'acme' }, ['1', '2']],
    [{ tenant: '_' }, ['3']],
    [{ topic: 'portcullis.signals' }, ['2']],
    [{ group: 'b' }, ['3']],
    [{ tenant: 'acme', group: 'b' }, []],
    [{ id: 'no such' }, []],
  ])('has those that are chosen by %j', async (choice, offsets) => {
    const all = [dead(1), dead(2, { topic: 'portcullis.signals' }), dead(3, { group: 'b' }, 'NOBODY/k')];
    expect((await list(all, choice)).letters.map(({ offset }) => offset)).toEqual(offsets);
  });

  it('goes on where the page before ended, and from the oldest when that has gone', async () => {
    const all = [1, 2, 3, 4, 5].map((n) => dead(n));
    const first = await list(all, {}, 2);
    const second = await list(all, {}, 2, first.next);
    const third = await list(all, {}, 2, second.next);
    expect([first, second, third].map(({ letters }) => letters.map(({ offset }) => offset))).toEqual([
      ['1', '2'],
      ['3', '4'],
      ['5'],
    ]);
    expect(third.next).toBeUndefined();
    const later = await list(all.slice(3), {}, 9, first.next);
    expect(later.letters.map(({ offset }) => offset)).toEqual(['4', '5']);
  });
});

describe('a replay', () => {
  it('publishes a letter once, with its key, to where it died, and then it waits no longer', async () => {
    const { bus, published } = bookOf([dead(1), dead(1), dead(2)]);
    expect(await replayDeadLetters(bus, {})).toEqual({ replayed: 2, stay: 0 });
    expect(published).toEqual(['portcullis.events acme/k {"n":1}', 'portcullis.events acme/k {"n":2}']);
    expect(await waitingLetters(bus, {}, { limit: 9 })).toEqual({ letters: [], next: undefined });
    expect(await replayDeadLetters(bus, {})).toEqual({ replayed: 0, stay: 0 });
  });

  it('leaves what was not chosen, and what can never be taken', async () => {
    const { bus, published } = bookOf([dead(1), dead(2, { group: 'b' }), dead(3, { group: 'b' }, '')]);
    expect(await replayDeadLetters(bus, { group: 'b' })).toEqual({ replayed: 1, stay: 1 });
    expect(published).toEqual(['portcullis.events acme/k {"n":2}']);
  });

  it('only counts in a rehearsal', async () => {
    const { bus, book, published } = bookOf([dead(1), dead(2)]);
    expect(await replayDeadLetters(bus, {}, true)).toEqual({ replayed: 2, stay: 0 });
    expect([book.length, published]).toEqual([2, []]);
  });

  it('goes through more letters than it holds', async () => {
    const { bus, published } = bookOf(Array.from({ length: 1_203 }, (_, n) => dead(n)));
    expect(await replayDeadLetters(bus, {})).toEqual({ replayed: 1_203, stay: 0 });
    expect(new Set(published).size).toBe(1_203);
    expect(published).toHaveLength(1_203);
  });

  it('that broke off goes on with what has no mark yet', async () => {
    let [marks, away] = [0, true];
    const { bus, published } = bookOf(
      [1, 2, 3].map((n) => dead(n)),
      (topic) => away && topic === 'portcullis.dead-letters' && (marks += 1) > 1,
    );
    await expect(replayDeadLetters(bus, {})).rejects.toThrow('away');
    away = false;
    expect(await replayDeadLetters(bus, {})).toEqual({ replayed: 2, stay: 0 });
    expect(published.map((each) => each.slice(-2, -1))).toEqual(['1', '2', '2', '3']);
  });

  it('takes letters of a bus without offsets by what they hold', async () => {
    const of = (value: string): Message => letterOfMessage(death, { key: 'acme/k', value });
    const { bus } = bookOf([of('1'), of('2'), of('1')]);
    expect(await replayDeadLetters(bus, {})).toEqual({ replayed: 2, stay: 0 });
  });
});
