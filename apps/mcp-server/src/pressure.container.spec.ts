import { defineTool, toolRegistry, type ToolContext } from '@portcullis/guard/tool';
import type { Database } from '@portcullis/sql/database';
import { openPostgres } from '@portcullis/sql/postgres.sql';
import { runSql, testPostgres } from '@portcullis/sql/postgres.fixture';
import { sql, type RawBuilder } from 'kysely';
import { request as httpRequest } from 'node:http';
import * as z from 'zod';
import { call, startRig, type Rig } from './rig.fixture.js';

let url: string;
let database: Database;
let rig: Rig;
beforeAll(async () => {
  url = await testPostgres().freshUrl();
  // one connection for everybody: whoever holds it keeps all others from it
  database = await openPostgres(url, { onBroken: () => undefined, poolSize: 1, connectMs: 2000 });
  const shape = {
    description: 'asks the database',
    scopes: ['customer:read'],
    effects: ['none'],
    limit: { perMinute: 60, llmTokens: 500 },
    deadlineMs: 20_000,
    input: z.strictObject({}),
    output: z.strictObject({ text: z.string() }),
  } as const;
  const ask = (query: RawBuilder<{ text: string }>) => async (_input: object, _deps: unknown, context: ToolContext) => {
    const answer = await query.execute(database.schema('tools', context));
    return { text: answer.rows[0]?.text ?? '' };
  };
  const tools = toolRegistry([
    defineTool({ ...shape, name: 'sleep', execute: ask(sql`select pg_sleep(60)::text as text`) }),
    defineTool({ ...shape, name: 'overdue', deadlineMs: 300, execute: ask(sql`select pg_sleep(60)::text as text`) }),
    defineTool({ ...shape, name: 'short', execute: ask(sql`select 'here' as text`) }),
    defineTool({ ...shape, name: 'long', execute: ask(sql`select repeat('x', 8388608) as text`) }),
  ]);
  rig = await startRig({}, { database, tools });
});
afterAll(async () => {
  await rig.close();
  await database.close();
});

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
const asleep = async (): Promise<number> => {
  const where = `query like '%pg_sleep(60)%' and pid <> pg_backend_pid() and state = 'active'`;
  const [row] = (await runSql(url, `select count(*)::int as n from pg_stat_activity where ${where}`)) as {
    n: number;
  }[];
  return row?.n ?? -1;
};
const post = async (name: string, signal?: AbortSignal): Promise<Response> => {
  const { headers, body } = call(name);
  return fetch(rig.mcp, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', authorization: `Bearer ${await rig.token()}` },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
};

it('a client that goes away takes its statement with it', async () => {
  const leaving = new AbortController();
  const gone = post('sleep', leaving.signal).catch(() => 'gone');
  while ((await asleep()) !== 1) await turn();
  leaving.abort();
  expect(await gone).toBe('gone');
  while ((await asleep()) !== 0) await turn();
  expect((await post('short')).status).toBe(200);
  expect(rig.events.calls().map(({ outcome }) => outcome)).toEqual(['cancelled', 'allowed']);
});

it('a call that is overdue takes its statement with it', async () => {
  const text = await (await post('overdue')).text();
  expect(text).toContain('tool_failed');
  while ((await asleep()) !== 0) await turn();
  expect((await post('short')).status).toBe(200);
});

it('a client that does not read its answer holds no connection to the database', async () => {
  const { headers, body } = call('long');
  const deaf = httpRequest(rig.mcp, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      authorization: `Bearer ${await rig.token({ client: 'deaf' })}`,
    },
  });
  // without a listener Node would swallow the answer, and so read it
  deaf.on('response', () => undefined).on('error', () => undefined);
  deaf.end(JSON.stringify(body));
  const before = rig.events.calls().length;
  while (rig.events.calls().length === before) await turn();
  const answers = await Promise.all(Array.from({ length: 10 }, () => post('short')));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  deaf.destroy();
});

it('a call for which the database has no connection is shed with 503, and says when to come back', async () => {
  const leaving = new AbortController();
  const sleeping = post('sleep', leaving.signal).catch(() => 'gone');
  while ((await asleep()) !== 1) await turn();
  const shed = await post('short');
  expect([shed.status, shed.headers.get('retry-after')]).toEqual([503, '1']);
  expect(rig.events.lastCall()).toMatchObject({ outcome: 'overloaded', http: 503 });
  leaving.abort();
  await sleeping;
});
