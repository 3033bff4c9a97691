import { describe, expect, test } from '@jest/globals';
import type { LimitVerdict } from '@portcullis/contract/limits';
import type { MakeLimiter } from './limiter.contract.js';
import type { Limiter } from './limiter.js';

/** What a {@link Limiter} must do with leases that are bound to who took them. */
export function limiterTakersContract(variant: string, make: MakeLimiter): void {
  describe(`limiter, ${variant}, leases and who took them`, () => {
    const started = async () => {
      const limiter = await make(() => 1_700_000_012_345);
      return { limiter, ...asking(limiter) };
    };

    test('a lease is as unknown as none to everybody but its taker, who still has it afterwards', async () => {
      const { limiter, take, left } = await started();
      const lease = await take(1_000, 'gateway');
      for (const other of ['another', 'gatewa', 'gateway/', 'g', '', undefined]) {
        expect(await limiter.settle('default', lease, 0, undefined, other)).toBe(false);
        expect(await limiter.release('default', lease, other)).toBe(false);
      }
      expect(await left()).toBe(99_000);
      expect(await limiter.settle('default', lease, 200, undefined, 'gateway')).toBe(true);
      expect(await limiter.settle('default', lease, 200, undefined, 'gateway')).toBe(false);
      expect(await left()).toBe(99_800);
    });

    test('a lease that is bound to nobody is ended in no name', async () => {
      const { limiter, take, left } = await started();
      const lease = await take(1_000);
      expect(await limiter.release('default', lease, 'gateway')).toBe(false);
      expect(await limiter.release('default', lease)).toBe(true);
      expect(await left()).toBe(100_000);
    });

    test('no lease that a caller makes up, from what it knows, is one of another', async () => {
      const { limiter, take } = await started();
      const lease = await take(1_000, 'a/b');
      for (const madeUp of [`3:a/b/${lease}`, `b/${lease}`, `/${lease}`, `${lease}/`]) {
        expect(await limiter.settle('default', madeUp, 0, undefined, 'a')).toBe(false);
        expect(await limiter.settle('default', madeUp, 0, undefined, 'a/b')).toBe(false);
      }
      expect(await limiter.release('default', lease, 'a/b')).toBe(true);
    });

    test('the same taker in another tenant has it as little', async () => {
      const { limiter, take } = await started();
      const lease = await take(1_000, 'gateway');
      expect(await limiter.settle('other', lease, 0, undefined, 'gateway')).toBe(false);
      expect(await limiter.release('other', lease, 'gateway')).toBe(false);
      expect(await limiter.release('default', lease, 'gateway')).toBe(true);
    });
  });
}

/** Of one principal: a lease on LLM tokens, and what is left of them. */
function asking(limiter: Limiter) {
  const ask = async (llmTokens: number, taker?: string): Promise<LimitVerdict> =>
    limiter.decide({ tenant: 'default', principal: 'agt_one', llmTokens }, taker);
  const take = async (llmTokens: number, taker?: string): Promise<string> => {
    const verdict = await ask(llmTokens, taker);
    if (!verdict.allowed) throw new Error(`refused: ${verdict.limitType}`);
    return verdict.lease;
  };
  /** asks for more than there can be */
  const left = async (): Promise<number> => (await ask(1_000_000)).remaining;
  return { take, left };
}
