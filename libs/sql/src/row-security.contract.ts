import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql, type Kysely } from 'kysely';
import type { Database } from './database.js';
import { migrate } from './migrate.sql.js';

const MINE = 'rows-mine';
const THEIRS = 'rows-theirs';

/**
 * What Postgres does for each table of a schema that has a tenant in it, whatever a query says. PGlite, which runs as a
 * superuser, leaves it to the queries.
 * @param open an empty database, for a role that owns it and is no superuser
 * @param fill puts at least one row for the tenant into each such table
 */
export function rowSecurityContract(
  schema: string,
  migrations: URL,
  open: () => Promise<Database>,
  fill: (database: Database, tenant: string) => Promise<unknown>,
): void {
  type Db = Kysely<object>;
  let database: Database;
  let tables: string[];
  beforeAll(async () => {
    database = await open();
    await migrate(database, schema, migrations);
    for (const tenant of [MINE, THEIRS]) await fill(database, tenant);
    const { rows } = await sql<{ name: string }>`
      select table_name as name from information_schema.columns
      where table_schema = ${schema} and column_name = 'tenant' order by 1`.execute(database.schema(schema));
    tables = rows.map(({ name }) => name);
  }, 60_000);
  afterAll(() => database.close());

  const tenantsIn = async (db: Db, table: string): Promise<string[]> => {
    const { rows } = await sql<{ tenant: string }>`
      select distinct tenant from ${sql.id(schema, table)} order by 1`.execute(db);
    return rows.map(({ tenant }) => tenant);
  };
  const inEach = async (db: Db): Promise<Record<string, string[]>> =>
    Object.fromEntries(await Promise.all(tables.map(async (table) => [table, await tenantsIn(db, table)] as const)));
  const each = (tenants: readonly string[]) => Object.fromEntries(tables.map((table) => [table, tenants]));

  describe(`each table of ${schema} with a tenant`, () => {
    it('gives a query that has no WHERE the rows of the tenant for which it is asked', async () => {
      expect(await inEach(database.ofTenant(MINE, schema))).toEqual(each([MINE]));
      expect(await inEach(database.ofTenant(THEIRS, schema))).toEqual(each([THEIRS]));
      expect(await inEach(database.ofTenant('nobody', schema))).toEqual(each([]));
    });

    it('gives none to a query that is asked for nobody, and all to one that is asked for all tenants', async () => {
      expect(await inEach(database.schema(schema))).toEqual(each([]));
      expect(await inEach(database.everyTenant(schema))).toEqual(each([MINE, THEIRS]));
    });

    it('does so in transactions, also after one that was rolled back', async () => {
      const seen = (db: Db) => db.transaction().execute((trx) => inEach(trx));
      expect(await seen(database.ofTenant(MINE, schema))).toEqual(each([MINE]));
      const failing = database
        .ofTenant<object>(MINE, schema)
        .transaction()
        .execute(() => Promise.reject(new Error('roll back')));
      await expect(failing).rejects.toThrow('roll back');
      expect(await seen(database.schema(schema))).toEqual(each([]));
    });

    it('lets no row become one of another tenant', async () => {
      for (const table of tables) {
        const name = sql.id(schema, table);
        const given = sql`update ${name} set tenant = ${THEIRS}`.execute(database.ofTenant(MINE, schema));
        // the rows of events are refused by their own trigger, whoever asks
        await expect(given).rejects.toThrow(/violates row-level security|only ever added/);
      }
      expect(await inEach(database.everyTenant(schema))).toEqual(each([MINE, THEIRS]));
    });

    it('deletes no row of another tenant, whatever is deleted', async () => {
      const undone = database
        .ofTenant<object>(MINE, schema)
        .transaction()
        .execute(async (trx) => {
          for (const table of tables.filter((name) => name !== 'events'))
            await sql`delete from ${sql.id(schema, table)}`.execute(trx);
          await sql`set local portcullis.tenant to '*'`.execute(trx);
          for (const tenants of Object.values(await inEach(trx))) expect(tenants).toContain(THEIRS);
          throw new Error('roll back');
        });
      await expect(undone).rejects.toThrow('roll back');
    });
  });
}
