import { memoryBus } from '@portcullis/bus/bus.memory';
import { beatAlone, memoryContainment } from '@portcullis/guard/containment.memory';
import { openEmbeddedStore } from '@portcullis/service/embedded-store.wire';
import { createLog } from '@portcullis/service/log.file';
import type { SecurityAnalyticsSettings } from './config.js';
import type { SecurityAnalyticsParts } from './start.js';

/**
 * The parts of this service alone in its process. Its bus is its own, so it shows what is in the store and takes
 * decisions, and no calls arrive.
 * @throws Error when hardened: Kafka is not there yet
 */
export async function embeddedParts(
  settings: SecurityAnalyticsSettings,
): Promise<SecurityAnalyticsParts & { close(): Promise<void> }> {
  const log = createLog('security-analytics', settings.LOG_LEVEL);
  const bus = memoryBus();
  const { database, events, close } = await openEmbeddedStore(settings, 'security-analytics', { bus, log });
  const containment = memoryContainment();
  const beating = await beatAlone(bus, containment, ['portcullis.revocations'], { now: Date.now, log });
  return {
    database,
    bus,
    events,
    containment,
    log,
    close: async () => {
      await beating.stop();
      await close();
      await bus.close();
    },
  };
}
