import { randomBytes } from 'node:crypto';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { createLog } from '@portcullis/service/log.file';
import { openOwnBus } from '@portcullis/service/own-bus.wire';
import type { RateLimiterSettings } from './config.js';
import type { RateLimiterParts } from './start.js';

/**
 * The parts of a rate limiter that runs alone.
 * @throws Error outside embedded mode: a limiter in memory would give every process limits of its own
 */
export async function embeddedParts(
  settings: RateLimiterSettings,
): Promise<RateLimiterParts & { close(): Promise<void> }> {
  if (settings.PORTCULLIS_MODE !== 'embedded') {
    throw new Error('This version has embedded parts only: Redis is not in it yet.');
  }
  const limiter = memoryLimiter({ now: Date.now, random: randomBytes });
  const log = createLog('rate-limiter', settings.LOG_LEVEL);
  const { bus, containment, close } = await openOwnBus(['portcullis.standing', 'portcullis.revocations'], log);
  return {
    limiter,
    bus,
    containment,
    log,
    close: async () => void (await Promise.all([close(), limiter.close()])),
  };
}
