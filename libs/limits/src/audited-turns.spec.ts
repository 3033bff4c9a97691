import { audited } from './audited-turns.fixture.js';
import type { Draw } from './draws.js';
import type { Turn } from './load-replica.fixture.js';
import { encodeTurn, type Operation } from './turn.js';

// What finds fault with the limiter under load has to find what is wrong.
const draw: Draw = {
  rule: 'r',
  type: 'llm_tokens',
  key: 'r/1000/p',
  limit: 10,
  windowMs: 1_000,
  slotMs: 1,
  cost: 6,
  until: 'window',
  fail: 'closed',
};
const ask = (lease: string): Operation => ({ draws: [draw], lease });
const settle = (settled: string, llmTokens: number): Operation => ({ settled, llmTokens, costMicros: undefined });
const turnsOf = (...asked: [now: number, operation: Operation, ...answer: number[]][]): Turn[] =>
  asked.map(([now, operation, ...answer], i) => ({
    order: i + 1,
    ...encodeTurn('acme', [operation], undefined),
    answer: [now, ...answer],
  }));

test('what is as it must be is found to be so', () => {
  const turns = turnsOf(
    [1, ask('a'), 10, 0, 0],
    [2, ask('b'), 4, 999, 999],
    [3, settle('a', 4), 1],
    [4, ask('c'), 6, 0, 997],
    [5, settle('a', 4), 0],
    [1_001, ask('d'), 4, 3, 3],
    [1_004, ask('e'), 10, 0, 0],
  );
  // the charge of turn 4 leaves at 1004
  expect(audited(turns)).toMatchObject({ wrong: [], admitted: 3, refused: 2, settled: 1, unsettled: 1 });
  expect([...audited(turns).filled, ...audited(turns).refusing]).toEqual(['r', 'r']);
});

test.each<[string, Turn[]]>([
  ['an admission over the limit', turnsOf([1, ask('a'), 10, 0, 0], [2, ask('b'), 10, 0, 0])],
  ['an admission that knew that it was over the limit', turnsOf([1, ask('a'), 10, 0, 0], [2, ask('b'), 4, 0, 0])],
  [
    'a refusal that was charged',
    turnsOf(
      [1, ask('a'), 10, 0, 0],
      [2, ask('b'), 4, 999, 999],
      [3, settle('a', 0), 1],
      [4, ask('c'), 4, 1_000, 1_000],
    ),
  ],
  ['a refusal of what fits', turnsOf([1, ask('a'), 10, 7, 0])],
  [
    'a count below nothing',
    turnsOf([1, ask('a'), 10, 0, 0], [2, settle('a', 0), 1], [3, settle('a', 0), 1], [4, ask('b'), 16, 0, 0]),
  ],
  ['a lease that was settled twice', turnsOf([1, ask('a'), 10, 0, 0], [2, settle('a', 6), 1], [3, settle('a', 6), 1])],
  ['a lease that nobody took', turnsOf([1, settle('a', 6), 1])],
  ['time that runs backwards', turnsOf([2, ask('a'), 10, 0, 0], [1, settle('a', 6), 1])],
  ['a run that is missing', turnsOf([1, ask('a'), 10, 0, 0], [2, settle('a', 6), 1]).slice(1)],
])('%s is found', (_what, turns) => {
  expect(audited(turns).wrong).not.toEqual([]);
});
