import { judge, judgeFlat, judgeLeast } from './verdict.mjs';

it('a bar is met when the middle of the rounds lies further below it than the rounds spread', () => {
  expect(judge([0.1, 0.11, 0.12], 1 / 6).verdict).toBe('met');
});

it('a bar is missed when the middle of the rounds lies further above it than the rounds spread', () => {
  expect(judge([0.3, 0.31, 0.32], 1 / 6).verdict).toBe('missed');
});

it('rounds that spread wider than the distance to the bar decide nothing, on either side of it', () => {
  expect(judge([0.1, 0.16, 0.2], 1 / 6).verdict).toBe('undecided');
  expect(judge([0.15, 0.18, 0.3], 1 / 6).verdict).toBe('undecided');
});

it('of five rounds or more the best and the worst say nothing of the spread', () => {
  expect(judge([0.01, 0.1, 0.1, 0.1, 0.9], 1 / 6)).toEqual({ ratio: 0.1, bar: 1 / 6, spread: 0, verdict: 'met' });
});

it('one round or two decide nothing', () => {
  expect(judge([0.1], 1 / 6).verdict).toBe('undecided');
  expect(judge([0.1, 0.1], 1 / 6).verdict).toBe('undecided');
});

it('where more is better a bar is met above it, and decided by the same spread', () => {
  expect(judgeLeast([0.8, 0.81, 0.82], 0.7).verdict).toBe('met');
  expect(judgeLeast([0.5, 0.51, 0.52], 0.7).verdict).toBe('missed');
  expect(judgeLeast([0.6, 0.75, 0.9], 0.7).verdict).toBe('undecided');
});

it('a cost is flat when the middle of its dearest case is near that of its cheapest', () => {
  const rounds = [100, 102, 101].map((few) => ({ few, many: few + 8 }));
  expect(judgeFlat(rounds, 1.2).verdict).toBe('met');
  expect(judgeFlat(rounds, 1.2).ratio).toBeCloseTo(1.08, 2);
  expect(judgeFlat(rounds, 1.02).verdict).toBe('missed');
});

it('a round on a machine that was slower says nothing of whether a cost is flat', () => {
  const rounds = [100, 100, 180].map((few) => ({ few, many: few * 1.1 }));
  const { ratio, spread } = judgeFlat(rounds, 1.2);
  expect(ratio).toBeCloseTo(1.1);
  expect(spread).toBeCloseTo(0);
});

it('a case that is now dear and now cheap leaves it undecided whether a cost is flat', () => {
  const rounds = [100, 130, 80].map((many) => ({ few: 100, many }));
  expect(judgeFlat(rounds, 1.2).verdict).toBe('undecided');
});
