// What one `tools/call` costs: mcp-server with its whole guard, beside other servers with the same tool and the same tokens.
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { boundClient, startIssuer } from './calls/issuer.mjs';
import { installPeers } from './calls/install.mjs';
import { callBytes, load } from './calls/load.mjs';
import { startServer } from './calls/server.mjs';
import { ASKED, TOOL } from './calls/shared.mjs';
import { judge } from './calls/verdict.mjs';
import { isInstalled, wrkLoad } from './calls/wrk.mjs';
import { median } from './peer.mjs';

const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
/** Node's, as `npm start` has them (docs/operations.md). */
const FLAGS = scripts.start.split(' ').filter((word) => word.startsWith('--'));
const SERVERS = {
  ours: { program: './ours.mjs', says: 'mcp-server, whole guard', flags: FLAGS, dpop: true },
  bare: { program: './peers/bare.mjs', says: 'bare node:http with jose' },
  sdk: { program: './peers/sdk.mjs', says: 'SDK v2 with requireBearerAuth' },
  nest: { program: './peers/mcp-nest.mjs', says: 'MCP-Nest' },
  fastmcp: { program: './peers/fastmcp.mjs', says: 'FastMCP', legacy: true },
  hand: { program: './peers/hand-made.mjs', says: 'hand-made guard on SDK v2, lean' },
};
/** [what, its figure, over that of, at most so much of it] */
export const BARS = [
  ['a call costs at most 1/6 of the hand-made guard', ['ours', 'one'], ['hand', 'one'], 1 / 6],
  ['a call costs at most 1/6 of MCP-Nest', ['ours', 'one'], ['nest', 'one'], 1 / 6],
  ['10,000 tokens in turn cost at most 1.3 of one', ['ours', 'many'], ['ours', 'one'], 1.3],
  ['a call with DPoP costs at most 1/3 of SDK v2', ['ours', 'dpop'], ['sdk', 'one'], 1 / 3],
  ['p99 at half load is at most that of the hand-made guard', ['ours', 'half'], ['hand', 'half'], 1],
];
const CONNECTIONS = 32;
const OTHER_CONNECTIONS = [1, 4, 128];
const TOKENS = 10_000;
/** Bound tokens in turn, since one principal can have only so many proofs in three minutes. */
const BOUND_CLIENTS = 200;
/** More than a server can serve in a second, each being good once. */
const PROOFS_PER_SECOND = 15_000;
const WARM_CALLS = 12_000;
/** Servers take turns of a second, so that all see the same machine: its speed drifts by the minute, and what sits idle cools. */
const A_TURN = { seconds: 1 };
/** What a server gets before each of its turns, not measured: while the others had theirs, its memory went cold. */
const LEAD_IN = { seconds: 0.5 };
const REFUSED = [200, 401, 403];

/** What --only takes. */
export const choices = Object.keys(SERVERS);

export async function run({ rounds, seconds, only, profile }) {
  const names = only ?? Object.keys(SERVERS);
  if (names.some((name) => SERVERS[name].program.includes('peers'))) installPeers();
  const wrk = isInstalled();
  console.error(
    wrk ? 'the load is made by wrk' : 'wrk is not installed: the load is made here, which takes more of the machine',
  );
  const issuer = await startIssuer();
  const tokens = issuer.tokens(TOKENS);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  const parts = { issuer, tokens, send: wrk ? wrkLoad : load, profile };
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, found] of await measuredAnew(names, parts, { turns: seconds, first: round === 0 })) {
        results[name].push(found);
        console.error(
          `round ${round + 1} of ${rounds}: ${SERVERS[name].says}: ${round1(found.one.cpuMicros)} µs a call`,
        );
      }
    }
  } finally {
    await issuer.close();
  }
  return verdict(results);
}

/**
 * One round with servers of its own: what the compiler makes of a program differs from one process to the next by as much as a
 * tenth, which no number of rounds with the same processes would show.
 */
async function measuredAnew(names, parts, options) {
  const servers = new Map();
  try {
    for (const name of names) servers.set(name, await started(name, parts));
    for (const [name, server] of servers) await refuses(name, server, parts.issuer);
    for (const [name, server] of servers) await warmed(name, server);
    return await measured(servers, options);
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
}

async function started(name, { issuer, tokens, send, profile }) {
  const { program, flags, legacy, dpop } = SERVERS[name];
  const server = await startServer(program, { issuer: issuer.url, flags, profile });
  const call = (token, more) =>
    callBytes({ port: server.port, legacy, tool: TOOL.name, customer: ASKED, token, ...more });
  const costs = async (work) => {
    const before = server.cpuMicros();
    const found = await work();
    return { ...found, cpuMicros: (server.cpuMicros() - before) / Math.max(1, found.calls) };
  };
  const to = { port: server.port, connections: CONNECTIONS };
  const checked = (options) => costs(() => load({ ...to, ...options }));
  const one = [call(issuer.token())];
  return {
    ...server,
    call,
    one,
    /** made anew for each turn: the less this process keeps, the less of its own work falls into the server's turn */
    many: () => tokens.map((token) => call(token)),
    bound: dpop ? Array.from({ length: BOUND_CLIENTS }, (_, i) => boundClient(issuer, `bound-${i}`)) : undefined,
    /** where the last turn of many tokens ended, so that the next goes on there */
    at: 0,
    /** loads it and says what came of it */
    load: checked,
    /** one turn; the answers of its lead-in are looked at whole, since wrk looks at nothing but the status */
    async turn(options) {
      const { wrong, firstWrong } = await checked({ requests: one, ...LEAD_IN });
      const found =
        options.rate === undefined ? await costs(() => send({ ...to, ...options })) : await checked(options);
      return { ...found, wrong: found.wrong + wrong, firstWrong: found.firstWrong ?? firstWrong };
    },
  };
}

/** What must be refused is refused, so that nobody is measured who does not look. */
async function refuses(name, server, issuer) {
  for (const [why, token] of Object.entries(issuer.bad())) {
    const { wrong, firstWrong = '' } = await server.load({ requests: [server.call(token)], connections: 1, calls: 1 });
    const status = Number(firstWrong.slice(9, 12));
    if (wrong !== 1 || !REFUSED.includes(status))
      throw new Error(`${name} and a call with a token ${why}: ${firstWrong}`);
  }
}

async function warmed(name, server) {
  console.error(`warming up: ${SERVERS[name].says}`);
  await server.load({ requests: server.one, calls: WARM_CALLS });
  await server.load({ requests: server.many(), calls: TOKENS });
  if (server.bound) await server.load({ ...(await proven(server)), calls: WARM_CALLS });
}

/** One round: a kind of load is put on one server after the other, then the next kind. @returns what was found, by server */
async function measured(servers, { turns, first }) {
  const found = [...servers].map(([name, server]) => ({ name, server, turns: [] }));
  for (let turn = 0; turn < turns; turn += 1) {
    if (turn > 0) found.reverse();
    for (const each of found) each.turns.push({});
    for (const kind of Object.keys(KINDS)) {
      for (const { name, server, turns: taken } of found) {
        const now = taken.at(-1);
        if (kind === 'dpop' && !server.bound) continue;
        if (turn === 0 || isHeld(name, kind)) now[kind] = await KINDS[kind](server, now);
      }
    }
  }
  const whole = found.map(({ name, server, turns: taken }) => [name, ofTurns(taken, server)]);
  for (const connections of first && servers.size > 1 ? OTHER_CONNECTIONS : []) {
    for (const [name, { byConnections }] of whole) {
      const server = servers.get(name);
      byConnections[connections] = pick(await loaded(server, { requests: server.one, connections, ...A_TURN }));
    }
  }
  return whole;
}

/** Is it in a bar? What is only printed gets one turn a round. */
const isHeld = (name, kind) =>
  BARS.some(([, mine, theirs]) => [mine, theirs].some(([who, what]) => who === name && what === kind));

/** What is put on a server in one turn, by what it was found to do in this turn so far. */
const KINDS = {
  one: (server) => loaded(server, { requests: server.one, ...A_TURN }),
  dpop: async (server) => loaded(server, await proven(server)),
  many: async (server) => {
    const found = await loaded(server, { requests: server.many(), from: server.at, ...A_TURN });
    server.at = (server.at + found.calls) % TOKENS;
    return found;
  },
  half: (server, { one }) => loaded(server, { requests: server.one, rate: one.perSecond / 2, ...A_TURN }),
};

async function loaded(server, options) {
  tidy();
  return server.turn(options);
}

/** The turns of one round as one figure for each kind of load. */
function ofTurns(turns, server) {
  const wrong = turns.flatMap((turn) => Object.values(turn).flatMap(({ firstWrong }) => firstWrong ?? []));
  const kinds = Object.keys(turns[0]).map((kind) => [kind, together(turns.flatMap((turn) => turn[kind] ?? []))]);
  const figures = Object.fromEntries(kinds);
  const byConnections = { [CONNECTIONS]: pick(figures.one) };
  return { ...figures, byConnections, rssMb: Math.round(server.rssMb()), wrong };
}

function together(found) {
  const sum = (of) => found.reduce((all, one) => all + of(one), 0);
  const calls = sum((one) => one.calls);
  return {
    calls,
    cpuMicros: sum((one) => one.cpuMicros * one.calls) / Math.max(1, calls),
    perSecond: sum((one) => one.perSecond) / found.length,
    p50: median(found.map((one) => one.p50)),
    p99: median(found.map((one) => one.p99)),
    wrong: sum((one) => one.wrong),
  };
}

setFlagsFromString('--expose-gc');
/** Collects the garbage of this process before a turn rather than in it, where it would take a core from the server. */
const tidy = runInNewContext('gc');

const pick = ({ cpuMicros, perSecond, p50, p99, wrong }) => ({ cpuMicros, perSecond, p50, p99, wrong });

/** Every request has a proof of its own (RFC 9449 §4.2), with the nonce that the server asks for. */
async function proven(server) {
  const request = ({ token, proof }, nonce) => server.call(token, { scheme: 'DPoP', proof: proof(nonce) });
  const asked = await server.load({ requests: [request(server.bound[0])], connections: 1, calls: 1 });
  const nonce = /\r\ndpop-nonce: *(\S+)/i.exec(asked.firstWrong)?.[1];
  const count = PROOFS_PER_SECOND * A_TURN.seconds;
  const requests = Array.from({ length: count }, (_, i) => request(server.bound[i % BOUND_CLIENTS], nonce));
  return { requests, once: true, ...A_TURN };
}

function verdict(results) {
  const figure = ([name, turn]) =>
    results[name]?.map((found) => (turn === 'half' ? found.half.p99 : found[turn].cpuMicros));
  const rows = Object.entries(results).map(([name, found]) => rowOf(name, found));
  const bars = BARS.flatMap(([what, ours, other, bar]) => {
    const [mine, theirs] = [figure(ours), figure(other)];
    if (mine === undefined || theirs === undefined) return [{ what, verdict: 'not measured' }];
    return [
      {
        what,
        ...judge(
          mine.map((one, i) => one / theirs[i]),
          bar,
        ),
      },
    ];
  });
  print(rows, bars);
  const ok =
    rows.every(({ wrong }) => wrong === 0) &&
    bars.every(({ verdict: said }) => said === 'met' || said === 'not measured');
  return { bench: 'calls', rows, bars, rounds: results, ok };
}

function rowOf(name, found) {
  const of = (turn, key) => found.map((one) => one[turn][key]);
  const cpu = (turn) => ({
    least: round1(Math.min(...of(turn, 'cpuMicros'))),
    median: round1(median(of(turn, 'cpuMicros'))),
  });
  const turns = found.flatMap(({ one, many, half, dpop, byConnections }) =>
    [one, many, half, dpop, ...Object.values(byConnections)].filter(Boolean),
  );
  return {
    name,
    says: SERVERS[name].says,
    cpuMicros: cpu('one'),
    manyTokens: cpu('many'),
    ...(found[0].dpop && { dpop: cpu('dpop') }),
    perSecond: Math.round(median(of('one', 'perSecond'))),
    p50Ms: round2(median(of('one', 'p50'))),
    p99Ms: round2(median(of('one', 'p99'))),
    halfLoadP99Ms: round2(median(of('half', 'p99'))),
    byConnections: Object.fromEntries(
      Object.entries(found[0].byConnections).map(([connections, { cpuMicros }]) => [connections, round1(cpuMicros)]),
    ),
    rssMb: Math.max(...found.map(({ rssMb }) => rssMb)),
    wrong: turns.reduce((sum, turn) => sum + turn.wrong, 0),
    firstWrong: found.flatMap(({ wrong }) => wrong)[0],
  };
}

const round1 = (number) => Math.round(number * 10) / 10;
const round2 = (number) => Math.round(number * 100) / 100;

function print(rows, bars) {
  console.log('CPU µs a call of the server and its children, 32 connections: least of the rounds (median)');
  for (const row of rows) {
    const { says, cpuMicros, manyTokens, dpop, perSecond, p50Ms, p99Ms, halfLoadP99Ms, byConnections, rssMb } = row;
    const cpu = ({ least, median: middle }) => `${least} (${middle})`;
    console.log(`${says}: ${cpu(cpuMicros)}`);
    console.log(`  10,000 tokens in turn ${cpu(manyTokens)}${dpop ? `, with DPoP ${cpu(dpop)}` : ''}`);
    console.log(
      `  ${perSecond} calls/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms; p99 at half of that ${halfLoadP99Ms} ms; ${rssMb} MB`,
    );
    const each = Object.entries(byConnections).map(([connections, micros]) => `${connections}: ${micros}`);
    console.log(`  by connections ${each.join(', ')}`);
    if (row.wrong > 0) console.log(`  ${row.wrong} WRONG ANSWERS, the first: ${row.firstWrong}`);
  }
  for (const { what, ratio, bar, spread, verdict: said } of bars) {
    const words = ratio && ` (${ratio.toFixed(3)}, bar ${bar.toFixed(3)}, rounds spread ${spread.toFixed(3)})`;
    console.log(`${said === 'met' ? said : said.toUpperCase()}: ${what}${words ?? ''}`);
  }
}
