import type { LimitQuestion, LimitVerdict } from '@portcullis/contract/limits';

/**
 * Decides whether a request may be served, reserving its LLM tokens, its cost and its place among those that run at a time. Variants: memory (one process), redis (with the
 * backbone), http (asks the rate-limiter service). Each must pass `limiter.contract.ts`.
 */
export interface Limiter {
  /**
   * One atomic decision over all windows the question touches; a refusal takes nothing from any of them.
   * @throws Refusal overloaded when no decision can be had: the caller refuses the request
   * @returns at once where nothing has to be waited for, which whoever asks need not await either: it costs more than the answer
   * @throws RangeError for a share, llmTokens or costMicros outside the schema
   * @param taker whom the lease is bound to, where several ask one limiter in their own names; absent = whoever knows the lease
   */
  decide(question: LimitQuestion, taker?: string): LimitVerdict | Promise<LimitVerdict>;
  /**
   * Corrects the reservation to what was really used, and ends it; also above it, and then the overdraft is paid off before
   * anything else is admitted.
   * @param llmTokens  integer >= 0
   * @param costMicros millionths of the currency, integer >= 0; absent = as it was reserved
   * @param taker who took the lease, as {@link decide} was told
   * @returns false when this tenant and taker have no such lease (unknown, another's, expired, or already settled or
   *   released); nothing changes then
   * @throws RangeError for amounts outside the schema
   */
  settle(
    tenant: string,
    lease: string,
    llmTokens: number,
    costMicros?: number,
    taker?: string,
  ): boolean | Promise<boolean>;
  /** Gives all that was reserved back (the request itself stays counted). @returns as {@link settle} */
  release(tenant: string, lease: string, taker?: string): boolean | Promise<boolean>;
  close(): Promise<void>;
}
