import { memoryBus } from '@portcullis/bus/bus.memory';
import { openOutbox } from '@portcullis/bus/outbox.file';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { keyBytes } from '@portcullis/service/key-text';
import { loadOrMakeKey } from '@portcullis/service/keys.file';
import { createLog } from '@portcullis/service/log.file';
import { lockData } from '@portcullis/sql/data-lock.sql';
import { openPglite } from '@portcullis/sql/pglite.sql';
import { pgliteDirectory } from '@portcullis/sql/pglite-url';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import type { McpServerSettings } from './config.js';
import type { McpServerParts } from './start.js';

/**
 * The parts of this service alone in its process.
 * @throws Error when hardened: Postgres, Redis and Kafka are not there yet
 */
export async function embeddedParts(settings: McpServerSettings): Promise<McpServerParts & { close(): Promise<void> }> {
  if (settings.PORTCULLIS_MODE !== 'embedded') {
    throw new Error(
      'This version has embedded parts only. Set PORTCULLIS_MODE=embedded, or wait for Postgres, Redis and Kafka.',
    );
  }
  const url = settings.DATABASE_URL.reveal();
  const directory = pgliteDirectory(url);
  const data = directory === undefined ? dirname(settings.OUTBOX_DIR) : dirname(directory);
  const lock = directory === undefined ? undefined : lockData(data);
  const log = createLog('mcp-server', settings.LOG_LEVEL);
  const key = settings.AUDIT_DIGEST_KEY?.[0] ?? (await loadOrMakeKey(join(data, 'keys'), 'AUDIT_DIGEST_KEY'));
  const database = await openPglite(url);
  const bus = memoryBus();
  const limiter = memoryLimiter({ now: Date.now, random: randomBytes });
  const events = await openOutbox({
    dir: join(settings.OUTBOX_DIR, 'mcp-server'),
    service: 'mcp-server',
    bus,
    now: Date.now,
    newId: uuidv7,
    log,
  });
  return {
    database,
    bus,
    events,
    limiter,
    log,
    auditDigestKey: keyBytes(key),
    demoData: settings.DEMO,
    async close() {
      await events.close();
      await Promise.all([bus.close(), limiter.close()]);
      await database.close();
      lock?.release();
    },
  };
}
