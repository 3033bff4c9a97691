import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ToxiProxyContainer, type StartedToxiProxyContainer } from '@testcontainers/toxiproxy';
import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { GenericContainer, Network, Wait, type StartedNetwork, type StartedTestContainer } from 'testcontainers';
import { IMAGES } from '../../../tools/test/engine.mjs';
import { testRedis } from './redis.fixture.js';

// What the rest relies on of the server, and of the proxy that spoils its network, whoever's images they are.
let redis: Redis;
const key = `engine-${randomBytes(6).toString('hex')}`;
beforeAll(() => {
  redis = new Redis(testRedis().url.reveal());
});
afterAll(async () => {
  await redis?.quit();
});

test('the server is version 8', async () => {
  expect(await redis.info('server')).toMatch(/^redis_version:8\./m);
});

test('a field of a hash lives as long as it was given, and the others stay', async () => {
  await redis.hset(`${key}:hash`, { short: '1', long: '2' });
  expect(await redis.call('HPEXPIRE', `${key}:hash`, '1', 'FIELDS', '1', 'short')).toEqual([1]);
  while ((await redis.hexists(`${key}:hash`, 'short')) === 1);
  expect(await redis.hgetall(`${key}:hash`)).toEqual({ long: '2' });
});

test('a script writes by the clock of the server, and runs by its digest once it is known', async () => {
  const script = `local now = redis.call('TIME') redis.call('SET', KEYS[1], now[1]) return now`;
  const digest = (await redis.script('LOAD', script)) as string;
  const [seconds] = (await redis.evalsha(digest, 1, `${key}:time`)) as [string, string];
  expect(await redis.get(`${key}:time`)).toBe(seconds);
  const [later] = await redis.time();
  expect(Number(later) - Number(seconds)).toBeGreaterThanOrEqual(0);
});

test('a script of an unknown digest is refused by name', async () => {
  await expect(redis.evalsha('0'.repeat(40), 0)).rejects.toThrow(/^NOSCRIPT/);
});

describe('behind a proxy that spoils the network', () => {
  let network: StartedNetwork;
  let server: StartedTestContainer;
  let proxy: StartedToxiProxyContainer;
  beforeAll(async () => {
    network = await new Network().start();
    [server, proxy] = await Promise.all([
      new GenericContainer(IMAGES.redis)
        .withNetwork(network)
        .withNetworkAliases('redis')
        .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
        .start(),
      new ToxiProxyContainer(IMAGES.toxiproxy).withNetwork(network).start(),
    ]);
  });
  afterAll(async () => {
    await Promise.all([server?.stop(), proxy?.stop()]);
    await network?.stop();
  });

  test('an answer is late by what the proxy adds, and none comes while it is shut', async () => {
    const { host, port, instance, setEnabled } = await proxy.createProxy({ name: 'redis', upstream: 'redis:6379' });
    const client = new Redis({ host, port, maxRetriesPerRequest: 0, retryStrategy: () => 20 });
    client.on('error', () => undefined);
    expect(await client.ping()).toBe('PONG');
    const late = await instance.addToxic({
      name: 'late',
      type: 'latency',
      stream: 'downstream',
      toxicity: 1,
      attributes: { latency: 150, jitter: 0 },
    });
    const began = performance.now();
    expect(await client.ping()).toBe('PONG');
    expect(performance.now() - began).toBeGreaterThanOrEqual(149);
    await late.remove();
    await setEnabled(false);
    await expect(client.ping()).rejects.toThrow();
    await setEnabled(true);
    await new Promise((resolve) => client.once('ready', resolve));
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });
});
