import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { MakeLimiter } from './limiter.contract.js';
import { PRINCIPAL_RULE, ruleFor } from './rules.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TOOLS = [undefined, 'get_customer_info', 'create_support_ticket', 'calculate_account_value', 'other'] as const;

const gap = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 3_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(MINUTE - 1, MINUTE, 10 * MINUTE, HOUR) },
);
const step = fc.record({
  gap,
  /** ms the clock loses against real time before this step */
  lost: fc.oneof(
    { weight: 30, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: HOUR }) },
  ),
  tool: fc.constantFrom(...TOOLS),
  llmTokens: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 20_000 })),
  /** what becomes of the lease: left alone, or settled to this share of the reservation */
  used: fc.oneof(fc.constant(undefined), fc.constantFrom(0, 0.5, 1, 1.5)),
});

interface Admitted {
  readonly at: number;
  readonly tool: string | undefined;
  tokens: number;
}

/**
 * Whole histories against the plainest model there is: every admission kept with its real time, and every window counted
 * anew for each. Slow, and so obviously right that it is worth disagreeing with.
 */
export function limiterHistoryContract(variant: string, make: MakeLimiter, runs = 60): void {
  describe(`limiter, ${variant}, over whole histories`, () => {
    test('no window ever holds more than its limit, event by event', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 250, size: 'max' }), async (steps) => {
          let real = 1_700_000_012_345;
          let lost = 0;
          const limiter = await make(() => real - lost);
          const admitted: Admitted[] = [];
          for (const { gap, lost: more, tool, llmTokens, used } of steps) {
            real += gap;
            lost += more;
            const cost = llmTokens ?? (tool === undefined ? 0 : ruleFor(tool).llmTokens);
            const verdict = await limiter.decide({ tenant: 't', principal: 'p', tool, llmTokens });
            if (!verdict.allowed) continue;
            expect(overfull(admitted, real, tool, cost)).toEqual([]);
            const event: Admitted = { at: real, tool, tokens: cost };
            admitted.push(event);
            if (used === undefined) continue;
            event.tokens = Math.floor(cost * used);
            expect(await limiter.settle('t', verdict.lease, event.tokens)).toBe(true);
          }
        }),
        { numRuns: runs },
      );
    });

    test('a refusal is true, and the stated wait is enough and none of it too much', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 150, size: 'max' }), async (steps) => {
          let now = 1_700_000_012_345;
          const limiter = await make(() => now);
          const admitted: Admitted[] = [];
          for (const { gap, tool, llmTokens } of steps) {
            now += gap;
            const question = { tenant: 't', principal: 'p', tool, llmTokens };
            const cost = llmTokens ?? (tool === undefined ? 0 : ruleFor(tool).llmTokens);
            let verdict = await limiter.decide(question);
            if (!verdict.allowed) {
              if (verdict.limitType !== 'llm_tokens') expect(overfull(admitted, now, tool, cost)).not.toEqual([]);
              expect(verdict.retryAfterMs).toBeGreaterThan(0);
              now += verdict.retryAfterMs - 1;
              expect(await limiter.decide(question)).toMatchObject({ allowed: false, retryAfterMs: 1 });
              now += 1;
              verdict = await limiter.decide(question);
            }
            expect(verdict).toMatchObject({ allowed: true });
            admitted.push({ at: now, tool, tokens: cost });
          }
        }),
        { numRuns: runs },
      );
    });
  });
}

/** The limits that one more admission at `at` would break, counted from nothing but the events. */
function overfull(admitted: readonly Admitted[], at: number, tool: string | undefined, cost: number): string[] {
  const { perMinute, llmTokensPerHour } = PRINCIPAL_RULE;
  const within = (ms: number): readonly Admitted[] => admitted.filter((event) => event.at > at - ms);
  const tokens = within(HOUR).reduce((sum, event) => sum + event.tokens, 0);
  const ofTool = within(MINUTE).filter((event) => event.tool === tool).length;
  return [
    ...(within(MINUTE).length + 1 > perMinute ? ['requests'] : []),
    ...(tool !== undefined && ofTool + 1 > ruleFor(tool).perMinute ? ['tool_requests'] : []),
    ...(cost > 0 && tokens + cost > llmTokensPerHour ? ['llm_tokens'] : []),
  ];
}
