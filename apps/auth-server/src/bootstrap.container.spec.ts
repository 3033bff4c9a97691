import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { openPostgres } from '@portcullis/sql/postgres.sql';
import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { bootstrapLinksContract } from './bootstrap-links.contract.js';
import { isLinkToken, linkHash } from './bootstrap-links.js';
import { sqlBootstrapLinks } from './bootstrap-links.sql.js';
import { bootstrap } from './bootstrap.wire.js';
import { sqlUsers } from './users.sql.js';

const ISSUER = 'https://auth.example';
const open = (url: string) => openPostgres(url, { onBroken: () => undefined });
const user = {
  tenant: 'default',
  userId: 'usr_root',
  username: 'root',
  passwordHash: '$argon2id$',
  roles: ['admin'] as const,
  demo: false,
  disabled: false,
  createdAt: 0,
  version: 1,
};

test('an empty database gets its tables and one link, and no second administrator', async () => {
  const DATABASE_URL = await testPostgres().freshUrl();
  const env = { DATABASE_URL, AUTH_ISSUER: ISSUER };
  const first = await bootstrap(env);
  expect(first).toEqual({ code: 0, out: expect.stringMatching(/^https:\/\/auth\.example\/bootstrap\/[\w-]{43}$/) });
  const token = first.out?.split('/').at(-1) ?? '';
  expect(isLinkToken(token)).toBe(true);
  // asked again, the first link is good no more
  const second = await bootstrap(env);
  const database = await open(DATABASE_URL);
  const links = sqlBootstrapLinks(database);
  expect(await links.isGood('default', linkHash(token), Date.now())).toBe(false);
  const hash = linkHash(second.out?.split('/').at(-1) ?? '');
  expect(await links.isGood('default', hash, Date.now() + 31 * 60_000)).toBe(false);
  expect(await links.spend('default', hash, Date.now(), user, async () => {})).toBe('made');
  expect(await bootstrap(env)).toEqual({ code: 1, err: expect.stringContaining('There is an administrator already') });
  await database.close();
});

test('as a process of its own it prints the link and nothing else', async () => {
  const DATABASE_URL = await testPostgres().freshUrl();
  const child = spawn(
    process.execPath,
    [
      '--conditions=@portcullis/source',
      '--import',
      '@swc-node/register/esm-register',
      join(import.meta.dirname, 'bootstrap-main.wire.ts'),
    ],
    {
      cwd: join(import.meta.dirname, '../../..'),
      env: {
        PATH: process.env.PATH,
        SWC_NODE_PROJECT: 'tsconfig.base.json',
        NODE_NO_WARNINGS: '1',
        DATABASE_URL,
        AUTH_ISSUER: ISSUER,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => void said.push(chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect([code, said.join('')]).toEqual([
    0,
    expect.stringMatching(/^https:\/\/auth\.example\/bootstrap\/[\w-]{43}\n$/),
  ]);
});

test('a database that is not there is one sentence without the password', async () => {
  const url = new URL(await testPostgres().freshUrl());
  url.pathname = '/nowhere';
  url.password = 'hidden-word';
  const { code, err } = await bootstrap({ DATABASE_URL: url.href, AUTH_ISSUER: ISSUER });
  expect([code, err]).toEqual([2, expect.stringContaining('The database cannot be used')]);
  expect(err).not.toContain('hidden-word');
});

describe('links on Postgres', () =>
  bootstrapLinksContract(async () => {
    const url = await testPostgres().freshUrl();
    await bootstrap({ DATABASE_URL: url, AUTH_ISSUER: ISSUER });
    const database = await open(url);
    closing.push(() => database.close());
    return { links: sqlBootstrapLinks(database), users: sqlUsers(database) };
  }));
const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});
