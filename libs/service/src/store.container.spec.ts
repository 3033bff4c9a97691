import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { silentLog } from '@portcullis/contract/log';
import { Secret } from '@portcullis/contract/secret';
import { runSql, testPostgres } from '@portcullis/sql/postgres.fixture';
import { openStore } from './store.wire.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

const open = (url: string, outbox: string) =>
  openStore(
    { PORTCULLIS_MODE: 'embedded', DATABASE_URL: new Secret(url), OUTBOX_DIR: join(folder, outbox) },
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
