import { randomBytes } from 'node:crypto';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { beatAlone, memoryContainment } from '@portcullis/guard/containment.memory';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { createLog } from '@portcullis/service/log.file';
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
  const bus = memoryBus();
  const log = createLog('rate-limiter', settings.LOG_LEVEL);
  const containment = memoryContainment();
  const topics = ['portcullis.standing', 'portcullis.revocations'] as const;
  const beating = await beatAlone(bus, containment, topics, { now: Date.now, log });
  return {
    limiter,
    bus,
    containment,
    log,
    close: async () => {
      await beating.stop();
      await Promise.all([bus.close(), limiter.close()]);
    },
  };
}
