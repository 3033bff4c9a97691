import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { openEmbeddedStore } from '@portcullis/service/embedded-store.wire';
import { keyBytes } from '@portcullis/service/key-text';
import { loadOrMakeKey } from '@portcullis/service/keys.file';
import { createLog } from '@portcullis/service/log.file';
import { openOwnBus } from '@portcullis/service/own-bus.wire';
import type { McpServerSettings } from './config.js';
import type { McpServerParts } from './start.js';

/**
 * The parts of this service alone in its process.
 * @throws Error when hardened: Redis and Kafka are not there yet
 */
export async function embeddedParts(settings: McpServerSettings): Promise<McpServerParts & { close(): Promise<void> }> {
  const log = createLog('mcp-server', settings.LOG_LEVEL);
  const { bus, containment, close } = await openOwnBus(['portcullis.standing', 'portcullis.revocations'], log);
  const store = await openEmbeddedStore(settings, 'mcp-server', { bus, log });
  const limiter = memoryLimiter({ now: Date.now, random: randomBytes });
  const key = settings.AUDIT_DIGEST_KEY?.[0] ?? (await loadOrMakeKey(join(store.data, 'keys'), 'AUDIT_DIGEST_KEY'));
  const stateKeys = settings.STATE_KEY ?? [await loadOrMakeKey(join(store.data, 'keys'), 'STATE_KEY')];
  return {
    database: store.database,
    bus,
    containment,
    events: store.events,
    limiter,
    log,
    auditDigestKey: keyBytes(key),
    stateKeys: stateKeys.map(keyBytes),
    demoData: settings.DEMO,
    async close() {
      await store.close();
      await Promise.all([close(), limiter.close()]);
    },
  };
}
