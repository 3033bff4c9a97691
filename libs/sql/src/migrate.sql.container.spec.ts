import { afterEach, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { runSql, testPostgres } from './postgres.fixture.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Opens the database, says so, waits for a word, and then brings schemas up to date, in the order that it was given. */
const MIGRATING = `
  const [url, order, open, migrate] = process.argv.slice(1);
  const { openPostgres } = await import(open);
  const { migrate: bring } = await import(migrate);
  const database = await openPostgres(url, { onBroken: () => undefined });
  process.stdout.write('open');
  await new Promise((go) => process.stdin.once('data', go));
  const done = [];
  for (const each of order.split(' ')) {
    const [schema, directory] = each.split('=');
    for (const name of await bring(database, schema, new URL(directory))) done.push(schema + ' ' + name);
  }
  process.stdout.write(JSON.stringify(done));
  await database.close();
  process.exit();
`;
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const directory = (app: string): string => new URL(`../../../apps/${app}/migrations/`, import.meta.url).href;
const AUTH = `auth=${directory('auth-server')}`;
const TOOLS = `tools=${directory('mcp-server')}`;

/** A process that is ready to begin. @returns what it does at the word: which migrations it applied */
async function replica(url: string, order: readonly string[]): Promise<() => Promise<string[]>> {
  const quiet = '--disable-warning=ExperimentalWarning';
  const sources = ['--conditions=@portcullis/source', '--import', '@swc-node/register/esm-register'];
  const own = ['./postgres.sql.ts', './migrate.sql.ts'].map((file) => new URL(file, import.meta.url).href);
  const child = spawn(
    process.execPath,
    [quiet, ...sources, '--input-type=module', '-e', MIGRATING, url, order.join(' '), ...own],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], SWC_NODE_PROJECT: `${ROOT}tsconfig.base.json` },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  const [says] = (await once(child.stdout, 'data')) as [Buffer];
  expect(says.toString()).toBe('open');
  return async () => {
    let said = '';
    child.stdout.on('data', (some: Buffer) => (said += some.toString()));
    const ended = once(child, 'close') as Promise<[number]>;
    child.stdin.write('go');
    expect(await ended).toEqual([0, null]);
    return JSON.parse(said) as string[];
  };
}

it('four processes that start at once on an empty server bring two schemas up to date, and each file is applied once', async () => {
  const url = await testPostgres().freshUrl();
  const ready = await Promise.all(
    [AUTH, TOOLS, AUTH, TOOLS].map((first) => replica(url, [first, first === AUTH ? TOOLS : AUTH])),
  );
  const applied = (await Promise.all(ready.map((go) => go()))).flat();
  const recorded = (await runSql(
    url,
    `select 'auth ' || name as file from auth.migrations union all select 'tools ' || name from tools.migrations`,
  )) as { file: string }[];
  expect(recorded.map(({ file }) => file)).toEqual(
    expect.arrayContaining(['auth 0001-auth.sql', 'tools 0001-customers.sql']),
  );
  expect(applied.sort()).toEqual(recorded.map(({ file }) => file).sort());
}, 120_000);
