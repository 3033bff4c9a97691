import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { Secret } from '@portcullis/contract/secret';
import { openRedis } from '@portcullis/redis/connect.redis';
import type { Redis } from '@portcullis/redis/redis';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { IMAGES } from '../../../tools/test/engine.mjs';
import { AwayMemory } from './away.memory.js';
import type { Limiter } from './limiter.js';
import { limiterOn } from './limiter.redis.fixture.js';
import { ruleTable } from './rule-table.js';

const LIMIT = 10;
const REPLICAS = 2;
const rule = (fail: string) => ({
  id: fail,
  type: 'tool_requests',
  per: ['principal'],
  when: { tools: [fail] },
  windows: [{ limit: LIMIT, windowMs: 86_400_000 }],
  fail,
});
const table = ruleTable.parse({
  version: 1,
  rules: [rule('closed'), rule('share')],
  tools: {},
  otherTools: { llmTokens: 0 },
});

let container: StartedTestContainer;
let sentinelPort: number;
let connections: Redis[];
let limiters: Limiter[];
beforeAll(async () => {
  const [master, replica, sentinel] = [await freePort(), await freePort(), await freePort()];
  sentinelPort = sentinel;
  const plain = `--save '' --protected-mode no --daemonize yes`;
  // one network for all: the sentinel tells its clients the address by which it knows the master
  container = await new GenericContainer(IMAGES.redis)
    .withNetworkMode('host')
    .withCommand([
      'sh',
      '-c',
      `redis-server --port ${master} ${plain} --pidfile /tmp/master.pid
      redis-server --port ${replica} ${plain} --repl-diskless-sync-delay 0 --replicaof 127.0.0.1 ${master}
      printf '%s\\n' 'sentinel monitor main 127.0.0.1 ${master} 1' 'sentinel down-after-milliseconds main 600000' \
        'sentinel failover-timeout main 2000' > /tmp/sentinel.conf
      exec redis-server /tmp/sentinel.conf --sentinel --port ${sentinel} --protected-mode no`,
    ])
    .withWaitStrategy(Wait.forLogMessage(/\+slave slave/))
    .start();
  const url = new Secret(`redis+sentinel://127.0.0.1:${sentinel}/main`);
  const open = () => openRedis(url, { onBroken: () => undefined, answerMs: 200 });
  connections = [await open(), await open()];
  limiters = connections.map((redis) =>
    limiterOn(redis, { table: () => table, away: new AwayMemory(REPLICAS, 1_000) }),
  );
});
afterAll(async () => {
  await Promise.all((connections ?? []).map((connection) => connection.close()));
  await container?.stop();
});

const tenant = `t-${randomBytes(6).toString('hex')}`;
async function admitted(tool: string, principal: string, times: number): Promise<number> {
  let count = 0;
  for (let i = 0; i < times; i++) {
    const asked = (async () => limiters[i % REPLICAS]!.decide({ tenant, principal, tool }))();
    count += (await asked.catch(() => undefined))?.allowed ? 1 : 0;
  }
  return count;
}

test('a sentinel makes the replica the master: what it had been told holds, and the limiters find it by themselves', async () => {
  expect(await admitted('closed', 'agt_closed', 2 * LIMIT)).toBe(LIMIT);
  expect(await admitted('share', 'agt_share', LIMIT - 1)).toBe(LIMIT - 1);
  // what the replica has not got would be admitted once more
  for (const connection of connections)
    await until('replica', async () => (await connection.send('wait', 1, 50)) === 1);

  // until it is told to look, the sentinel does not miss it, so that what holds meanwhile can be asked at leisure
  await container.exec(['sh', '-c', 'kill -9 $(cat /tmp/master.pid)']);
  expect(await admitted('closed', 'agt_new', 4)).toBe(0);
  expect(await admitted('share', 'agt_share', 4 * LIMIT)).toBe(LIMIT);

  const look = ['sentinel', 'set', 'main', 'down-after-milliseconds', '400'];
  await container.exec(['redis-cli', '-p', String(sentinelPort), ...look]);
  for (const [i, limiter] of limiters.entries()) {
    await until(`limiter ${i}`, async () => {
      const probe = { tenant, principal: `agt_${randomBytes(6).toString('hex')}`, tool: 'closed' };
      return (await (async () => limiter.decide(probe))().catch(() => undefined))?.allowed === true;
    });
  }
  // fresh ones remember no refusal, so that it is the new master that answers
  limiters = connections.map((redis) => limiterOn(redis, { table: () => table }));
  expect(await admitted('closed', 'agt_closed', 2 * LIMIT)).toBe(0);
  expect(await admitted('share', 'agt_share', 2 * LIMIT)).toBe(1);
  expect(await admitted('closed', 'agt_other', 2 * LIMIT)).toBe(LIMIT);
});

/** Says which of them did not come. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the ${what} did not come`);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
