import { describe, expect, test } from '@jest/globals';
import type { LimitQuestion, LimitVerdict } from '@portcullis/contract/limits';
import type { Limiter } from './limiter.js';
import { LEASE_MS, type RuleTable } from './rule-table.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Not at the edge of a minute, an hour or a slot. */
const START = 1_700_000_012_345;

/**
 * A limiter that reads its time (ms since epoch) from `now` and shares no state with those made before.
 * @param table the rules it decides by; the house's own unless given
 */
export type MakeLimiter = (now: () => number, table?: RuleTable) => Promise<Limiter>;

/** The clock a test turns. */
class Clock {
  at = START;
  readonly now = (): number => this.at;
  pass(ms: number): void {
    this.at += ms;
  }
}

/** What every variant of {@link Limiter} must do, whatever it keeps its windows in. */
export function limiterContract(variant: string, make: MakeLimiter): void {
  describe(`limiter, ${variant}`, () => {
    test('60 requests a minute pass, whatever the tool, and the next says how long to wait', async () => {
      const { ask } = await started();
      for (let i = 0; i < 60; i++) expect(await ask({})).toMatchObject({ allowed: true, remaining: 59 - i });
      expect(await ask({})).toMatchObject(refused('requests', 60, 0, MINUTE));
      expect(await ask({ tool: 'get_customer_info' })).toMatchObject(refused('requests', 60, 0, MINUTE));
    });

    test('a permit is free again exactly when it is a minute old', async () => {
      const { ask, fill, clock } = await started();
      await fill(60);
      clock.pass(MINUTE - 1);
      expect(await ask({})).toMatchObject(refused('requests', 60, 0, 1));
      clock.pass(1);
      expect(await ask({})).toMatchObject({ allowed: true, remaining: 59 });
    });

    test('no minute holds more than the limit, across the edge of a minute too', async () => {
      const { ask, fill, clock } = await started();
      await fill(1);
      clock.pass(MINUTE - 1);
      await fill(59);
      clock.pass(1);
      await fill(1);
      expect(await ask({})).toMatchObject(refused('requests', 60, 0, MINUTE - 1));
    });

    test('a refusal takes nothing and puts nothing off', async () => {
      const { ask, fill, clock } = await started();
      await fill(60);
      for (let i = 0; i < 100; i++) {
        clock.pass(100);
        expect(await ask({})).toMatchObject({ allowed: false, retryAfterMs: MINUTE - (i + 1) * 100 });
      }
      clock.pass(MINUTE - 10_000);
      expect(await ask({})).toMatchObject({ allowed: true, remaining: 59 });
    });

    test.each([
      ['create_support_ticket', 20],
      ['calculate_account_value', 30],
    ])('%s has a limit of its own, and its refusal leaves the rest of the principal alone', async (tool, limit) => {
      const { ask, fill } = await started();
      await fill(limit, { tool });
      for (let i = 0; i < 50; i++)
        expect(await ask({ tool })).toMatchObject(refused('tool_requests', limit, 0, MINUTE));
      expect(await ask({ tool: 'get_customer_info' })).toMatchObject({ allowed: true, remaining: 60 - limit - 1 });
    });

    test('180 requests a minute may arrive, and whether they are served is another window', async () => {
      const { ask, clock } = await started();
      const arrival = { stage: 'arrival' } as const;
      for (let i = 0; i < 180; i++) expect(await ask(arrival)).toMatchObject({ allowed: true, remaining: 179 - i });
      expect(await ask(arrival)).toMatchObject(refused('arrivals', 180, 0, MINUTE));
      expect(await ask({})).toMatchObject({ allowed: true, remaining: 59 });
      clock.pass(MINUTE);
      expect(await ask({ ...arrival, share: 0.5 })).toMatchObject({ allowed: true, remaining: 89 });
    });

    test('an arrival reserves nothing, so there is nothing to settle', async () => {
      const { ask, limiter } = await started();
      const verdict = await ask({ stage: 'arrival' });
      expect(await limiter.settle('default', verdict.allowed ? verdict.lease : '', 5)).toBe(false);
    });

    test('remaining is that of the tightest window', async () => {
      const { ask, fill } = await started();
      expect(await ask({ tool: 'create_support_ticket' })).toMatchObject({ allowed: true, remaining: 19 });
      await fill(45);
      expect(await ask({ tool: 'create_support_ticket' })).toMatchObject({ allowed: true, remaining: 13 });
    });

    test.each(['get_weather', '__proto__', 'constructor', 'a/b', '*'])(
      'the tool %s has no row and so the default one',
      async (tool) => {
        const { limiter, ask } = await started();
        const verdict = await ask({ tool });
        expect(verdict).toMatchObject({ allowed: true, remaining: 59 });
        expect(await ask({ llmTokens: 99_501 })).toMatchObject(refused('llm_tokens', 100_000, 99_500, HOUR));
        expect(await ask({ llmTokens: 99_500 })).toMatchObject({ allowed: true });
        expect(await limiter.release('default', leaseOf(verdict))).toBe(true);
      },
    );

    test('LLM tokens are reserved by the rule of the tool, and by none without a tool', async () => {
      const { ask } = await started();
      await ask({});
      await ask({ tool: 'create_support_ticket' });
      await ask({ tool: 'calculate_account_value' });
      await ask({ tool: 'get_customer_info', llmTokens: 7 });
      expect(await ask({ llmTokens: 100_000 - 800 - 1_000 - 7 + 1 })).toMatchObject({ remaining: 98_193 });
      expect(await ask({ llmTokens: 98_193 })).toMatchObject({ allowed: true });
    });

    test('a spent token budget refuses what costs tokens, and only that', async () => {
      const { ask } = await started();
      await ask({ llmTokens: 100_000 });
      expect(await ask({ llmTokens: 1 })).toMatchObject(refused('llm_tokens', 100_000, 0, HOUR));
      expect(await ask({ tool: 'get_customer_info' })).toMatchObject({ allowed: false, limitType: 'llm_tokens' });
      expect(await ask({})).toMatchObject({ allowed: true, remaining: 58 });
    });

    test('LLM tokens come back after the stated wait and not a millisecond before', async () => {
      const { ask, clock } = await started();
      await ask({ llmTokens: 60_000 });
      clock.pass(10 * MINUTE);
      await ask({ llmTokens: 40_000 });
      const verdict = await ask({ llmTokens: 70_000 });
      expect(verdict).toMatchObject({ allowed: false, retryAfterMs: HOUR, remaining: 0 });
      expect(await ask({ llmTokens: 60_000 })).toMatchObject({ allowed: false, retryAfterMs: HOUR - 10 * MINUTE });
      clock.pass(HOUR - 10 * MINUTE - 1);
      expect(await ask({ llmTokens: 60_000 })).toMatchObject({ allowed: false, retryAfterMs: 1 });
      clock.pass(1);
      expect(await ask({ llmTokens: 60_000 })).toMatchObject({ allowed: true });
    });

    test('when several limits refuse, the one with the longest wait is named', async () => {
      const { ask, fill } = await started();
      await ask({ llmTokens: 100_000 });
      await fill(59);
      expect(await ask({ llmTokens: 1 })).toMatchObject(refused('llm_tokens', 100_000, 0, HOUR));
    });

    test('a cost above the limit is refused as impossible and takes nothing', async () => {
      const { ask } = await started();
      const impossible = { ...refused('llm_tokens', 100_000, 100_000, HOUR), impossible: true };
      expect(await ask({ llmTokens: 100_001 })).toMatchObject(impossible);
      expect(await ask({ llmTokens: 100_000 })).toMatchObject({ allowed: true, remaining: 59 });
    });

    test('settling below the reservation gives the rest back', async () => {
      const { limiter, ask } = await started();
      const lease = leaseOf(await ask({ llmTokens: 100_000 }));
      expect(await limiter.settle('default', lease, 250)).toBe(true);
      expect(await ask({ llmTokens: 99_751 })).toMatchObject({ allowed: false, remaining: 99_750 });
      expect(await ask({ llmTokens: 99_750 })).toMatchObject({ allowed: true });
    });

    test('settling above the reservation is charged, also beyond the budget', async () => {
      const { limiter, ask, clock } = await started();
      const first = leaseOf(await ask({ llmTokens: 500 }));
      clock.pass(MINUTE);
      const second = leaseOf(await ask({ llmTokens: 500 }));
      expect(await limiter.settle('default', first, 120_000)).toBe(true);
      expect(await ask({ llmTokens: 1 })).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: HOUR - MINUTE });
      expect(await limiter.settle('default', second, 0)).toBe(true);
      expect(await ask({ llmTokens: 1 })).toMatchObject({ allowed: false, remaining: 0 });
    });

    test('a reservation of nothing can be settled to something', async () => {
      const { limiter, ask } = await started();
      const lease = leaseOf(await ask({}));
      expect(await limiter.settle('default', lease, 1_000)).toBe(true);
      expect(await ask({ llmTokens: 99_001 })).toMatchObject({ allowed: false, remaining: 99_000 });
    });

    test('a release gives the LLM tokens back, while the request stays counted', async () => {
      const { limiter, ask } = await started();
      expect(await limiter.release('default', leaseOf(await ask({ llmTokens: 100_000 })))).toBe(true);
      expect(await ask({ llmTokens: 100_000 })).toMatchObject({ allowed: true, remaining: 58 });
    });

    test('a lease is good for one settlement or one release', async () => {
      const { limiter, ask } = await started();
      const settled = leaseOf(await ask({ llmTokens: 1_000 }));
      const released = leaseOf(await ask({ llmTokens: 1_000 }));
      await limiter.settle('default', settled, 1_000);
      await limiter.release('default', released);
      expect(await limiter.settle('default', settled, 0)).toBe(false);
      expect(await limiter.release('default', settled)).toBe(false);
      expect(await limiter.settle('default', released, 0)).toBe(false);
      expect(await limiter.release('default', released)).toBe(false);
      expect(await ask({ llmTokens: 99_001 })).toMatchObject({ allowed: false, remaining: 99_000 });
    });

    test('of two settlements at once one counts', async () => {
      const { limiter, ask } = await started();
      const lease = leaseOf(await ask({ llmTokens: 1_000 }));
      const answers = await Promise.all([1, 2, 3].map(async () => limiter.settle('default', lease, 2_000)));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await ask({ llmTokens: 98_001 })).toMatchObject({ allowed: false, remaining: 98_000 });
    });

    test('a lease that nobody made is unknown', async () => {
      const { limiter } = await started();
      for (const lease of ['', 'AAAAAAAAAAAAAAAAAAAAAA', '__proto__']) {
        expect(await limiter.settle('default', lease, 1)).toBe(false);
        expect(await limiter.release('default', lease)).toBe(false);
      }
    });

    test('a lease expires, and its reservation stays charged', async () => {
      const { limiter, ask, clock } = await started();
      const lease = leaseOf(await ask({ llmTokens: 1_000 }));
      const inTime = leaseOf(await ask({ llmTokens: 1_000 }));
      clock.pass(LEASE_MS - 1);
      expect(await limiter.settle('default', inTime, 0)).toBe(true);
      clock.pass(1);
      expect(await limiter.settle('default', lease, 0)).toBe(false);
      expect(await ask({ llmTokens: 99_001 })).toMatchObject({ allowed: false, remaining: 99_000 });
    });

    test('leases are 128 random bits and never the same', async () => {
      const { ask } = await started();
      const leases = new Set<string>();
      for (let i = 0; i < 50; i++) leases.add(leaseOf(await ask({ principal: `agt_${i}` })));
      expect(leases.size).toBe(50);
      for (const lease of leases) expect(lease).toMatch(/^[A-Za-z0-9_-]{22}$/);
    });

    test('the same principal in two tenants shares no window', async () => {
      const { ask, fill } = await started();
      await fill(20, { tenant: 'a', tool: 'create_support_ticket', llmTokens: 5_000 });
      await fill(40, { tenant: 'a' });
      expect(await ask({ tenant: 'a' })).toMatchObject({ allowed: false });
      expect(await ask({ tenant: 'b', tool: 'create_support_ticket' })).toMatchObject({ allowed: true, remaining: 19 });
      expect(await ask({ tenant: 'b', llmTokens: 99_200 })).toMatchObject({ allowed: true, remaining: 58 });
      expect(await ask({})).toMatchObject({ allowed: true, remaining: 59 });
    });

    test('names that run together do not share a window', async () => {
      const { ask, fill } = await started();
      await fill(60, { tenant: 'a', principal: 'b/c' });
      await fill(20, { tenant: 'a', principal: 'b', tool: 'create_support_ticket' });
      expect(await ask({ tenant: 'a', principal: 'c' })).toMatchObject({ remaining: 59 });
      expect(await ask({ tenant: 'a', principal: 'b/create_support_ticket' })).toMatchObject({ remaining: 59 });
      expect(await ask({ tenant: 'a-b', principal: 'c' })).toMatchObject({ remaining: 59 });
    });

    test("another tenant's lease is as unknown as none, and stays good for its own tenant", async () => {
      const { limiter, ask } = await started();
      const lease = leaseOf(await ask({ tenant: 'a', llmTokens: 1_000 }));
      expect(await limiter.settle('b', lease, 0)).toBe(false);
      expect(await limiter.release('b', lease)).toBe(false);
      expect(await ask({ tenant: 'a', llmTokens: 99_001 })).toMatchObject({ allowed: false, remaining: 99_000 });
      expect(await limiter.settle('a', lease, 0)).toBe(true);
    });

    test('questions asked at once admit no more than the limit, for each principal alone', async () => {
      const { ask } = await started();
      const verdicts = await Promise.all(
        Array.from({ length: 200 }, (_, i) => ask({ principal: `agt_${i % 2}`, tool: 'calculate_account_value' })),
      );
      for (const one of [0, 1]) expect(verdicts.filter((v, i) => i % 2 === one && v.allowed)).toHaveLength(30);
    });

    test('half a share halves every limit', async () => {
      const { ask, fill } = await started();
      await fill(10, { tool: 'create_support_ticket', share: 0.5, llmTokens: 5_000 });
      expect(await ask({ tool: 'create_support_ticket', share: 0.5, llmTokens: 0 })).toMatchObject(
        refused('tool_requests', 10, 0, MINUTE),
      );
      expect(await ask({ share: 0.5, llmTokens: 1 })).toMatchObject(refused('llm_tokens', 50_000, 0, HOUR));
      await fill(20, { share: 0.5 });
      expect(await ask({ share: 0.5 })).toMatchObject(refused('requests', 30, 0, MINUTE));
      expect(await ask({})).toMatchObject({ allowed: true, remaining: 29 });
    });

    test('whoever loses half the share waits until the surplus has left', async () => {
      const { ask, fill, clock } = await started();
      await fill(20);
      clock.pass(10_000);
      await fill(20);
      expect(await ask({ share: 0.5 })).toMatchObject(refused('requests', 30, 0, MINUTE - 10_000));
      clock.pass(MINUTE - 10_000);
      expect(await ask({ share: 0.5 })).toMatchObject({ allowed: true, remaining: 9 });
    });

    test('the smallest share leaves one request a minute', async () => {
      const { ask } = await started();
      expect(await ask({ share: 0.001 })).toMatchObject({ allowed: true, remaining: 0 });
      expect(await ask({ share: 0.001 })).toMatchObject(refused('requests', 1, 0, MINUTE));
    });

    test.each([
      { llmTokens: -1 },
      { llmTokens: 0.5 },
      { llmTokens: NaN },
      { share: 0 },
      { share: 1.1 },
      { share: NaN },
    ])('a question with %j is refused as a mistake of the asker', async (wrong) => {
      const { limiter, ask } = await started();
      await expect(ask(wrong)).rejects.toThrow(RangeError);
      const lease = leaseOf(await ask({ llmTokens: 10 }));
      await expect((async () => limiter.settle('default', lease, -1))()).rejects.toThrow(RangeError);
      expect(await limiter.settle('default', lease, 10)).toBe(true);
    });

    test('a clock that steps back gives no permit early', async () => {
      const { ask, fill, clock } = await started();
      await fill(30);
      clock.pass(30_000);
      await fill(30);
      clock.pass(-HOUR);
      for (let i = 0; i < 10; i++) expect(await ask({})).toMatchObject({ allowed: false, limitType: 'requests' });
      clock.pass(HOUR + MINUTE);
      expect(await ask({})).toMatchObject({ allowed: true });
    });

    async function started() {
      const clock = new Clock();
      const limiter = await make(clock.now);
      const ask = async (more: Partial<LimitQuestion>): Promise<LimitVerdict> =>
        limiter.decide({ tenant: 'default', principal: 'agt_one', ...more });
      const fill = async (times: number, more: Partial<LimitQuestion> = {}): Promise<void> => {
        for (let i = 0; i < times; i++) expect(await ask(more)).toMatchObject({ allowed: true });
      };
      return { clock, limiter, ask, fill };
    }
  });
}

const refused = (limitType: string, limit: number, remaining: number, retryAfterMs: number) => ({
  allowed: false,
  limitType,
  limit,
  remaining,
  retryAfterMs,
});

function leaseOf(verdict: LimitVerdict): string {
  if (!verdict.allowed) throw new Error(`refused: ${verdict.limitType}`);
  return verdict.lease;
}
