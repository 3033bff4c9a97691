import { dirname, join } from 'node:path';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { openOutbox } from '@portcullis/bus/outbox.file';
import { createLog } from '@portcullis/service/log.file';
import { lockData } from '@portcullis/sql/data-lock.sql';
import { openPglite } from '@portcullis/sql/pglite.sql';
import { pgliteDirectory } from '@portcullis/sql/pglite-url';
import { v7 as uuidv7 } from 'uuid';
import type { SecurityAnalyticsSettings } from './config.js';
import type { SecurityAnalyticsParts } from './start.js';

/**
 * The parts of this service alone in its process.
 * @throws Error when hardened: Postgres and Kafka are not there yet
 */
export async function partsOf(
  settings: SecurityAnalyticsSettings,
): Promise<SecurityAnalyticsParts & { close(): Promise<void> }> {
  if (settings.PORTCULLIS_MODE !== 'embedded') {
    throw new Error(
      'This version has embedded parts only. Set PORTCULLIS_MODE=embedded, or wait for Postgres and Kafka.',
    );
  }
  const url = settings.DATABASE_URL.reveal();
  const directory = pgliteDirectory(url);
  const lock = directory === undefined ? undefined : lockData(dirname(directory));
  const log = createLog('security-analytics', settings.LOG_LEVEL);
  const database = await openPglite(url);
  const bus = memoryBus();
  const dir = join(settings.OUTBOX_DIR, 'security-analytics');
  const events = await openOutbox({
    dir,
    service: 'security-analytics',
    bus,
    now: Date.now,
    newId: uuidv7,
    log,
  });
  return {
    database,
    bus,
    events,
    log,
    async close() {
      await events.close();
      await bus.close();
      await database.close();
      lock?.release();
    },
  };
}
