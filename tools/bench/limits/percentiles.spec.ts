import { at } from './percentiles.mjs';

it('a percentile is the least number that so many do not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([at(hundred, 0.5), at(hundred, 0.99), at(hundred, 1), at(hundred, 0)]).toEqual([50, 99, 100, 1]);
});

it('numbers are compared as numbers, and of none there is no percentile', () => {
  expect(at([10, 9, 100], 0.5)).toBe(10);
  expect(at([], 0.99)).toBeNaN();
});
