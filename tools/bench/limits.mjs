// Decisions a second of one process on one Redis, beside a bare loop of evalsha on the same server, in turns.
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { AwayMemory } from '@portcullis/limits/away.memory';
import { DECIDE } from '@portcullis/limits/decide-script';
import { planOf } from '@portcullis/limits/draws';
import { redisLimiter } from '@portcullis/limits/limiter.redis';
import { RefusedMemory } from '@portcullis/limits/refused.memory';
import { HOUSE_TABLE } from '@portcullis/limits/rules';
import { encodeTurn } from '@portcullis/limits/turn';
import { Secret } from '@portcullis/contract/secret';
import { openRedis } from '@portcullis/redis/connect.redis';
import { keyedId } from '@portcullis/redis/keyed-id';
import { median } from './peer.mjs';
import { redisForBench } from './redis.mjs';

const IN_FLIGHT = 64;
/** So many that none comes to its limit. */
const PRINCIPALS = 20_000;
const TENANT = 'bench';
/** Share of the bare loop's decisions a second that the limiter must reach; without a bar the figure is printed only. */
const BARS = { 'decide: 3 windows and a lease': 0.7 };
const BARE = 'bare evalsha: 1 counter';
const SAME = 'bare evalsha: the same script';

/** What the least limiter there is does: one counter in a fixed window, one script a decision. */
const COUNTER = `local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
if n > tonumber(ARGV[2]) then return 0 end
return 1`;

export async function run({ rounds, seconds }) {
  const server = await redisForBench();
  if (server.skipped) return skipped(server.skipped);
  const client = new Redis(server.url);
  const redis = await openRedis(new Secret(server.url), { onBroken: () => {} });
  const idOf = keyedId(randomBytes(32));
  const newLimiter = () =>
    redisLimiter({
      redis,
      idOf,
      random: randomBytes,
      now: () => performance.now(),
      away: new AwayMemory(1, 1_000),
      refused: new RefusedMemory(10_000),
    });
  const results = new Map();
  try {
    const sha = await client.script('LOAD', COUNTER);
    const ask = (limiter, i) =>
      limiter.decide({ tenant: TENANT, principal: `agt_${i % PRINCIPALS}`, tool: 'get_customer_info' });
    const plan = planOf(HOUSE_TABLE);
    const decide = await client.script('LOAD', DECIDE.text);
    const alone = async (i) => {
      const draws = plan({ tenant: TENANT, principal: `agt_${i % PRINCIPALS}`, tool: 'get_customer_info' });
      const { keys, args } = encodeTurn(TENANT, [{ draws, lease: `lease-${i}` }], undefined);
      return (await client.evalsha(decide, keys.length, ...keys, ...args))[2] === 0;
    };
    const turns = [
      [SAME, () => alone],
      [BARE, () => async (i) => (await client.evalsha(sha, 1, `{${TENANT}}:${i % PRINCIPALS}`, '60000', '60')) === 1],
      [
        'decide: 3 windows and a lease',
        () => {
          const limiter = newLimiter();
          return async (i) => (await ask(limiter, i)).allowed;
        },
      ],
      [
        'decide, then settle',
        () => {
          const limiter = newLimiter();
          return async (i) => {
            const verdict = await ask(limiter, i);
            return verdict.allowed && (await limiter.settle(TENANT, verdict.lease, 100));
          };
        },
      ],
    ];
    for (const [, make] of turns) await measure(client, make(), 1);
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, make] of turns) {
        console.error(`round ${round + 1} of ${rounds}: ${name}`);
        results.set(name, [...(results.get(name) ?? []), await measure(client, make(), seconds)]);
      }
    }
  } finally {
    client.disconnect();
    await redis.close();
    await server.stop();
  }
  return verdict(results);
}

/** Loops that each ask again as soon as they are answered. */
async function measure(client, decide, seconds) {
  await client.flushall();
  let [asked, wrong] = [0, 0];
  const serverBefore = await serverMicros(client);
  const before = process.cpuUsage();
  const began = performance.now();
  const ends = began + seconds * 1_000;
  const loop = async () => {
    while (performance.now() < ends) if (!(await decide(asked++))) wrong += 1;
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  const took = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const server = (await serverMicros(client)) - serverBefore;
  return { perSecond: asked / took, micros: (user + system) / asked, serverMicros: server / asked, wrong };
}

async function serverMicros(client) {
  const info = await client.info('cpu');
  const seconds = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

function verdict(results) {
  const bare = results.get(BARE);
  const rows = [...results].map(([name, found]) => {
    const middle = (of) => median(found.map(of));
    const ratio = median(found.map(({ perSecond }, i) => perSecond / bare[i].perSecond));
    const wrong = found.reduce((sum, one) => sum + one.wrong, 0);
    const bar = BARS[name];
    return {
      name,
      perSecond: Math.round(middle(({ perSecond }) => perSecond)),
      ratio: Number(ratio.toFixed(3)),
      cpuMicros: Number(middle(({ micros }) => micros).toFixed(2)),
      redisCpuMicros: Number(middle(({ serverMicros: each }) => each).toFixed(2)),
      wrong,
      ...(bar !== undefined && { bar }),
      ok: wrong === 0 && (bar === undefined || ratio >= bar),
    };
  });
  console.log(`decisions a second, ${IN_FLIGHT} in flight, median of the rounds:`);
  for (const { name, perSecond, ratio, cpuMicros, redisCpuMicros, wrong, bar, ok } of rows) {
    const held = bar === undefined ? '' : `  bar ${bar}: ${ok ? 'met' : 'MISSED'}`;
    const answers = wrong === 0 ? '' : `  ${wrong} wrong answers`;
    console.log(
      `${name.padEnd(32)}${String(perSecond).padStart(7)}/s  ${ratio.toFixed(2)} of bare  ` +
        `CPU ${cpuMicros} µs here, ${redisCpuMicros} µs in Redis${held}${answers}`,
    );
  }
  return { bench: 'limits', rows, skipped: null, ok: rows.every(({ ok }) => ok) };
}

function skipped(why) {
  console.log(`skipped: limits (${why})`);
  return { bench: 'limits', rows: [], skipped: why, ok: process.env.REQUIRE_ALL !== '1' };
}
