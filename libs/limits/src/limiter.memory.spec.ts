import { randomBytes } from 'node:crypto';
import { Refusal } from '@portcullis/contract/refusals';
import { limiterContract } from './limiter.contract.js';
import { limiterHistoryContract } from './limiter.history.contract.js';
import { memoryLimiter, type MemoryLimiterParts } from './limiter.memory.js';
import { limiterRulesContract } from './limiter.rules.contract.js';
import { limiterTakersContract } from './limiter.takers.contract.js';
import { LEASE_MS, ruleTable, type RuleTable } from './rule-table.js';
import { HOUSE_TABLE, tableOf } from './rules.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const make = async (now: () => number, table: RuleTable = HOUSE_TABLE) =>
  memoryLimiter({ now, random: randomBytes, table: () => table });

limiterContract('memory', make);
limiterRulesContract('memory', make);
limiterTakersContract('memory', make);
limiterHistoryContract('memory', make);

describe('what the memory limiter remembers', () => {
  test('a principal whose windows are empty is forgotten by the questions of others', async () => {
    const { limiter, clock } = started();
    for (let i = 0; i < 500; i++) limiter.decide({ tenant: 'gone', principal: `idle-${i}` });
    expect(limiter.stats()).toEqual({ tenants: 1, counts: 500, leases: 500 });
    clock.at += LEASE_MS;
    for (let i = 0; i < 510; i++) limiter.decide({ tenant: 't', principal: `busy-${i % 10}` });
    expect(limiter.stats()).toEqual({ tenants: 1, counts: 10, leases: 510 });
  });

  test('a principal with LLM tokens spent within the hour is kept', async () => {
    const { limiter, clock } = started();
    limiter.decide({ tenant: 't', principal: 'spender', llmTokens: 100_000 });
    clock.at += HOUR - 1;
    for (let i = 0; i < 20; i++) limiter.decide({ tenant: 't', principal: 'other' });
    expect(limiter.decide({ tenant: 't', principal: 'spender', llmTokens: 1 })).toMatchObject({ allowed: false });
    clock.at += 1;
    for (let i = 0; i < 20; i++) limiter.decide({ tenant: 't', principal: 'other' });
    expect(limiter.stats().counts).toBe(1);
  });

  test('a principal that goes on calling is kept', async () => {
    const { limiter, clock } = started();
    limiter.decide({ tenant: 't', principal: 'p' });
    clock.at += LEASE_MS - 1;
    for (let i = 0; i < 60; i++) limiter.decide({ tenant: 't', principal: 'p' });
    clock.at += 10_000;
    for (let i = 0; i < 20; i++) limiter.decide({ tenant: 't', principal: 'other' });
    expect(limiter.decide({ tenant: 't', principal: 'p' })).toMatchObject({ allowed: false });
  });

  test('a lease of a principal that is idle otherwise can still be settled upward', async () => {
    const { limiter, clock } = started();
    const verdict = limiter.decide({ tenant: 't', principal: 'slow' });
    clock.at += LEASE_MS - 1;
    for (let i = 0; i < 20; i++) limiter.decide({ tenant: 't', principal: 'other' });
    expect(limiter.settle('t', verdict.allowed ? verdict.lease : '', 100_000)).toBe(true);
    expect(limiter.decide({ tenant: 't', principal: 'slow', llmTokens: 1 })).toMatchObject({ allowed: false });
  });

  test('the windows of tools go when nothing of them counts, by the calls of others too', async () => {
    const { limiter, clock } = started();
    for (let i = 0; i < 60; i++) limiter.decide({ tenant: 't', principal: 'p', tool: `tool-${i}`, llmTokens: 0 });
    expect(limiter.stats().counts).toBe(61);
    clock.at += 60_000;
    for (let i = 0; i < 70; i++) limiter.decide({ tenant: 't', principal: 'other' });
    expect(limiter.stats().counts).toBe(1);
  });

  test('a question that is refused leaves no trace', async () => {
    const { limiter } = started();
    limiter.decide({ tenant: 't', principal: 'p', llmTokens: 200_000 });
    expect(() => limiter.decide({ tenant: 't', principal: 'p', llmTokens: -1 })).toThrow(RangeError);
    expect(limiter.stats()).toEqual({ tenants: 0, counts: 0, leases: 0 });
  });

  test('by whatever is not counted by, the same question stays the same one', async () => {
    const { limiter } = started();
    for (let i = 0; i < 40; i++)
      limiter.decide({ tenant: 't', principal: 'p', user: `u${i}`, address: `192.0.2.${i}`, chain: [`a${i}`] });
    expect(limiter.decide({ tenant: 't', principal: 'p' })).toMatchObject({ allowed: true, remaining: 19 });
    expect(limiter.stats().counts).toBe(1);
  });

  test('a full limiter refuses whom it does not know and goes on serving whom it does', async () => {
    const { limiter } = started({ maxCounts: 4, maxCountsPerTenant: 4 });
    for (let i = 0; i < 4; i++) limiter.decide({ tenant: 't', principal: `p${i}` });
    const asked = () => limiter.decide({ tenant: 't', principal: 'p4' });
    expect(asked).toThrow(Refusal);
    expect(asked).toThrow(expect.objectContaining({ code: 'overloaded', facts: { retryAfterMs: 1_000 } }));
    expect(limiter.decide({ tenant: 't', principal: 'p0' })).toMatchObject({ allowed: true, remaining: 58 });
    expect(limiter.stats()).toEqual({ tenants: 1, counts: 4, leases: 5 });
  });

  test.each([0, 50, 100, 150, 199])(
    'a full limiter makes room by forgetting the one who is idle, at %d',
    async (at) => {
      const { limiter, clock } = await fullBut(at);
      clock.at += MINUTE;
      expect(limiter.decide({ tenant: 't', principal: 'new', tool: 'kept' })).toMatchObject({ allowed: true });
      expect(limiter.stats().counts).toBe(200);
    },
  );

  test('a full limiter looks for room everywhere at most once a second', async () => {
    let admitted = 0;
    for (const at of [0, 50, 100, 150, 199]) {
      const { limiter, clock } = await fullBut(at);
      const ask = async () => limiter.decide({ tenant: 't', principal: 'new', tool: 'kept' }).allowed;
      clock.at += MINUTE - 999;
      await expect(ask()).rejects.toThrow(Refusal);
      clock.at += 999;
      admitted += (await ask().catch(() => false)) ? 1 : 0;
      clock.at += 1;
      expect(await ask()).toBe(true);
    }
    expect(admitted).toBeLessThanOrEqual(1);
  });

  test('one tenant cannot take the room of all others', async () => {
    const { limiter } = started({ maxCounts: 10 });
    for (let i = 0; i < 5; i++) limiter.decide({ tenant: 'greedy', principal: `p${i}` });
    expect(() => limiter.decide({ tenant: 'greedy', principal: 'p5' })).toThrow(Refusal);
    expect(limiter.decide({ tenant: 'other', principal: 'p0' })).toMatchObject({ allowed: true });
  });

  test('leases that nobody settles are bounded, and for one tenant to half of them', async () => {
    const { limiter, clock } = started({ maxLeases: 4 });
    for (let i = 0; i < 2; i++) limiter.decide({ tenant: 'greedy', principal: 'p' });
    expect(() => limiter.decide({ tenant: 'greedy', principal: 'p' })).toThrow(Refusal);
    expect(limiter.decide({ tenant: 'greedy', principal: 'p', stage: 'arrival' })).toMatchObject({ allowed: true });
    const verdict = limiter.decide({ tenant: 'other', principal: 'p' });
    expect(limiter.release('other', verdict.allowed ? verdict.lease : '')).toBe(true);
    clock.at += LEASE_MS;
    expect(limiter.decide({ tenant: 'greedy', principal: 'p' })).toMatchObject({ allowed: true, remaining: 59 });
    expect(limiter.stats().leases).toBe(1);
  });

  test('a new table counts from the next question on, and what was counted under a rule of the same name stays', async () => {
    let table = HOUSE_TABLE;
    const { limiter } = started({ table: () => table });
    const ask = () => limiter.decide({ tenant: 't', principal: 'p' });
    for (let i = 0; i < 40; i++) ask();
    table = { ...tableOf(new Map(), { perMinute: 30 }), version: 1 };
    expect(ask()).toMatchObject({ allowed: false, limit: 30, rulesVersion: 1 });
    table = { ...tableOf(new Map(), { perMinute: 300 }), version: 2 };
    expect(ask()).toMatchObject({ allowed: true, remaining: 259, rulesVersion: 2 });
  });

  test('a question that its asker changes afterwards is another question', async () => {
    const { limiter } = started();
    const question = { tenant: 't', principal: 'p', llmTokens: 10 };
    limiter.decide(question);
    question.llmTokens = 100_001;
    expect(limiter.decide(question)).toMatchObject({ allowed: false, impossible: true });
  });

  test('whoever was forgotten while others asked starts anew, and counts again', async () => {
    const { limiter, clock } = started();
    const ask = (principal: string) => limiter.decide({ tenant: 't', principal });
    ask('p');
    clock.at += MINUTE;
    for (let i = 0; i < 10; i++) ask('other');
    for (let i = 0; i < 60; i++) expect(ask('p')).toMatchObject({ allowed: true, remaining: 59 - i });
    expect(ask('p')).toMatchObject({ allowed: false });
  });

  test('what is idle makes room and is counted from nothing by the question that needed the room', async () => {
    const { limiter, clock } = started({ maxCounts: 3, maxCountsPerTenant: 3 });
    for (const tool of ['a', 'b']) limiter.decide({ tenant: 't', principal: 'p', tool, llmTokens: 0 });
    clock.at += MINUTE;
    for (const [i, tool] of ['c', 'd'].entries()) {
      expect(limiter.decide({ tenant: 't', principal: 'p', tool, llmTokens: 0 })).toMatchObject({ remaining: 59 - i });
    }
    expect(limiter.decide({ tenant: 't', principal: 'p' })).toMatchObject({ remaining: 57 });
  });

  test('many askers more than are remembered as recent are counted all the same', async () => {
    const { limiter } = started();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 20_000; i++) {
        expect(limiter.decide({ tenant: 't', principal: `p${i}` }).remaining).toBe(59 - round);
      }
    }
  });

  test('a clock that steps back holds nobody longer than the window', async () => {
    const { limiter, clock } = started();
    for (let i = 0; i < 60; i++) limiter.decide({ tenant: 't', principal: 'p' });
    clock.at -= 24 * HOUR;
    expect(limiter.decide({ tenant: 't', principal: 'p' })).toMatchObject({
      allowed: false,
      retryAfterMs: 60_000,
    });
    clock.at += 60_000;
    expect(limiter.decide({ tenant: 't', principal: 'p' })).toMatchObject({ allowed: true });
  });

  test('when no random bytes can be had, nothing is taken', async () => {
    const limiter = memoryLimiter({
      now: () => 0,
      random: () => {
        throw new Error('no entropy');
      },
    });
    expect(() => limiter.decide({ tenant: 't', principal: 'p' })).toThrow('no entropy');
    expect(limiter.stats()).toEqual({ tenants: 0, counts: 0, leases: 0 });
  });

  test('a closed limiter remembers nothing', async () => {
    const { limiter } = started();
    limiter.decide({ tenant: 't', principal: 'p' });
    await limiter.close();
    expect(limiter.stats()).toEqual({ tenants: 0, counts: 0, leases: 0 });
  });
});

function started(caps: Partial<MemoryLimiterParts> = {}) {
  const clock = { at: 1_700_000_012_345 };
  return { clock, limiter: memoryLimiter({ now: () => clock.at, random: randomBytes, ...caps }) };
}

/** Full of counts that are kept for an hour, but for the one at `at`, which is kept for a minute. */
async function fullBut(at: number) {
  const { limiter, clock } = started({ maxCounts: 200, maxCountsPerTenant: 200, table: () => KEPT });
  for (let i = 0; i < 200; i++) limiter.decide({ tenant: 't', principal: `p${i}`, tool: i === at ? 'brief' : 'kept' });
  return { limiter, clock };
}

const counting = { type: 'tool_requests', per: ['principal'] } as const;
const KEPT = ruleTable.parse({
  ...tableOf(new Map()),
  rules: [
    { ...counting, id: 'kept', when: { tools: ['kept'] }, windows: [{ limit: 9, windowMs: HOUR }] },
    { ...counting, id: 'brief', when: { otherThan: ['kept'] }, windows: [{ limit: 9, windowMs: MINUTE }] },
  ],
});
