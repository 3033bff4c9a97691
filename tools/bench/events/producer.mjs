// Makes events, told how many by its parent: into an outbox that ships them to Kafka, or with the bare client.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import { eventKey, link, newChain } from '@portcullis/bus/outbox';
import { openOutbox } from '@portcullis/bus/outbox.file';
import { silentLog } from '@portcullis/contract/log';
import { newId } from '@portcullis/guard/new-id.memory';
import { bare } from '../bus/bare.mjs';
import { draft } from '../outbox.mjs';
import { BATCH, CLIENT, tell, TOPIC } from './shared.mjs';

const { BENCH_BROKER: broker, BENCH_PREFIX: topicPrefix, BENCH_BARE } = process.env;
/** Calls that end in one turn of the event loop. */
const TOGETHER = 32;
/** What is not shipped yet; more makes nothing faster. */
const AHEAD = 20_000;
const AGENTS = Array.from({ length: 50 }, () => `agt_${randomBytes(13).toString('hex')}`);
const nth = (i) => draft(Date.now(), AGENTS[i % AGENTS.length]);
const turn = () => new Promise((resolve) => setImmediate(resolve));

const bus = platformaticBus({ brokers: [broker], clientId: 'mcp-server', topicPrefix, log: silentLog });
// looks at the topics, and makes them
await bus.publish('portcullis.signals', [{ key: 'bench', value: '{}' }]);
const produce = BENCH_BARE ? await fromBatches() : await fromOutbox();
process.on('message', async ({ produce: count }) => {
  if (count === undefined) return tell('used');
  await produce(count);
  tell('produced');
});
process.on('disconnect', () => process.exit());
tell('ready');

async function fromOutbox() {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  const events = await openOutbox({ dir, service: 'mcp-server', bus, now: Date.now, newId, log: silentLog });
  return async (count) => {
    let last;
    for (let i = 0; i < count; i += 1) {
      last = events.append(nth(i));
      last.catch(() => process.exit(1));
      if (i % TOGETHER !== TOGETHER - 1) continue;
      await turn();
      while (events.stats().pending > AHEAD) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await last;
  };
}

/** The same lines, made before. */
async function fromBatches() {
  const producer = await bare[CLIENT](broker).producer(topicPrefix + TOPIC);
  let head = newChain('mcp-server', newId());
  return async (count) => {
    const messages = Array.from({ length: count }, (_, i) => {
      const made = link(head, nth(i), newId());
      head = made.head;
      return { key: eventKey(made.event), value: made.line };
    });
    tell('made');
    for (let i = 0; i < count; i += BATCH) await producer.send(messages.slice(i, i + BATCH));
  };
}
