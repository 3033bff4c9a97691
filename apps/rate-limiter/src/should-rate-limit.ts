import type { LimitVerdict } from '@portcullis/contract/limits';
import type { Limiter } from '@portcullis/limits/limiter';
import type { Asker } from './asker.js';
import { questionsOf, type Asked, type RateLimitRequest } from './descriptors.js';
import { replyOf, type RateLimitResponse } from './envoy-reply.js';

/** What deciding for Envoy takes. */
export interface EnvoyPorts {
  readonly limiter: Limiter;
  /** from 0 to 1, evenly */
  random(): number;
}

/**
 * Decides whether Envoy lets a request pass: one question a descriptor, in their order, until one is refused; what those
 * before it reserved is given back, while their requests stay counted.
 *
 * Envoy comes back for nothing: what was reserved is settled at once, to what the descriptor says was used, which without a
 * word of it is nothing. So a spent budget of LLM tokens or cost refuses, and no place among those open at a time stays taken.
 * @throws Refusal input_invalid, overloaded; ApiProblem 403
 */
export async function shouldRateLimit(
  request: RateLimitRequest,
  asker: Asker,
  { limiter, random }: EnvoyPorts,
): Promise<RateLimitResponse> {
  const asked = questionsOf(request, asker);
  const verdicts: LimitVerdict[] = [];
  for (const { question } of asked) {
    const verdict = limiter.decide(question, asker.taker);
    verdicts.push(verdict instanceof Promise ? await verdict : verdict);
    if (!verdicts.at(-1)!.allowed) break;
  }
  const passes = verdicts.every(({ allowed }) => allowed);
  verdicts.forEach((verdict, i) => {
    if (verdict.allowed && verdict.lease !== '') end(verdict.lease, asked[i]!, passes, asker.taker, limiter);
  });
  return replyOf(verdicts, asked.length, random());
}

/** Nobody waits for it, and nothing is lost should it fail: the lease ends by itself then, charged as it was reserved. */
function end(
  lease: string,
  { question, llmTokens, costMicros }: Asked,
  passes: boolean,
  taker: string,
  limiter: Limiter,
): void {
  const { tenant } = question;
  const ended = async (): Promise<boolean> =>
    passes ? limiter.settle(tenant, lease, llmTokens, costMicros, taker) : limiter.release(tenant, lease, taker);
  ended().catch(() => undefined);
}
