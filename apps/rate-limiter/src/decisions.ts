import type { Limiter } from '@portcullis/limits/limiter';
import { rateLimitHeaders, type RateLimitHeaders } from '@portcullis/limits/rate-limit-headers';
import type { Asker } from './asker.js';
import { questionOf, releaseOf, settlementOf } from './question.js';

/** An answer of 200. */
export interface Decided {
  readonly body: object;
  /** none but for decisions */
  readonly headers?: RateLimitHeaders;
}

/** What is done for one path, with a body that was parsed and not looked at. @throws ZodError, ApiProblem, Refusal overloaded */
export type Decision = (asker: Asker, body: unknown) => Decided | Promise<Decided>;

/** What the API does, by path. A refusal is an answer here, hence 200. */
export function decisions(limiter: Limiter): ReadonlyMap<string, Decision> {
  return new Map<string, Decision>([
    [
      '/v1/decide',
      async (asker, body) => {
        const verdict = await limiter.decide(questionOf(asker, body), asker.taker);
        return { body: verdict, headers: rateLimitHeaders(verdict) };
      },
    ],
    [
      '/v1/settle',
      async (asker, body) => {
        const { tenant, lease, llmTokens, costMicros } = settlementOf(asker, body);
        return { body: { settled: await limiter.settle(tenant, lease, llmTokens, costMicros, asker.taker) } };
      },
    ],
    [
      '/v1/release',
      async (asker, body) => {
        const { tenant, lease } = releaseOf(asker, body);
        return { body: { released: await limiter.release(tenant, lease, asker.taker) } };
      },
    ],
  ]);
}
