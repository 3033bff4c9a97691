import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { silentLog } from '@portcullis/contract/log';
import { ToxiProxyContainer, type StartedToxiProxyContainer } from '@testcontainers/toxiproxy';
import { Network, type StartedNetwork } from 'testcontainers';
import { IMAGES } from '../../../tools/test/engine.mjs';
import { KafkaContainer, type StartedKafkaContainer } from '../../../tools/test/kafka-container.mjs';
import type { Bus } from './bus.js';
import { kafkajsBus } from './bus.kafkajs.kafka.js';
import { platformaticBus } from './bus.platformatic.kafka.js';
import { draft, openTestOutbox, removeTemporaryDirectories, temporaryDirectory } from './outbox.fixture.js';
import { expectWhole, recovered, steadyLoad, wait } from './steady-load.fixture.js';

// Between clients and a broker of this file's own stands toxiproxy: the clients know no other way to it, for each has a
// listener that tells them to come through there. What is done to the network takes long, so all of it is done at once.
type Toxic = readonly [type: 'timeout' | 'reset_peer' | 'latency', stream: 'upstream' | 'downstream'];
interface Case {
  readonly toxics: readonly Toxic[];
  /** of each toxic; ms */
  readonly attributes: Readonly<Record<string, number>>;
  /** so long; ms */
  readonly lasts: number;
  readonly make: typeof platformaticBus;
  /** nothing gets through meanwhile */
  readonly cut: boolean;
}
const NOTHING: Case = {
  toxics: [
    ['timeout', 'upstream'],
    ['timeout', 'downstream'],
  ],
  attributes: { timeout: 0 },
  lasts: 20_000,
  make: platformaticBus,
  cut: true,
};
const RESET: Case = { ...NOTHING, toxics: [['reset_peer', 'downstream']] };
const CASES: Readonly<Record<string, Case>> = {
  'nothing comes through for 20 s': NOTHING,
  'every connection is reset for 20 s': RESET,
  'every answer is lost for 10 s, and every request arrives': {
    ...NOTHING,
    toxics: [['timeout', 'downstream']],
    lasts: 10_000,
  },
  'every answer takes 2 s': {
    ...NOTHING,
    toxics: [['latency', 'downstream']],
    attributes: { latency: 2_000 },
    lasts: 10_000,
    cut: false,
  },
  'nothing comes through to kafkajs for 20 s': { ...NOTHING, make: kafkajsBus },
};

const topics = ['portcullis.events', 'portcullis.standing'] as const;
type Proxy = Awaited<ReturnType<StartedToxiProxyContainer['createProxy']>>;

let network: StartedNetwork;
let toxiproxy: StartedToxiProxyContainer;
let kafka: StartedKafkaContainer;
let runs: Record<string, ReturnType<typeof play>>;
beforeAll(async () => {
  network = await new Network().start();
  toxiproxy = await new ToxiProxyContainer(IMAGES.toxiproxy).withNetwork(network).start();
  const container = new KafkaContainer().withNetwork(network).withNetworkAliases('kafka');
  const proxies: [string, Case, Proxy][] = [];
  // one after the other: each takes the next port that none has yet
  for (const [name, each] of Object.entries(CASES)) {
    const at = proxies.length;
    const port = 9200 + at;
    const proxy = await toxiproxy.createProxy({ name: String(at), upstream: `kafka:${port}` });
    container.withListener(`THROUGH${at}`, port, `${proxy.host}:${proxy.port}`);
    proxies.push([name, each, proxy]);
  }
  kafka = await container.start();
  for (const [, , { port }] of proxies) {
    const brokers = [kafka.getBroker()];
    const maker = platformaticBus({ brokers, clientId: 'maker', topicPrefix: `${port}-`, topics, log: silentLog });
    await maker.readToEnd('portcullis.standing', async () => undefined);
    await maker.close();
  }
  runs = Object.fromEntries(
    proxies.map(([name, each, proxy]) => {
      const run = play(each, proxy);
      run.catch(() => undefined);
      return [name, run];
    }),
  );
});
afterAll(async () => {
  await kafka?.stop();
  await toxiproxy?.stop();
  await network?.stop();
  removeTemporaryDirectories();
});

/** A load, and an outbox, through the proxy, and what came of both. */
async function play({ toxics, attributes, lasts, make, cut }: Case, { host, port, instance }: Proxy) {
  const options = {
    brokers: [`${host}:${port}`],
    clientId: 'network',
    topicPrefix: `${port}-`,
    topics,
    log: silentLog,
  };
  const open = (): Bus => make({ ...options, timeoutMs: cut ? 3_000 : 10_000 });
  const steady = await steadyLoad(open);
  const bus = open();
  const outbox = await openTestOutbox(temporaryDirectory(), bus);
  await outbox.append(draft('before', 'acme'));
  await recovered(steady);

  const spoiled = await Promise.all(
    toxics.map(([type, stream]) =>
      instance.addToxic({ name: `${type}-${stream}`, type, stream, toxicity: 1, attributes }),
    ),
  );
  const failedBefore = steady.failures();
  const meanwhile = await outbox.append(draft('meanwhile', 'acme'));
  await wait(lasts);
  const during = { failures: steady.failures() - failedBefore, waiting: outbox.stats().pending };
  const reachedBy = steady.reached();
  // one round is two publishes, and each waits for an answer
  if (!cut) await recovered(steady, 2);
  await Promise.all(spoiled.map((toxic) => toxic.remove()));
  await recovered(steady);

  const whole = await steady.end();
  const heardOf = (): boolean => steady.events.some(({ value }) => value.includes(meanwhile.id));
  while (!heardOf()) await wait(20);
  const after = outbox.stats();
  await outbox.close();
  await Promise.all([steady.close(), bus.close()]);
  return { ...whole, during, after, reachedBy };
}

test.each(Object.keys(CASES))(
  'when %s, nothing is lost, keys keep their order, and all goes on by itself',
  async (name) => {
    const { events, standing, sent, during, after, reachedBy } = await runs[name]!;
    expectWhole(events, sent);
    expectWhole(standing, sent);
    expect(after).toMatchObject({ pending: 0, lost: 0 });
    if (CASES[name]!.cut) {
      // a publish is refused in its time, and what an outbox has waits
      expect(during.failures).toBeGreaterThan(0);
      expect(during.waiting).toBeGreaterThan(0);
    }
    expect(sent).toBeGreaterThan(reachedBy);
  },
);
