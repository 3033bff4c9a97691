import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Secret } from '@portcullis/contract/secret';
import { openRedis } from './connect.redis.js';
import { faultProxy, type FaultProxy } from './proxy.fixture.js';
import type { Redis, RedisAway } from './redis.js';
import { testRedis } from './redis.fixture.js';
import { script } from './script.js';

const server = testRedis();
const ADD = `return redis.call('incrby', KEYS[1], ARGV[1])`;
const COUNT = script('count', ADD);
const failed = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error('it did not fail'),
    (error: Error) => error,
  );
const eventually = async (work: () => Promise<unknown>): Promise<void> => {
  for (let tries = 0; tries < 1_000; tries++) {
    if ((await failed(work())).message === 'it did not fail') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come');
};

describe('a connection to Redis', () => {
  let redis: Redis;
  beforeAll(async () => (redis = await server.open()));
  afterAll(() => redis.close());

  it('runs a script that the server has never seen, and one that it forgot', async () => {
    const key = `{${server.freshTenant()}}:n`;
    const once = script('once', `-- ${key}\n${ADD}`);
    expect(await redis.run(once, [key], [2])).toBe(2);
    expect(await redis.run(once, [key], [3])).toBe(5);
    await redis.send('script', 'flush');
    expect(await Promise.all([1, 2, 3].map(() => redis.run(once, [key], [1])))).toEqual([6, 7, 8]);
  });

  it('gives numbers, texts, null and lists as they are', async () => {
    const all = script('all', `return {1, 'a', false, {ARGV[1], '2'}}`);
    expect(await redis.run(all, [], ['ä'])).toEqual([1, 'a', null, ['ä', '2']]);
  });

  it('tells of an error what it is called, never what was sent', async () => {
    const key = `{${server.freshTenant()}}:text`;
    await redis.send('set', key, 'hunter2', 'px', 60_000);
    const errors = await Promise.all([
      failed(redis.run(COUNT, [key], ['hunter2'])),
      failed(redis.send('hgetall', key)),
      failed(redis.send('nosuchcommand', 'hunter2')),
      failed(redis.run(script('bad', `return ARGV[1] + 1`), [], ['hunter2'])),
    ]);
    expect(errors.map(({ name }) => name)).toEqual(Array(4).fill('RedisRefused'));
    expect(errors.map(({ message }) => message)).toEqual([
      'Redis refused count: ERR',
      'Redis refused hgetall: WRONGTYPE',
      'Redis refused nosuchcommand: ERR',
      'Redis refused bad, line 2: ERR',
    ]);
    for (const error of errors)
      expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain('hunter2');
  });
});

describe('openRedis', () => {
  const elsewhere = 'redis://mcp:hunter2@127.0.0.1:1';
  const onBroken = (): void => undefined;

  it.each([
    ['nobody answers', () => elsewhere, 'ECONNREFUSED'],
    ['no sentinel answers', () => elsewhere.replace('redis', 'redis+sentinel') + '/main', 'Redis: '],
    ['no node of the cluster answers', () => elsewhere.replace('redis', 'redis+cluster'), 'Redis: '],
    ['the password is wrong', () => server.url.reveal().replace('redis://', 'redis://mcp:hunter2@'), 'WRONGPASS'],
    ['the server speaks no TLS', () => server.url.reveal().replace('redis:', 'rediss:'), 'Redis: '],
  ])('rejects when %s, and does not tell the password', async (_what, urlOf, says) => {
    const error = await failed(openRedis(new Secret(urlOf()), { onBroken, connectMs: 500 }));
    expect(error.message).toContain(says);
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('hunter2');
  });
});

describe('a Redis that goes away', () => {
  let proxy: FaultProxy;
  let redis: Redis;
  const broken: RedisAway[] = [];
  beforeAll(async () => {
    proxy = await faultProxy(server.url);
    const onBroken = (error: RedisAway): void => void broken.push(error);
    redis = await openRedis(proxy.url, { onBroken, answerMs: 100, waitingAtMost: 5 });
  });
  afterAll(async () => {
    await redis.close();
    await proxy.close();
  });

  it('is said once, each command fails at once, and the connection comes back by itself', async () => {
    await proxy.cut();
    await eventually(async () => {
      if (broken.length === 0) throw new Error('not yet');
    });
    for (let n = 0; n < 20; n++) expect(await failed(redis.ping())).toMatchObject({ away: 'not_connected' });
    expect(broken).toMatchObject([{ away: 'not_connected' }]);
    await proxy.mend();
    await eventually(() => redis.ping());
  });

  it('does not get the same command twice', async () => {
    const key = `{${server.freshTenant()}}:n`;
    proxy.pause();
    const asked = failed(redis.run(COUNT, [key], [1]));
    expect(await asked).toMatchObject({ away: 'unanswered' });
    proxy.resume();
    await eventually(() => redis.ping());
    expect(Number(await redis.send('get', key))).toBeLessThanOrEqual(1);
  });

  it('is not waited for by more than so many at once, nor for ever', async () => {
    proxy.pause();
    const asked = Array.from({ length: 8 }, () => failed(redis.ping()));
    const kinds = (await Promise.all(asked)).map((error) => (error as RedisAway).away);
    expect(kinds.filter((each) => each === 'crowded')).toHaveLength(3);
    expect(kinds.filter((each) => each === 'unanswered')).toHaveLength(5);
    // what is paused is given up, so that nothing piles up behind it
    await eventually(async () => {
      if (((await failed(redis.ping())) as RedisAway).away !== 'not_connected') throw new Error('not yet');
    });
    proxy.resume();
    await eventually(() => redis.ping());
  });

  it('answers nothing once it is closed', async () => {
    const other = await openRedis(proxy.url, { onBroken: () => expect(true).toBe(false) });
    await other.close();
    expect(await failed(other.ping())).toBeInstanceOf(Error);
  });
});
