// Breaks one part of a running cluster after the other under steady load, and compares what callers saw with what is on record.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { startCluster } from '../cluster/start.mjs';
import { whyNoContainers } from '../test/engine.mjs';
import { faultsOf, mountDisk } from './chaos/faults.mjs';
import { gateAt } from './chaos/gate.mjs';
import { compare, overLimit, REVOKED_WITHIN_MS, takenAfter } from './chaos/verdict.mjs';

/** Agents that stay below their limits, and those that do not. */
const STEADY = 24;
const GREEDY = 2;
/** Tokens that are revoked while something is broken, each of an agent of its own. */
const REVOKED = 4;
const STEADY_EVERY_MS = 1_500;
const GREEDY_EVERY_MS = 150;
const REVOKED_EVERY_MS = 2_200;
const BEFORE_MS = 3_000;
const AFTER_MS = 5_000;
/** Beyond that nothing came back by itself. */
const RECOVERED_WITHIN_MS = 120_000;
const STORED_WITHIN_MS = 120_000;
/** What greedy agents ask for, and its limit (surface: 30 a minute). */
const GREEDY_CALL = { tool: 'calculate_account_value', args: { purchases: [150, 300, 89] } };
const GREEDY_LIMIT = { limit: 30, windowMs: 60_000 };

/**
 * @param {{ faults: readonly string[] | undefined }} options `faults`: words of which each fault that is
 *   wanted has one in its name; undefined = all
 * @returns whether everything held, and a row for each fault
 */
export async function run({ faults: wanted }) {
  const why = await whyNoContainers();
  if (why !== undefined) {
    console.log(`skipped: chaos (${why})`);
    return { ok: process.env.REQUIRE_ALL !== '1', result: [] };
  }
  /** @type {Awaited<ReturnType<typeof mountDisk>> | undefined} */
  let disk;
  const say = (what) => console.error(`chaos: ${what}`);
  const cluster = await startCluster({
    replicas: 2,
    base: 0,
    say,
    async prepare(dir) {
      try {
        disk = await mountDisk(dir);
        return disk.unmount;
      } catch (error) {
        say(`no disk can be filled: ${error.message}`);
        return undefined;
      }
    },
  });
  try {
    const all = await faultsOf(cluster, disk?.folder);
    const faults = wanted === undefined ? all : all.filter(({ name }) => wanted.some((word) => name.includes(word)));
    if (faults.length === 0)
      throw new Error(`no fault has a name like that; there are: ${all.map(({ name }) => name).join(', ')}`);
    const load = await openLoad(cluster);
    const rows = [];
    for (const fault of faults) {
      const row = await suffer(fault, cluster, load, say);
      rows.push(row);
      say(tell(row));
      if (row.recoverySeconds === null) break;
    }
    await load.close();
    table(rows);
    const ok = rows.length === faults.length && rows.every(holds);
    console.log(ok ? 'held' : 'FAILED');
    return { ok, result: rows };
  } finally {
    await cluster.stop();
  }
}

const holds = (row) =>
  row.answered > 0 &&
  row.revokedSeconds !== null &&
  [row.lost, row.doubled, row.overLimit, row.revokedAccepted, row.unseen, row.openAnswered].every((n) => n === 0) &&
  row.recoverySeconds !== null;

/** The clients of the load and what it takes to look at what became of their calls. */
async function openLoad({ ready, engines, replicas }) {
  const gate = gateAt(ready());
  const clients = await gate.newClients(STEADY + GREEDY);
  const database = new pg.Pool({ connectionString: engines.administrator, max: 2 });
  database.on('error', () => {});
  return {
    gate,
    steady: clients.slice(0, STEADY),
    greedy: clients.slice(STEADY),
    /** @type {import('./chaos/gate.mjs').Answer[]} of greedy ones, under whatever fault: a window may have begun before */
    askedGreedily: [],
    doors: replicas.filter(({ service }) => service === 'mcp-server').map(({ url }) => url),
    /** of calls since `from`, as ISO text */
    async recorded(from) {
      const { rows } = await database.query(
        `select id, correlation_id as "correlationId", outcome, line::jsonb->'data'->'client'->>'requestId' as request,
           line::jsonb->'data'->>'attempt' as attempt
         from audit.events where type = 'portcullis.call.v1' and time >= $1`,
        [from],
      );
      return rows;
    },
    /** the requests whose ticket is there */
    async executed(requests) {
      const { rows } = await database.query('select subject from tools.tickets where subject = any($1)', [requests]);
      return rows.map(({ subject }) => subject);
    },
    close: () => database.end(),
  };
}

async function suffer({ name, happen, what }, cluster, load, say) {
  const { gate, steady, greedy, doors } = load;
  say(name);
  const victims = await gate.newClients(REVOKED);
  const revoked = await Promise.all(victims.map(async (client) => ({ client, token: await gate.newToken(client) })));
  const from = new Date(Date.now() - 1_000).toISOString();
  /** @type {import('./chaos/gate.mjs').Answer[]} */
  const answers = [];
  let going = true;
  const loops = [
    ...steady.map((client, i) => repeat(STEADY_EVERY_MS, i / STEADY, (n) => steadyCall(gate, doors, client, i + n, n))),
    ...greedy.map((client, i) => repeat(GREEDY_EVERY_MS, i / GREEDY, (n) => greedyCall(gate, doors[n % 2], client))),
    ...revoked.flatMap(({ client, token }, i) =>
      doors.map((door) => repeat(REVOKED_EVERY_MS, i / REVOKED, () => read(gate, door, client, token))),
    ),
  ];
  /** Calls again and again, not before the last one has its answer. */
  function repeat(everyMs, phase, call) {
    return (async () => {
      await pause(everyMs * phase);
      for (let n = 0; going; n += 1) {
        const next = pause(everyMs);
        const answer = await call(n);
        if (answer) answers.push(answer);
        await next;
      }
    })();
  }

  await pause(BEFORE_MS);
  const revoking = pause(500).then(() => revokeAll(gate, revoked, () => going));
  const began = Date.now();
  await happen();
  const ended = Date.now();
  say(`${name}: over after ${((ended - began) / 1000).toFixed(1)} s, waiting until all is well`);
  const recoveredAt = await recovered(cluster, load);
  await pause(AFTER_MS);
  going = false;
  const [revokedAt] = await Promise.all([revoking, ...loops]);

  const effects = answers.filter(({ tool }) => tool === 'create_support_ticket').map(({ request }) => request);
  const withheld = what === 'disk' ? answers.filter(({ status }) => status === 503) : [];
  const kept = answers.filter((answer) => !withheld.includes(answer));
  const look = async () => compare(kept, await load.recorded(from), await load.executed(effects));
  let found = await look();
  for (const until = Date.now() + STORED_WITHIN_MS; found.lost > 0 && Date.now() < until; found = await look())
    await pause(500);

  const victimIds = new Set(victims.map(({ client_id }) => client_id));
  const taken = takenAfter(
    answers.filter(({ client }) => victimIds.has(client)),
    revokedAt,
  );
  const greedyIds = new Set(greedy.map(({ client_id }) => client_id));
  load.askedGreedily.push(...answers.filter(({ client }) => greedyIds.has(client)));
  const greedyOf = ({ client_id }) => load.askedGreedily.filter(({ client }) => client === client_id);
  return {
    fault: name,
    ...found,
    unanswered: answers.length - answers.filter(({ status }) => status !== undefined).length,
    withheld: withheld.length,
    refused: answers.filter(({ status }) => status === 503).length,
    overLimit: Math.max(
      ...greedy.map((client) => overLimit(greedyOf(client), GREEDY_LIMIT.limit, GREEDY_LIMIT.windowMs)),
    ),
    /** after what time under the fault it was answered that the tokens are revoked */
    revokedSeconds: revokedAt === undefined ? null : (revokedAt - began) / 1000,
    revokedAccepted: taken.tooLate,
    revokedTakenSeconds: taken.lastMs / 1000,
    recoverySeconds: recoveredAt && Math.max(0, recoveredAt - ended) / 1000,
  };
}

/** Every third call has an effect, whose subject is the id of the request, so that it is found in the tools' data. */
async function steadyCall(gate, doors, client, turn, n) {
  const token = await gate.tokenOf(client).catch(() => undefined);
  if (token === undefined) return undefined;
  const door = doors[turn % doors.length];
  if (n % 3 !== 0) return read(gate, door, client, token);
  return gate.call(door, {
    client: client.client_id,
    token,
    tool: 'create_support_ticket',
    args: (request) => ({ customer_id: '12345', subject: request, description: 'a call of the chaos attack' }),
  });
}

const read = (gate, door, client, token) =>
  gate.call(door, {
    client: client.client_id,
    token,
    tool: 'get_customer_info',
    args: () => ({ customer_id: '12345' }),
  });

async function greedyCall(gate, door, client) {
  const token = await gate.tokenOf(client).catch(() => undefined);
  if (token === undefined) return undefined;
  const { tool, args } = GREEDY_CALL;
  return gate.call(door, { client: client.client_id, token, tool, args: () => args });
}

/** Asks until each is answered: who revokes does not give up. @returns when the last was, ms since epoch */
async function revokeAll(gate, revoked, isGoing) {
  await Promise.all(
    revoked.map(async ({ client, token }) => {
      while (isGoing() && !(await gate.revoke(client, token))) await pause(200);
    }),
  );
  return isGoing() ? Date.now() : undefined;
}

/** @returns when every process said it is ready and served a call with an effect, ms since epoch; undefined = it did not come to that */
async function recovered({ replicas }, { gate, doors, steady }) {
  const isReady = ({ management }) =>
    fetch(`${management}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  const serves = async (door, i) => {
    const token = await gate.tokenOf(steady[i]).catch(() => undefined);
    return token !== undefined && (await read(gate, door, steady[i], token)).status === 200;
  };
  for (const until = Date.now() + RECOVERED_WITHIN_MS; Date.now() < until;) {
    const ready = await Promise.all(replicas.map(isReady));
    if (ready.every(Boolean) && (await Promise.all(doors.map(serves))).every(Boolean)) return Date.now();
    await pause(250);
  }
  return null;
}

const COLUMNS = [
  'answered',
  'stored',
  'lost',
  'doubled',
  'unanswered',
  'refused',
  'open',
  'overLimit',
  'revokedAccepted',
];

function tell(row) {
  const counts = COLUMNS.map((column) => `${column} ${row[column]}`).join(', ');
  const back = row.recoverySeconds === null ? 'did not recover' : `recovered in ${row.recoverySeconds.toFixed(1)} s`;
  return `${row.fault}: ${holds(row) ? 'held' : 'FAILED'}: ${counts}, revoked after ${row.revokedSeconds?.toFixed(1) ?? 'no'} s and taken for ${row.revokedTakenSeconds.toFixed(1)} s, ${back}`;
}

function table(rows) {
  console.log(`| fault | ${COLUMNS.join(' | ')} | revoked taken for, s | recovered after, s | |`);
  console.log(`|---|${'---|'.repeat(COLUMNS.length + 3)}`);
  for (const row of rows) {
    const cells = COLUMNS.map((column) => row[column]);
    console.log(
      `| ${row.fault} | ${cells.join(' | ')} | ${row.revokedTakenSeconds.toFixed(1)} | ${row.recoverySeconds?.toFixed(1) ?? 'never'} | ${holds(row) ? 'held' : 'FAILED'} |`,
    );
  }
  console.log(
    `\nA token that is revoked may be taken for ${REVOKED_WITHIN_MS / 1000} s at most; open: attempts whose process died before their outcome.`,
  );
}
