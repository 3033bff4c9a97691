import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { principalId } from '@portcullis/contract/ids';
import { keyedId } from '@portcullis/redis/keyed-id';
import type { Redis } from '@portcullis/redis/redis';
import { tenantsApart, testRedis } from '@portcullis/redis/redis.fixture';
import { describeHistory } from './history.contract.js';
import { HOUR_MS } from './history.js';
import { redisHistory } from './history.redis.js';

const server = testRedis();
const idOf = keyedId(Buffer.alloc(32, 7));
const BUDGETS = { perTask: 10, perHour: 60 };
let redis: Redis;
beforeAll(async () => (redis = await server.open()));
afterAll(() => redis.close());

describeHistory('on Redis', (now, bounds) =>
  tenantsApart(redisHistory({ redis, idOf, now, serverNow: now, bounds }), server.freshTenant()),
);

it('of many customers at once in several replicas the budget lets exactly so many in, by the clock of the server', async () => {
  const replicas = await Promise.all(Array.from({ length: 4 }, () => server.open()));
  const tenant = server.freshTenant();
  const who = { principal: principalId(tenant, 'a'), task: 't' };
  const all = await Promise.all(
    replicas.flatMap((own, replica) => {
      const history = redisHistory({ redis: own, idOf, now: Date.now });
      return Array.from({ length: 40 }, async (_, n) =>
        history.take(tenant, who, { customers: [`C${replica}-${n}`] }, BUDGETS),
      );
    }),
  );
  expect(all.filter((each) => each === 'taken')).toHaveLength(10);
  const past = await redisHistory({ redis, idOf, now: Date.now }).pastOf(tenant, who);
  expect(past.principal.began.size).toBe(0);
  await Promise.all(replicas.map((own) => own.close()));
});

it('what is over is removed, its room is given back, and every key ends by itself', async () => {
  const tenant = server.freshTenant();
  let now = 1_800_000_000_000;
  const clock = (): number => now;
  const history = redisHistory({ redis, idOf, now: clock, serverNow: clock });
  for (let n = 0; n < 500; n++) {
    const who = { principal: principalId(tenant, `c${n % 50}`), task: n % 3 === 0 ? undefined : `t${n % 70}` };
    await history.take(tenant, who, { customers: [`C${n % 9}`, `D${n % 7}`], tool: 'export_data' }, BUDGETS);
    await history.pastOf(tenant, who);
    now += 7_000;
  }
  const keys = async (): Promise<string[]> => (await redis.send('keys', `{${tenant}}:*`)) as string[];
  const before = await keys();
  expect(before.length).toBeGreaterThan(100);
  for (const key of before) expect(Number(await redis.send('pttl', key))).toBeGreaterThan(8 * HOUR_MS);
  const counts = async (): Promise<Record<string, number>> => {
    const fields = (await redis.send('hgetall', `{${tenant}}:history:customers`)) as Record<string, string>;
    return Object.fromEntries(Object.entries(fields).map(([name, kept]) => [name, Number(kept)]));
  };
  const { '': all, ...each } = await counts();
  expect(Object.values(each).reduce((sum, one) => sum + one, 0)).toBe(all);
  now += HOUR_MS;
  const last = principalId(tenant, 'last');
  await history.take(tenant, { principal: last, task: undefined }, { customers: ['C'] }, BUDGETS);
  expect((await keys()).sort()).toEqual(
    [`${last}:customers`, 'customers', 'principals'].map((end) => `{${tenant}}:history:${end}`).sort(),
  );
  expect(await counts()).toEqual({ '': 1, [last]: 1 });
});
