import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { silentLog } from '@portcullis/contract/log';
import { Secret } from '@portcullis/contract/secret';
import { sql } from 'kysely';
import { runSql, testPostgres } from '@portcullis/sql/postgres.fixture';
import { openStore } from './store.wire.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

const open = (url: string, outbox: string, mode: 'embedded' | 'hardened' = 'embedded') =>
  openStore(
    {
      PORTCULLIS_MODE: mode,
      DATABASE_URL: new Secret(url),
      DATABASE_POOL_MAX: 3,
      DATABASE_STATEMENT_TIMEOUT_MS: 4000,
      OUTBOX_DIR: join(folder, outbox),
    },
    'auth-server',
    { bus: memoryBus(), log: silentLog },
  );

test('two processes share a Postgres server and a data folder, each with a spool of its own', async () => {
  const url = await testPostgres().freshUrl();
  await runSql(url, 'create schema auth; create table auth.t (i int); insert into auth.t values (42)');
  const stores = [await open(url, 'outbox-a'), await open(url, 'outbox-b')];
  const keys = await Promise.all(stores.map(({ keysOf }) => keysOf('COOKIE_KEY', undefined)));
  expect(keys[0]![0].reveal()).toBe(keys[1]![0].reveal());
  for (const { database } of stores) {
    const rows = database.schema<{ t: { i: number } }>('auth').selectFrom('t').selectAll().execute();
    expect(await rows).toEqual([{ i: 42 }]);
  }
  await expect(open(url, 'outbox-a')).rejects.toThrow();
  for (const store of stores) await store.close();
});

test('with an embedded database the folder is for one', async () => {
  const one = await open(`pglite://${join(folder, 'db')}`, 'outbox-c');
  await expect(open(`pglite://${join(folder, 'db')}`, 'outbox-d')).rejects.toThrow('is in use by');
  await one.close();
});

test('a server that refuses is told without its password', async () => {
  const refused = open('postgres://auth:hunter2@127.0.0.1:1/x', 'outbox-e');
  await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') });
});

test('the settings of the database hold, and a hardened service takes no role that is above row-level security', async () => {
  const postgres = testPostgres();
  const url = await postgres.freshUrl();
  const { database, close } = await open(url, 'outbox-c', 'hardened');
  const db = database.schema('auth');
  const { rows } = await sql<{ ms: string }>`select current_setting('statement_timeout') as ms`.execute(db);
  expect(rows).toEqual([{ ms: '4s' }]);
  const pids = async () => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid;
  expect(new Set(await Promise.all(Array.from({ length: 12 }, pids))).size).toBe(3);
  await close();
  await expect(open(postgres.superuser(url), 'outbox-d', 'hardened')).rejects.toThrow(
    /DATABASE_URL: names a role that row-level/,
  );
  await (await open(postgres.superuser(url), 'outbox-e')).close();
});
