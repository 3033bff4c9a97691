import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { Secret } from '@portcullis/contract/secret';
import { IMAGES } from '../../../tools/test/engine.mjs';
import { openRedis, type Evicting } from './connect.redis.js';
import type { Redis } from './redis.js';

// With a server of this file's own, whose memory and policy are turned.
let container: StartedTestContainer;
let url: Secret;
let admin: Redis;
const opened: Redis[] = [];
const onBroken = (): void => undefined;
const open = async (as: Secret, evicting: Evicting): Promise<Redis> => {
  const redis = await openRedis(as, { onBroken, evicting });
  opened.push(redis);
  return redis;
};
const policy = (name: string): Promise<unknown> => admin.send('config', 'set', 'maxmemory-policy', name);
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
};

beforeAll(async () => {
  container = await new GenericContainer(IMAGES.redis)
    .withCommand(['redis-server', '--save', '', '--appendonly', 'no'])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
  url = new Secret(`redis://${container.getHost()}:${container.getMappedPort(6379)}`);
  admin = await openRedis(url, { onBroken });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((redis) => redis.close()));
  await policy('noeviction');
});
afterAll(async () => {
  await admin?.close();
  await container?.stop();
});

describe('a server that throws away what it was told when its memory is full', () => {
  const hear = (): void => undefined;

  it('is not connected to, and whoever asks learns what to change', async () => {
    await policy('allkeys-lru');
    await expect(open(url, { refused: true, hear })).rejects.toMatchObject({
      name: 'RedisEvicts',
      message: expect.stringContaining('maxmemory-policy must be noeviction'),
    });
    await policy('noeviction');
    await (await open(url, { refused: true, hear })).ping();
  });

  it('is known to a user who may not see its settings', async () => {
    const password = randomBytes(12).toString('hex');
    await admin.send('acl', 'setuser', 'service', 'on', `>${password}`, '~*', '-@all', '+hello', '+info', '+ping');
    const as = new Secret(url.reveal().replace('redis://', `redis://service:${password}@`));
    await policy('volatile-ttl');
    await expect(open(as, { refused: true, hear })).rejects.toThrow('has volatile-ttl');
  });

  it('is used where that is allowed, and is heard of', async () => {
    const heard: (string | undefined)[] = [];
    await policy('allkeys-random');
    const redis = await open(url, { refused: false, hear: (problem) => heard.push(problem) });
    await redis.ping();
    expect(heard).toEqual([expect.stringContaining('has allkeys-random')]);
  });

  it('is heard of when it becomes so, once, and when it is so no more', async () => {
    const heard: (string | undefined)[] = [];
    const redis = await open(url, { refused: true, hear: (problem) => heard.push(problem), everyMs: 20 });
    await policy('allkeys-lfu');
    await until(() => heard.length > 0);
    // the connection stays: what it was told is still there
    await redis.ping();
    await policy('noeviction');
    await until(() => heard.length > 1);
    expect(heard).toEqual([expect.stringContaining('has allkeys-lfu'), undefined]);
  });

  it('is heard of when another one answers at the same address', async () => {
    const heard: (string | undefined)[] = [];
    await open(url, { refused: true, hear: (problem) => heard.push(problem), everyMs: 3_600_000 });
    await policy('allkeys-lfu');
    await admin.send('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await until(() => heard.length > 0);
    expect(heard).toEqual([expect.stringContaining('has allkeys-lfu')]);
  });
});
