import { describe, expect, it, test } from '@jest/globals';
import { Buffer } from 'node:buffer';
import { Poison, type Message } from './bus.js';
import {
  deadLetterSchema,
  handleWithout,
  letterOf,
  letterOfMessage,
  MAX_KEY,
  MAX_VALUE,
  messageOf,
  type DeadLetter,
} from './dead-letters.js';

const death = { reason: 'of another version', group: 'a', topic: 'portcullis.events' } as const;
const bytes = (text: string): Buffer => Buffer.from(text);
const stored = (key: Uint8Array | null, value: Uint8Array | null) => ({ partition: 3, offset: 9n, key, value });
const letterIn = ({ value }: Message): DeadLetter => deadLetterSchema.parse(JSON.parse(value));

test('bytes are a message when both their parts are text', () => {
  expect(messageOf(stored(bytes('acme/ü'), bytes('{"a":"😀"}')))).toEqual({ key: 'acme/ü', value: '{"a":"😀"}' });
  expect(messageOf(stored(bytes('k'), bytes('\ufeff{}')))).toEqual({ key: 'k', value: '\ufeff{}' });
});

test('no value at all is an empty one', () => {
  expect(messageOf(stored(bytes('k'), null))).toEqual({ key: 'k', value: '' });
});

test.each([
  ['no key', null, bytes('v')],
  ['the key is not UTF-8', Buffer.from([0xff]), bytes('v')],
  ['the value is not UTF-8', bytes('k'), Buffer.from([0xc3, 0x28])],
  ['the key is too long', Buffer.alloc(MAX_KEY + 1, 'k'), bytes('v')],
  ['the value is too large', bytes('k'), Buffer.alloc(MAX_VALUE + 1, 'v')],
])('bytes are no message when %s', (reason, key, value) => {
  expect(messageOf(stored(key, value))).toBe(reason);
});

test('the largest message is one', () => {
  expect(messageOf(stored(Buffer.alloc(MAX_KEY, 'k'), Buffer.alloc(MAX_VALUE, 'v')))).toMatchObject({});
});

describe('a dead letter', () => {
  it('says where the message was, and holds it whole', () => {
    const letter = letterOf(death, stored(bytes('acme/k'), bytes('{}')));
    expect(letter.key).toBe('acme/portcullis.events/3/9');
    expect(letterIn(letter)).toEqual({ ...death, partition: 3, offset: '9', key: 'acme/k', text: '{}' });
  });

  it('holds what is no text as base64', () => {
    const letter = letterIn(letterOf(death, stored(bytes('acme/k'), Buffer.from([0xff, 0x00]))));
    expect([letter.text, letter.base64]).toEqual([undefined, '/wA=']);
  });

  it.each([['../x'], [''], ['A/k'], ['no tenant']])('of the key %j falls to no tenant', (key) => {
    expect(letterOfMessage(death, { key, value: '' }).key).toBe('_/portcullis.events//');
  });

  it('has a short reason, however long the handler talks', () => {
    expect(
      letterIn(letterOfMessage({ ...death, reason: 'x'.repeat(9_999) }, { key: 'k', value: '' })).reason,
    ).toHaveLength(500);
  });
});

describe('handling without what is poisoned', () => {
  const batch: Message[] = ['1', '2', '3', '4'].map((value) => ({ key: 'k', value }));
  const poisonous = (bad: readonly string[], calls: string[]) => async (messages: readonly Message[]) => {
    calls.push(messages.map(({ value }) => value).join(''));
    const found = messages.find(({ value }) => bad.includes(value));
    if (found) throw new Poison(found, 'bad');
  };

  it('buries one after the other, and hands out the rest in its order', async () => {
    const [calls, buried]: [string[], string[]] = [[], []];
    await handleWithout(poisonous(['2', '4'], calls), batch, async ({ value }) => void buried.push(value));
    expect([calls, buried]).toEqual([
      ['1234', '134', '13'],
      ['2', '4'],
    ]);
  });

  it('asks no more once all are buried', async () => {
    const calls: string[] = [];
    await handleWithout(poisonous(['1', '2', '3', '4'], calls), batch, async () => undefined);
    expect(calls).toEqual(['1234', '234', '34', '4']);
  });

  it('goes on in the same batch after what its handler buries itself, and never hands that out again', async () => {
    const [seen, buried]: [string[], string[]] = [[], []];
    await handleWithout(
      async (messages, bury) => {
        seen.push(messages.map(({ value }) => value).join(''));
        const [first] = messages;
        if (first?.value === '1') await bury(first, 'bad');
        const found = messages.find(({ value }) => value === '3');
        if (found) throw new Poison(found, 'bad too');
      },
      batch,
      async ({ value }, reason) => void buried.push(`${value} ${reason}`),
    );
    expect([seen, buried]).toEqual([
      ['1234', '24'],
      ['1 bad', '3 bad too'],
    ]);
  });

  it('buries nothing that is not of the batch', async () => {
    const strange = { key: 'k', value: '1' };
    const refused = handleWithout(
      async (_messages, bury) => bury(strange, 'bad'),
      batch,
      async () => undefined,
    );
    await expect(refused).rejects.toThrow(RangeError);
  });

  it('is not done while a message cannot be buried', async () => {
    const refused = handleWithout(poisonous(['2'], []), batch, () => Promise.reject(new Error('no ground')));
    await expect(refused).rejects.toThrow('no ground');
  });

  it('buries nothing for another error', async () => {
    const buried: Message[] = [];
    const handle = (): Promise<void> => Promise.reject(new Error('the database is away'));
    const refused = handleWithout(handle, batch, async (message) => void buried.push(message));
    await expect(refused).rejects.toThrow('away');
    expect(buried).toEqual([]);
  });
});
