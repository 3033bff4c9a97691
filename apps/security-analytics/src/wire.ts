import { openEmbeddedStore } from '@portcullis/service/embedded-store.wire';
import { createLog } from '@portcullis/service/log.file';
import { openOwnBus } from '@portcullis/service/own-bus.wire';
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
  const { bus, containment, close: closeBus } = await openOwnBus(['portcullis.revocations'], log);
  const { database, events, close } = await openEmbeddedStore(settings, 'security-analytics', { bus, log });
  return { database, bus, events, containment, log, close: () => close().then(closeBus) };
}
