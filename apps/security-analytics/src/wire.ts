import { createLog } from '@portcullis/service/log.file';
import { openOwnBus } from '@portcullis/service/own-bus.wire';
import { openSharedBus, openSigner } from '@portcullis/service/shared-bus.wire';
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
  const shared = openSharedBus(settings, 'security-analytics', log);
  const {
    bus,
    containment,
    close: closeBus,
  } = shared === undefined
    ? await openOwnBus(['portcullis.revocations'], log)
    : {
        ...shared,
        containment: {
          ...shared.containment,
          signers: { 'security-analytics': openSigner('security-analytics', settings.STATEMENT_KEY, log) },
        },
      };
  const { database, events, close } = await openStore(settings, 'security-analytics', { bus, log });
  return { database, bus, events, containment, log, close: () => close().then(closeBus) };
}
