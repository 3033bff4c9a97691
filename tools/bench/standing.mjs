// How long a change of standing takes from its signer to the calls of four other processes, through Kafka.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import { silentLog } from '@portcullis/contract/log';
import { statementSigner } from '@portcullis/guard/statement';
import { publishStatements } from '@portcullis/guard/statements';
import { whyNoContainers } from '../test/engine.mjs';
import { KafkaContainer } from '../test/kafka-container.mjs';

const REPLICAS = 4;
const CHANGES = 1_000;
const EVERY_MS = 10;
const BAR_MS = 1_000;

export async function run() {
  const why = await whyNoContainers();
  if (why !== undefined) {
    console.log(`skipped: standing (${why})`);
    return { bench: 'standing', skipped: why, ok: process.env.REQUIRE_ALL !== '1' };
  }
  const kafka = await new KafkaContainer().start();
  const broker = kafka.getBroker();
  const bus = platformaticBus({ brokers: [broker], clientId: 'bench', topicPrefix: '', log: silentLog });
  const signer = statementSigner('security-analytics', [randomBytes(32)]);
  const replicas = [];
  try {
    for (let i = 0; i < REPLICAS; i += 1) replicas.push(await startReplica(broker, signer.jwks));
    const said = [];
    const took = performance.timeOrigin;
    for (let i = 0; i < CHANGES; i += 1) {
      const next = pause(EVERY_MS);
      const agent = `agt_${i}`;
      const body = { tenant: 'default', agent, state: 'Isolated', since: new Date().toISOString() };
      said.push(took + performance.now());
      await publishStatements(bus, 'portcullis.standing', signer, [{ key: `default/${agent}`, seq: 1, body }]);
      await next;
    }
    const heard = await Promise.all(replicas.map(({ heard: all }) => all));
    return verdict(heard.flatMap((all) => all.map(([i, at]) => at - said[i])));
  } finally {
    for (const { child } of replicas) child.send('end');
    await bus.close();
    await kafka.stop();
  }
}

async function startReplica(broker, jwks) {
  const child = fork(fileURLToPath(new URL('./standing/replica.mjs', import.meta.url)), {
    env: { ...process.env, BROKER: broker, JWKS: JSON.stringify(jwks), AGENTS: String(CHANGES) },
  });
  const messages = { ready: Promise.withResolvers(), heard: Promise.withResolvers() };
  child.on('message', (message) => {
    for (const [name, value] of Object.entries(message)) messages[name].resolve(value);
  });
  child.once('exit', (code) => {
    for (const { reject } of Object.values(messages)) reject(new Error(`a replica ended (${code})`));
  });
  messages.heard.promise.catch(() => {});
  await messages.ready.promise;
  return { child, heard: messages.heard.promise };
}

function verdict(ages) {
  const sorted = ages.toSorted((a, b) => a - b);
  const at = (share) => Number(sorted[Math.ceil(share * sorted.length) - 1].toFixed(1));
  const [p50Ms, p99Ms, mostMs] = [at(0.5), at(0.99), at(1)];
  const ok = sorted.length === REPLICAS * CHANGES && p99Ms < BAR_MS;
  console.log(
    `${CHANGES} changes to ${REPLICAS} processes: p50 ${p50Ms} ms, p99 ${p99Ms} ms, longest ${mostMs} ms  bar ${BAR_MS} ms: ${ok ? 'met' : 'MISSED'}`,
  );
  return {
    bench: 'standing',
    replicas: REPLICAS,
    changes: CHANGES,
    p50Ms,
    p99Ms,
    mostMs,
    bar: BAR_MS,
    skipped: null,
    ok,
  };
}
