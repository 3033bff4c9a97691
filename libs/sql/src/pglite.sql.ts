import { PGlite } from '@electric-sql/pglite';
import { Kysely, sql } from 'kysely';
import { checkedSchema, checkedTenant, type Database } from './database.js';
import { makeDataDirectory } from './data-directory.file.js';
import { OneConnectionDialect } from './one-connection.sql.js';
import { pgliteDirectory } from './pglite-url.js';
import { turns, type Alarm } from './turns.js';

/** How long one transaction may keep other queries waiting, milliseconds. */
const TURN_LIMIT = 10_000;

/**
 * Opens the embedded database: Postgres compiled to WebAssembly, in this process, with one connection.
 * Nothing keeps a second process from opening the same directory; take `lockData` first.
 * @param url `pglite://memory` or `pglite://DIR`; DIR is made when it is absent
 * @param options `turnLimitMs`: queries reject with TurnTooLong when one transaction keeps them waiting longer
 * @throws DatabaseUrlError naming the setting DATABASE_URL
 */
export async function openPglite(url: string, options: { turnLimitMs?: number } = {}): Promise<Database> {
  const directory = pgliteDirectory(url);
  const pglite = await PGlite.create(directory === undefined ? 'memory://' : makeDataDirectory(directory));
  return databaseOf(pglite, options.turnLimitMs);
}

/** A PGlite that runs already, as a Database that owns it. */
export function databaseOf(pglite: PGlite, turnLimitMs: number = TURN_LIMIT): Database {
  const queue = turns(
    turnLimitMs,
    `a transaction has kept the database for ${turnLimitMs} ms; does it wait for a query that is made outside it?`,
    alarm,
  );
  const db = new Kysely<unknown>({ dialect: new OneConnectionDialect(pglite, queue) });
  let closed: Promise<void> | undefined;
  const schema = <Tables>(name: string): Kysely<Tables> => (db as Kysely<Tables>).withSchema(checkedSchema(name));
  return {
    ofTenant: <Tables>(tenant: string, name: string) => {
      checkedTenant(tenant);
      return schema<Tables>(name);
    },
    schema,
    everyTenant: schema,
    unhurried: schema,
    async ping() {
      await sql`select 1`.execute(db);
    },
    close() {
      closed ??= (async () => {
        await queue.take();
        await pglite.close();
        queue.giveBack();
      })();
      return closed;
    },
  };
}

const alarm: Alarm = (ms, then) => {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
};
