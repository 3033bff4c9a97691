import { dirname, join } from 'node:path';
import type { Bus } from '@portcullis/bus/bus';
import type { EventLog } from '@portcullis/bus/outbox';
import type { Log } from '@portcullis/contract/log';
import type { Database } from '@portcullis/sql/database';
import { makeDataDirectory } from '@portcullis/sql/data-directory.file';
import { lockData, type DataLock } from '@portcullis/sql/data-lock.sql';
import { openDatabase } from '@portcullis/sql/open-database.sql';
import { pgliteDirectory } from '@portcullis/sql/pglite-url';
import { isPostgresUrl } from '@portcullis/sql/postgres-url';
import type { CommonSettings } from './common.js';
import { openEventLog, type EventLogSettings } from './event-log.wire.js';
import { loadOrMakeKey } from './keys.file.js';
import type { Keys } from './setting.js';
import { SettingsError } from './settings.js';

/** What a service that runs alone in its process keeps. */
export interface Store {
  readonly database: Database;
  readonly events: EventLog;
  /** The keys of a setting: those that were given, or in embedded mode one that is kept in DATA/keys. */
  keysOf(name: string, given: Keys | undefined): Promise<Keys>;
  /** Closes in the order that loses nothing: events are handed to the bus first. The bus stays open. */
  close(): Promise<void>;
}

type Settings = Pick<
  CommonSettings,
  'PORTCULLIS_MODE' | 'DATABASE_URL' | 'DATABASE_POOL_MAX' | 'DATABASE_STATEMENT_TIMEOUT_MS'
> &
  EventLogSettings;

/**
 * Opens the database that DATABASE_URL names and the event log of one service. In embedded mode several processes may
 * share a server and a data folder, each with an OUTBOX_DIR of its own in it.
 * @throws DataDirInUse when another process runs on the folder of an embedded database
 * @throws SettingsError when hardened, for a role of Postgres that row-level security leaves alone
 */
export async function openStore(
  settings: Settings,
  service: string,
  { bus, log }: { readonly bus: Bus; readonly log: Log },
): Promise<Store> {
  const url = settings.DATABASE_URL.reveal();
  const { keyDirectory, lock } = openFolder(settings, url);
  const postgres = {
    application: service,
    poolSize: settings.DATABASE_POOL_MAX,
    statementMs: settings.DATABASE_STATEMENT_TIMEOUT_MS,
    onBroken: (error: Error) => log.warn('a connection to the database broke', { error }),
    onAboveRowSecurity: () => {
      const says =
        'names a role that row-level security leaves alone. Give a role that is no superuser and has no BYPASSRLS.';
      if (settings.PORTCULLIS_MODE !== 'embedded') throw new SettingsError([{ variable: 'DATABASE_URL', says }]);
      log.warn(`DATABASE_URL ${says}`);
    },
  };
  let database: Database | undefined;
  let events: EventLog;
  try {
    database = await openDatabase(url, postgres);
    events = await openEventLog(settings, service, { bus, log });
  } catch (error) {
    await database?.close();
    lock?.release();
    throw error;
  }
  return {
    database,
    events,
    async keysOf(name, given) {
      if (given !== undefined) return given;
      if (keyDirectory === undefined) throw new SettingsError([{ variable: name, says: 'is missing.' }]);
      return [await loadOrMakeKey(keyDirectory, name)];
    },
    async close() {
      await events.close();
      await database.close();
      lock?.release();
    },
  };
}

/** Embedded mode keeps all of one platform in a folder: locked, when the database is in it. A hardened service has none. */
function openFolder(
  { PORTCULLIS_MODE, OUTBOX_DIR }: Settings,
  url: string,
): { readonly keyDirectory?: string; readonly lock?: DataLock } {
  if (PORTCULLIS_MODE !== 'embedded') return {};
  if (isPostgresUrl(url)) return { keyDirectory: join(makeDataDirectory(dirname(OUTBOX_DIR)), 'keys') };
  const lock = lockData(dirname(pgliteDirectory(url) ?? OUTBOX_DIR));
  return { keyDirectory: join(lock.directory, 'keys'), lock };
}
