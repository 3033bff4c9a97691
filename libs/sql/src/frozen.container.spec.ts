import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PostgreSqlContainer, type StartedPostgreSqlContainer } from '@testcontainers/postgresql';
import { sql, type Transaction } from 'kysely';
import { Wait } from 'testcontainers';
import { breaking, freePort } from '../../../tools/test/breaking.mjs';
import { IMAGES } from '../../../tools/test/engine.mjs';
import type { Database } from './database.js';
import { postgresAt, runSql } from './postgres.fixture.js';
import { openPostgres } from './postgres.sql.js';

interface Tables {
  notes: { text: string };
}
const POOL = 3;
/** So little that the answers of a server that is away are had soon; each is still waited for, however long it takes. */
const limits = { poolSize: POOL, statementMs: 1000, connectMs: 1000 };
const OVERLOADED = { code: 'overloaded', facts: { retryAfterMs: 1000 } };

let container: StartedPostgreSqlContainer;
let server: Awaited<ReturnType<typeof breaking>>;
let superuser: string;
let url: string;
let database: Database;
beforeAll(async () => {
  container = await new PostgreSqlContainer(IMAGES.postgres)
    .withExposedPorts({ container: 5432, host: await freePort() })
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start();
  server = await breaking(container);
  const postgres = postgresAt(container.getConnectionUri());
  url = await postgres.freshUrl();
  superuser = postgres.superuser(url);
  await runSql(url, 'create schema x; create table x.notes (text text not null)');
  database = await openPostgres(url, { ...limits, application: 'frozen', onBroken: () => undefined });
});
beforeEach(() => runSql(url, 'delete from x.notes'));
afterAll(async () => {
  await database?.close();
  await container?.stop();
});

const notes = () => database.schema<Tables>('x');
const note = (trx: Transaction<Tables>, text: string) => trx.insertInto('notes').values({ text }).execute();
const kept = async (): Promise<string[]> =>
  (await notes().selectFrom('notes').select('text').orderBy('text').execute()).map(({ text }) => text);
/** What a service does meanwhile: it asks again. */
const again = async <T>(work: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      expect(error).toMatchObject({ code: 'overloaded' });
    }
  }
};
const connections = async (): Promise<number> => {
  const [row] = await runSql(
    superuser,
    `select count(*)::int as n from pg_stat_activity where application_name = 'frozen'`,
  );
  return (row as { n: number }).n;
};
/** Every connection of the pool is used, and there are no others. */
const noneIsLost = async (): Promise<void> => {
  await Promise.all(Array.from({ length: 4 * POOL }, () => sql`select pg_sleep(0.01)`.execute(notes())));
  while ((await connections()) > POOL) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await connections()).toBe(POOL);
};

type Break = 'pause' | 'kill';
const ways: [string, Break, () => Promise<void>][] = [
  ['that is frozen with its connections open', 'pause', () => server.unpause()],
  ['that is killed', 'kill', () => server.startAgain()],
];
describe.each(ways)('a server %s', (_what, how, mend) => {
  it('is told to everyone who asks, and afterwards all is as it was', async () => {
    await Promise.all(Array.from({ length: POOL }, () => database.ping()));
    await server[how]();
    // more than the pool has connections: those who wait for one are told, too
    const asked = Array.from({ length: 3 * POOL }, () => kept());
    for (const one of asked) await expect(one).rejects.toMatchObject(OVERLOADED);
    await expect(database.ping()).rejects.toMatchObject({ code: 'overloaded' });
    await mend();
    await again(() => database.ping());
    await noneIsLost();
  });

  it('leaves nothing of a transaction that was under way', async () => {
    const work = notes()
      .transaction()
      .execute(async (trx) => {
        await note(trx, 'first');
        await server[how]();
        await note(trx, 'second');
      });
    await expect(work).rejects.toMatchObject(OVERLOADED);
    await mend();
    expect(await again(kept)).toEqual([]);
    await noneIsLost();
  });

  it('has all of a transaction that was being committed, or nothing', async () => {
    await notes()
      .transaction()
      .execute((trx) => note(trx, 'before'));
    const work = notes()
      .transaction()
      .execute(async (trx) => {
        await note(trx, 'first');
        await note(trx, 'second');
        await server[how]();
      });
    await expect(work).rejects.toMatchObject({
      ...OVERLOADED,
      facts: { hint: 'The connection to the database was lost: whether a change took effect is not known.' },
    });
    await mend();
    await again(() => database.ping());
    await noneIsLost();
    expect([['before'], ['before', 'first', 'second']]).toContainEqual(await kept());
  });
});

describe('while the server is frozen', () => {
  beforeEach(() => server.pause());

  it('a call ends with its own signal, and the connection is given up behind it', async () => {
    const stop = new AbortController();
    const work = database.schema<Tables>('x', stop).selectFrom('notes').selectAll().execute();
    const ended = expect(work).rejects.toThrow('too late');
    await new Promise(setImmediate);
    stop.abort(new Error('too late'));
    await ended;
    await server.unpause();
    await again(() => database.ping());
    await noneIsLost();
  });

  it('a pool closes', async () => {
    await server.unpause();
    const other = await openPostgres(url, { ...limits, onBroken: () => undefined });
    await Promise.all(Array.from({ length: POOL }, () => other.ping()));
    await server.pause();
    const lost = expect(sql`select 1`.execute(other.schema('x'))).rejects.toMatchObject(OVERLOADED);
    await other.close();
    await lost;
    await server.unpause();
    await again(() => database.ping());
  });
});
