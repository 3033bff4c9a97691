import type { Database } from './database.js';
import { openPglite } from './pglite.sql.js';
import { isPostgresUrl } from './postgres-url.js';
import { openPostgres, type PostgresOptions } from './postgres.sql.js';

/**
 * Opens what DATABASE_URL names: `postgres://…` (also `postgresql://`) a server, `pglite://DIR` and `pglite://memory` the
 * embedded database. Takes no lock on DIR; see `lockData`.
 * @throws DatabaseUrlError naming the setting, never its value
 */
export const openDatabase = (url: string, options: PostgresOptions): Promise<Database> =>
  isPostgresUrl(url) ? openPostgres(url, options) : openPglite(url);
