import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { principalId } from '@portcullis/contract/ids';
import { Secret } from '@portcullis/contract/secret';
import { DECIDE } from '@portcullis/limits/decide-script';
import { limiterOn } from '@portcullis/limits/limiter.redis.fixture';
import { openRedis } from '@portcullis/redis/connect.redis';
import { keyedId } from '@portcullis/redis/keyed-id';
import type { Redis } from '@portcullis/redis/redis';
import { script } from '@portcullis/redis/script';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { IMAGES } from '../../../tools/test/engine.mjs';
import { ASK_HISTORY } from './history-script.js';
import { redisHistory } from './history.redis.js';
import { USE_PROOFS } from './proof-replay-script.js';
import { redisProofReplay } from './proof-replay.redis.js';

const USERS = readFileSync(new URL('../../../infra/redis/users.acl', import.meta.url), 'utf8');
const SERVICES = ['tools', 'limits'] as const;
const password = randomBytes(16).toString('hex');
const idOf = keyedId(randomBytes(32));
const onBroken = (): void => undefined;
const as = new Map<string, Redis>();
let server: StartedTestContainer;

const urlFor = (user: string): Secret =>
  new Secret(`redis://${user}:${password}@${server.getHost()}:${server.getMappedPort(6379)}`);

beforeAll(async () => {
  const sha = createHash('sha256').update(password).digest('hex');
  const withPasswords = USERS.replace(/^(user (?!default).*)$/gm, `$1 #${sha}`);
  // it can log in here only, and looks from outside
  const acl = `${withPasswords}user onlooker on nopass ~* +@all\n`;
  server = await new GenericContainer(IMAGES.redis)
    .withCopyContentToContainer([{ content: acl, target: '/tmp/users.acl' }])
    .withCommand(['redis-server', '--save', '', '--aclfile', '/tmp/users.acl'])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
  for (const user of [...SERVICES, 'onlooker']) as.set(user, await openRedis(urlFor(user), { onBroken }));
});
afterAll(async () => {
  await Promise.all([...as.values()].map((redis) => redis.close()));
  await server?.stop();
});

const failed = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'it did not fail',
    (error: Error) => error.message,
  );
const commandsIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/call\('([A-Z]+)'/g)].map(([, command]) => command!.toLowerCase())),
];

describe('the Redis user of a service', () => {
  it('mcp-server decides limits, keeps histories and uses proofs', async () => {
    const redis = as.get('tools')!;
    const limiter = limiterOn(redis);
    const principal = principalId('acme', 'a');
    const verdict = await limiter.decide({ tenant: 'acme', principal, tool: 'get_customer_info', llmTokens: 5 });
    expect(verdict).toMatchObject({ allowed: true });
    expect(await limiter.settle('acme', verdict.allowed ? verdict.lease : '', 3)).toBe(true);
    const history = redisHistory({ redis, idOf, now: Date.now });
    const who = { principal, task: 't' };
    const budgets = { perTask: 1, perHour: 1 };
    expect(await history.take('acme', who, { tool: 'export_data', customers: ['C1'] }, budgets)).toBe('taken');
    expect((await history.pastOf('acme', who)).task.began.size).toBe(1);
    const replay = redisProofReplay({ redis, service: 'mcp', idOf, now: Date.now });
    const until = Date.now() + 60_000;
    expect(await replay.use('acme', principal, 'j', until)).toBe('first');
    expect(await replay.use('acme', principal, 'j', until)).toBe('again');
  });

  it('rate-limiter decides limits, the same ones', async () => {
    const limiter = limiterOn(as.get('limits')!);
    expect(await limiter.decide({ tenant: 'acme', principal: principalId('acme', 'a') })).toMatchObject({
      allowed: true,
    });
  });

  it.each([
    ['tools', [DECIDE, ASK_HISTORY, USE_PROOFS]],
    ['limits', [DECIDE]],
  ] as const)('%s may call what its scripts call, and nothing else', (user, scripts) => {
    const line = USERS.split('\n').find((each) => each.startsWith(`user ${user} `)) ?? '';
    const connecting = ['hello', 'ping', 'info', 'time', 'eval', 'evalsha', 'asking'];
    const may = [...line.matchAll(/\+([a-z]+)(?= |$)/g)].map(([, command]) => command!);
    const calls = scripts.flatMap(({ text }) => commandsIn(text));
    expect([...new Set(may)].sort()).toEqual([...new Set([...connecting, ...calls])].sort());
    expect(line).not.toContain('nopass');
  });

  it.each([
    ['limits', '{acme}:history:principals'],
    ['limits', '{acme}:proofs:mcp'],
    ['tools', '{acme}:proofs:auth'],
    ['tools', '{acme}:other'],
    ['tools', 'limit/acme'],
  ])('%s may not touch %s, by itself or in a script', async (user, key) => {
    const redis = as.get(user)!;
    await as.get('onlooker')!.send('set', key, 'kept');
    expect(await failed(redis.send('get', key))).toBe('Redis refused get: NOPERM');
    expect(await failed(redis.send('set', key, 'x'))).toBe('Redis refused set: NOPERM');
    const sly = script('sly', `return redis.call('DEL', '${key}')`);
    expect(await failed(redis.run(sly, [], []))).toMatch(/^Redis refused sly/);
    expect(await as.get('onlooker')!.send('get', key)).toBe('kept');
    await as.get('onlooker')!.send('del', key);
  });

  const DANGEROUS = [
    ['flushall'],
    ['keys', '*'],
    ['scan', '0'],
    ['config', 'get', '*'],
    ['config', 'set', 'dir', '/tmp'],
    ['acl', 'list'],
    ['acl', 'setuser', 'tools', '~*'],
    ['script', 'flush'],
    ['function', 'list'],
    ['replicaof', 'elsewhere', '1'],
    ['monitor'],
    ['module', 'list'],
    ['shutdown', 'nosave'],
    ['client', 'list'],
    ['client', 'kill', 'type', 'normal'],
    ['publish', 'x', 'y'],
    ['migrate', 'elsewhere', '1', 'k', '0', '1'],
  ];
  it.each(SERVICES)('%s may do nothing that harms others or tells of them', async (user) => {
    const redis = as.get(user)!;
    for (const [command, ...args] of DANGEROUS) {
      expect(await failed(redis.send(command!, ...args))).toBe(`Redis refused ${command}: NOPERM`);
    }
  });

  it('nobody comes in without a password', async () => {
    const { host } = new URL(urlFor('tools').reveal());
    for (const url of [`redis://${host}`, `redis://default:x@${host}`, `redis://tools:x@${host}`]) {
      expect(await failed(openRedis(new Secret(url), { onBroken }))).toMatch(/NOAUTH|WRONGPASS/);
    }
  });
});
