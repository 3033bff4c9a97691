// Audit events a second from a service's outbox through Kafka to the handler of security-analytics, all at once in two
// processes; beside it the client alone, which produces and reads the same lines in two processes as well.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { whyNoContainers } from '../test/engine.mjs';
import { KafkaContainer } from '../test/kafka-container.mjs';
import { judgeLeast } from './calls/verdict.mjs';
import { median } from './peer.mjs';
import { postgresForBench } from './postgres.mjs';

const EVENTS = 40_000;
/** Before each measurement, so that no compiler is in it. */
const WARM = 10_000;
/** The audit store takes more time than all the rest. */
const STORED = { events: 10_000, warm: 2_000 };
/** One consumer takes so many a second, or half of what the client does alone. */
const ENOUGH = 20_000;
const SHARE = 0.5;
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
        bare: () => measured({ ...prefixed('bare'), BENCH_BARE: '1' }, EVENTS, WARM),
        road: () => measured(prefixed('road'), EVENTS, WARM),
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
  const heardBy = await heard;
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
  // how much of what it must do it does, by the bar that is easier to meet in that round
  const scores = rounds.map(({ road, bare }) => road.perSecond / Math.min(ENOUGH, SHARE * bare.perSecond));
  const held = judgeLeast(scores, 1);
  for (const { says, perSecond, share, producerMicros, consumerMicros } of rows) {
    const cpu = `CPU of one ${producerMicros} µs where it is made, ${consumerMicros} where it is read`;
    console.log(
      `${says.padEnd(52)}${String(perSecond).padStart(7)}/s  ${share.toFixed(2)} of the client alone  ${cpu}`,
    );
  }
  const word = held.verdict === 'met' ? held.verdict : held.verdict.toUpperCase();
  console.log(
    `${word}: ${ENOUGH} a second, or ${SHARE} of the client alone (${held.ratio.toFixed(2)} of that, rounds spread ${held.spread.toFixed(2)})`,
  );
  return { bench: 'events', rows, ...held, rounds, skipped: null, ok: held.verdict === 'met' };
}
