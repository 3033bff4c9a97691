import type { LimitQuestion, LimitVerdict } from '@portcullis/contract/limits';

/**
 * Decides whether a request may be served, reserving its LLM tokens. Variants: memory (one process), redis (with the
 * backbone), http (asks the rate-limiter service). Each must pass `limiter.contract.ts`.
 */
export interface Limiter {
  /**
   * One atomic decision over all windows the question touches; a refusal takes nothing from any of them.
   * @throws Refusal overloaded when no decision can be had: the caller refuses the request
   * @returns at once where nothing has to be waited for, which whoever asks need not await either: it costs more than the answer
   * @throws RangeError for a share or llmTokens outside the schema
   */
  decide(question: LimitQuestion): LimitVerdict | Promise<LimitVerdict>;
  /**
   * Corrects the reservation to what was really used; also above it, and then the overdraft is paid off before anything
   * else is admitted.
   * @param llmTokens integer >= 0
   * @returns false when this tenant has no such lease (unknown, another tenant's, expired, or already settled or
   *   released); nothing changes then
   * @throws RangeError for llmTokens outside the schema
   */
  settle(tenant: string, lease: string, llmTokens: number): boolean | Promise<boolean>;
  /** Gives the reserved LLM tokens back (the request itself stays counted). @returns as {@link settle} */
  release(tenant: string, lease: string): boolean | Promise<boolean>;
  close(): Promise<void>;
}
