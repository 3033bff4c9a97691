// The limiter in the process that asks, beside bare loops of evalsha from the same process on the same Redis.
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { Secret } from '@portcullis/contract/secret';
import { AwayMemory } from '@portcullis/limits/away.memory';
import { DECIDE } from '@portcullis/limits/decide-script';
import { planOf } from '@portcullis/limits/draws';
import { redisLimiter } from '@portcullis/limits/limiter.redis';
import { RefusedMemory } from '@portcullis/limits/refused.memory';
import { HOUSE_TABLE } from '@portcullis/limits/rules';
import { encodeTurn } from '@portcullis/limits/turn';
import { openRedis } from '@portcullis/redis/connect.redis';
import { keyedId } from '@portcullis/redis/keyed-id';
import { redisCpuMicros } from '../redis.mjs';
import { at } from './percentiles.mjs';
import { question, TENANT } from './service.mjs';

const IN_FLIGHT = 64;
/** What the least limiter there is does: one counter in a fixed window, one script a decision. */
const COUNTER = `local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
if n > tonumber(ARGV[2]) then return 0 end
return 1`;

/** @returns `turn(seconds)`: a figure for each way to decide, by its name; and `stop` */
export async function decidingInProcess(url) {
  const client = new Redis(url);
  const redis = await openRedis(new Secret(url), { onBroken: () => {} });
  const limiter = () =>
    redisLimiter({
      redis,
      idOf: keyedId(randomBytes(32)),
      random: randomBytes,
      now: () => performance.now(),
      away: new AwayMemory(1, 1_000),
      refused: new RefusedMemory(10_000),
    });
  const [counter, decide] = [await client.script('LOAD', COUNTER), await client.script('LOAD', DECIDE.text)];
  const plan = planOf(HOUSE_TABLE);
  const ways = {
    same: () => async (i) => {
      const { keys, args } = encodeTurn(TENANT, [{ draws: plan(question(i)), lease: `lease-${i}` }], undefined);
      return (await client.evalsha(decide, keys.length, ...keys, ...args))[2] === 0;
    },
    counter: () => async (i) =>
      (await client.evalsha(counter, 1, `{${TENANT}}:${question(i).principal}`, '60000', '60')) === 1,
    decide: () => {
      const one = limiter();
      return async (i) => (await one.decide(question(i))).allowed;
    },
    settled: () => {
      const one = limiter();
      return async (i) => {
        const verdict = await one.decide(question(i));
        return verdict.allowed && (await one.settle(TENANT, verdict.lease, 100));
      };
    },
  };
  return {
    async turn(seconds) {
      const found = {};
      for (const [name, way] of Object.entries(ways)) found[name] = await measured(client, way(), seconds);
      return found;
    },
    async stop() {
      client.disconnect();
      await redis.close();
    },
  };
}

/** Loops that each ask again as soon as they are answered. */
async function measured(client, decide, seconds) {
  await client.flushall();
  const waits = [];
  let [asked, wrong] = [0, 0];
  const redisBefore = await redisCpuMicros(client);
  const before = process.cpuUsage();
  const began = performance.now();
  const ends = began + seconds * 1_000;
  const loop = async () => {
    for (let now = began; now < ends;) {
      if (!(await decide(asked++))) wrong += 1;
      const answered = performance.now();
      waits.push(answered - now);
      now = answered;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  const took = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const redisMicros = (await redisCpuMicros(client)) - redisBefore;
  return {
    perSecond: asked / took,
    p99: at(waits, 0.99),
    cpuMicros: (user + system) / asked,
    redisCpuMicros: redisMicros / asked,
    wrong,
  };
}
