// Decisions a second of one limiter on one Redis: in the process that asks, over HTTP and over gRPC. Beside each, in turns on
// the same machine, the least that has to be done for it: a loop of evalsha, a bare node:http server, a bare gRPC server.
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { LIMITS } from './backbone-bars.mjs';
import { startIssuer } from './calls/issuer.mjs';
import { judgeLeast } from './calls/verdict.mjs';
import { decidingInProcess } from './limits/in-process.mjs';
import { decidingOverGrpc } from './limits/over-grpc.mjs';
import { decidingOverHttp } from './limits/over-http.mjs';
import { startRateLimiter } from './limits/service.mjs';
import { median } from './peer.mjs';
import { redisForBench } from './redis.mjs';

const SAYS = {
  same: 'bare evalsha: the same script, once a decision',
  counter: 'bare evalsha: one counter',
  decide: 'in process: 3 windows and a lease',
  settled: 'in process: decided, then settled',
  http: 'over HTTP: POST /v1/decide',
  'bare http': 'bare node:http: body of that size, answer of that size',
  grpc: 'over gRPC: ShouldRateLimit, decided and settled',
  'bare grpc': 'bare grpc-js: answers that all is well',
};
/** What each is held beside; the others are the yardsticks. */
const BESIDE = { decide: 'same', settled: 'same', http: 'bare http', grpc: 'bare grpc' };
const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
/** Node's, as `npm start` has them (docs/operations.md). */
const FLAGS = scripts.start.split(' ').filter((word) => word.startsWith('--'));

export async function run({ rounds, seconds }) {
  const server = await redisForBench();
  if (server.skipped) return skipped(server.skipped);
  const closing = [server.stop];
  const found = [];
  try {
    const client = new Redis(server.url);
    closing.push(async () => client.disconnect());
    const issuer = await startIssuer();
    closing.push(issuer.close);
    const service = await startRateLimiter(server.url, issuer, FLAGS);
    closing.push(service.stop);
    const empty = () => client.flushall();
    const parts = [];
    for (const open of [
      () => decidingInProcess(server.url),
      () => decidingOverHttp(service, empty, FLAGS),
      () => decidingOverGrpc(service, empty, FLAGS),
    ]) {
      const part = await open();
      closing.push(part.stop);
      parts.push(part);
    }
    console.error('warming up');
    for (const part of parts) await part.turn(1);
    for (let round = 0; round < rounds; round += 1) {
      console.error(`round ${round + 1} of ${rounds}`);
      const turns = [];
      for (const part of parts) turns.push(await part.turn(seconds));
      found.push(Object.assign({}, ...turns));
    }
    // what wrk was answered is not looked at
    found[0].http.wrong += await service.refused();
  } finally {
    for (const close of closing.reverse()) await close();
  }
  return verdict(found);
}

function verdict(rounds) {
  const rows = Object.entries(SAYS).map(([name, says]) => {
    const each = rounds.map((round) => round[name]);
    const middle = (of) => median(each.map(of));
    const beside = BESIDE[name];
    return {
      name,
      says,
      perSecond: Math.round(middle(({ perSecond }) => perSecond)),
      p99Ms: rounded(middle(({ p99 }) => p99)),
      cpuMicros: rounded(middle(({ cpuMicros }) => cpuMicros)),
      ...(each[0].redisCpuMicros && { redisCpuMicros: rounded(middle(({ redisCpuMicros }) => redisCpuMicros)) }),
      ...(beside && {
        beside,
        ratio: rounded(median(rounds.map((all) => all[name].perSecond / all[beside].perSecond))),
      }),
      wrong: each.reduce((sum, { wrong }) => sum + wrong, 0),
      firstWrong: each.flatMap(({ firstWrong }) => firstWrong ?? [])[0],
    };
  });
  const bars = LIMITS.map(([what, of, bar]) => ({ what, ...judgeLeast(rounds.map(of), bar) }));
  const dearer = rounded(median(rounds.map(({ counter, same }) => counter.perSecond / same.perSecond)));
  print(rows, bars, dearer);
  const ok = rows.every(({ wrong }) => wrong === 0) && bars.every(({ verdict: said }) => said === 'met');
  return { bench: 'limits', rows, bars, counterOverSame: dearer, rounds, skipped: null, ok };
}

const rounded = (number) => Math.round(number * 100) / 100;

function print(rows, bars, dearer) {
  console.log('decisions a second, 64 in flight, middle of the rounds; p99 over HTTP at half of that load');
  for (const { says, perSecond, p99Ms, cpuMicros, redisCpuMicros, ratio, wrong, firstWrong } of rows) {
    const inRedis = redisCpuMicros === undefined ? '' : `, ${redisCpuMicros} in Redis`;
    const share = ratio === undefined ? '' : `  ${ratio.toFixed(2)} of its yardstick`;
    console.log(
      `${says.padEnd(56)}${String(perSecond).padStart(7)}/s  p99 ${p99Ms} ms  CPU ${cpuMicros} µs${inRedis}${share}`,
    );
    if (wrong > 0) console.log(`  ${wrong} WRONG ANSWERS, the first: ${firstWrong}`);
  }
  console.log(
    `A counter alone, which keeps no window, no budget and no lease, is decided ${dearer.toFixed(1)} times as often.`,
  );
  for (const { what, ratio, bar, spread, verdict: said } of bars) {
    const words = `(${ratio.toFixed(3)}, bar ${bar}, rounds spread ${spread.toFixed(3)})`;
    console.log(`${said === 'met' ? said : said.toUpperCase()}: ${what} ${words}`);
  }
}

function skipped(why) {
  console.log(`skipped: limits (${why})`);
  return { bench: 'limits', skipped: why, ok: process.env.REQUIRE_ALL !== '1' };
}
