import { createLog } from '@portcullis/service/log.file';
import { openSigningBus } from '@portcullis/service/shared-bus.wire';
import { openStore } from '@portcullis/service/store.wire';
import type { SecurityAnalyticsSettings } from './config.js';
import type { SecurityAnalyticsParts } from './start.js';

/**
 * The engines that the settings name. Without brokers its bus is its own: it shows what is in the store and takes
 * decisions, and no calls arrive.
 */
export async function openParts(
  settings: SecurityAnalyticsSettings,
): Promise<SecurityAnalyticsParts & { close(): Promise<void> }> {
  const log = createLog('security-analytics', settings.LOG_LEVEL);
  const others = ['portcullis.revocations'] as const;
  const { close: closeBus, ...shared } = await openSigningBus(settings, 'security-analytics', others, log);
  const { database, events, close } = await openStore(settings, 'security-analytics', { ...shared, log });
  return { ...shared, database, events, log, close: () => close().then(closeBus) };
}
