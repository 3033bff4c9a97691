import { memoryBus } from '@portcullis/bus/bus.memory';
import { openOutbox } from '@portcullis/bus/outbox.file';
import { loadOrMakeKey } from '@portcullis/service/keys.file';
import { createLog } from '@portcullis/service/log.file';
import type { Keys } from '@portcullis/service/setting';
import { lockData } from '@portcullis/sql/data-lock.sql';
import { openPglite } from '@portcullis/sql/pglite.sql';
import { pgliteDirectory } from '@portcullis/sql/pglite-url';
import { dirname, join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import type { AuthServerSettings } from './config.js';
import type { AuthServerParts } from './start.js';

/**
 * The parts of this service alone in its process.
 * @throws Error when hardened: Postgres, Redis and Kafka are not there yet
 */
export async function embeddedParts(
  settings: AuthServerSettings,
): Promise<AuthServerParts & { close(): Promise<void> }> {
  if (settings.PORTCULLIS_MODE !== 'embedded') {
    throw new Error(
      'This version has embedded parts only. Set PORTCULLIS_MODE=embedded, or wait for Postgres and Kafka.',
    );
  }
  const url = settings.DATABASE_URL.reveal();
  const directory = pgliteDirectory(url);
  const data = directory === undefined ? dirname(settings.OUTBOX_DIR) : dirname(directory);
  const lock = directory === undefined ? undefined : lockData(data);
  const log = createLog('auth-server', settings.LOG_LEVEL);
  const kept = async (name: string, given: Keys | undefined): Promise<Keys> =>
    given ?? [await loadOrMakeKey(join(data, 'keys'), name)];
  const keys = {
    keyEncryption: await kept('KEY_ENCRYPTION_KEY', settings.KEY_ENCRYPTION_KEY),
    cookie: await kept('COOKIE_KEY', settings.COOKIE_KEY),
    secretHash: await kept('SECRET_HASH_KEY', settings.SECRET_HASH_KEY),
  };
  const database = await openPglite(url);
  const bus = memoryBus();
  const events = await openOutbox({
    dir: join(settings.OUTBOX_DIR, 'auth-server'),
    service: 'auth-server',
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
    keys,
    async close() {
      await events.close();
      await bus.close();
      await database.close();
      lock?.release();
    },
  };
}
