import { AwayMemory } from './away.memory.js';
import type { Draw } from './draws.js';
import { heldAs } from './lease-names.js';
import { LEASE_MS } from './rule-table.js';

const draw = (more: Partial<Draw> = {}): Draw => ({
  rule: 'r',
  type: 'requests',
  key: 'k',
  limit: 10,
  windowMs: 1_000,
  slotMs: 1,
  cost: 1,
  until: 'window',
  fail: 'share',
  ...more,
});
const overloaded = expect.objectContaining({ code: 'overloaded' });

test.each([
  [1, 10],
  [2, 5],
  [3, 3],
  [10, 1],
])('one of %d replicas admits %d of 10, rounded down, in any window', (replicas, share) => {
  const away = new AwayMemory(replicas, 100);
  const ask = (now: number) => away.decide('t', [draw()], '', 4, now);
  for (let i = 0; i < share; i++) expect(ask(500)).toMatchObject({ allowed: true, limit: share, rulesVersion: 4 });
  expect(ask(1_499)).toMatchObject({ allowed: false, limit: share, retryAfterMs: 1 });
  expect(ask(1_500)).toMatchObject({ allowed: true, remaining: share - 1 });
});

test('a limit that has less than one permit for each replica admits none', () => {
  expect(() => new AwayMemory(11, 100).decide('t', [draw()], '', 0, 0)).toThrow(overloaded);
});

test('a closed rule refuses, whatever the others say, and nothing is counted', () => {
  const away = new AwayMemory(1, 100);
  const draws = [draw(), draw({ key: 'o', fail: 'open' }), draw({ key: 'c', fail: 'closed' })];
  expect(() => away.decide('t', draws, '', 0, 0)).toThrow(overloaded);
  expect(away.size).toBe(0);
});

test('an open rule is not counted, and refuses nobody', () => {
  const away = new AwayMemory(2, 100);
  const draws = [draw({ key: 'o', fail: 'open', limit: 1 })];
  for (let i = 0; i < 50; i++) expect(away.decide('t', draws, `l${i}`, 0, 0)).toMatchObject({ allowed: true });
  expect(away.size).toBe(0);
});

test('a refusal takes nothing of the other limits', () => {
  const away = new AwayMemory(1, 100);
  const draws = [draw({ key: 'many' }), draw({ key: 'few', limit: 1 })];
  for (let i = 0; i < 5; i++) away.decide('t', draws, '', 0, 0);
  expect(away.decide('t', [draw({ key: 'many' })], '', 0, 0)).toMatchObject({ remaining: 8 });
});

test('a lease that is bound to its taker is found under both names, and told by its own', () => {
  const away = new AwayMemory(1, 100);
  const verdict = away.decide('t', [draw({ type: 'llm_tokens', cost: 10 })], 'lease', 0, 0, 'gateway');
  expect(verdict).toMatchObject({ allowed: true, lease: 'lease' });
  for (const other of [undefined, 'another']) expect(away.settle('t', heldAs('lease', other), 0, 0, 1)).toBe(false);
  expect(away.settle('t', heldAs('lease', 'gateway'), 0, 0, 1)).toBe(true);
});

test('tenants share nothing, and the lease of one is unknown to the other', () => {
  const away = new AwayMemory(1, 100);
  const tokens = draw({ type: 'llm_tokens', cost: 10 });
  expect(away.decide('a', [tokens], 'lease', 0, 0)).toMatchObject({ allowed: true });
  expect(away.decide('b', [tokens], 'other', 0, 0)).toMatchObject({ allowed: true });
  expect(away.settle('b', 'lease', 0, undefined, 1)).toBe(false);
  expect(away.settle('a', 'lease', 0, undefined, 1)).toBe(true);
  expect(away.settle('a', 'lease', 0, undefined, 1)).toBe(false);
  expect(away.decide('a', [tokens], 'next', 0, 1)).toMatchObject({ allowed: true });
});

test('a place among those that run at a time is free when its lease is settled, or has expired', () => {
  const away = new AwayMemory(2, 100);
  const running = draw({ type: 'concurrency', until: 'lease', windowMs: LEASE_MS, limit: 2 });
  const ask = (lease: string, now: number) => away.decide('t', [running], lease, 0, now).allowed;
  expect([ask('a', 0), ask('b', 0)]).toEqual([true, false]);
  expect(away.settle('t', 'a', 0, undefined, 5)).toBe(true);
  expect([ask('b', 5), ask('c', 5 + LEASE_MS - 1), ask('c', 5 + LEASE_MS)]).toEqual([true, false, true]);
});

test('it counts so much and no more, half of it for one tenant, and forgets what is idle', () => {
  const away = new AwayMemory(1, 8);
  const ask = (tenant: string, key: string, now: number) => away.decide(tenant, [draw({ key })], '', 0, now);
  for (const key of ['a', 'b', 'c', 'd']) ask('greedy', key, 0);
  expect(() => ask('greedy', 'e', 0)).toThrow(overloaded);
  for (const key of ['a', 'b', 'c', 'd']) ask('other', key, 0);
  expect(() => ask('third', 'a', 0)).toThrow(overloaded);
  for (let i = 0; i < 4; i++) ask('other', 'a', 1_000);
  expect(away.size).toBe(1);
  expect(ask('greedy', 'e', 1_000)).toMatchObject({ allowed: true });
});

test.each([0, -1, 1.5, NaN])('%d is no number of replicas', (replicas) => {
  expect(() => new AwayMemory(replicas, 10)).toThrow(RangeError);
});
