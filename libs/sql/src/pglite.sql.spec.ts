import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql, type Kysely } from 'kysely';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseContract } from './database.contract.js';
import { openTestDatabase } from './database.fixture.js';
import type { Database } from './database.js';
import { openDatabase } from './open-database.sql.js';
import { openPglite } from './pglite.sql.js';

interface Tables {
  accounts: { id: string; balance: number };
}

describe('PGlite', () => databaseContract(() => openTestDatabase()));

/** A service of its own: a schema with one table. */
async function service(name: string, on: Database): Promise<Kysely<Tables>> {
  const db = on.schema<Tables>(name);
  await sql`create schema ${sql.id(name)}`.execute(db);
  await sql`create table ${sql.id(name, 'accounts')} (id text primary key, balance int not null)`.execute(db);
  return db;
}

describe('transactions of services that share the one connection', () => {
  let database: Database;
  beforeAll(async () => {
    database = await openTestDatabase({ turnLimitMs: 50 });
  }, 60_000);
  afterAll(() => database.close());

  it('come one after the other', async () => {
    const [left, right] = [await service('tx_left', database), await service('tx_right', database)];
    const log: string[] = [];
    const work = (db: Kysely<Tables>, name: string) =>
      db.transaction().execute(async (trx) => {
        for (let i = 0; i < 3; i += 1) {
          log.push(name);
          await trx
            .insertInto('accounts')
            .values({ id: `${name}${i}`, balance: i })
            .execute();
        }
      });
    await Promise.all([work(left, 'l'), work(right, 'r'), work(left, 'L'), work(right, 'R')]);
    expect(log.join('')).toMatch(/^(lll|rrr|LLL|RRR){4}$/);
  });

  it('that wait for a query outside themselves fail with the reason, instead of waiting for ever', async () => {
    const db = await service('deadlock', database);
    const stuck = db.transaction().execute(async (trx) => {
      await trx.insertInto('accounts').values({ id: 'a', balance: 1 }).execute();
      await db.selectFrom('accounts').selectAll().execute();
    });
    await expect(stuck).rejects.toThrow('does it wait for a query that is made outside it?');
    expect(await db.selectFrom('accounts').selectAll().execute()).toEqual([]);
  }, 30_000);
});

describe('openPglite', () => {
  it('refuses a URL of another database by the name of the setting', async () => {
    await expect(openPglite('postgres://u:hunter2@db/x')).rejects.toThrow(/^DATABASE_URL must be postgres:/);
  });

  it('is what openDatabase does with a pglite:// URL; it makes the directory for us alone, and finds everything again', async () => {
    const base = mkdtempSync(join(tmpdir(), 'portcullis-sql-'));
    const directory = join(base, 'a', 'db');
    const open = () => openDatabase(`pglite://${directory}`, { onBroken: () => undefined });
    const first = await open();
    const db = await service('kept', first);
    await db.insertInto('accounts').values({ id: 'a', balance: 1 }).execute();
    await first.close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const second = await open();
    expect(await second.schema<Tables>('kept').selectFrom('accounts').selectAll().execute()).toEqual([
      { id: 'a', balance: 1 },
    ]);
    await second.close();
    rmSync(base, { recursive: true });
  }, 60_000);
});
