import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { databaseContract } from './database.contract.js';
import { migrate } from './migrate.sql.js';
import { migrateContract } from './migrate.contract.js';
import { openDatabase } from './open-database.sql.js';
import { openPostgres } from './postgres.sql.js';
import { runSql, testPostgres, withPath } from './postgres.fixture.js';

const postgres = testPostgres();
const onBroken = (): void => undefined;

describe('Postgres', () => databaseContract(() => postgres.open()));
describe('migrate, on Postgres', () => migrateContract(() => postgres.open()));

describe('several processes on one database', () => {
  it('apply each migration once, although they start at the same time', async () => {
    const url = await postgres.freshUrl();
    const databases = await Promise.all([1, 2, 3].map(() => openPostgres(url, { onBroken })));
    const migrations = new URL('../../../apps/auth-server/migrations/', import.meta.url);
    const runs = await Promise.all(databases.map((database) => migrate(database, 'auth', migrations)));
    expect(runs.flat().sort()).toEqual([...new Set(runs.flat())].sort());
    expect(runs.flat()).toContain('0001-auth.sql');
    await Promise.all(databases.map((database) => database.close()));
  });
});

describe('openPostgres', () => {
  const elsewhere = 'postgres://auth:hunter2@127.0.0.1:1/x';

  it.each([
    ['nobody answers', () => elsewhere, 'ECONNREFUSED'],
    ['the password is wrong', (url: string) => other(url, { name: 'test', password: 'hunter2' }), 'password'],
    ['there is no such database', (url: string) => withPath(url, 'nosuch'), 'does not exist'],
  ])('rejects at once when %s, and does not tell the password', async (_what, urlOf, says) => {
    const refused = await openPostgres(urlOf(await postgres.freshUrl()), { onBroken }).then(
      () => 'opened',
      (error: Error & { errors?: Error[] }) =>
        `${error.message} ${(error as { code?: string }).code} ${error.stack} ${JSON.stringify(error)}`,
    );
    expect(refused).toContain(says);
    expect(refused).not.toContain('hunter2');
  });

  it('is what openDatabase does with a postgres:// URL', async () => {
    const database = await openDatabase(await postgres.freshUrl(), { onBroken });
    const { rows } = await sql<{ version: string }>`select version()`.execute(database.schema('x'));
    expect(rows[0]?.version).toMatch(/^PostgreSQL 17/);
    await database.close();
  });

  it('names itself, and gives a statement so long and no longer', async () => {
    const database = await postgres.open({ application: 'auth-server', statementMs: 200 });
    const db = database.schema('x');
    const { rows } = await sql`select current_setting('application_name') as name`.execute(db);
    expect(rows).toEqual([{ name: 'auth-server' }]);
    await expect(sql`select pg_sleep(30)`.execute(db)).rejects.toMatchObject({ code: '57014' });
    await database.ping();
    await database.close();
  });

  it('lets a statement wait for the change of another so long and no longer', async () => {
    const database = await postgres.open({ lockMs: 100 });
    const db = database.schema<{ rows: { n: number } }>('x');
    await sql`create schema x`.execute(db);
    await sql`create table x.rows (n int)`.execute(db);
    await db.insertInto('rows').values({ n: 1 }).execute();
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('rows').set({ n: 2 }).execute();
      const waiting = db.updateTable('rows').set({ n: 3 }).execute();
      await expect(waiting).rejects.toMatchObject({ code: 'overloaded', cause: { code: '55P03' } });
    });
    expect(await db.selectFrom('rows').selectAll().execute()).toEqual([{ n: 2 }]);
    await database.close();
  });

  it('hurries no migration: what it does, and the lock it waits for, takes as long as it takes', async () => {
    const database = await postgres.open({ statementMs: 100, lockMs: 100, poolSize: 2 });
    const alone = () =>
      database
        .unhurried('x')
        .transaction()
        .execute(async (trx) => {
          await sql`select pg_advisory_xact_lock(1)`.execute(trx);
          // longer than a statement may take, and than the answer to one is waited for
          await sql`select pg_sleep(1.3)`.execute(trx);
        });
    await Promise.all([alone(), alone()]);
    await expect(sql`select pg_sleep(30)`.execute(database.schema('x'))).rejects.toMatchObject({ code: '57014' });
    await database.close();
  });

  it('rejects a query for which no connection becomes free, instead of waiting for ever', async () => {
    const database = await postgres.open({ poolSize: 1, connectMs: 200 });
    const db = database.schema('x');
    const stuck = db.transaction().execute(async () => {
      await sql`select 1`.execute(db);
    });
    await expect(stuck).rejects.toMatchObject({ code: 'overloaded', facts: { retryAfterMs: 1000 } });
    await database.ping();
    await database.close();
  });

  it('goes on with new connections when the server ends those it has, in use or idle', async () => {
    const url = await postgres.freshUrl();
    const heard: string[] = [];
    const database = await openPostgres(url, { onBroken: ({ message }) => heard.push(message) });
    const db = database.schema('x');
    const sleeping = sql`select pg_sleep(30)`.execute(db);
    await Promise.all([database.ping(), database.ping()]);
    const ended = expect(sleeping).rejects.toMatchObject({ code: 'overloaded', cause: { code: '57P01' } });
    await runSql(
      url,
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await ended;
    // each of the idle ones may be handed out once before its end is noticed
    const ping = (more: number): Promise<void> =>
      database.ping().catch((error: unknown) => (more > 0 ? ping(more - 1) : Promise.reject(error)));
    await ping(2);
    expect(heard.join()).toContain('terminating connection');
    await database.close();
  });

  it('does not talk in the clear to a server that has no TLS when the URL asks for it', async () => {
    const url = `${await postgres.freshUrl()}?sslmode=verify-full`;
    await expect(openPostgres(url, { onBroken })).rejects.toThrow('does not support SSL');
  });

  it('gives up on a server that accepts and then says nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const opened = openPostgres(`postgres://auth:x@127.0.0.1:${port}/x`, { onBroken, connectMs: 200 });
    await expect(opened).rejects.toThrow(/timeout/);
    silent.close();
  });
});

const other = (url: string, role: { name: string; password: string }): string =>
  withPath(url, new URL(url).pathname.slice(1), role);
