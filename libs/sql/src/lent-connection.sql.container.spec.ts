import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql, type Kysely } from 'kysely';
import type { Database } from './database.js';
import { openPostgres } from './postgres.sql.js';
import { runSql, testPostgres } from './postgres.fixture.js';

interface Tables {
  notes: { text: string };
}
const postgres = testPostgres();
let url: string;
let database: Database;
beforeAll(async () => {
  url = await postgres.freshUrl();
  await runSql(url, 'create schema x; create table x.notes (text text not null)');
  // one connection: whatever still holds it shows at once
  database = await openPostgres(url, { onBroken: () => undefined, poolSize: 1, connectMs: 5000 });
});
afterAll(() => database.close());

const sleeping = async (): Promise<number> => {
  const like = `query like '%pg_sleep(60)%' and pid <> pg_backend_pid() and state = 'active'`;
  const [row] = (await runSql(url, `select count(*)::int as n from pg_stat_activity where ${like}`)) as { n: number }[];
  return row?.n ?? -1;
};
const until = async (wanted: number): Promise<void> => {
  while ((await sleeping()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 20));
};
const sleep = (db: Kysely<Tables>) => sql`select pg_sleep(60)`.execute(db);

describe('a signal', () => {
  it('ends the statement on the server, tells its own reason, and leaves the connection fit for use', async () => {
    const stop = new AbortController();
    const work = sleep(database.schema<Tables>('x', stop));
    const refused = expect(work).rejects.toThrow('the client went away');
    await until(1);
    stop.abort(new Error('the client went away'));
    await refused;
    await until(0);
    expect(await database.schema<Tables>('x').selectFrom('notes').selectAll().execute()).toEqual([]);
  });

  it('ends the statement of a transaction, and nothing of the transaction stays', async () => {
    const stop = new AbortController();
    const work = database
      .schema<Tables>('x', stop)
      .transaction()
      .execute(async (trx) => {
        await trx.insertInto('notes').values({ text: 'half done' }).execute();
        await sleep(trx);
      });
    const refused = expect(work).rejects.toThrow('too late');
    await until(1);
    stop.abort(new Error('too late'));
    await refused;
    await until(0);
    expect(await database.schema<Tables>('x').selectFrom('notes').selectAll().execute()).toEqual([]);
  });

  it('that came before is heard before anything is asked of the server', async () => {
    const stop = new AbortController();
    stop.abort(new Error('already'));
    await expect(sleep(database.schema<Tables>('x', stop))).rejects.toThrow('already');
    expect(await sleeping()).toBe(0);
  });

  it('reaches one who still waits for a connection, and takes none from others', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const running = sleep(database.schema<Tables>('x', first));
    const ended = expect(running).rejects.toThrow('first');
    await until(1);
    const waiting = sleep(database.schema<Tables>('x', second));
    const refused = expect(waiting).rejects.toThrow('second');
    second.abort(new Error('second'));
    await refused;
    expect(await sleeping()).toBe(1);
    first.abort(new Error('first'));
    await ended;
    expect(await database.schema<Tables>('x').selectFrom('notes').selectAll().execute()).toEqual([]);
  });

  it('never cancels the next statement of the connection, whenever it comes', async () => {
    const db = database.schema<Tables>('x');
    for (let round = 0; round < 40; round++) {
      const stop = new AbortController();
      const short = sql`select pg_sleep(0.002)`.execute(database.schema<Tables>('x', stop)).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      stop.abort(new Error('over'));
      await expect(sql`select pg_sleep(0.01)`.execute(db)).resolves.toBeDefined();
      await short;
    }
  });

  it('has no listener left on it when its statements are done', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...given: Parameters<typeof add>) => (listeners++, add(...given));
    signal.removeEventListener = (...given: Parameters<typeof remove>) => (listeners--, remove(...given));
    await database.schema<Tables>('x', { signal }).selectFrom('notes').selectAll().execute();
    expect(listeners).toBe(0);
  });
});

describe('a connection that is lost under a statement', () => {
  const rest = `select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`;

  it.each<[string, (stop: AbortController) => Promise<unknown>]>([
    ['that a signal may end', (stop) => sleep(database.schema<Tables>('x', stop))],
    ['that none may end', () => sleep(database.schema<Tables>('x'))],
    [
      'of a transaction',
      (stop) =>
        database
          .schema<Tables>('x', stop)
          .transaction()
          .execute((trx) => sleep(trx)),
    ],
  ])('is our own problem, which may be over soon: one %s', async (_which, begin) => {
    const lost = expect(begin(new AbortController())).rejects.toMatchObject({
      code: 'overloaded',
      facts: { retryAfterMs: 1000 },
      detail: 'the connection to the database was lost',
    });
    await until(1);
    await runSql(url, rest);
    await lost;
    // it may be handed out once more before its end is noticed
    await database.ping().catch(() => database.ping());
  });

  it('is told from a statement that is wrong', async () => {
    await expect(sql`select no_such_column`.execute(database.schema('x'))).rejects.toMatchObject({ code: '42703' });
  });
});
