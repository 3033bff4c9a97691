import type { Redis } from '@portcullis/redis/redis';
import { testRedis } from '@portcullis/redis/redis.fixture';
import * as fc from 'fast-check';
import { DECIDE } from './decide-script.js';
import type { Draw } from './draws.js';
import { LEASE_MS } from './rule-table.js';
import { countKey, decodeTurn, encodeTurn, leaseKey, type DrawState, type Operation } from './turn.js';
import { WindowModel } from './window.model.fixture.js';

const START = 1_700_000_012_345;
const WINDOW_MS = 1_000;

const server = testRedis();
let redis: Redis;
beforeAll(async () => (redis = await server.open()));
afterAll(() => redis.close());

const drawOf = (more: Partial<Draw>): Draw => ({
  rule: 'r',
  type: 'requests',
  key: 'r/1000/p',
  limit: 20,
  windowMs: WINDOW_MS,
  slotMs: 1,
  cost: 1,
  until: 'window',
  fail: 'closed',
  ...more,
});

/** The script on counts that no other test has. */
function started() {
  const tenant = server.freshTenant();
  const turn = async (operations: readonly Operation[], now: number | undefined) => {
    const { keys, args } = encodeTurn(tenant, operations, now);
    return decodeTurn(operations, await redis.run(DECIDE, keys, args));
  };
  const ask = async (draws: readonly Draw[], now: number | undefined, lease = '') => {
    const [states] = (await turn([{ draws, lease }], now)).answers;
    return states as readonly DrawState[];
  };
  const settle = async (settled: string, llmTokens: number | undefined, now: number, costMicros?: number) =>
    (await turn([{ settled, llmTokens, costMicros }], now)).answers[0];
  return { tenant, turn, ask, settle };
}
const fits = (states: readonly DrawState[]): boolean => states.every(({ retryAfterMs }) => retryAfterMs === 0);

describe('the script and the plainest model, step by step', () => {
  const step = fc.record({
    gap: fc.oneof(fc.constant(0), fc.nat(30), fc.nat(1_500), fc.constant(LEASE_MS)),
    tokens: fc.oneof({ weight: 4, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.integer({ min: 90, max: 130 }) }),
    /** an agent in Remediation has half of each limit */
    share: fc.constantFrom(1, 1, 1, 0.5),
    /** after how many more steps its lease is settled, and to how many tokens */
    settledAfter: fc.nat(5),
    used: fc.nat(80),
  });

  test('they say the same of every draw, whatever was reserved and settled before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), async (steps) => {
        const { ask, settle } = started();
        const models = [new WindowModel(WINDOW_MS, 1), new WindowModel(WINDOW_MS, 100)] as const;
        const open: { due: number; lease: string; at: number; tokens: number; used: number; takenAt: number }[] = [];
        let now = START;
        for (const [i, { gap, tokens, share, settledAfter, used }] of steps.entries()) {
          now += gap;
          for (const one of open.filter(({ due }) => due === i)) {
            const alive = one.takenAt + LEASE_MS > now;
            expect(await settle(one.lease, one.used, now)).toBe(alive);
            if (alive) models[1].correct(one.at, one.tokens, one.used, now);
          }
          const draws = [
            drawOf({ limit: 12 * share }),
            drawOf({ type: 'llm_tokens', key: 't/1000/p', limit: 100 * share, slotMs: 100, cost: tokens }),
          ];
          const expected = draws.map(({ limit, cost }, k) => ({
            remaining: Math.max(0, limit - models[k]!.used(now)),
            retryAfterMs: models[k]!.waitFor(limit, cost, now),
            resetMs: models[k]!.resetMs(now),
          }));
          const states = await ask(draws, now, `lease-${i}`);
          expect(states[0]).toEqual(expected[0]);
          // what costs nothing is not looked at
          expect(states[1]).toEqual(
            tokens === 0 ? { remaining: draws[1]!.limit, retryAfterMs: 0, resetMs: 0 } : expected[1],
          );
          if (!fits(expected)) continue;
          models[0].charge(1, now);
          const at = models[1].charge(tokens, now);
          open.push({ due: i + 1 + settledAfter, lease: `lease-${i}`, at, tokens, used, takenAt: now });
        }
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });

  test('a turn of many operations comes to what they come to one by one', async () => {
    const several = fc.array(fc.record({ tokens: fc.nat(30), used: fc.nat(60), later: fc.boolean() }), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(400), several), { minLength: 5, maxLength: 20 }), async (turns) => {
        const [together, alone] = [started(), started()];
        let now = START;
        for (const [t, [gap, each]] of turns.entries()) {
          now += gap;
          const operations = each.flatMap(({ tokens, used, later }, i): Operation[] => {
            const lease = `lease-${t}-${i}`;
            const draws = [
              drawOf({}),
              drawOf({ type: 'llm_tokens', key: 't/1000/p', limit: 150, slotMs: 100, cost: tokens }),
            ];
            const settled = { settled: lease, llmTokens: used, costMicros: undefined };
            return later ? [{ draws, lease }] : [{ draws, lease }, settled];
          });
          const one: unknown[] = [];
          for (const operation of operations) one.push(...(await alone.turn([operation], now)).answers);
          expect((await together.turn(operations, now)).answers).toEqual(one);
        }
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });
});

describe('what the script keeps', () => {
  test('a count is bounded, however many charges there are and however fine its slots', async () => {
    const { tenant, turn, ask } = started();
    const draw = drawOf({ limit: 1e9, windowMs: 3_600_000 });
    for (let i = 0; i < 600; i++) await turn([{ draws: [draw], lease: '' }], START + i);
    expect(await redis.send('strlen', countKey(tenant, draw.key))).toBe(24 + 512 * 16);
    expect(await ask([{ ...draw, limit: 601, cost: 2 }], START + 600)).toMatchObject([{ remaining: 1 }]);
    // what shares the newest slot leaves with its last charge, never before
    const all = drawOf({ ...draw, cost: 600, limit: 600 });
    expect(await ask([all], START + 600)).toMatchObject([{ retryAfterMs: 3_600_000 - 1 }]);
  });

  test('a count and a lease go by themselves when they count no more', async () => {
    const { tenant, ask } = started();
    const draw = drawOf({ windowMs: 80, slotMs: 1 });
    await ask([draw], undefined, 'lease');
    const ttl = async (key: string) => Number(await redis.send('pttl', key));
    expect(await ttl(countKey(tenant, draw.key))).toBeLessThanOrEqual(100);
    expect(await ttl(leaseKey(tenant, 'lease'))).toBeLessThanOrEqual(LEASE_MS);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await redis.send('exists', countKey(tenant, draw.key))).toBe(0);
  });

  test('a count outlives its window as long as it is charged', async () => {
    const { tenant, ask } = started();
    const draw = drawOf({ windowMs: 60_000 });
    for (let now = START; now < START + 300_000; now += 7_000) {
      await ask([draw], now);
      expect(Number(await redis.send('pttl', countKey(tenant, draw.key)))).toBeGreaterThan(59_000 - 7_000);
    }
  });

  test('a refused question writes nothing', async () => {
    const { tenant, ask } = started();
    const draws = [drawOf({ limit: 1 }), drawOf({ key: 'other', limit: 5 })];
    await ask(draws, START, 'first');
    const dump = async () => Promise.all(draws.map(({ key }) => redis.send('dump', countKey(tenant, key))));
    const before = await dump();
    expect(fits(await ask(draws, START + 10, 'second'))).toBe(false);
    expect(await dump()).toEqual(before);
    expect(await redis.send('exists', leaseKey(tenant, 'second'))).toBe(0);
  });

  test('all keys of a turn begin with the tenant as their hash tag', async () => {
    const { tenant, turn } = started();
    const draws = [drawOf({ key: 'a{b}/c' }), drawOf({ type: 'concurrency', key: 'open', until: 'lease' })];
    const operations: Operation[] = [
      { draws, lease: 'l' },
      { settled: 'l', llmTokens: 1, costMicros: 1 },
    ];
    for (const key of encodeTurn(tenant, operations, undefined).keys) expect(key.startsWith(`{${tenant}}:`)).toBe(true);
    await turn(operations, undefined);
    expect(await redis.send('exists', countKey(tenant, 'open'))).toBe(0);
  });
});

describe('leases that are counted', () => {
  const open = (limit: number) =>
    drawOf({ type: 'concurrency', key: 'open', until: 'lease', windowMs: LEASE_MS, limit });

  test('there are never more than the limit, and one that is settled makes room', async () => {
    const { ask, settle } = started();
    for (const lease of ['a', 'b']) expect(fits(await ask([open(2)], START, lease))).toBe(true);
    expect(await ask([open(2)], START + 5, 'c')).toEqual([
      { remaining: 0, retryAfterMs: LEASE_MS - 5, resetMs: LEASE_MS - 5 },
    ]);
    expect(await settle('a', undefined, START + 6)).toBe(true);
    expect(await settle('a', undefined, START + 6)).toBe(false);
    expect(await ask([open(2)], START + 7, 'c')).toMatchObject([{ remaining: 1, retryAfterMs: 0 }]);
  });

  test('one that nobody settles ends by itself', async () => {
    const { ask, settle } = started();
    await ask([open(1)], START, 'a');
    expect(fits(await ask([open(1)], START + LEASE_MS - 1, 'b'))).toBe(false);
    expect(fits(await ask([open(1)], START + LEASE_MS, 'b'))).toBe(true);
    expect(await settle('a', 0, START + LEASE_MS)).toBe(false);
  });

  test('they may end in any order, and there are as many as are open', async () => {
    const shuffled = fc.shuffledSubarray([...Array(40).keys()], { minLength: 40, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(shuffled, async (order) => {
        const { ask, settle } = started();
        for (let i = 0; i < 40; i++) expect(fits(await ask([open(40)], START + i, `l${i}`))).toBe(true);
        for (const [ended, i] of order.entries()) {
          expect(await ask([open(40)], START + 50, 'more')).toMatchObject([{ remaining: 0 }]);
          expect(await settle(`l${i}`, 0, START + 50)).toBe(true);
          expect(await ask([open(40)], START + 50, `n${ended}`)).toMatchObject([{ remaining: 1 }]);
        }
      }),
      { numRuns: 5, endOnFailure: true },
    );
  });

  test('a clock that is set back by an hour keeps none longer than a lease lives', async () => {
    const { ask } = started();
    const hour = 3_600_000;
    await ask([open(1)], START, 'a');
    expect(await ask([open(1)], START - hour, 'b')).toMatchObject([{ retryAfterMs: LEASE_MS }]);
    expect(fits(await ask([open(1)], START - hour + LEASE_MS - 1, 'b'))).toBe(false);
    expect(fits(await ask([open(1)], START - hour + LEASE_MS, 'b'))).toBe(true);
  });
});

test('a clock that is set back stands still for that step and goes on: nothing early, and nobody held for the step', async () => {
  const { ask } = started();
  const hour = 3_600_000;
  const draw = drawOf({ limit: 1, windowMs: 60_000 });
  await ask([draw], START);
  expect(await ask([draw], START - hour)).toMatchObject([{ retryAfterMs: 60_000 }]);
  expect(await ask([draw], START - hour + 59_999)).toMatchObject([{ retryAfterMs: 1 }]);
  expect(fits(await ask([draw], START - hour + 60_000))).toBe(true);
  expect(await ask([draw], START - hour + 60_001)).toMatchObject([{ retryAfterMs: 59_999 }]);
});

test('cost in micros is settled apart from LLM tokens', async () => {
  const { ask, settle } = started();
  const draws = (tokens: number, micros: number) => [
    drawOf({ type: 'llm_tokens', key: 't', limit: 100, slotMs: 100, cost: tokens }),
    drawOf({ type: 'cost', key: 'c', limit: 5e9, slotMs: 100, cost: micros }),
  ];
  await ask(draws(50, 3e9), START, 'a');
  expect(await settle('a', 10, START + 1)).toBe(true);
  expect(await ask(draws(91, 2e9 + 1), START + 2, 'b')).toMatchObject([
    { remaining: 90, retryAfterMs: 998 },
    { remaining: 2e9, retryAfterMs: 998 },
  ]);
  await ask(draws(1, 2e9), START + 3, 'c');
  expect(await settle('c', undefined, START + 4, 7e9)).toBe(true);
  expect(await ask(draws(0, 1), START + 5, 'd')).toMatchObject([{}, { remaining: 0 }]);
});
