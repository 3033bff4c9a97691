import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Database } from './database.js';
import { testPostgres } from './postgres.fixture.js';
import { repeatable } from './transaction.sql.js';

interface Tables {
  accounts: { id: number; balance: number };
}
let database: Database;
let db: Kysely<Tables>;

beforeAll(async () => {
  database = await testPostgres().open();
  db = database.schema<Tables>('bank');
  await sql`create schema bank`.execute(db);
  await sql`create table bank.accounts (id int primary key, balance int not null)`.execute(db);
});
beforeEach(async () => {
  await db.deleteFrom('accounts').execute();
  await db
    .insertInto('accounts')
    .values([
      { id: 1, balance: 100 },
      { id: 2, balance: 100 },
    ])
    .execute();
});
afterAll(() => database.close());

const add = (trx: Transaction<Tables>, id: number, more: number) =>
  trx
    .updateTable('accounts')
    .set((now) => ({ balance: now('balance', '+', more) }))
    .where('id', '=', id)
    .execute();
const balances = async (): Promise<number[]> =>
  (await db.selectFrom('accounts').select('balance').orderBy('id').execute()).map(({ balance }) => balance);

/** Resolves for both when both have come, the first time; afterwards at once. */
function meeting(): () => Promise<void> {
  let come = 0;
  let open: () => void;
  const both = new Promise<void>((resolve) => (open = resolve));
  return () => {
    come += 1;
    if (come === 2) open();
    return both;
  };
}

it('of two that wait for each other the one that is taken back is done anew, and both happen once', async () => {
  const met = meeting();
  let begun = 0;
  const transfer = (from: number, to: number, sum: number) =>
    repeatable(db, async (trx) => {
      begun += 1;
      await add(trx, from, -sum);
      await met();
      await add(trx, to, sum);
    });
  await Promise.all([transfer(1, 2, 10), transfer(2, 1, 30)]);
  expect(begun).toBe(3);
  expect(await balances()).toEqual([120, 80]);
});

it('of two that read what the other writes the one that is taken back sees what became of it', async () => {
  const met = meeting();
  const doubled = (id: number, of: number) =>
    repeatable(db, async (trx) => {
      await sql`set transaction isolation level serializable`.execute(trx);
      const { balance } = await trx
        .selectFrom('accounts')
        .select('balance')
        .where('id', '=', of)
        .executeTakeFirstOrThrow();
      await met();
      await add(trx, id, balance);
    });
  await Promise.all([doubled(1, 2), doubled(2, 1)]);
  expect([
    [200, 300],
    [300, 200],
  ]).toContainEqual(await balances());
});

it('gives up after the third time, and repeats nothing that failed for another reason', async () => {
  let begun = 0;
  const failing = (raise: string) =>
    repeatable(db, async (trx) => {
      begun += 1;
      await sql.raw(`do $$ begin raise exception 'no' using errcode = '${raise}'; end $$`).execute(trx);
    });
  await expect(failing('40001')).rejects.toMatchObject({ code: 'overloaded', cause: { code: '40001' } });
  expect(begun).toBe(3);
  await expect(failing('23505')).rejects.toMatchObject({ code: '23505' });
  expect(begun).toBe(4);
});

it('of two that wait for each other and are not to be repeated, one is asked to come again, and nothing of it happened', async () => {
  const met = meeting();
  const transfer = (from: number, to: number, sum: number) =>
    db.transaction().execute(async (trx) => {
      await add(trx, from, -sum);
      await met();
      await add(trx, to, sum);
    });
  const done = await Promise.allSettled([transfer(1, 2, 10), transfer(2, 1, 10)]);
  const [refused] = done.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  expect(refused).toMatchObject({ code: 'overloaded', facts: { retryAfterMs: 1000 }, cause: { code: '40P01' } });
  expect([
    [90, 110],
    [110, 90],
  ]).toContainEqual(await balances());
});
