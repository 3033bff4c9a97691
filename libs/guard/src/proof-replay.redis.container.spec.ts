import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Redis } from '@portcullis/redis/redis';
import { keyedId } from '@portcullis/redis/keyed-id';
import { tenantsApart, testRedis } from '@portcullis/redis/redis.fixture';
import { describeProofReplay } from './proof-replay.contract.js';
import { redisProofReplay } from './proof-replay.redis.js';

const server = testRedis();
const idOf = keyedId(Buffer.alloc(32, 7));
let redis: Redis;
beforeAll(async () => (redis = await server.open()));
afterAll(() => redis.close());

describeProofReplay('on Redis', (now, bounds) =>
  tenantsApart(
    redisProofReplay({ redis, service: 'mcp', idOf, now, serverNow: now, ...(bounds && { bounds }) }),
    server.freshTenant(),
  ),
);

const inAMinute = (): number => Date.now() + 60_000;
const replica = async (service = 'mcp') => {
  const own = await server.open();
  return { own, replay: redisProofReplay({ redis: own, service, idOf, now: Date.now }) };
};

it('of many uses at once in several replicas exactly one is the first, by the clock of the server', async () => {
  const replicas = await Promise.all(Array.from({ length: 4 }, () => replica()));
  const tenant = server.freshTenant();
  const uses = await Promise.all(
    replicas.flatMap(({ replay }) =>
      Array.from({ length: 50 }, async () => replay.use(tenant, 'agt_a', 'j', inAMinute())),
    ),
  );
  expect(uses.filter((each) => each === 'first')).toHaveLength(1);
  expect(uses.filter((each) => each === 'again')).toHaveLength(199);
  await Promise.all(replicas.map(({ own }) => own.close()));
});

it('a proof for one service is not one for another', async () => {
  const [mcp, auth] = await Promise.all([replica('mcp'), replica('auth')]);
  const tenant = server.freshTenant();
  expect(await mcp!.replay.use(tenant, 'agt_a', 'j', inAMinute())).toBe('first');
  expect(await auth!.replay.use(tenant, 'agt_a', 'j', inAMinute())).toBe('first');
  await Promise.all([mcp!.own.close(), auth!.own.close()]);
});

it('every key ends by itself', async () => {
  const tenant = server.freshTenant();
  const replay = redisProofReplay({ redis, service: 'mcp', idOf, now: Date.now });
  await replay.use(tenant, 'agt_a', 'j', inAMinute());
  const keys = (await redis.send('keys', `*${tenant}*`)) as string[];
  expect(keys.sort()).toEqual([`{${tenant}}:proofs:mcp`, `{${tenant}}:proofs:mcp:agt_a`]);
  for (const key of keys) {
    const ttl = Number(await redis.send('pttl', key));
    expect(ttl).toBeGreaterThan(60_000);
    expect(ttl).toBeLessThanOrEqual(181_000);
  }
});

it('with another run of the server nothing passes that may have been used in the one before', async () => {
  const before: Redis = { ...redis, run: redis.run.bind(redis), runs: () => 'f'.repeat(40) };
  const replay = redisProofReplay({ redis: before, service: 'mcp', idOf, now: Date.now });
  const tenant = server.freshTenant();
  expect(await replay.use(tenant, 'agt_a', 'new', inAMinute())).toBe('again');
});
