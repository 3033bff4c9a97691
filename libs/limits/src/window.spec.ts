import * as fc from 'fast-check';
import { WindowCount } from './window.js';
import { WindowModel } from './window.model.fixture.js';

const WINDOW = 1_000;

/** A count that has charged one at each of these times. */
function charged(times: readonly number[], windowMs = WINDOW): WindowCount {
  const count = new WindowCount(windowMs);
  for (const at of times) count.charge(1, 1, at);
  return count;
}

test('what was charged counts until it is exactly a window old', () => {
  const count = charged([100, 200]);
  expect([count.used(1_099), count.used(1_100), count.used(1_199), count.used(1_200)]).toEqual([2, 1, 1, 0]);
});

test('the wait is until enough has left', () => {
  const count = charged([100, 200, 300]);
  expect(count.waitFor(3, 1, 400)).toBe(700);
  expect(count.waitFor(3, 2, 400)).toBe(800);
  expect(count.waitFor(3, 3, 400)).toBe(900);
  expect(count.waitFor(4, 1, 400)).toBe(0);
});

test('a tighter limit than charges were admitted under waits for the surplus to leave', () => {
  expect(charged([100, 200, 300]).waitFor(1, 1, 400)).toBe(900);
});

test('what is above the limit itself never fits, and what costs nothing always does', () => {
  const count = charged([100]);
  count.correct(100, 1, 50, 1, 100);
  expect(count.waitFor(3, 4, 100)).toBe(Infinity);
  expect(count.waitFor(3, 0, 100)).toBe(0);
  expect(new WindowCount(WINDOW).waitFor(3, 4, 100)).toBe(Infinity);
});

test('a wait is rounded up to whole milliseconds', () => {
  expect(charged([100.4]).waitFor(1, 1, 400)).toBe(701);
});

test('a window is empty when its latest charge has left', () => {
  const count = charged([100, 300]);
  expect([count.resetMs(400), count.resetMs(1_299), count.resetMs(1_300)]).toEqual([900, 1, 0]);
  expect([charged([100, 300]).isIdle(1_299), count.isIdle(1_300), new WindowCount(1).isIdle(0)]).toEqual([
    false,
    true,
    true,
  ]);
});

test('a settlement gives back what was not used, and charges what was used above', () => {
  const count = new WindowCount(WINDOW);
  const at = count.charge(100, 10, 15);
  count.correct(at, 100, 40, 10, 20);
  expect(count.used(20)).toBe(40);
  count.correct(at, 0, 200, 10, 30);
  expect(count.used(30)).toBe(240);
});

test('what falls to zero is dropped and never kept as a credit', () => {
  const count = new WindowCount(WINDOW);
  const at = count.charge(5, 10, 15);
  count.correct(at, 5, 0, 10, 20);
  count.correct(at, 5, 0, 10, 20);
  expect([count.length, count.used(20)]).toEqual([0, 0]);
});

test('a settlement of what has left the window changes nothing', () => {
  const count = charged([100, 900]);
  count.correct(100, 1, 0, 1, 1_100);
  count.correct(100, 1, 7, 1, 1_100);
  expect(count.used(1_100)).toBe(1);
});

test('a charge settled from nothing counts from when it was reserved', () => {
  const count = charged([100, 300]);
  count.correct(200, 0, 5, 1, 400);
  expect([count.waitFor(7, 6, 400), count.used(1_199), count.used(1_200)]).toEqual([800, 6, 1]);
});

test('a clock that steps back counts as standing still', () => {
  const count = charged([500]);
  expect(count.charge(1, 1, 100)).toBe(500);
  expect([count.used(100), count.used(1_499), count.used(1_500)]).toEqual([2, 2, 0]);
});

test('slots that were made shorter or longer on the way lose nothing', () => {
  const count = charged([10, 20, 30]);
  count.charge(1, 250, 40);
  expect([count.length, count.used(1_029), count.used(1_040)]).toEqual([3, 2, 0]);
});

test('a count holds as many slots as its window has and one more, however much is charged', () => {
  const count = new WindowCount(WINDOW);
  let most = 0;
  for (let now = 0; now < 5_000; now++) {
    count.charge(3, 50, now);
    count.used(now);
    most = Math.max(most, count.length);
  }
  expect(most).toBe(WINDOW / 50 + 1);
});

const steps = fc.array(
  fc.record({
    /** ms; the clock may step back */
    gap: fc.oneof(
      { weight: 8, arbitrary: fc.nat(30) },
      { weight: 4, arbitrary: fc.nat(1_500) },
      { weight: 1, arbitrary: fc.integer({ min: -1_500, max: -1 }) },
    ),
    cost: fc.nat(60),
    /** share of the reservation it is settled to, and after how many more steps */
    used: fc.constantFrom(0, 0.5, 1, 2),
    settledAfter: fc.nat(6),
  }),
  { maxLength: 120, size: 'max' },
);
const slots = fc.constantFrom(1, 7, 100, WINDOW);
const LIMIT = 100;

test('it answers as the plainest model does', () => {
  fc.assert(
    fc.property(steps, slots, fc.boolean(), (each, slotMs, ones) => {
      const count = new WindowCount(WINDOW);
      const model = new WindowModel(WINDOW, slotMs);
      const open: { due: number; at: number; cost: number; used: number }[] = [];
      let now = 10_000;
      each.forEach(({ gap, cost: some, used, settledAfter }, i) => {
        now += gap;
        const cost = ones ? 1 : some;
        for (const lease of open.filter(({ due }) => due === i)) {
          count.correct(lease.at, lease.cost, lease.used, slotMs, now);
          model.correct(lease.at, lease.cost, lease.used, now);
        }
        expect(count.used(now)).toBe(model.used(now));
        expect(count.resetMs(now)).toBe(model.resetMs(now));
        for (const limit of [LIMIT, LIMIT / 2]) {
          expect(count.waitFor(limit, cost, now)).toBe(model.waitFor(limit, cost, now));
        }
        if (count.waitFor(LIMIT, cost, now) > 0) return;
        const at = count.charge(cost, slotMs, now);
        expect(at).toBe(model.charge(cost, now));
        open.push({ due: i + 1 + settledAfter, at, cost, used: Math.floor(cost * used) });
      });
    }),
    { numRuns: 150 },
  );
});

test('no span of a window holds more than the limit, and at most one slot later all is admitted that fits', () => {
  fc.assert(
    fc.property(steps, slots, (each, slotMs) => {
      const count = new WindowCount(WINDOW);
      const charges: { at: number; amount: number }[] = [];
      const open: { due: number; charge: { at: number; amount: number }; used: number }[] = [];
      let now = 0;
      each.forEach(({ gap, cost, used, settledAfter }, i) => {
        now += Math.abs(gap);
        for (const { charge, used: final } of open.filter(({ due }) => due === i)) {
          count.correct(charge.at, charge.amount, final, slotMs, now);
          charge.amount = final;
        }
        const within = (ms: number): number =>
          charges.reduce((sum, { at, amount }) => sum + (at + ms > now ? amount : 0), 0);
        const fits = count.waitFor(LIMIT, cost, now) === 0;
        if (fits && cost > 0) expect(within(WINDOW) + cost).toBeLessThanOrEqual(LIMIT);
        if (!fits) expect(within(WINDOW + slotMs) + cost).toBeGreaterThan(LIMIT);
        if (!fits) return;
        const charge = { at: count.charge(cost, slotMs, now), amount: cost };
        charges.push(charge);
        open.push({ due: i + 1 + settledAfter, charge, used: Math.floor(cost * used) });
      });
    }),
    { numRuns: 300 },
  );
});
