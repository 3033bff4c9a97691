import type { Redis } from '@portcullis/redis/redis';
import { testRedis } from '@portcullis/redis/redis.fixture';
import { limiterContract } from './limiter.contract.js';
import { limiterHistoryContract } from './limiter.history.contract.js';
import { apart, limiterOn } from './limiter.redis.fixture.js';
import { limiterRulesContract } from './limiter.rules.contract.js';
import { limiterTakersContract } from './limiter.takers.contract.js';
import { LEASE_MS, ruleTable, type RuleTable } from './rule-table.js';
import { HOUSE_TABLE } from './rules.js';

const server = testRedis();
let redis: Redis;
beforeAll(async () => (redis = await server.open()));
afterAll(() => redis.close());

const make = async (serverNow: () => number, table: RuleTable = HOUSE_TABLE) =>
  apart(limiterOn(redis, { serverNow, table: () => table }), server.freshTenant);

limiterContract('redis', make);
limiterRulesContract('redis', make);
limiterTakersContract('redis', make);
limiterHistoryContract('redis', make, 20);

describe('what a turn costs', () => {
  /** A limiter whose scripts are counted. */
  function counted() {
    let scripts = 0;
    const limiter = limiterOn({ run: async (...asked) => ((scripts += 1), redis.run(...asked)) });
    return { limiter, scripts: () => scripts };
  }

  test('all that one tenant is asked in a turn is one script, settlements too', async () => {
    const { limiter, scripts } = counted();
    const tenant = server.freshTenant();
    const ask = async (i: number) => limiter.decide({ tenant, principal: `agt_${i % 5}`, tool: 'get_customer_info' });
    const verdicts = await Promise.all(Array.from({ length: 30 }, (_, i) => ask(i)));
    expect(scripts()).toBe(1);
    const settled = verdicts.map(async (verdict) => limiter.settle(tenant, verdict.allowed ? verdict.lease : '', 1));
    expect(await Promise.all([...settled, ask(0)])).toHaveLength(31);
    expect(scripts()).toBe(2);
  });

  test('each tenant has a script of its own, since its counts lie in a slot of their own', async () => {
    const { limiter, scripts } = counted();
    const tenants = [server.freshTenant(), server.freshTenant(), server.freshTenant()];
    await Promise.all(
      tenants.flatMap((tenant) => [1, 2].map(async () => limiter.decide({ tenant, principal: 'agt_one' }))),
    );
    expect(scripts()).toBe(3);
  });

  test('no script is asked for more than others can wait for', async () => {
    const { limiter, scripts } = counted();
    const tenant = server.freshTenant();
    const asked = Array.from({ length: 300 }, async () => limiter.decide({ tenant, principal: 'agt_one' }));
    expect((await Promise.all(asked)).filter(({ allowed }) => allowed)).toHaveLength(60);
    expect(scripts()).toBe(10);
  });

  test('who is far over a limit is refused without asking Redis, until its reset and not longer', async () => {
    const { limiter, scripts } = counted();
    const tenant = server.freshTenant();
    const ask = async (principal: string) => limiter.decide({ tenant, principal });
    await Promise.all(Array.from({ length: 61 }, () => ask('agt_one')));
    const before = scripts();
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => ask('agt_one')));
    for (const verdict of verdicts) expect(verdict).toMatchObject({ allowed: false, limitType: 'requests', limit: 60 });
    expect(scripts()).toBe(before);
    expect(await ask('agt_two')).toMatchObject({ allowed: true });
    expect(scripts()).toBe(before + 1);
  });

  test('a closed limiter refuses, and so does what was waiting in it', async () => {
    const { limiter } = counted();
    const waiting = limiter.decide({ tenant: server.freshTenant(), principal: 'agt_one' });
    await limiter.close();
    await expect(waiting).rejects.toMatchObject({ code: 'overloaded' });
    expect(() => limiter.decide({ principal: 'agt_one' })).toThrow();
    await expect(limiter.settle('default', 'x', 0)).rejects.toMatchObject({ code: 'overloaded' });
  });
});

/** Two tables of one rule each: how many leases are open at a time, and how many requests a minute a person has. */
const one = (rule: object) =>
  ruleTable.parse({ version: 1, rules: [{ id: 'one', ...rule }], tools: {}, otherTools: { llmTokens: 0 } });

test('a place that a process held when it died comes back when its lease is over, and what it left goes by itself', async () => {
  const table = one({ type: 'concurrency', per: ['tenant'], limit: 1 });
  const [tenant, clock] = [server.freshTenant(), { at: 1_800_000_000_000 }];
  const limiterOf = () => limiterOn(redis, { serverNow: () => clock.at, table: () => table });
  const dying = limiterOf();
  expect(await dying.decide({ tenant, principal: 'agt_one' })).toMatchObject({ allowed: true });
  await dying.close();
  const other = limiterOf();
  const ask = async () => other.decide({ tenant, principal: 'agt_two' });
  expect(await ask()).toMatchObject({ allowed: false, limitType: 'concurrency', retryAfterMs: LEASE_MS });
  const left = (await redis.send('keys', `{${tenant}}:*`)) as string[];
  expect(left.map((key) => key.split('/')[0]).toSorted()).toEqual([`{${tenant}}:lease`, `{${tenant}}:limit`]);
  for (const key of left) {
    const expires = Number(await redis.send('pttl', key));
    expect([expires > 0, expires <= LEASE_MS * 1.25]).toEqual([true, true]);
  }
  clock.at += LEASE_MS - 1;
  expect(await ask()).toMatchObject({ allowed: false, retryAfterMs: 1 });
  clock.at += 1;
  expect(await ask()).toMatchObject({ allowed: true });
});

test('people are counted by names that say nothing, and those of one tenant are not those of another', async () => {
  const table = one({ type: 'requests', per: ['user', 'address', 'chain'], windows: [{ limit: 2, windowMs: 60_000 }] });
  const tenants = [server.freshTenant(), server.freshTenant()];
  const who = { principal: 'agt_one', user: 'ada.lovelace', address: '192.0.2.77', chain: ['agt_chief', 'agt_clerk'] };
  const names = await Promise.all(
    tenants.map(async (tenant) => {
      // two replicas count together
      for (const remaining of [1, 0]) {
        const limiter = limiterOn(redis, { table: () => table });
        expect(await limiter.decide({ tenant, ...who })).toMatchObject({ allowed: true, remaining });
      }
      const [key = '', ...more] = (await redis.send('keys', `{${tenant}}:limit/*`)) as string[];
      expect(more).toEqual([]);
      for (const said of [who.user, who.address, ...who.chain]) expect(key).not.toContain(said);
      return key.slice(`{${tenant}}:`.length);
    }),
  );
  expect(names[0]).not.toBe(names[1]);
});
