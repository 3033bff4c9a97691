import { LIMIT_TYPES } from '@portcullis/contract/limits';
import type { Limiter } from '@portcullis/limits/limiter';
import { Counter, type Registry } from 'prom-client';

/** Counts calls over gRPC by their status code, as a number (google.rpc.Code). */
export function countCalls(registry: Registry): (code: number) => void {
  const calls = new Counter({
    name: 'portcullis_limit_rpcs_total',
    help: 'Calls of the RateLimitService by status code',
    labelNames: ['code'],
    registers: [registry],
  });
  return (code) => calls.inc({ code });
}

/** The same limiter, with its decisions counted by outcome. */
export function counted(limiter: Limiter, registry: Registry): Limiter {
  const decisions = new Counter({
    name: 'portcullis_limit_decisions_total',
    help: 'Decisions asked for over the API: allowed, failed, or the limit that refused',
    labelNames: ['outcome'],
    registers: [registry],
  });
  for (const outcome of ['allowed', 'failed', ...LIMIT_TYPES]) decisions.inc({ outcome }, 0);
  return {
    async decide(question, taker) {
      try {
        const verdict = await limiter.decide(question, taker);
        decisions.inc({ outcome: verdict.allowed ? 'allowed' : verdict.limitType });
        return verdict;
      } catch (error) {
        decisions.inc({ outcome: 'failed' });
        throw error;
      }
    },
    settle: (tenant, lease, llmTokens, costMicros, taker) =>
      limiter.settle(tenant, lease, llmTokens, costMicros, taker),
    release: (tenant, lease, taker) => limiter.release(tenant, lease, taker),
    close: () => limiter.close(),
  };
}
