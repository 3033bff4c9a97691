import type { LimitQuestion, LimitVerdict } from '@portcullis/contract/limits';

/**
 * Decides whether a request may be served, reserving its LLM tokens. Variants: memory (one process), redis (with the
 * backbone), http (asks the rate-limiter service). Each must pass `limiter.contract.ts`.
 */
export interface Limiter {
  /** One atomic decision over all windows the question touches; a refusal takes nothing from any of them. */
  decide(question: LimitQuestion): Promise<LimitVerdict>;
  /** Corrects the reservation to what was really used. @returns false when the lease is unknown or already settled */
  settle(lease: string, llmTokens: number): Promise<boolean>;
  /** Gives the reserved LLM tokens back (the request itself stays counted). @returns false when the lease is unknown */
  release(lease: string): Promise<boolean>;
  close(): Promise<void>;
}
