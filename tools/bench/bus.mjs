// Events through the bus on Kafka, beside the same client's own produce and consume, on one broker in the same run.
import { kafkajsBus } from '@portcullis/bus/bus.kafkajs.kafka';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import { silentLog } from '@portcullis/contract/log';
import { KafkaContainer } from '../test/kafka-container.mjs';
import { whyNoContainers } from '../test/engine.mjs';
import { bare } from './bus/bare.mjs';

const TOPIC = 'portcullis.events';
const EVENTS = 40_000;
const BATCH = 500;
/** Ours makes half of what the client makes alone, or so many a second. */
const SHARE = 0.5;
const ENOUGH = 20_000;

/** about as long as the event of a tool call */
const batches = Array.from({ length: EVENTS / BATCH }, (_, batch) =>
  Array.from({ length: BATCH }, (_each, i) => ({
    key: `acme/agt_${i % 50}`,
    value: JSON.stringify({ id: `${batch}-${i}`, filler: Math.random().toString(36).repeat(60).slice(0, 700) }),
  })),
);
const perSecond = (since) => Math.round((1000 * EVENTS) / (performance.now() - since));
const counting = () => {
  let [count, done] = [0, () => {}];
  const all = new Promise((resolve) => (done = resolve));
  return { all, add: (more) => (count += more) >= EVENTS && done() };
};

async function producedAlone(client, topic) {
  const producer = await client.producer(topic);
  const since = performance.now();
  for (const batch of batches) await producer.send(batch);
  const rate = perSecond(since);
  await producer.close();
  return rate;
}

async function consumedAlone(client, topic) {
  const { all, add } = counting();
  const since = performance.now();
  const consumer = await client.consumer(topic, `${topic}-bare`, add);
  await all;
  const rate = perSecond(since);
  await consumer.close();
  return rate;
}

const ours = { '@platformatic/kafka': platformaticBus, kafkajs: kafkajsBus };

export async function run({ rounds }) {
  const why = await whyNoContainers();
  if (why !== undefined) {
    console.log(`skipped: bus (${why})`);
    return { bench: 'bus', skipped: why, ok: process.env.REQUIRE_ALL !== '1' };
  }
  const container = await new KafkaContainer().start();
  const broker = container.getBroker();
  const best = {};
  const keep = (client, what, rate) => (best[`${client} ${what}`] = Math.max(best[`${client} ${what}`] ?? 0, rate));
  try {
    for (let round = 0; round < Math.min(rounds, 3); round += 1) {
      for (const [client, open] of Object.entries(ours)) {
        const topicPrefix = `round${round}-${client.replace(/\W/g, '')}-`;
        const bus = open({ brokers: [broker], clientId: 'bench', topicPrefix, log: silentLog });
        await bus.publish('portcullis.signals', [{ key: 'acme/k', value: '{}' }]);
        const since = performance.now();
        for (const batch of batches) await bus.publish(TOPIC, batch);
        keep(client, 'publish', perSecond(since));
        const { all, add } = counting();
        const from = performance.now();
        await bus.subscribe(TOPIC, 'bench', async (messages) => void add(messages.length));
        await all;
        keep(client, 'subscribe', perSecond(from));
        await bus.close();
        const alone = bare[client](broker);
        keep(client, 'bare consume', await consumedAlone(alone, topicPrefix + TOPIC));
        keep(client, 'bare produce', await producedAlone(alone, topicPrefix + TOPIC));
      }
    }
  } finally {
    await container.stop();
  }
  const rows = Object.keys(ours).flatMap((client) =>
    [
      ['publish', 'bare produce'],
      ['subscribe', 'bare consume'],
    ].map(([ourWord, theirWord]) => {
      const [mine, theirs] = [best[`${client} ${ourWord}`], best[`${client} ${theirWord}`]];
      return { client, what: ourWord, perSecond: mine, bare: theirs, share: mine / theirs };
    }),
  );
  for (const row of rows) row.ok = row.share >= SHARE || row.perSecond >= ENOUGH;
  for (const { client, what, perSecond: rate, bare: alone, share, ok } of rows) {
    console.log(
      `${client.padEnd(20)} ${what.padEnd(10)} ${rate}/s, alone ${alone}/s: ${share.toFixed(2)} ${ok ? 'ok' : 'MISSED'}`,
    );
  }
  return { bench: 'bus', rows, ok: rows.every((row) => row.ok) };
}
