import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { silentLog } from '@portcullis/contract/log';
import { breaking, freePort } from '../../../tools/test/breaking.mjs';
import { KafkaContainer, type StartedKafkaContainer } from '../../../tools/test/kafka-container.mjs';
import type { Bus } from './bus.js';
import { kafkajsBus } from './bus.kafkajs.kafka.js';
import { platformaticBus } from './bus.platformatic.kafka.js';
import { expectWhole, recovered, steadyLoad, wait, type SteadyLoad } from './steady-load.fixture.js';

// With a broker of this file's own, which is broken under a steady load.
let container: StartedKafkaContainer;
let broker: Awaited<ReturnType<typeof breaking>>;
beforeAll(async () => {
  container = await new KafkaContainer().withFixedPort(await freePort()).start();
  broker = await breaking(container);
});
afterAll(() => container?.stop());

const loads: SteadyLoad[] = [];
const load = async (topicPrefix: string, make = platformaticBus): Promise<SteadyLoad> => {
  const open = (): Bus =>
    make({ brokers: [container.getBroker()], clientId: 'chaos', topicPrefix, timeoutMs: 3_000, log: silentLog });
  const steady = await steadyLoad(open);
  loads.push(steady);
  return steady;
};
afterEach(() => Promise.all(loads.splice(0).map((steady) => steady.close())));

test.each([
  ['@platformatic/kafka', 'killed-p-', platformaticBus],
  ['kafkajs', 'killed-k-', kafkajsBus],
])(
  'by %s: a broker that is killed and started again loses nothing, and each key keeps its order',
  async (_library, prefix, make) => {
    const steady = await load(prefix, make);
    await recovered(steady);
    await broker.kill();
    await wait(1_000);
    await broker.startAgain();
    await recovered(steady);
    const { events, standing, sent } = await steady.end();
    expectWhole(events, sent);
    expectWhole(standing, sent);
  },
);

test('a broker that is paused for longer than any request waits loses nothing', async () => {
  const steady = await load('paused-');
  await recovered(steady);
  await broker.pause();
  await wait(8_000);
  await broker.unpause();
  await recovered(steady);
  const { events, standing, sent } = await steady.end();
  expect(steady.failures()).toBeGreaterThan(0);
  expectWhole(events, sent);
  expectWhole(standing, sent);
});

test('a publish to a broker that does not answer is refused within its time', async () => {
  const bus = platformaticBus({
    brokers: [container.getBroker()],
    clientId: 'chaos',
    topicPrefix: 'refused-',
    timeoutMs: 1_000,
    log: silentLog,
  });
  await bus.publish('portcullis.events', [{ key: 'k', value: '1' }]);
  await broker.pause();
  const refused = bus.publish('portcullis.events', [{ key: 'k', value: '2' }]);
  await expect(refused).rejects.toThrow();
  await broker.unpause();
  await bus.close();
});
