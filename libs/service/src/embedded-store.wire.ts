import { dirname } from 'node:path';
import type { Bus } from '@portcullis/bus/bus';
import type { EventLog } from '@portcullis/bus/outbox';
import type { Log } from '@portcullis/contract/log';
import type { Database } from '@portcullis/sql/database';
import { makeDataDirectory } from '@portcullis/sql/data-directory.file';
import { lockData } from '@portcullis/sql/data-lock.sql';
import { openDatabase } from '@portcullis/sql/open-database.sql';
import { pgliteDirectory } from '@portcullis/sql/pglite-url';
import { isPostgresUrl } from '@portcullis/sql/postgres-url';
import type { CommonSettings } from './common.js';
import { openEventLog, type EventLogSettings } from './event-log.wire.js';

/** What a service that runs alone keeps on this machine. */
export interface EmbeddedStore {
  /** the data folder; locked by this process when the database is in it */
  readonly data: string;
  readonly database: Database;
  readonly events: EventLog;
  /** Closes in the order that loses nothing: events are handed to the bus first. The bus stays open. */
  close(): Promise<void>;
}

type Settings = Pick<CommonSettings, 'PORTCULLIS_MODE' | 'DATABASE_URL'> & EventLogSettings;

/**
 * Opens the database that DATABASE_URL names, embedded or a Postgres server, and the event log of one service. Several
 * processes may share a server and a data folder, each with an OUTBOX_DIR of its own in it.
 * @throws Error when hardened: Redis and Kafka are not there yet
 * @throws DataDirInUse when another process runs on the folder of an embedded database
 */
export async function openEmbeddedStore(
  settings: Settings,
  service: string,
  { bus, log }: { readonly bus: Bus; readonly log: Log },
): Promise<EmbeddedStore> {
  if (settings.PORTCULLIS_MODE !== 'embedded') {
    throw new Error('This version has embedded parts only: Redis and Kafka are not in it yet.');
  }
  const url = settings.DATABASE_URL.reveal();
  const shared = isPostgresUrl(url);
  const folder = dirname((shared ? undefined : pgliteDirectory(url)) ?? settings.OUTBOX_DIR);
  const lock = shared ? undefined : lockData(folder);
  const data = lock?.directory ?? makeDataDirectory(folder);
  const onBroken = (error: Error): void => log.warn('a connection to the database broke', { error });
  let database: Database;
  try {
    database = await openDatabase(url, { application: service, onBroken });
  } catch (error) {
    lock?.release();
    throw error;
  }
  const events = await openEventLog(settings, service, { bus, log });
  return {
    data,
    database,
    events,
    async close() {
      await events.close();
      await database.close();
      lock?.release();
    },
  };
}
