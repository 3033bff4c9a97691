// Does a call cost the same with more replicas of mcp-server on one Redis, and with more agents? CPU time of all replicas
// that serve, and of Redis, for one call: on a few cores calls a second could not grow with the replicas. A process that gets
// only a part of a core pays for it, whatever it does: so no more replicas have calls at a time than there are cores for, the
// others of the case wait for their turn, and their idling is part of the cost. What all of them at once cost is printed too.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { SCALE } from './backbone-bars.mjs';
import { startIssuer } from './calls/issuer.mjs';
import { callBytes, load } from './calls/load.mjs';
import { startServer } from './calls/server.mjs';
import { RESOURCE } from './calls/shared.mjs';
import { judgeFlat } from './calls/verdict.mjs';
import { isInstalled, wrkLoad } from './calls/wrk.mjs';
import { median } from './peer.mjs';
import { redisCpuMicros, redisForBench } from './redis.mjs';

const REPLICAS = [1, 2, 4];
const AGENTS = [10, 100, 1_000, 10_000];
/** What stays as it is while the other one changes. */
const [SO_MANY_REPLICAS, SO_MANY_AGENTS] = [2, 1_000];
/** A replica keeps a core busy, Redis and whoever calls another one. */
const AT_A_TIME = Math.max(1, Math.floor(availableParallelism() / 2));
/** To each replica that serves; the next call of each comes with the answer. */
const CONNECTIONS = 32;
/** Each token once, and then some. */
const WARM_CALLS = 16_000;
/** What each replica that serves gets before a turn, not measured; its answers are looked at whole, since wrk looks at nothing but the status. */
const LEAD_IN_SECONDS = 0.3;
const TURN_SECONDS = 1;
const TOOL = { tool: 'calculate_account_value', args: { purchases: [12.5, 30, 7.25] } };
const isRight = (answer) =>
  answer.startsWith('HTTP/1.1 200') && answer.includes('49.75') && !answer.includes('isError":true');

const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
/** Node's, as `npm start` has them (docs/operations.md). */
const FLAGS = scripts.start.split(' ').filter((word) => word.startsWith('--'));

export async function run({ rounds, seconds }) {
  const server = await redisForBench();
  if (server.skipped) {
    console.log(`skipped: scale (${server.skipped})`);
    return { bench: 'scale', skipped: server.skipped, ok: process.env.REQUIRE_ALL !== '1' };
  }
  const redis = new Redis(server.url);
  const issuer = await startIssuer();
  const scope = 'account:calculate';
  const tokens = Array.from({ length: Math.max(...AGENTS) }, (_, i) =>
    issuer.token({ sub: `agent-${i}`, client_id: `agent-${i}`, scope, ceiling: scope }),
  );
  const found = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const figures = await measuredAnew({ url: server.url, redis, issuer, tokens }, seconds, round);
      const cost = ({ cpuMicros, redisMicros }) => (cpuMicros + redisMicros).toFixed(1);
      const words = Object.entries(figures).map(([name, figure]) => `${name} ${cost(figure)}`);
      console.error(`round ${round + 1} of ${rounds}: ${words.join(', ')} µs a call`);
      found.push(figures);
    }
  } finally {
    redis.disconnect();
    await issuer.close();
    await server.stop();
  }
  return verdict(found);
}

/** [replicas, agents, how many of the replicas have calls at a time] */
const CASES = [
  ...REPLICAS.map((count) => [count, SO_MANY_AGENTS]),
  ...REPLICAS.filter((count) => count > AT_A_TIME).map((count) => [count, SO_MANY_AGENTS, count]),
  ...AGENTS.filter((count) => count !== SO_MANY_AGENTS).map((count) => [SO_MANY_REPLICAS, count]),
];
const nameOf = ([replicas, agents, atOnce]) => `${replicas} × ${agents}${atOnce ? ' at once' : ''}`;
const NAMES = CASES.map(nameOf);
/** What changes, and the cases in which nothing else does. */
const SERIES = {
  replicas: REPLICAS.map((count) => nameOf([count, SO_MANY_AGENTS])),
  agents: AGENTS.map((count) => nameOf([SO_MANY_REPLICAS, count])),
};

/** One round with processes of its own, since what the compiler makes of a program differs from one to the next. */
async function measuredAnew(parts, seconds, round) {
  await parts.redis.flushall();
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const replicas = [];
  try {
    const keys = keysOfAll();
    for (let i = 0; i < Math.max(...REPLICAS); i += 1) replicas.push(await started(parts, join(dir, String(i)), keys));
    for (const replica of replicas) await warmed(replica, parts.tokens);
    const turns = [];
    for (let turn = 0; turn < seconds; turn += 1) {
      const order = (turn + round) % 2 === 0 ? CASES : CASES.toReversed();
      for (const one of order) {
        const [count, agents, atOnce = AT_A_TIME] = one;
        // each replica takes its turn among those that serve
        const serving = [...replicas, ...replicas].slice(turn % replicas.length).slice(0, count);
        for (let from = 0; from < count; from += atOnce) {
          const calling = serving.slice(from, from + atOnce);
          turns.push([nameOf(one), await measured({ ...parts, serving, calling, agents })]);
        }
      }
    }
    const turnsOf = (name) => turns.flatMap(([of, one]) => (of === name ? [one] : []));
    return Object.fromEntries(NAMES.map((name) => [name, ofTurns(turnsOf(name))]));
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop()));
    rmSync(dir, { recursive: true, force: true });
  }
}

function keysOfAll() {
  const key = () => randomBytes(32).toString('base64url');
  return { LIMITS_KEY: key(), STATE_KEY: key(), AUDIT_DIGEST_KEY: key() };
}

async function started({ url, issuer }, dir, keys) {
  const replica = await startServer(new URL('./scale/replica.mjs', import.meta.url), {
    flags: FLAGS,
    env: (port) => ({
      ...keys,
      PORTCULLIS_MODE: 'embedded',
      PORT: String(port),
      MANAGEMENT_PORT: '0',
      AUTH_ISSUER: issuer.url,
      MCP_RESOURCE: RESOURCE,
      REDIS_URL: url,
      DATABASE_URL: 'pglite://memory',
      OUTBOX_DIR: join(dir, 'outbox'),
      LOG_LEVEL: 'info',
    }),
  });
  let requests;
  return {
    ...replica,
    /** of the first so many agents, in turn */
    requests(tokens, agents) {
      requests ??= tokens.map((token) => callBytes({ port: replica.port, ...TOOL, token }));
      return requests.slice(0, agents);
    },
  };
}

async function warmed(replica, tokens) {
  const to = { port: replica.port, connections: CONNECTIONS, isRight };
  const asked = { ...to, requests: replica.requests(tokens, tokens.length), calls: WARM_CALLS };
  const { wrong, firstWrong } = await load(asked);
  if (wrong > 0) throw new Error(`a replica answers ${wrong} calls wrongly, the first: ${firstWrong}`);
}

/** Calls to several replicas at once. */
async function together({ calling, tokens, agents, send, seconds }) {
  const all = await Promise.all(
    calling.map((replica) =>
      send({
        port: replica.port,
        requests: replica.requests(tokens, agents),
        connections: CONNECTIONS,
        isRight,
        seconds,
      }),
    ),
  );
  const sum = (of) => all.reduce((total, one) => total + of(one), 0);
  return {
    calls: sum(({ calls }) => calls),
    perSecond: sum(({ perSecond }) => perSecond),
    wrong: sum(({ wrong }) => wrong),
    firstWrong: all.flatMap(({ firstWrong }) => firstWrong ?? [])[0],
  };
}

/** One turn. @returns calls, CPU time of the replicas and of Redis, and wrong answers */
async function measured(parts) {
  const { serving, redis } = parts;
  const lead = await together({ ...parts, send: load, seconds: LEAD_IN_SECONDS });
  const [before, redisBefore] = [cpuOf(serving), await redisCpuMicros(redis)];
  const full = await together({ ...parts, send: isInstalled() ? wrkLoad : load, seconds: TURN_SECONDS });
  return {
    ...full,
    cpu: cpuOf(serving) - before,
    redis: (await redisCpuMicros(redis)) - redisBefore,
    wrong: full.wrong + lead.wrong,
    firstWrong: full.firstWrong ?? lead.firstWrong,
  };
}

const cpuOf = (servers) => servers.reduce((sum, server) => sum + server.cpuMicros(), 0);

/** The turns of one round as one figure. */
function ofTurns(turns) {
  const sum = (of) => turns.reduce((total, one) => total + of(one), 0);
  const calls = Math.max(
    1,
    sum((one) => one.calls),
  );
  return {
    cpuMicros: sum((one) => one.cpu) / calls,
    redisMicros: sum((one) => one.redis) / calls,
    perSecond: sum((one) => one.perSecond) / turns.length,
    wrong: sum((one) => one.wrong),
    firstWrong: turns.flatMap(({ firstWrong }) => firstWrong ?? [])[0],
  };
}

function verdict(rounds) {
  const rows = CASES.map(([replicas, agents, atOnce]) => {
    const name = nameOf([replicas, agents, atOnce]);
    const middle = (of) => Number(median(rounds.map((round) => of(round[name]))).toFixed(1));
    return {
      name,
      replicas,
      agents,
      atOnce: Math.min(replicas, atOnce ?? AT_A_TIME),
      cpuMicros: middle(({ cpuMicros }) => cpuMicros),
      redisMicros: middle(({ redisMicros }) => redisMicros),
      micros: middle(costOf),
      perSecond: Math.round(middle(({ perSecond }) => perSecond)),
      wrong: rounds.reduce((sum, round) => sum + round[name].wrong, 0),
      firstWrong: rounds.flatMap((round) => round[name].firstWrong ?? [])[0],
    };
  });
  const bars = Object.entries(SERIES).map(([what, names]) => {
    const costs = rounds.map((round) => Object.fromEntries(names.map((name) => [name, costOf(round[name])])));
    return { what: `${SCALE[0]} ${what}`, ...judgeFlat(costs, SCALE[1]) };
  });
  print(rows, bars);
  const ok = rows.every(({ wrong }) => wrong === 0) && bars.every(({ verdict: said }) => said === 'met');
  return { bench: 'scale', rows, bars, rounds, skipped: null, ok };
}

/** Of a call, wherever it is spent. */
const costOf = ({ cpuMicros, redisMicros }) => cpuMicros + redisMicros;

function print(rows, bars) {
  console.log(`CPU µs a call, ${CONNECTIONS} in flight at each replica, middle of the rounds:`);
  for (const { replicas, agents, atOnce, cpuMicros, redisMicros, micros, perSecond, wrong, firstWrong } of rows) {
    console.log(
      `${replicas} replicas, ${atOnce} at a time, ${String(agents).padStart(5)} agents: ${cpuMicros} in mcp-server + ${redisMicros} in Redis = ${micros}; ${perSecond} calls/s`,
    );
    if (wrong > 0) console.log(`  ${wrong} WRONG ANSWERS, the first: ${firstWrong}`);
  }
  for (const { what, ratio, bar, spread, verdict: said } of bars) {
    const words = `(dearest ${ratio.toFixed(3)} of the cheapest, bar ${bar}, rounds spread ${spread.toFixed(3)})`;
    console.log(`${said === 'met' ? said : said.toUpperCase()}: ${what} ${words}`);
  }
}
