import * as fc from 'fast-check';
import { takePermit, windowIsIdle, windowState, type WindowLog } from './sliding-window.js';

const rule = { limit: 3, windowMs: 1_000 };

test('an empty window has the whole limit', () => {
  expect(windowState([], rule, 0)).toEqual({ remaining: 3, retryAfterMs: 0 });
});

test('a full window says when its oldest permit leaves', () => {
  expect(windowState([100, 200, 300], rule, 900)).toEqual({ remaining: 0, retryAfterMs: 200 });
});

test('the wait is rounded up, and waiting that long is enough', () => {
  expect(windowState([100.4, 200, 300], rule, 900)).toEqual({ remaining: 0, retryAfterMs: 201 });
  expect(windowState([100.4, 200, 300], rule, 1_101)).toEqual({ remaining: 1, retryAfterMs: 0 });
});

test('a permit counts until the last moment of its window and no longer', () => {
  expect(windowState([0], rule, 999.999).remaining).toBe(2);
  expect(windowState([0], rule, 1_000).remaining).toBe(3);
});

test('under a tighter rule the surplus has to leave first', () => {
  expect(windowState([100, 200, 300], { ...rule, limit: 1 }, 300)).toEqual({ remaining: 0, retryAfterMs: 1_000 });
});

test('a permit that is not free cannot be taken', () => {
  expect(() => takePermit([100, 200, 300], rule, 900)).toThrow(RangeError);
});

test('a clock that steps back counts as standing still', () => {
  expect(takePermit([100, 200], rule, 50)).toEqual([100, 200, 200]);
  expect(windowState([100, 200, 200], rule, 50)).toEqual({ remaining: 0, retryAfterMs: 1_050 });
});

test('a window is idle when its last permit no longer counts', () => {
  expect(windowIsIdle([], 1_000, 0)).toBe(true);
  expect(windowIsIdle([0, 5], 1_000, 1_004)).toBe(false);
  expect(windowIsIdle([0, 5], 1_000, 1_005)).toBe(true);
  expect(windowIsIdle([0, 5], 1_000, -5_000)).toBe(false);
});

/** Eighths of a millisecond, so that the plain count is as exact as the window. */
const gap = fc.oneof(
  fc.nat(20),
  fc.nat(8 * 1_200).map((eighths) => eighths / 8),
);
const gaps = fc.array(gap, { maxLength: 120, size: 'max' });
const rules = fc.record({ limit: fc.integer({ min: 1, max: 8 }), windowMs: fc.integer({ min: 1, max: 1_000 }) });

test('it admits exactly what a count over all events admits, and the log never outgrows the limit', () => {
  fc.assert(
    fc.property(rules, gaps, (each, steps) => {
      const admitted: number[] = [];
      let log: WindowLog = [];
      let now = 0;
      for (const gap of steps) {
        now += gap;
        const counted = admitted.filter((at) => at + each.windowMs > now).length;
        const { remaining, retryAfterMs } = windowState(log, each, now);
        expect(remaining).toBe(each.limit - counted);
        if (remaining > 0) {
          log = takePermit(log, each, now);
          admitted.push(now);
        } else {
          expect(windowState(log, each, now + retryAfterMs).remaining).toBeGreaterThan(0);
          expect(windowState(log, each, now + retryAfterMs - 1).remaining).toBe(0);
        }
        expect(log.length).toBeLessThanOrEqual(each.limit);
      }
    }),
  );
});
