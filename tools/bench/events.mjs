// Audit events a second from a service's outbox through Kafka to the handler of security-analytics, all at once in two
// processes; beside it the client alone, which produces and reads the same lines in two processes as well.
import { fork } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { whyNoContainers } from '../test/engine.mjs';
import { KafkaContainer } from '../test/kafka-container.mjs';
import { EVENTS } from './backbone-bars.mjs';
import { judgeLeast } from './calls/verdict.mjs';
import { median } from './peer.mjs';
import { postgresForBench } from './postgres.mjs';

const MEASURED = 40_000;
/** Before each measurement, so that no compiler is in it. */
const WARM = 10_000;
/** The audit store takes more time than all the rest. */
const STORED = { events: 10_000, warm: 2_000 };
/** What is not all there by then will never be. */
const GIVEN_UP_MS = 300_000;
const SAYS = {
  bare: 'the client alone: produces, reads',
  road: 'outbox, Kafka, handler of security-analytics',
  stored: 'the same with its store on Postgres, no bar',
};

export async function run({ rounds }) {
  const why = await whyNoContainers();
  if (why !== undefined) {
    console.log(`skipped: events (${why})`);
    return { bench: 'events', skipped: why, ok: process.env.REQUIRE_ALL !== '1' };
  }
  const closing = [];
  const found = [];
  try {
    const kafka = await new KafkaContainer().start();
    closing.push(() => kafka.stop());
    const postgres = await postgresForBench();
    closing.push(postgres.stop);
    const env = { BENCH_BROKER: kafka.getBroker() };
    for (let round = 0; round < rounds; round += 1) {
      const prefixed = (name) => ({ ...env, BENCH_PREFIX: `round${round}-${name}-` });
      const all = {
        bare: () => measured({ ...prefixed('bare'), BENCH_BARE: '1' }, MEASURED, WARM),
        road: () => measured(prefixed('road'), MEASURED, WARM),
        stored: () => measured({ ...prefixed('stored'), BENCH_DATABASE: postgres.url }, STORED.events, STORED.warm),
      };
      // the one that comes first has the machine as the last round left it
      const order = round % 2 === 0 ? ['bare', 'road', 'stored'] : ['road', 'bare', 'stored'];
      const rates = {};
      for (const name of order) rates[name] = await all[name]();
      console.error(`round ${round + 1} of ${rounds}: ${JSON.stringify(rates)}`);
      found.push(rates);
    }
  } finally {
    for (const close of closing.reverse()) await close();
  }
  return verdict(found);
}

/** From the first event that is made until the last is handled. @returns events a second, and CPU time of each side for one */
async function measured(env, events, warm) {
  const consumer = started('./events/consumer.mjs', env);
  const producer = started('./events/producer.mjs', env);
  try {
    await producer.said('ready');
    await consumer.said('ready');
    const before = await through(producer, consumer, warm, warm, env);
    const after = await through(producer, consumer, events, warm + events, env);
    return {
      perSecond: Math.round((1000 * events) / after.ms),
      producerMicros: Math.round((after.produced - after.made) / events),
      consumerMicros: Math.round((after.heard - before.heard) / events),
    };
  } finally {
    for (const { child } of [producer, consumer]) child.disconnect();
  }
}

/** @returns ms that it took, and the CPU times that each side had used until then */
async function through(producer, consumer, count, all, { BENCH_BARE }) {
  const heard = consumer.said('heard');
  const produced = producer.said('produced');
  // the client alone is given lines that are there already
  const made = producer.said(BENCH_BARE ? 'made' : 'used');
  consumer.child.send({ expect: all });
  if (!BENCH_BARE) producer.child.send({});
  let began = performance.now();
  producer.child.send({ produce: count });
  const usedBefore = await made;
  if (BENCH_BARE) began = performance.now();
  const waiting = new AbortController();
  const never = pause(GIVEN_UP_MS, undefined, { signal: waiting.signal }).then(() => {
    throw new Error(`of ${all} events not all were handled within ${GIVEN_UP_MS / 1000} s`);
  });
  never.catch(() => {});
  const heardBy = await Promise.race([heard, never]);
  waiting.abort();
  const ms = performance.now() - began;
  await produced;
  const used = producer.said('used');
  producer.child.send({});
  return { ms, made: usedBefore, produced: await used, heard: heardBy };
}

function started(program, env) {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), { env: { ...process.env, ...env } });
  const gone = new Promise((_, reject) =>
    child.once('exit', (code) => reject(new Error(`${program} ended (${code})`))),
  );
  gone.catch(() => {});
  /** @returns its CPU time when it says so the next time */
  const said = (word) =>
    Promise.race([
      gone,
      new Promise((resolve) => {
        const hear = (message) => {
          if (!(word in message)) return;
          child.off('message', hear);
          resolve(message.cpu);
        };
        child.on('message', hear);
      }),
    ]);
  return { child, said };
}

function verdict(rounds) {
  const rows = Object.entries(SAYS).map(([name, says]) => {
    const middle = (figure) => Math.round(median(rounds.map((all) => all[name][figure])));
    const [perSecond, producerMicros, consumerMicros] = ['perSecond', 'producerMicros', 'consumerMicros'].map(middle);
    const share = median(rounds.map((all) => all[name].perSecond / all.bare.perSecond));
    return { name, says, perSecond, share: Number(share.toFixed(3)), producerMicros, consumerMicros };
  });
  const [what, of, bar] = EVENTS;
  const held = judgeLeast(rounds.map(of), bar);
  for (const { says, perSecond, share, producerMicros, consumerMicros } of rows) {
    const cpu = `CPU of one ${producerMicros} µs where it is made, ${consumerMicros} where it is read`;
    console.log(
      `${says.padEnd(52)}${String(perSecond).padStart(7)}/s  ${share.toFixed(2)} of the client alone  ${cpu}`,
    );
  }
  const word = held.verdict === 'met' ? held.verdict : held.verdict.toUpperCase();
  console.log(`${word}: ${what} (${held.ratio.toFixed(2)} of that, rounds spread ${held.spread.toFixed(2)})`);
  return { bench: 'events', rows, ...held, rounds, skipped: null, ok: held.verdict === 'met' };
}
