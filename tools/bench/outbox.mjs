// What it costs to keep an event: append and its share of the turn's write, beside the least that must be done for it (the
// line, its hash, the write) in the same run. A turn of the event loop that nothing disturbs takes as long as its CPU time,
// and most are such: so the median is taken by the clock, since many systems count CPU time in steps of milliseconds; the
// mean is that of the thread's CPU time, with shipping, cursor and all.
import { hash, randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOutbox } from '@portcullis/bus/outbox.file';
import { newId } from '@portcullis/guard/new-id.memory';
import { judge } from './calls/verdict.mjs';
import { median } from './peer.mjs';

/** Ours may cost so many times the least. */
const BAR = 1.6;
/** What it may cost on any machine of today, microseconds; printed beside. */
const ABSOLUTE = 10;
/** Appends in one turn of the event loop; the bar is held at the second. */
const GROUPS = [1, 32];
const HELD = 32;
const WARMUP = 500;
const TURNS = 2000;

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const bus = { publish: async () => {}, subscribe: async () => ({ stop: async () => {} }), close: async () => {} };

/** One call of a tool, as mcp-server tells it. */
export const draft = (at, subject = 'agt_aaaaaaaaaaaaaaaaaaaaaaaaaa') => ({
  type: 'portcullis.call.v1',
  fits: true,
  tenant: 'default',
  subject,
  at,
  data: {
    correlationId: '019b7d5e-0000-7000-8000-000000000001',
    clientId: 'support-agent',
    tokenId: '3f0c4b9e-9d5e-4d5f-8b8a-5b8f3a1c2d4e',
    task: 'tsk_01',
    method: 'tools/call',
    tool: 'get_customer_info',
    outcome: 'allowed',
    denial: false,
    http: 200,
    argumentsDigest: '5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592',
    llmTokens: 120,
    durationMs: 1,
    stepsMs: {},
    address: '127.0.0.1',
    client: {},
  },
});

/** Microseconds of CPU of this thread. */
const cpu = () => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const percentile = (numbers, share) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * share)];

/** @param enqueue of so many events, whose cost is over with the next turn @returns microseconds an event */
async function measured(enqueue, group) {
  const costs = [];
  let before = 0;
  for (let i = 0; i < WARMUP + TURNS; i += 1) {
    if (i === WARMUP) before = cpu();
    const from = performance.now();
    enqueue(group);
    await turn();
    if (i >= WARMUP) costs.push(((performance.now() - from) * 1000) / group);
  }
  return { p50: percentile(costs, 0.5), p99: percentile(costs, 0.99), cpu: (cpu() - before) / (TURNS * group) };
}

async function ours(dir, group) {
  const events = await openOutbox({ dir, service: 'mcp-server', bus, now: Date.now, newId, log: silent });
  const enqueue = (count) => {
    for (let i = 0; i < count; i += 1) void events.append(draft(Date.now()));
  };
  const costs = await measured(enqueue, group);
  const { spooled } = events.stats();
  await events.close();
  if (spooled !== (WARMUP + TURNS) * group) throw new Error(`only ${spooled} events were kept`);
  return costs;
}

/** The same line, its hash in the next one, and one write a turn. */
async function bare(dir, group) {
  const fd = openSync(join(dir, 'bare'), 'w', 0o600);
  let prev = '0'.repeat(64);
  let seq = 0;
  let size = 0;
  const enqueue = (count) => {
    const lines = [];
    for (let i = 0; i < count; i += 1) {
      const { at, fits: _, ...rest } = draft(Date.now());
      const line = JSON.stringify({
        specversion: '1.0',
        id: randomUUID(),
        source: '/portcullis/mcp-server/bare',
        time: new Date(at).toISOString(),
        datacontenttype: 'application/json',
        seq: (seq += 1),
        prev,
        ...rest,
      });
      prev = hash('sha256', line);
      lines.push(`${line}\n`);
    }
    setImmediate(() => {
      const bytes = Buffer.from(lines.join(''));
      writeSync(fd, bytes, 0, bytes.length, size);
      size += bytes.length;
      if (size > 8 * 1024 * 1024) ftruncateSync(fd, (size = 0));
    });
  };
  const costs = await measured(enqueue, group);
  closeSync(fd);
  return costs;
}

export async function run({ rounds }) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const figures = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const group of GROUPS) {
        const least = await bare(folder, group);
        const own = await ours(join(folder, `${round}-${group}`), group);
        figures.push({ round, group, bare: least, outbox: own });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const of = (group) => figures.filter((figure) => figure.group === group);
  for (const group of GROUPS) {
    const figure = (server, name) => median(of(group).map((each) => each[server][name])).toFixed(1);
    const line = (server) =>
      `${figure(server, 'p50')} µs (p50), ${figure(server, 'p99')} (p99), ${figure(server, 'cpu')} of CPU on the mean`;
    console.log(`${String(group).padStart(3)} a turn: an event costs ${line('outbox')}`);
    console.log(`            the least for it ${line('bare')}`);
  }
  const verdict = judge(
    of(HELD).map(({ outbox, bare }) => outbox.p50 / bare.p50),
    BAR,
  );
  const p50 = median(of(HELD).map(({ outbox }) => outbox.p50));
  const ok = verdict.verdict === 'met';
  console.log(
    `${verdict.verdict}: ${verdict.ratio.toFixed(2)} times the least at ${HELD} a turn (bar ${BAR}, spread ${verdict.spread.toFixed(2)}); ${p50.toFixed(1)} µs of at most ${ABSOLUTE}`,
  );
  return { bench: 'outbox', figures, ...verdict, p50, absolute: { bar: ABSOLUTE, met: p50 <= ABSOLUTE }, ok };
}
