import { dirname, join } from 'node:path';
import type { Bus } from '@portcullis/bus/bus';
import type { EventLog } from '@portcullis/bus/outbox';
import { openOutbox } from '@portcullis/bus/outbox.file';
import type { Log } from '@portcullis/contract/log';
import type { Database } from '@portcullis/sql/database';
import { lockData } from '@portcullis/sql/data-lock.sql';
import { openPglite } from '@portcullis/sql/pglite.sql';
import { pgliteDirectory } from '@portcullis/sql/pglite-url';
import { v7 as uuidv7 } from 'uuid';
import type { CommonSettings } from './common.js';

/** What a service that runs alone keeps on this machine. */
export interface EmbeddedStore {
  /** the data folder, which this process has locked */
  readonly data: string;
  readonly database: Database;
  readonly events: EventLog;
  /** Closes in the order that loses nothing: events are handed to the bus first. The bus stays open. */
  close(): Promise<void>;
}

type Settings = Pick<CommonSettings, 'PORTCULLIS_MODE' | 'DATABASE_URL' | 'OUTBOX_DIR'>;

/**
 * Opens the embedded database and the event log of one service.
 * @throws Error when hardened: Postgres, Redis and Kafka are not there yet
 * @throws DataDirInUse when another process runs on the folder
 */
export async function openEmbeddedStore(
  settings: Settings,
  service: string,
  { bus, log }: { readonly bus: Bus; readonly log: Log },
): Promise<EmbeddedStore> {
  if (settings.PORTCULLIS_MODE !== 'embedded') {
    throw new Error('This version has embedded parts only: Postgres, Redis and Kafka are not in it yet.');
  }
  const url = settings.DATABASE_URL.reveal();
  const directory = pgliteDirectory(url);
  const data = dirname(directory ?? settings.OUTBOX_DIR);
  const lock = lockData(data);
  const database = await openPglite(url);
  const dir = join(settings.OUTBOX_DIR, service);
  const events = await openOutbox({ dir, service, bus, now: Date.now, newId: uuidv7, log });
  return {
    data,
    database,
    events,
    async close() {
      await events.close();
      await database.close();
      lock.release();
    },
  };
}
