import { randomBytes } from 'node:crypto';
import { Refusal } from '@portcullis/contract/refusals';
import { limiterContract } from './limiter.contract.js';
import { limiterHistoryContract } from './limiter.history.contract.js';
import { memoryLimiter } from './limiter.memory.js';
import { LEASE_MS } from './rules.js';

const HOUR = 3_600_000;
const make = async (now: () => number) => memoryLimiter({ now, random: randomBytes });

limiterContract('memory', make);
limiterHistoryContract('memory', make);

describe('what the memory limiter remembers', () => {
  test('a principal whose windows are empty is forgotten by the questions of others', async () => {
    const { limiter, clock } = started();
    for (let i = 0; i < 500; i++) limiter.decide({ tenant: 'gone', principal: `idle-${i}` });
    expect(limiter.stats()).toEqual({ tenants: 1, principals: 500, toolWindows: 0, leases: 500 });
    clock.at += LEASE_MS;
    for (let i = 0; i < 300; i++) limiter.decide({ tenant: 't', principal: `busy-${i % 10}` });
    expect(limiter.stats()).toEqual({ tenants: 1, principals: 10, toolWindows: 0, leases: 300 });
  });

  test('a principal with LLM tokens spent within the hour is kept', async () => {
    const { limiter, clock } = started();
    limiter.decide({ tenant: 't', principal: 'spender', llmTokens: 100_000 });
    clock.at += HOUR - 1;
    for (let i = 0; i < 20; i++) limiter.decide({ tenant: 't', principal: 'other' });
    expect(limiter.decide({ tenant: 't', principal: 'spender', llmTokens: 1 })).toMatchObject({ allowed: false });
    clock.at += 1;
    for (let i = 0; i < 20; i++) limiter.decide({ tenant: 't', principal: 'other' });
    expect(limiter.stats().principals).toBe(1);
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

  test('a window of a tool goes when another tool is called and nothing of it counts', async () => {
    const { limiter, clock } = started();
    for (let i = 0; i < 60; i++) limiter.decide({ tenant: 't', principal: 'p', tool: `tool-${i}`, llmTokens: 0 });
    expect(limiter.stats().toolWindows).toBe(60);
    clock.at += 60_000;
    limiter.decide({ tenant: 't', principal: 'p', tool: 'another', llmTokens: 0 });
    expect(limiter.stats().toolWindows).toBe(1);
  });

  test('a question that is refused leaves no trace', async () => {
    const { limiter } = started();
    limiter.decide({ tenant: 't', principal: 'p', llmTokens: 200_000 });
    expect(() => limiter.decide({ tenant: 't', principal: 'p', llmTokens: -1 })).toThrow(RangeError);
    expect(limiter.stats()).toEqual({ tenants: 0, principals: 0, toolWindows: 0, leases: 0 });
  });

  test('a full limiter refuses whom it does not know and goes on serving whom it does', async () => {
    const { limiter } = started({ maxPrincipals: 4, maxPrincipalsPerTenant: 4 });
    for (let i = 0; i < 4; i++) limiter.decide({ tenant: 't', principal: `p${i}` });
    const asked = () => limiter.decide({ tenant: 't', principal: 'p4' });
    expect(asked).toThrow(Refusal);
    expect(asked).toThrow(expect.objectContaining({ code: 'overloaded', facts: { retryAfterMs: 1_000 } }));
    expect(limiter.decide({ tenant: 't', principal: 'p0' })).toMatchObject({ allowed: true, remaining: 58 });
    expect(limiter.stats()).toEqual({ tenants: 1, principals: 4, toolWindows: 0, leases: 5 });
  });

  test.each([0, 50, 100, 150, 199])(
    'a full limiter makes room by forgetting the one who is idle, at %d',
    async (at) => {
      const { limiter, clock } = await fullBut(at);
      clock.at += LEASE_MS;
      expect(limiter.decide({ tenant: 't', principal: 'new' })).toMatchObject({ allowed: true });
      expect(limiter.stats().principals).toBe(200);
    },
  );

  test('a full limiter looks for room everywhere at most once a second', async () => {
    let admitted = 0;
    for (const at of [0, 50, 100, 150, 199]) {
      const { limiter, clock } = await fullBut(at);
      const ask = async () => limiter.decide({ tenant: 't', principal: 'new' }).allowed;
      clock.at += LEASE_MS - 999;
      await expect(ask()).rejects.toThrow(Refusal);
      clock.at += 999;
      admitted += (await ask().catch(() => false)) ? 1 : 0;
      clock.at += 1;
      expect(await ask()).toBe(true);
    }
    expect(admitted).toBeLessThanOrEqual(1);
  });

  test('one tenant cannot take the room of all others', async () => {
    const { limiter } = started({ maxPrincipals: 10 });
    for (let i = 0; i < 5; i++) limiter.decide({ tenant: 'greedy', principal: `p${i}` });
    expect(() => limiter.decide({ tenant: 'greedy', principal: 'p5' })).toThrow(Refusal);
    expect(limiter.decide({ tenant: 'other', principal: 'p0' })).toMatchObject({ allowed: true });
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
    expect(limiter.stats()).toEqual({ tenants: 0, principals: 0, toolWindows: 0, leases: 0 });
  });

  test('a closed limiter remembers nothing', async () => {
    const { limiter } = started();
    limiter.decide({ tenant: 't', principal: 'p' });
    await limiter.close();
    expect(limiter.stats()).toEqual({ tenants: 0, principals: 0, toolWindows: 0, leases: 0 });
  });
});

function started(caps: { maxPrincipals?: number; maxPrincipalsPerTenant?: number } = {}) {
  const clock = { at: 1_700_000_012_345 };
  return { clock, limiter: memoryLimiter({ now: () => clock.at, random: randomBytes, ...caps }) };
}

/** Full of principals that are kept for an hour, but for the one at `at`. */
async function fullBut(at: number) {
  const { limiter, clock } = started({ maxPrincipals: 200, maxPrincipalsPerTenant: 200 });
  for (let i = 0; i < 200; i++) {
    limiter.decide({ tenant: 't', principal: `p${i}`, llmTokens: i === at ? 0 : 1 });
  }
  return { limiter, clock };
}
