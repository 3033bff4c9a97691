import { judge } from './verdict.mjs';

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
