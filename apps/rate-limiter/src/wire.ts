import { RulesInForce } from '@portcullis/limits/rules-in-force';
import { openEventLog } from '@portcullis/service/event-log.wire';
import { openLimiter } from '@portcullis/service/limiter.wire';
import { createLog } from '@portcullis/service/log.file';
import { openSharedRedis } from '@portcullis/service/redis.wire';
import { openSigningBus } from '@portcullis/service/shared-bus.wire';
import type { RateLimiterSettings } from './config.js';
import type { RateLimiterParts } from './start.js';

/** The engines that the settings name; a limiter without Redis decides for its callers alone. */
export async function openParts(settings: RateLimiterSettings): Promise<RateLimiterParts & { close(): Promise<void> }> {
  const log = createLog('rate-limiter', settings.LOG_LEVEL);
  const others = ['portcullis.standing', 'portcullis.revocations'] as const;
  const { bus, containment, close } = await openSigningBus(settings, 'rate-limiter', others, log);
  const events = await openEventLog(settings, 'rate-limiter', { bus, log });
  const redis = await openSharedRedis(settings, 'rate-limiter', log);
  const rules = new RulesInForce();
  const limiter = openLimiter(settings, redis, log, rules.table);
  return {
    limiter,
    rules,
    bus,
    containment,
    events,
    log,
    async close() {
      await events.close();
      await Promise.all([close(), limiter.close()]);
      await redis?.close();
    },
  };
}
