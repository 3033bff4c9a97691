import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql, type Kysely } from 'kysely';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from './database.js';
import { openPglite } from './pglite.sql.js';
import { openTestDatabase } from './database.fixture.js';

interface Tables {
  accounts: { id: string; balance: number };
}

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
}, 60_000);
afterAll(() => database.close());

/** A service of its own: a schema with one table. */
async function service(name: string, on: Database = database): Promise<Kysely<Tables>> {
  const db = on.schema<Tables>(name);
  await sql`create schema ${sql.id(name)}`.execute(db);
  await sql`create table ${sql.id(name, 'accounts')} (id text primary key, balance int not null)`.execute(db);
  return db;
}

describe('a schema', () => {
  it('is where the queries of its service go, and no other', async () => {
    const [one, other] = [await service('one'), await service('other')];
    await one.insertInto('accounts').values({ id: 'a', balance: 1 }).execute();
    expect(await one.selectFrom('accounts').selectAll().execute()).toEqual([{ id: 'a', balance: 1 }]);
    expect(await other.selectFrom('accounts').selectAll().execute()).toEqual([]);
  });

  it('takes values as parameters, whatever is in them', async () => {
    const db = await service('parameters');
    const id = `'); drop table parameters.accounts; --`;
    await db.insertInto('accounts').values({ id, balance: 1 }).execute();
    expect(await db.selectFrom('accounts').select('id').where('id', '=', id).execute()).toEqual([{ id }]);
  });

  it.each(['', 'Auth', 'auth; drop', 'a"b', 'a.b', '1a', 'x'.repeat(32)])('is not called %p', (name) => {
    expect(() => database.schema(name)).toThrow('no name for a schema');
  });
});

describe('transactions of services that share the one connection', () => {
  it('do not see into each other, however they are interleaved', async () => {
    const [left, right] = [await service('tx_left'), await service('tx_right')];
    const log: string[] = [];
    const work = (db: Kysely<Tables>, name: string) =>
      db.transaction().execute(async (trx) => {
        for (let i = 0; i < 5; i += 1) {
          log.push(name);
          await trx
            .insertInto('accounts')
            .values({ id: `${name}${i}`, balance: i })
            .execute();
          await new Promise(setImmediate);
        }
      });
    await Promise.all([work(left, 'l'), work(right, 'r'), work(left, 'L'), work(right, 'R')]);
    expect(log.join('')).toMatch(/^(lllll|rrrrr|LLLLL|RRRRR){4}$/);
    expect(await left.selectFrom('accounts').selectAll().execute()).toHaveLength(10);
  });

  it('are not joined by queries that other services make meanwhile', async () => {
    const [left, right] = [await service('roll_left'), await service('roll_right')];
    let inside: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (inside = resolve));
    let goOn: () => void = () => undefined;
    const meanwhile = new Promise<void>((resolve) => (goOn = resolve));
    const rolledBack = left.transaction().execute(async (trx) => {
      await trx.insertInto('accounts').values({ id: 'gone', balance: 1 }).execute();
      inside();
      await meanwhile;
      throw new Error('roll back');
    });
    await begun;
    const inserted = right.insertInto('accounts').values({ id: 'stays', balance: 1 }).execute();
    const seen = left.selectFrom('accounts').selectAll().execute();
    await new Promise(setImmediate);
    goOn();
    await expect(rolledBack).rejects.toThrow('roll back');
    await inserted;
    expect(await seen).toEqual([]);
    expect(await right.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'stays' }]);
  });

  it('lose no update', async () => {
    const db = await service('updates');
    await db.insertInto('accounts').values({ id: 'a', balance: 0 }).execute();
    const add = () =>
      db.transaction().execute(async (trx) => {
        const { balance } = await trx.selectFrom('accounts').select('balance').executeTakeFirstOrThrow();
        await trx
          .updateTable('accounts')
          .set({ balance: balance + 1 })
          .execute();
      });
    await Promise.all(Array.from({ length: 25 }, add));
    expect(await db.selectFrom('accounts').select('balance').execute()).toEqual([{ balance: 25 }]);
  });

  it('leave the connection usable after a statement that fails', async () => {
    const db = await service('failing');
    const failing = db.transaction().execute(async (trx) => {
      await trx.insertInto('accounts').values({ id: 'a', balance: 1 }).execute();
      await trx.insertInto('accounts').values({ id: 'a', balance: 1 }).execute();
    });
    await expect(failing).rejects.toMatchObject({ code: '23505' });
    expect(await db.selectFrom('accounts').selectAll().execute()).toEqual([]);
    await database.ping();
  });

  it('that wait for a query outside themselves fail with the reason, instead of waiting for ever', async () => {
    const own = await openTestDatabase({ turnLimitMs: 50 });
    const db = await service('deadlock', own);
    const stuck = db.transaction().execute(async (trx) => {
      await trx.insertInto('accounts').values({ id: 'a', balance: 1 }).execute();
      await db.selectFrom('accounts').selectAll().execute();
    });
    await expect(stuck).rejects.toThrow('does it wait for a query that is made outside it?');
    expect(await db.selectFrom('accounts').selectAll().execute()).toEqual([]);
    await own.close();
  }, 30_000);
});

describe('closing', () => {
  it('waits for the transaction that runs, and later queries reject', async () => {
    const own = await openTestDatabase();
    const db = await service('closing', own);
    const work = db.transaction().execute(async (trx) => {
      await new Promise(setImmediate);
      await trx.insertInto('accounts').values({ id: 'a', balance: 1 }).execute();
      return 'done';
    });
    const closed = own.close();
    expect(await work).toBe('done');
    await closed;
    await expect(own.ping()).rejects.toThrow();
    await expect(own.close()).resolves.toBeUndefined();
  }, 30_000);
});

describe('openPglite', () => {
  it('refuses a URL of another database by the name of the setting', async () => {
    await expect(openPglite('postgres://u:hunter2@db/x')).rejects.toThrow(/^DATABASE_URL must be pglite:/);
  });

  it('makes the directory for us alone, and finds everything again', async () => {
    const base = mkdtempSync(join(tmpdir(), 'portcullis-sql-'));
    const directory = join(base, 'a', 'db');
    const first = await openPglite(`pglite://${directory}`);
    const db = await service('kept', first);
    await db.insertInto('accounts').values({ id: 'a', balance: 1 }).execute();
    await first.close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const second = await openPglite(`pglite://${directory}`);
    expect(await second.schema<Tables>('kept').selectFrom('accounts').selectAll().execute()).toEqual([
      { id: 'a', balance: 1 },
    ]);
    await second.close();
    rmSync(base, { recursive: true });
  }, 60_000);
});
