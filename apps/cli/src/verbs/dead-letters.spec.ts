import { NotDone, WrongUse } from '../faults.js';
import type { VerbPorts } from '../verb.js';
import { deadLettersList } from './dead-letters-list.js';
import { deadLettersReplay } from './dead-letters-replay.js';

const letter = {
  id: '0123456789abcdef',
  tenant: 'acme',
  topic: 'portcullis.events',
  partition: 3,
  offset: '9',
  key: 'acme/k',
  group: 'security-analytics',
  reason: 'unknown type "portcullis.call.v2"',
  bytes: 7,
};
function brokers(answer: object, end: { code?: number; err?: string } = {}) {
  const asked: object[] = [];
  const notes: string[] = [];
  const ports = {
    note: (line: string) => void notes.push(line),
    deadLetters: async (question: string) => {
      asked.push(JSON.parse(question) as object);
      return { code: end.code ?? 0, out: JSON.stringify(answer), err: end.err ?? '' };
    },
  } as unknown as VerbPorts;
  return { ports, asked, notes };
}
const list = (given: object, ports: VerbPorts) => deadLettersList.run(deadLettersList.input.parse(given), ports);
const replay = (given: object, ports: VerbPorts) => deadLettersReplay.run(deadLettersReplay.input.parse(given), ports);

test('dead letters are listed with where and why they died, and whether they can be replayed', async () => {
  const stays = { ...letter, id: 'fedcba9876543210', stays: 'it is not text' };
  const { ports, asked, notes } = brokers({ letters: [letter, stays], next: stays.id });
  const { json, text } = await list({ tenant: 'acme', limit: '2' }, ports);
  expect(json).toEqual([letter, stays]);
  expect(text).toMatch(/0123456789abcdef +acme +portcullis\.events +3\/9 +security-analytics +7 .*v2" +can be/);
  expect(text).toMatch(/fedcba9876543210 .*it is not text/);
  expect(asked).toEqual([{ verb: 'list', tenant: 'acme', limit: 2, payload: false }]);
  expect(notes).toEqual(['There is more: add --cursor fedcba9876543210']);
});

test('what they hold is shown when it is asked for, and drives no terminal', async () => {
  const { ports, asked } = brokers({ letters: [{ ...letter, payload: '{"a":"\u001b[2J"}' }] });
  const { text } = await list({ payload: true }, ports);
  expect(text).toContain('{"a":"?[2J"}');
  expect(asked).toMatchObject([{ payload: true }]);
});

test('no dead letter is said so', async () => {
  expect((await list({}, brokers({ letters: [] }).ports)).text).toBe('No dead letter waits.');
});

test('a replay says how many were published again, and how many never can be', async () => {
  const { ports, asked } = brokers({ replayed: 3, stay: 1 });
  const { json, text } = await replay({ group: 'security-analytics' }, ports);
  expect(json).toEqual({ replayed: 3, stay: 1, dryRun: false });
  expect(text).toBe('3 were published again. 1 can never be: the list says why.');
  expect(asked).toEqual([{ verb: 'replay', group: 'security-analytics', dryRun: false }]);
});

test('a dry run only counts', async () => {
  const { ports, asked } = brokers({ replayed: 3, stay: 0 });
  expect((await replay({ all: true, dryRun: true }, ports)).text).toBe('3 would be published again.');
  expect(asked).toEqual([{ verb: 'replay', dryRun: true }]);
});

test.each([
  ['nothing is chosen', {}],
  ['all and some are', { all: true, topic: 'portcullis.events' }],
  ['the id is none', { id: 'x' }],
  ['the tenant is none', { tenant: 'A/b' }],
])('a replay is wrong use when %s', (_what, given) => {
  expect(deadLettersReplay.input.safeParse(given).success).toBe(false);
});

test('without brokers it is wrong use, and with brokers that do not answer it is not done', async () => {
  const none = list({}, brokers({}, { code: 2, err: 'KAFKA_BROKERS is not set.' }).ports);
  await expect(none).rejects.toThrow(WrongUse);
  const away = list({}, brokers({}, { code: 1, err: 'The brokers cannot be used.' }).ports);
  await expect(away).rejects.toThrow(NotDone);
  await expect(list({}, brokers({ other: 1 }).ports)).rejects.toThrow('no answer that can be read');
});
