import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql, type Generated, type Kysely } from 'kysely';
import type { Database } from './database.js';

interface Tables {
  accounts: { id: string; balance: number };
  kinds: {
    id: Generated<number>;
    doc: unknown;
    at: Date;
    big: number | bigint;
    bytes: Uint8Array;
    day: Date;
    words: string[];
    yes: boolean;
  };
}

/** What every variant of Database does. @param open an empty database of its own */
export function databaseContract(open: () => Promise<Database>): void {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  }, 60_000);
  afterAll(() => database.close());

  /** A service of its own: a schema with one table. */
  async function service(name: string, on: Database = database): Promise<Kysely<Tables>> {
    const db = on.schema<Tables>(name);
    await sql`create schema ${sql.id(name)}`.execute(db);
    await sql`create table ${sql.id(name, 'accounts')} (id text primary key, balance int not null)`.execute(db);
    return db;
  }
  const account = (id: string, balance = 1) => ({ id, balance });

  describe('a schema', () => {
    it('is where the queries of its service go, and no other', async () => {
      const [one, other] = [await service('one'), await service('other')];
      await one.insertInto('accounts').values(account('a')).execute();
      expect(await one.selectFrom('accounts').selectAll().execute()).toEqual([account('a')]);
      expect(await other.selectFrom('accounts').selectAll().execute()).toEqual([]);
    });

    it('takes values as parameters, whatever is in them', async () => {
      const db = await service('parameters');
      const id = `'); drop table parameters.accounts; --`;
      await db.insertInto('accounts').values(account(id)).execute();
      expect(await db.selectFrom('accounts').select('id').where('id', '=', id).execute()).toEqual([{ id }]);
    });

    it.each(['', 'Auth', 'auth; drop', 'a"b', 'a.b', '1a', 'x'.repeat(32)])('is not called %p', (name) => {
      expect(() => database.schema(name)).toThrow('no name for a schema');
    });
  });

  it.each(['', '*', 'Acme', "a'b", 'a b', 'x'.repeat(33)])('a tenant is not called %p', (tenant) => {
    expect(() => database.ofTenant(tenant, 'one')).toThrow('a tenant is a slug');
  });

  describe('values', () => {
    let db: Kysely<Tables>;
    const row = {
      doc: JSON.stringify({ list: ['a "quoted" {one}', 'ünïcode'], none: null, deep: { n: 1.5 } }),
      at: new Date(1_767_225_600_123),
      big: 2 ** 53 - 1,
      bytes: Uint8Array.of(0, 255, 39),
      day: new Date('2026-11-21T00:00:00Z'),
      words: ['a', 'b,c', '"', 'NULL', ''],
      yes: false,
    };
    beforeAll(async () => {
      db = await service('kinds');
      await sql`create table kinds.kinds (
        id int generated always as identity primary key, doc jsonb not null, at timestamptz not null, big bigint not null,
        bytes bytea not null, day date not null, words text[] not null, yes boolean not null)`.execute(db);
    });

    it('come back as they were given: documents, times to the millisecond, big numbers, bytes, days and lists', async () => {
      const back = await db.insertInto('kinds').values(row).returningAll().executeTakeFirstOrThrow();
      expect({ ...back, bytes: [...back.bytes] }).toEqual({
        ...row,
        id: 1,
        doc: JSON.parse(row.doc) as unknown,
        bytes: [0, 255, 39],
      });
      expect(back.at).toBeInstanceOf(Date);
    });

    it('are counted in numbers, and a bigint that no number holds is none', async () => {
      await db
        .insertInto('accounts')
        .values([account('a', 2), account('b', 3)])
        .execute();
      const counted = await db
        .selectFrom('accounts')
        .select(({ fn }) => [fn.countAll().as('n'), fn.sum('balance').as('sum')])
        .executeTakeFirstOrThrow();
      expect(counted).toEqual({ n: 2, sum: 5 });
      const { rows } = await sql`select 9007199254740993::bigint as big, null::bigint as none`.execute(db);
      expect(rows).toEqual([{ big: 9_007_199_254_740_993n, none: null }]);
    });

    it('of a list are looked for by any()', async () => {
      const db = await service('any_of');
      await db
        .insertInto('accounts')
        .values([account('a'), account('b'), account('c')])
        .execute();
      const found = db
        .selectFrom('accounts')
        .select('id')
        .where('id', '=', sql<string>`any(${['a', 'c', 'x']})`);
      expect((await found.execute()).map(({ id }) => id).sort()).toEqual(['a', 'c']);
    });

    it('that an update changed are counted', async () => {
      const changed = await db
        .updateTable('accounts')
        .set({ balance: 0 })
        .where('id', 'in', ['a', 'b'])
        .executeTakeFirst();
      expect(changed.numUpdatedRows).toBe(2n);
    });
  });

  describe('a transaction', () => {
    it('is seen by others whole, or not at all', async () => {
      const db = await service('rollback');
      await db.transaction().execute(async (trx) => {
        await trx.insertInto('accounts').values(account('a')).execute();
        await trx.insertInto('accounts').values(account('b')).execute();
      });
      const failing = db.transaction().execute(async (trx) => {
        await trx.insertInto('accounts').values(account('c')).execute();
        throw new Error('roll back');
      });
      await expect(failing).rejects.toThrow('roll back');
      expect(await db.selectFrom('accounts').select('id').orderBy('id').execute()).toEqual([{ id: 'a' }, { id: 'b' }]);
    });

    it('is not joined by queries that other services make meanwhile', async () => {
      const [left, right] = [await service('roll_left'), await service('roll_right')];
      let inside: () => void = () => undefined;
      const begun = new Promise<void>((resolve) => (inside = resolve));
      let goOn: () => void = () => undefined;
      const meanwhile = new Promise<void>((resolve) => (goOn = resolve));
      const rolledBack = left.transaction().execute(async (trx) => {
        await trx.insertInto('accounts').values(account('gone')).execute();
        inside();
        await meanwhile;
        throw new Error('roll back');
      });
      await begun;
      const inserted = right.insertInto('accounts').values(account('stays')).execute();
      const seen = left.selectFrom('accounts').selectAll().execute();
      await new Promise(setImmediate);
      goOn();
      await expect(rolledBack).rejects.toThrow('roll back');
      await inserted;
      expect(await seen).toEqual([]);
      expect(await right.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'stays' }]);
    });

    it('that locks the row it reads loses no update', async () => {
      const db = await service('updates');
      await db.insertInto('accounts').values(account('a', 0)).execute();
      const add = () =>
        db.transaction().execute(async (trx) => {
          const { balance } = await trx.selectFrom('accounts').select('balance').forUpdate().executeTakeFirstOrThrow();
          await trx
            .updateTable('accounts')
            .set({ balance: balance + 1 })
            .execute();
        });
      await Promise.all(Array.from({ length: 25 }, add));
      expect(await db.selectFrom('accounts').select('balance').execute()).toEqual([{ balance: 25 }]);
    });

    it('that fails at a statement leaves its connection usable', async () => {
      const db = await service('failing');
      const failing = db.transaction().execute(async (trx) => {
        await trx.insertInto('accounts').values(account('a')).execute();
        await trx.insertInto('accounts').values(account('a')).execute();
      });
      await expect(failing).rejects.toMatchObject({ code: '23505' });
      expect(await db.selectFrom('accounts').selectAll().execute()).toEqual([]);
      await Promise.all(Array.from({ length: 20 }, () => database.ping()));
    });

    it('that holds an advisory lock is alone until it ends', async () => {
      const db = await service('advisory');
      let inside = 0;
      const most: number[] = [];
      const alone = () =>
        db.transaction().execute(async (trx) => {
          await sql`select pg_advisory_xact_lock(hashtext('contract'))`.execute(trx);
          most.push((inside += 1));
          await trx.selectFrom('accounts').selectAll().execute();
          inside -= 1;
        });
      await Promise.all(Array.from({ length: 8 }, alone));
      expect(most).toEqual(Array.from({ length: 8 }, () => 1));
    });
  });

  describe('many at once', () => {
    it('take a thing once: one of them gets the row that it changes', async () => {
      const db = await service('once');
      await db.insertInto('accounts').values(account('a', 1)).execute();
      const take = () =>
        db
          .updateTable('accounts')
          .set({ balance: 0 })
          .where('id', '=', 'a')
          .where('balance', '=', 1)
          .returning('id')
          .executeTakeFirst();
      const taken = await Promise.all(Array.from({ length: 50 }, take));
      expect(taken.filter((row) => row !== undefined)).toEqual([{ id: 'a' }]);
    });

    it('make a thing once: one of them inserts the row', async () => {
      const db = await service('first');
      const make = (balance: number) =>
        db
          .insertInto('accounts')
          .values(account('a', balance))
          .onConflict((conflict) => conflict.doNothing())
          .returning('balance')
          .executeTakeFirst();
      const made = await Promise.all(Array.from({ length: 50 }, (_, i) => make(i)));
      const [first] = made.filter((row) => row !== undefined);
      expect(made.filter((row) => row !== undefined)).toHaveLength(1);
      expect(await db.selectFrom('accounts').selectAll().execute()).toEqual([account('a', first?.balance)]);
    });

    it('in two schemas do not see into each other, however they are interleaved', async () => {
      const [left, right] = [await service('tx_left'), await service('tx_right')];
      const work = (db: Kysely<Tables>, name: string) =>
        db.transaction().execute(async (trx) => {
          for (let i = 0; i < 5; i += 1) {
            await trx
              .insertInto('accounts')
              .values(account(`${name}${i}`, i))
              .execute();
            await new Promise(setImmediate);
          }
          return (await trx.selectFrom('accounts').select('id').execute()).filter(({ id }) => id.startsWith(name))
            .length;
        });
      expect(await Promise.all([work(left, 'l'), work(right, 'r'), work(left, 'L'), work(right, 'R')])).toEqual([
        5, 5, 5, 5,
      ]);
      expect(await left.selectFrom('accounts').selectAll().execute()).toHaveLength(10);
    });
  });

  describe('closing', () => {
    it('waits for the transaction that runs, and later queries reject', async () => {
      const own = await open();
      const db = await service('closing', own);
      const work = db.transaction().execute(async (trx) => {
        await new Promise(setImmediate);
        await trx.insertInto('accounts').values(account('a')).execute();
        return 'done';
      });
      // the connection is taken once the first statement runs
      await new Promise(setImmediate);
      const closed = own.close();
      expect(await work).toBe('done');
      await closed;
      await expect(own.ping()).rejects.toThrow();
      await expect(own.close()).resolves.toBeUndefined();
    }, 30_000);
  });
}
