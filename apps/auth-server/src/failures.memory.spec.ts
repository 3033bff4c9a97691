import { memoryFailures } from './failures.memory.js';

test('an address that failed thirty times waits for the rest of five minutes, others do not', () => {
  const failures = memoryFailures();
  for (let i = 0; i < 29; i += 1) failures.note('a', 1000 + i);
  expect(failures.waitFor('a', 2000)).toBeUndefined();
  failures.note('a', 2000);
  expect(failures.waitFor('a', 2000)).toBe(299_000);
  expect(failures.waitFor('b', 2000)).toBeUndefined();
  expect(failures.waitFor('a', 301_000)).toBeUndefined();
});

test('the count begins anew after the window', () => {
  const failures = memoryFailures();
  for (let i = 0; i < 30; i += 1) failures.note('a', 0);
  failures.note('a', 300_000);
  expect(failures.waitFor('a', 300_000)).toBeUndefined();
});

test('ten thousand addresses are remembered at most, the quietest forgotten first', () => {
  const failures = memoryFailures();
  for (let i = 0; i < 30; i += 1) failures.note('first', 0);
  for (let i = 0; i < 9_999; i += 1) failures.note(`a${i}`, 1);
  expect(failures.waitFor('first', 2)).toBeDefined();
  failures.note('one more', 2);
  expect(failures.waitFor('first', 2)).toBeUndefined();
});
