import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Secret } from '@portcullis/contract/secret';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { freePort } from '../../../tools/test/breaking.mjs';
import { IMAGES } from '../../../tools/test/engine.mjs';
import { openRedis } from './connect.redis.js';
import { faultProxy, type FaultProxy } from './proxy.fixture.js';
import type { Redis } from './redis.js';
import { script } from './script.js';

const COUNT = script('count', `return redis.call('incrby', KEYS[1], ARGV[1])`);
const onBroken = (): void => undefined;

/** Servers tell each other, and us, where they are: so each has the same port in the container as outside, on loopback. */
async function servers(
  commands: (ports: readonly number[]) => string,
  ready: string,
): Promise<[StartedTestContainer, number[]]> {
  const ports: number[] = [];
  // the nodes of a cluster talk on a port that is higher by 10,000
  while (ports.length < 3) {
    const port = await freePort();
    if (port < 55_000 && !ports.includes(port)) ports.push(port);
  }
  const container = await new GenericContainer(IMAGES.redis)
    .withEntrypoint(['sh', '-c'])
    .withCommand([`cd /tmp; ${commands(ports)}; echo all are started; sleep 3600`])
    .withExposedPorts(...ports.map((port) => ({ container: port, host: port })))
    .withWaitStrategy(Wait.forLogMessage(ready))
    .start();
  return [container, ports];
}
const server = (port: number, options: string): string =>
  `redis-server --port ${port} --bind 0.0.0.0 --protected-mode no --save '' --appendonly no ${options} &`;
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await holds().catch(() => false)); tries++) {
    if (tries > 1_000) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe('a cluster', () => {
  let container: StartedTestContainer;
  let redis: Redis;
  beforeAll(async () => {
    const node = (port: number): string =>
      server(port, `--cluster-enabled yes --cluster-config-file nodes-${port}.conf --cluster-announce-ip 127.0.0.1`);
    const [started, ports] = await servers((all) => {
      const nodes = all.map((port) => `127.0.0.1:${port}`).join(' ');
      return `${all.map(node).join(' ')} sleep 1; redis-cli --cluster create ${nodes} --cluster-yes`;
    }, 'All 16384 slots covered');
    container = started;
    const url = new Secret(`redis+cluster://127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}`);
    const opened = async (): Promise<boolean> => {
      redis = await openRedis(url, { onBroken, connectMs: 2_000 });
      return true;
    };
    await until(opened);
  });
  afterAll(async () => {
    await redis?.close();
    await container?.stop({ timeout: 0 });
  });

  it('takes the scripts of every tenant, each on its node', async () => {
    const tenants = Array.from({ length: 60 }, (_, n) => `t-${n}`);
    const count = (tenant: string) => redis.run(COUNT, [`{${tenant}}:a`], [1]);
    expect(await Promise.all(tenants.map(count))).toEqual(tenants.map(() => 1));
    expect(await Promise.all(tenants.map(count))).toEqual(tenants.map(() => 2));
  });

  it('refuses a script over two tenants', async () => {
    const both = script('both', `return redis.call('mget', KEYS[1], KEYS[2])`);
    await expect(redis.run(both, ['{a}:x', '{b}:x'], [])).rejects.toMatchObject({
      name: 'RedisRefused',
      code: 'CROSSSLOT',
    });
  });

  it('has a run for each of its nodes', async () => {
    await redis.learnRuns();
    const runs = redis.runs().split(' ');
    expect(new Set(runs).size).toBe(3);
    for (const run of runs) expect(run).toMatch(/^[0-9a-f]{40}$/);
  });
});

/** A master, its replica, and a sentinel that knows both. */
const group = () =>
  servers(([master, replica, sentinel]) => {
    const conf = [
      `port ${sentinel}`,
      'protected-mode no',
      `sentinel monitor main 127.0.0.1 ${master} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 2000',
    ];
    const write = `printf '%s\\n' ${conf.map((line) => `'${line}'`).join(' ')} > sentinel.conf`;
    const last = `${server(replica!, `--replicaof 127.0.0.1 ${master}`)} sleep 1.5; redis-server sentinel.conf --sentinel &`;
    // a master that goes before its sentinel knows of the replica has no successor, ever
    const known = `until redis-cli -p ${sentinel} sentinel replicas main | grep -q ${replica}; do sleep 0.2; done`;
    return `${write}; ${server(master!, '')} ${last} ${known}`;
  }, 'all are started');

describe('a group behind sentinels', () => {
  let container: StartedTestContainer;
  let ports: number[];
  let redis: Redis;
  let sentinel: FaultProxy;
  beforeAll(async () => {
    [container, ports] = await group();
    sentinel = await faultProxy(new Secret(`redis://127.0.0.1:${ports[2]}`));
    const { host } = new URL(sentinel.url.reveal());
    redis = await openRedis(new Secret(`redis+sentinel://${host}/main`), { onBroken, connectMs: 5_000 });
  });
  afterAll(async () => {
    await redis?.close();
    await sentinel?.close();
    await container?.stop({ timeout: 0 });
  });
  const cli = async (port: number, ...words: string[]): Promise<string> =>
    (await container.exec(['redis-cli', '-p', String(port), ...words])).output;

  it('is used at its master, and at the next one when that dies, by itself and with another run', async () => {
    expect(await redis.run(COUNT, ['{a}:n'], [1])).toBe(1);
    const before = redis.runs();
    expect(before).toMatch(/^[0-9a-f]{40}$/);
    await cli(ports[0]!, 'shutdown', 'nosave');
    await until(async () => Number(await redis.run(COUNT, ['{a}:n'], [1])) > 0);
    await until(async () => redis.runs() !== before);
    expect(redis.runs()).toMatch(/^[0-9a-f]{40}$/);
  });

  it('is found again when the sentinel tells of the next master just while it is asked for it', async () => {
    const [former, present] = ports as [number, number];
    const back = server(former, `--replicaof 127.0.0.1 ${present}`).replace('&', '--daemonize yes');
    await container.exec(['sh', '-c', back]);
    await until(async () => (await cli(ports[2]!, 'sentinel', 'replicas', 'main')).includes('master-link-status\nok'));
    sentinel.holdNew();
    const before = redis.runs();
    await cli(present, 'shutdown', 'nosave');
    await until(async () =>
      (await cli(ports[2]!, 'sentinel', 'get-master-addr-by-name', 'main')).includes(`${former}`),
    );
    // the driver has heard of it by what it is subscribed to, and gives up what it was about to do
    await new Promise((resolve) => setTimeout(resolve, 300));
    sentinel.letGo();
    await until(async () => Number(await redis.run(COUNT, ['{a}:n'], [1])) > 0);
    await until(async () => redis.runs() !== before);
  });
});
