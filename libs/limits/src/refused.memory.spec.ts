import type { Draw } from './draws.js';
import { RefusedMemory } from './refused.memory.js';
import { verdictOf, type Refused } from './verdict.js';

const draw: Draw = {
  rule: 'requests',
  type: 'requests',
  key: 'requests/60000/p',
  limit: 60,
  windowMs: 60_000,
  slotMs: 1,
  cost: 1,
  until: 'window',
  fail: 'closed',
};
const refusal = (of: Draw, retryAfterMs: number): Refused =>
  verdictOf([of], [{ remaining: 0, retryAfterMs, resetMs: of.windowMs }], '', 3) as Refused;

function refusedAt(askedAt: number, retryAfterMs = 10_000, more: Partial<Draw> = {}) {
  const memory = new RefusedMemory(100);
  const one = { ...draw, ...more };
  memory.remember('t', one, refusal(one, retryAfterMs), askedAt);
  return memory;
}

test('it refuses until the reset as it was when the question was sent, and not a millisecond longer', () => {
  const memory = refusedAt(1_000);
  expect(memory.find('t', [draw], 4_000)).toEqual({ ...refusal(draw, 7_000), resetMs: 57_000 });
  expect(memory.find('t', [draw], 10_999)).toMatchObject({ retryAfterMs: 1 });
  expect(memory.find('t', [draw], 11_000)).toBeUndefined();
  expect(memory.size).toBe(0);
});

test.each([
  ['another tenant', 'u', {}],
  ['another count', 't', { key: 'requests/60000/q' }],
  ['a limit that was raised', 't', { limit: 61 }],
])('%s is not refused', (_what, tenant, more) => {
  expect(refusedAt(0).find(tenant, [{ ...draw, ...more }], 1)).toBeUndefined();
});

test('a limit that was lowered is refused', () => {
  expect(refusedAt(0).find('t', [{ ...draw, limit: 30 }], 1)).toMatchObject({ allowed: false });
});

test.each(['llm_tokens', 'cost', 'concurrency'] as const)(
  '%s may be given back, so it is asked about each time',
  (type) => {
    expect(refusedAt(0, 10_000, { type }).find('t', [{ ...draw, type }], 1)).toBeUndefined();
  },
);

test('neither a short wait nor what no wait helps is remembered', () => {
  expect(refusedAt(0, 19).size).toBe(0);
  expect(refusedAt(0, Infinity).size).toBe(0);
});

test('it remembers so many and no more, and forgets the oldest first', () => {
  const memory = new RefusedMemory(3);
  const keys = ['a', 'b', 'c', 'a', 'd'];
  for (const key of keys) memory.remember('t', { ...draw, key }, refusal(draw, 10_000), 0);
  expect(memory.size).toBe(3);
  const isRefused = (key: string) => memory.find('t', [{ ...draw, key }], 1) !== undefined;
  expect(['a', 'b', 'c', 'd'].filter(isRefused)).toEqual(['a', 'c', 'd']);
});
