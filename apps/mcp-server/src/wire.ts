import { RulesInForce } from '@portcullis/limits/rules-in-force';
import { createLog } from '@portcullis/service/log.file';
import { keyBytes } from '@portcullis/service/key-text';
import { openLimiter, openRemoteLimiter } from '@portcullis/service/limiter.wire';
import { openOwnBus } from '@portcullis/service/own-bus.wire';
import { openSharedRedis } from '@portcullis/service/redis.wire';
import { openSharedBus } from '@portcullis/service/shared-bus.wire';
import { sharedGuard } from '@portcullis/service/shared-guard.wire';
import { openStore } from '@portcullis/service/store.wire';
import type { McpServerSettings } from './config.js';
import type { McpServerParts } from './start.js';

/** The engines that the settings name; what they do not name is in the memory of this process, or in its folder. */
export async function openParts(settings: McpServerSettings): Promise<McpServerParts & { close(): Promise<void> }> {
  const log = createLog('mcp-server', settings.LOG_LEVEL);
  const { bus, containment, close } =
    openSharedBus(settings, 'mcp-server', log) ??
    (await openOwnBus(['portcullis.standing', 'portcullis.revocations'], log));
  const store = await openStore(settings, 'mcp-server', { bus, log });
  const auditDigestKeys = await store.keysOf('AUDIT_DIGEST_KEY', settings.AUDIT_DIGEST_KEY);
  const stateKeys = (await store.keysOf('STATE_KEY', settings.STATE_KEY)).map(keyBytes);
  const redis = await openSharedRedis(settings, 'mcp-server', log);
  const rules = new RulesInForce();
  const limiter = openRemoteLimiter(settings, log, rules.table) ?? openLimiter(settings, redis, log, rules.table);
  return {
    database: store.database,
    bus,
    containment,
    events: store.events,
    limiter,
    rules,
    shared: redis && sharedGuard(redis, 'mcp', stateKeys[0]!),
    log,
    auditDigestKey: keyBytes(auditDigestKeys[0]),
    stateKeys,
    demoData: settings.DEMO,
    async close() {
      await store.close();
      await Promise.all([close(), limiter.close()]);
      await redis?.close();
    },
  };
}
