import { describe, expect, test } from '@jest/globals';
import type { LimitQuestion, LimitVerdict } from '@portcullis/contract/limits';
import type { MakeLimiter } from './limiter.contract.js';
import { LEASE_MS, ruleTable, type RuleTable } from './rule-table.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = 1_700_000_012_345;

/** A table of these rules and nothing else. */
const rules = (...each: readonly object[]): RuleTable =>
  ruleTable.parse({
    version: 7,
    rules: each.map((rule, i) => ({ id: `rule-${i}`, per: ['principal'], ...rule })),
    tools: { costly: { llmTokens: 10, costMicros: 400 } },
    otherTools: { llmTokens: 1, costMicros: 0 },
  });
const aMinute = (limit: number) => ({ windows: [{ limit, windowMs: MINUTE }] });

/** What every variant of Limiter must do with any rule of a table; `limiter.contract.ts` has those of the house. */
export function limiterRulesContract(variant: string, make: MakeLimiter): void {
  describe(`limiter, ${variant}, by a table of rules`, () => {
    test('a verdict names the rule, its limit and when it is reset, and the version of the table', async () => {
      const { ask, pass } = await started(rules({ id: 'few', type: 'requests', ...aMinute(2) }));
      const named = { limit: 2, rule: 'few', rulesVersion: 7 };
      expect(await ask({})).toMatchObject({ allowed: true, remaining: 1, resetMs: MINUTE, ...named });
      pass(10 * SECOND);
      expect(await ask({})).toMatchObject({ allowed: true, remaining: 0, resetMs: MINUTE, ...named });
      pass(20 * SECOND);
      const refused = { allowed: false, limitType: 'requests', remaining: 0 };
      expect(await ask({})).toMatchObject({ ...refused, retryAfterMs: 30 * SECOND, resetMs: 40 * SECOND, ...named });
    });

    test('a verdict of several request windows is about the one with the least left', async () => {
      const { ask } = await started(
        rules(
          { type: 'requests', ...aMinute(9) },
          { type: 'tool_requests', per: ['principal', 'tool'], ...aMinute(3) },
        ),
      );
      expect(await ask({ tool: 't' })).toMatchObject({ remaining: 2, limit: 3, rule: 'rule-1' });
      expect(await ask({})).toMatchObject({ remaining: 7, limit: 9, rule: 'rule-0' });
    });

    test('each window of a rule holds, the short and the long', async () => {
      const windows = [
        { limit: 2, windowMs: SECOND },
        { limit: 3, windowMs: MINUTE },
      ];
      const { ask, pass } = await started(rules({ type: 'requests', windows }));
      for (let i = 0; i < 2; i++) expect(await ask({})).toMatchObject({ allowed: true });
      expect(await ask({})).toMatchObject({ allowed: false, limit: 2, retryAfterMs: SECOND });
      pass(SECOND);
      expect(await ask({})).toMatchObject({ allowed: true, limit: 3, remaining: 0 });
      expect(await ask({})).toMatchObject({ allowed: false, limit: 3, retryAfterMs: MINUTE - SECOND });
    });

    const WHO: readonly [string, object, object][] = [
      ['principal', { principal: 'a' }, { principal: 'b' }],
      ['user', { user: 'a' }, { user: 'b' }],
      ['tool', { tool: 'a' }, { tool: 'b' }],
      ['address', { address: '192.0.2.1' }, { address: '192.0.2.2' }],
      ['chain', { chain: ['a', 'b'] }, { chain: ['b', 'a'] }],
    ];
    test.each(WHO)('a rule per %s counts each by itself, whoever else asks', async (dimension, one, other) => {
      const { ask } = await started(rules({ type: 'requests', per: [dimension], ...aMinute(2) }));
      // another principal has the same count, where it is not counted by principal
      const also = dimension === 'principal' ? {} : { principal: 'somebody' };
      expect(await ask(one)).toMatchObject({ allowed: true, remaining: 1 });
      expect(await ask({ ...one, ...also })).toMatchObject({ allowed: true, remaining: 0 });
      expect(await ask(one)).toMatchObject({ allowed: false, limitType: 'requests' });
      expect(await ask(other)).toMatchObject({ allowed: true, remaining: 1 });
    });

    test.each(WHO)('a rule per %s counts in each tenant by itself', async (dimension, one) => {
      const { ask } = await started(rules({ type: 'requests', per: [dimension], ...aMinute(1) }));
      expect(await ask({ ...one, tenant: 'a' })).toMatchObject({ allowed: true });
      expect(await ask({ ...one, tenant: 'b' })).toMatchObject({ allowed: true });
      for (const tenant of ['a', 'b']) expect(await ask({ ...one, tenant })).toMatchObject({ allowed: false });
    });

    test.each(WHO.slice(1))('a rule per %s does not touch who names none', async (dimension) => {
      const { ask } = await started(rules({ type: 'requests', per: [dimension], ...aMinute(1) }));
      for (let i = 0; i < 3; i++) expect(await ask({})).toMatchObject({ allowed: true });
    });

    test('a rule per tenant counts all of it, and no other', async () => {
      const { ask } = await started(rules({ type: 'requests', per: ['tenant'], ...aMinute(2) }));
      for (const principal of ['a', 'b']) expect(await ask({ principal })).toMatchObject({ allowed: true });
      expect(await ask({ principal: 'c' })).toMatchObject({ allowed: false });
      expect(await ask({ tenant: 'other' })).toMatchObject({ allowed: true });
    });

    test('names that read alike in a row do not share a count', async () => {
      const { ask } = await started(rules({ type: 'tool_requests', per: ['principal', 'tool'], ...aMinute(1) }));
      for (const [principal, tool] of [
        ['a', 'b/c'],
        ['a/b', 'c'],
        ['1:a', 'c'],
        ['a/1', ':a/c'],
      ]) {
        expect(await ask({ principal, tool })).toMatchObject({ allowed: true });
      }
      const { ask: askChain } = await started(rules({ type: 'requests', per: ['chain', 'user'], ...aMinute(1) }));
      for (const [chain, user] of [
        [['a', 'b'], 'c'],
        [['a'], 'b/c'],
        [['a/1:b'], 'c'],
        [['ab'], 'c'],
      ] as const) {
        expect(await askChain({ chain: [...chain], user })).toMatchObject({ allowed: true });
      }
    });

    test('a rule for some tools leaves the others alone, and one for the others leaves these', async () => {
      const few = { type: 'tool_requests', per: ['principal'], ...aMinute(1) };
      const { ask } = await started(
        rules({ ...few, when: { tools: ['a', 'b'] } }, { ...few, when: { otherThan: ['a', 'b'] } }),
      );
      expect(await ask({ tool: 'a' })).toMatchObject({ allowed: true, rule: 'rule-0' });
      expect(await ask({ tool: 'b' })).toMatchObject({ allowed: false, rule: 'rule-0' });
      expect(await ask({ tool: 'c' })).toMatchObject({ allowed: true, rule: 'rule-1' });
      expect(await ask({ tool: 'd' })).toMatchObject({ allowed: false, rule: 'rule-1' });
      expect(await ask({})).toMatchObject({ allowed: true });
    });

    test('a refusal of one rule takes nothing from the others', async () => {
      const { ask } = await started(
        rules(
          { type: 'requests', ...aMinute(9) },
          { type: 'requests', per: ['address'], ...aMinute(9) },
          { type: 'cost', ...aMinute(100) },
          { type: 'concurrency', limit: 9 },
          { type: 'tool_requests', per: ['tool'], ...aMinute(1) },
        ),
      );
      const question = { tool: 't', address: '192.0.2.1', costMicros: 10 };
      expect(await ask(question)).toMatchObject({ allowed: true });
      for (let i = 0; i < 20; i++) expect(await ask(question)).toMatchObject({ allowed: false, rule: 'rule-4' });
      expect(await ask({ address: '192.0.2.1', costMicros: 90 })).toMatchObject({ allowed: true, remaining: 7 });
      expect(await ask({ costMicros: 1 })).toMatchObject({ allowed: false, limitType: 'cost', remaining: 0 });
    });

    test('cost is reserved by the figure of the tool, or as it is asked, and comes back after its day', async () => {
      const { ask, pass } = await started(rules({ type: 'cost', windows: [{ limit: 1_000, windowMs: DAY }] }));
      expect(await ask({ tool: 'costly' })).toMatchObject({ allowed: true });
      pass(HOUR);
      expect(await ask({ tool: 'costly', costMicros: 600 })).toMatchObject({ allowed: true });
      const refused = { allowed: false, limitType: 'cost', limit: 1_000, remaining: 0 };
      expect(await ask({ tool: 'costly' })).toMatchObject({ ...refused, retryAfterMs: DAY - HOUR });
      expect(await ask({ tool: 'another' })).toMatchObject({ allowed: true });
      expect(await ask({})).toMatchObject({ allowed: true });
      pass(DAY - HOUR - 1);
      expect(await ask({ tool: 'costly' })).toMatchObject({ ...refused, retryAfterMs: 1 });
      pass(1);
      expect(await ask({ tool: 'costly' })).toMatchObject({ allowed: true });
      expect(await ask({ costMicros: 1_001 })).toMatchObject({ allowed: false, impossible: true, retryAfterMs: DAY });
    });

    test('cost is settled beside LLM tokens, and stays as reserved when the settlement does not name it', async () => {
      const { ask, limiter } = await started(
        rules(
          { type: 'cost', windows: [{ limit: 1_000, windowMs: DAY }] },
          { type: 'llm_tokens', windows: [{ limit: 100, windowMs: HOUR }] },
        ),
      );
      const left = async (): Promise<unknown[]> => {
        const [cost, tokens] = [await ask({ costMicros: 1_000 }), await ask({ llmTokens: 100 })];
        return [cost.remaining, tokens.remaining];
      };
      const first = leaseOf(await ask({ costMicros: 500, llmTokens: 50 }));
      expect(await limiter.settle('default', first, 20)).toBe(true);
      expect(await left()).toEqual([500, 80]);
      const second = leaseOf(await ask({ costMicros: 500, llmTokens: 50 }));
      expect(await limiter.settle('default', second, 10, 100)).toBe(true);
      expect(await left()).toEqual([400, 70]);
      const third = leaseOf(await ask({ costMicros: 1, llmTokens: 1 }));
      expect(await limiter.settle('default', third, 1, 5_000)).toBe(true);
      expect(await ask({ costMicros: 1 })).toMatchObject({ allowed: false, limitType: 'cost', remaining: 0 });
      const fourth = leaseOf(await ask({ llmTokens: 69 }));
      expect(await limiter.release('default', fourth)).toBe(true);
      expect((await ask({ llmTokens: 100 })).remaining).toBe(69);
    });

    test('only so many leases are open at a time: settled, released and expired ones make room', async () => {
      const { ask, pass, limiter } = await started(rules({ type: 'concurrency', limit: 2 }));
      const first = leaseOf(await ask({}));
      pass(SECOND);
      const second = leaseOf(await ask({}));
      const refused = { allowed: false, limitType: 'concurrency', limit: 2, remaining: 0 };
      expect(await ask({})).toMatchObject({ ...refused, retryAfterMs: LEASE_MS - SECOND });
      expect(await limiter.settle('default', first, 0)).toBe(true);
      const third = leaseOf(await ask({}));
      expect(await ask({})).toMatchObject({ ...refused, retryAfterMs: LEASE_MS });
      expect(await limiter.release('default', third)).toBe(true);
      expect(await limiter.release('default', third)).toBe(false);
      leaseOf(await ask({}));
      expect(await ask({})).toMatchObject(refused);
      pass(LEASE_MS - 1);
      expect(await ask({})).toMatchObject({ ...refused, retryAfterMs: 1 });
      pass(1);
      expect(await limiter.release('default', second)).toBe(false);
      for (let i = 0; i < 2; i++) leaseOf(await ask({}));
      expect(await ask({})).toMatchObject(refused);
    });

    test("another tenant's lease frees no place here, nor does another principal's there", async () => {
      const { ask, limiter } = await started(rules({ type: 'concurrency', limit: 1 }));
      const lease = leaseOf(await ask({ tenant: 'a' }));
      const other = leaseOf(await ask({ tenant: 'b' }));
      expect(await limiter.release('b', lease)).toBe(false);
      expect(await limiter.settle('b', lease, 0)).toBe(false);
      expect(await limiter.release('b', other)).toBe(true);
      expect(await ask({ tenant: 'a' })).toMatchObject({ allowed: false });
      expect(await ask({ tenant: 'b' })).toMatchObject({ allowed: true });
    });

    test('an arrival draws on rules of arrivals alone, by address too', async () => {
      const { ask } = await started(
        rules(
          { type: 'arrivals', per: ['address'], ...aMinute(2) },
          { type: 'requests', ...aMinute(9) },
          { type: 'concurrency', limit: 1 },
        ),
      );
      const arrival = { stage: 'arrival', address: '192.0.2.1' } as const;
      for (const principal of ['a', 'b']) expect(await ask({ ...arrival, principal })).toMatchObject({ lease: '' });
      expect(await ask({ ...arrival, principal: 'c' })).toMatchObject({ allowed: false, limitType: 'arrivals' });
      expect(await ask({ address: '192.0.2.1' })).toMatchObject({ allowed: true, remaining: 8 });
    });

    test('a limit far above the slots of a window holds to the last permit, across the edge of a slot', async () => {
      const { ask, pass } = await started(rules({ type: 'requests', ...aMinute(1_000) }));
      let admitted = 0;
      for (let i = 0; i < 1_100; i++) {
        if ((await ask({})).allowed) admitted += 1;
        pass(7);
      }
      expect(admitted).toBe(1_000);
      const refused = await ask({});
      const wait = refused.allowed ? 0 : refused.retryAfterMs;
      pass(wait - 1);
      expect(await ask({})).toMatchObject({ allowed: false, retryAfterMs: 1 });
      pass(1);
      expect(await ask({})).toMatchObject({ allowed: true });
    });

    test('half a share halves what any rule lets in', async () => {
      const { ask } = await started(
        rules({ type: 'concurrency', limit: 2 }, { type: 'cost', windows: [{ limit: 1_000, windowMs: DAY }] }),
      );
      expect(await ask({ share: 0.5, costMicros: 501 })).toMatchObject({ limitType: 'cost', limit: 500 });
      expect(await ask({ share: 0.5, costMicros: 500 })).toMatchObject({ allowed: true });
      expect(await ask({ share: 0.5 })).toMatchObject({ allowed: false, limitType: 'concurrency', limit: 1 });
      expect(await ask({ costMicros: 500 })).toMatchObject({ allowed: true });
    });

    test.each([{ costMicros: -1 }, { costMicros: 0.5 }, { costMicros: NaN }])('%j is no cost', async (wrong) => {
      const { ask, limiter } = await started(rules({ type: 'cost', windows: [{ limit: 1_000, windowMs: DAY }] }));
      await expect(ask(wrong)).rejects.toThrow(RangeError);
      const lease = leaseOf(await ask({ costMicros: 10 }));
      await expect((async () => limiter.settle('default', lease, 0, wrong.costMicros))()).rejects.toThrow(RangeError);
      expect(await limiter.settle('default', lease, 0, 10)).toBe(true);
    });

    test('a table without rules admits all', async () => {
      const { ask } = await started(rules());
      for (let i = 0; i < 5; i++) expect(await ask({ tool: 't' })).toMatchObject({ allowed: true });
    });

    async function started(table: RuleTable) {
      let at = START;
      const limiter = await make(() => at, table);
      const ask = async (more: Partial<LimitQuestion>): Promise<LimitVerdict> =>
        limiter.decide({ tenant: 'default', principal: 'agt_one', ...more });
      return { limiter, ask, pass: (ms: number) => void (at += ms) };
    }
  });
}

function leaseOf(verdict: LimitVerdict): string {
  if (!verdict.allowed) throw new Error(`refused: ${verdict.limitType}`);
  return verdict.lease;
}
