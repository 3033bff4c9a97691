import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { testRedis } from '@portcullis/redis/redis.fixture';
import { audited } from './audited-turns.fixture.js';
import { orderKey, type LoadReport, type LoadTask } from './load-replica.fixture.js';

const CONNECTIONS = 64;
const RUN_MS = 2_500;
const rule = (id: string, type: string, per: string[], ...windows: object[]) => ({ id, type, per, windows });
/** Short windows, so that each comes round many times. */
const TABLE = {
  version: 1,
  rules: [
    rule('requests', 'requests', ['principal'], { limit: 6, windowMs: 100 }, { limit: 14, windowMs: 400 }),
    rule('tools', 'tool_requests', ['principal', 'tool'], { limit: 4, windowMs: 110 }),
    rule('tokens', 'llm_tokens', ['user'], { limit: 150, windowMs: 300 }),
    rule('tokens-long', 'llm_tokens', ['principal'], { limit: 300, windowMs: 1_200 }),
    rule('cost', 'cost', ['tenant'], { limit: 200, windowMs: 500 }),
    { id: 'places', type: 'concurrency', per: ['principal'], limit: 3 },
  ],
  tools: {},
  otherTools: { llmTokens: 0 },
};
/** Four processes: two remember whom they refused, and the clocks of two jump. */
const REPLICAS = [
  { remembered: 0, clockJumps: false },
  { remembered: 1_000, clockJumps: false },
  { remembered: 0, clockJumps: true },
  { remembered: 1_000, clockJumps: true },
];

const server = testRedis();
const children: ChildProcess[] = [];
afterAll(() => children.forEach((child) => child.kill('SIGKILL')));

/** A process of its own; resolves when it is connected. @returns what it did, once it is told to begin */
async function replica(task: LoadTask): Promise<() => Promise<LoadReport>> {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const child = fork(fileURLToPath(new URL('./load-replica.fixture.ts', import.meta.url)), {
    cwd: root,
    env: { PATH: process.env['PATH'], SWC_NODE_PROJECT: `${root}tsconfig.base.json` },
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      '--conditions=@portcullis/source',
      '--import',
      '@swc-node/register/esm-register',
    ],
  });
  children.push(child);
  const said = async (): Promise<unknown> => {
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('a replica ended before it had said all')));
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown];
    return message;
  };
  child.send(task);
  await said();
  return async () => {
    child.send('go');
    return (await said()) as LoadReport;
  };
}

test('four processes over 64 connections admit no more than any limit in any window, event by event, whatever their clocks do', async () => {
  const tenant = server.freshTenant();
  const common = {
    url: server.url.reveal(),
    tenant,
    table: TABLE,
    connections: CONNECTIONS / REPLICAS.length,
    runMs: RUN_MS,
  };
  const ready = await Promise.all(REPLICAS.map((each) => replica({ ...common, ...each })));
  const reports = await Promise.all(ready.map((begin) => begin()));
  const audit = audited(reports.flatMap(({ turns }) => turns));
  expect(audit.wrong).toEqual([]);

  // all that ran was reported, and all that was reported was counted
  const redis = await server.open();
  const runs = Number(await redis.send('get', orderKey(tenant)));
  await redis.close();
  const sum = (of: (report: LoadReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  expect(sum(({ turns }) => turns.length)).toBe(runs);
  expect([audit.admitted, audit.settled]).toEqual([sum(({ admitted }) => admitted), sum(({ settled }) => settled)]);
  expect(sum(({ twice }) => twice)).toBe(0);

  // and there was something to see: every replica took part, every limit was reached to the last unit and refused
  for (const { admitted } of reports) expect(admitted).toBeGreaterThan(20);
  const rules = TABLE.rules.map(({ id }) => id).sort();
  expect([...audit.refusing].sort()).toEqual(rules);
  expect([...audit.filled]).toEqual(expect.arrayContaining(['places', 'requests', 'tools']));
  expect(audit.refused).toBeGreaterThan(100);
  expect(audit.unsettled).toBeGreaterThan(100);
});
