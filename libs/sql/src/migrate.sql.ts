import { sql, type Generated, type Kysely, type Transaction } from 'kysely';
import { checkedSchema, type Database } from './database.js';
import { readMigrations } from './migrations.file.js';
import { MigrationError, outstanding, type Migration } from './migrations.js';

interface Tables {
  /** Belongs to the schema, not to a tenant. */
  migrations: { name: string; checksum: string; expands: Generated<boolean> };
}

/**
 * Brings a service's schema to where its migration files say: makes the schema when it is absent, then applies each file
 * that was not applied yet, in order, each in a transaction of its own together with the record of it. Safe to run again
 * and by two at once. Unqualified names in a file mean the service's schema.
 * @param directory file URL that ends in `/`, holding `NNNN-name.sql`
 * @returns the names of the files that this run applied
 * @throws MigrationError naming the file, and the number of the statement (from 1) when one fails
 */
export async function migrate(database: Database, schema: string, directory: URL): Promise<string[]> {
  checkedSchema(schema);
  const migrations = readMigrations(directory);
  const db = database.unhurried<Tables>(schema);
  await db.transaction().execute(async (trx) => {
    await alone(trx, schema);
    // "if not exists" asks for the right to make one even where there is one; a service's own role may not have it
    const there = await sql`select 1 from pg_namespace where nspname = ${schema}`.execute(trx);
    if (there.rows.length === 0) await sql`create schema ${sql.id(schema)}`.execute(trx);
    await sql`create table if not exists ${sql.id(schema, 'migrations')} (
      name text primary key, checksum text not null, applied_at timestamptz not null default now())`.execute(trx);
    await sql`alter table ${sql.id(schema, 'migrations')}
      add column if not exists expands boolean not null default false`.execute(trx);
  });
  const applied: string[] = [];
  for (;;) {
    const name = await db.transaction().execute((trx) => applyNext(trx, schema, migrations));
    if (name === undefined) return applied;
    applied.push(name);
  }
}

/** What is outstanding is asked anew under the lock, so that a second run at the same time finds nothing left to do. */
async function applyNext(
  trx: Transaction<Tables>,
  schema: string,
  migrations: readonly Migration[],
): Promise<string | undefined> {
  await alone(trx, schema);
  const recorded = await trx.selectFrom('migrations').select(['name', 'checksum', 'expands']).execute();
  const next = outstanding(migrations, recorded)[0];
  if (next === undefined) return undefined;
  await sql`select set_config('search_path', ${schema}, true)`.execute(trx);
  for (const [i, statement] of next.statements.entries()) {
    try {
      await sql.raw(statement).execute(trx);
    } catch (error) {
      const why =
        typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : 'unknown error';
      throw new MigrationError(`${next.name}, statement ${i + 1}: ${why}`, { cause: error });
    }
  }
  await trx
    .insertInto('migrations')
    .values({ name: next.name, checksum: next.checksum, expands: next.expands })
    .execute();
  return next.name;
}

/** Until the transaction ends, no other run works on this schema, in whatever process. */
async function alone(trx: Kysely<Tables>, schema: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${`portcullis/migrate/${schema}`}))`.execute(trx);
}
