import { memoryWindows } from './windows.memory.js';

const RULE = { limit: 2, windowMs: 1000 };

test('a key has room for so many in any span of time, whatever happens under others', () => {
  let now = 5000;
  const windows = memoryWindows(() => now);
  expect([windows.take('a', RULE), windows.take('a', RULE), windows.take('a', RULE)]).toEqual([0, 0, 1000]);
  expect(windows.take('b', RULE)).toBe(0);
  now += 999;
  expect([windows.waitFor('a', RULE), windows.waitFor('b', RULE)]).toEqual([1, 0]);
  now += 1;
  expect(windows.take('a', RULE)).toBe(0);
});

test('only so many keys are remembered, the quietest goes first', () => {
  const windows = memoryWindows(() => 0, 2);
  for (const key of ['a', 'a', 'b', 'b', 'b', 'c', 'c']) windows.take(key, RULE);
  expect(['a', 'b', 'c'].map((key) => windows.waitFor(key, RULE))).toEqual([0, 1000, 1000]);
});
