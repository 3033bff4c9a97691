import * as fc from 'fast-check';
import { budgetIsIdle, budgetState, correct, reserve, type Budget } from './token-budget.js';

const rule = { limit: 100, windowMs: 1_000, slotMs: 100 };

test('an empty budget has the whole limit', () => {
  expect(budgetState([], rule, 100, 0)).toEqual({ remaining: 100, retryAfterMs: 0 });
});

test('one charge comes back exactly when it is a window old', () => {
  const { budget } = reserve([], rule, 100, 30);
  expect(budgetState(budget, rule, 1, 1_029)).toEqual({ remaining: 0, retryAfterMs: 1 });
  expect(budgetState(budget, rule, 1, 1_030)).toEqual({ remaining: 100, retryAfterMs: 0 });
});

test('charges of one slot come back together with the last of them, never before', () => {
  const budget = reserve(reserve([], rule, 60, 10).budget, rule, 40, 90).budget;
  expect(budget).toEqual([{ index: 0, lastAt: 90, tokens: 100 }]);
  expect(budgetState(budget, rule, 50, 100)).toEqual({ remaining: 0, retryAfterMs: 990 });
});

test('the wait is for as many slots as the cost needs', () => {
  const budget = reserve(reserve([], rule, 60, 0).budget, rule, 40, 500).budget;
  expect(budgetState(budget, rule, 60, 600)).toEqual({ remaining: 0, retryAfterMs: 400 });
  expect(budgetState(budget, rule, 61, 600)).toEqual({ remaining: 0, retryAfterMs: 900 });
});

test('a cost above the limit never fits', () => {
  expect(budgetState([], rule, 101, 0)).toEqual({ remaining: 100, retryAfterMs: Infinity });
});

test('what costs nothing fits an overdrawn budget', () => {
  const { budget, at } = reserve([], rule, 10, 0);
  const overdrawn = correct(budget, rule, at, 10, 500);
  expect(budgetState(overdrawn, rule, 0, 0)).toEqual({ remaining: 0, retryAfterMs: 0 });
  expect(budgetState(overdrawn, rule, 1, 0)).toEqual({ remaining: 0, retryAfterMs: 1_000 });
});

test('tokens that do not fit cannot be reserved', () => {
  expect(() => reserve(reserve([], rule, 60, 0).budget, rule, 41, 0)).toThrow(RangeError);
});

test('a correction downward gives back and leaves no empty slot', () => {
  const { budget, at } = reserve([], rule, 60, 0);
  expect(correct(budget, rule, at, 60, 20)).toEqual([{ index: 0, lastAt: 0, tokens: 20 }]);
  expect(correct(budget, rule, at, 60, 0)).toEqual([]);
});

test('a correction never takes a slot below zero, nor touches another', () => {
  const budget: Budget = [
    { index: 0, lastAt: 0, tokens: 5 },
    { index: 1, lastAt: 100, tokens: 50 },
  ];
  expect(correct(budget, rule, 0, 60, 0)).toEqual([{ index: 1, lastAt: 100, tokens: 50 }]);
});

test('a reservation of nothing that turns out to be something is charged to its own time', () => {
  const later = reserve([], rule, 60, 500).budget;
  expect(correct(later, rule, 10, 0, 7)).toEqual([
    { index: 0, lastAt: 10, tokens: 7 },
    { index: 5, lastAt: 500, tokens: 60 },
  ]);
});

test('a clock that steps back counts as standing still', () => {
  const { budget } = reserve([], rule, 60, 500);
  expect(reserve(budget, rule, 40, 100)).toEqual({ at: 500, budget: [{ index: 5, lastAt: 500, tokens: 100 }] });
});

test('a budget is idle when nothing of it counts', () => {
  expect(budgetIsIdle([], 1_000, 0)).toBe(true);
  expect(budgetIsIdle(reserve([], rule, 1, 5).budget, 1_000, 1_004)).toBe(false);
  expect(budgetIsIdle(reserve([], rule, 1, 5).budget, 1_000, 1_005)).toBe(true);
});

interface Charge {
  readonly at: number;
  tokens: number;
}
const steps = fc.array(
  fc.record({
    gap: fc.oneof(fc.nat(30), fc.nat(1_500)),
    cost: fc.nat(60),
    /** share of the reservation it is settled to, and after how many more steps */
    used: fc.constantFrom(0, 0.5, 1, 2),
    settledAfter: fc.nat(4),
  }),
  { maxLength: 100, size: 'max' },
);

test('it admits nothing that a count over all charges refuses, and at most one slot later all that the count admits', () => {
  fc.assert(
    fc.property(steps, (each) => {
      const charges: Charge[] = [];
      const open: { due: number; charge: Charge; reserved: number; used: number }[] = [];
      let budget: Budget = [];
      let now = 0;
      each.forEach(({ gap, cost, used, settledAfter }, i) => {
        now += gap;
        for (const { charge, reserved, used: final } of open.filter(({ due }) => due === i)) {
          if (charge.at + rule.windowMs <= now) continue;
          budget = correct(budget, rule, charge.at, reserved, final);
          charge.tokens = final;
        }
        const counted = (ms: number): number =>
          charges.reduce((sum, { at, tokens }) => sum + (at + ms > now ? tokens : 0), 0);
        const fits = budgetState(budget, rule, cost, now).retryAfterMs === 0;
        if (fits && cost > 0) expect(counted(rule.windowMs) + cost).toBeLessThanOrEqual(rule.limit);
        if (!fits) expect(counted(rule.windowMs + rule.slotMs) + cost).toBeGreaterThan(rule.limit);
        if (fits) {
          const reserved = reserve(budget, rule, cost, now);
          budget = reserved.budget;
          const charge = { at: now, tokens: cost };
          charges.push(charge);
          open.push({ due: i + 1 + settledAfter, charge, reserved: cost, used: Math.floor(cost * used) });
        }
        expect(budget.length).toBeLessThanOrEqual(rule.windowMs / rule.slotMs + 1);
        expect(budget.every(({ tokens }) => tokens > 0)).toBe(true);
      });
    }),
  );
});

test('the stated wait is enough, and one millisecond less is not', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 100 }), (each, cost) => {
      let budget: Budget = [];
      let now = 0;
      for (const { gap, cost: spent } of each) {
        now += gap;
        if (budgetState(budget, rule, spent, now).retryAfterMs === 0) budget = reserve(budget, rule, spent, now).budget;
      }
      const wait = budgetState(budget, rule, cost, now).retryAfterMs;
      expect(budgetState(budget, rule, cost, now + wait).retryAfterMs).toBe(0);
      if (wait > 0) expect(budgetState(budget, rule, cost, now + wait - 1).retryAfterMs).toBe(1);
    }),
  );
});
