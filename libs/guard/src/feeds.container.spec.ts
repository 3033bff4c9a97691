import { afterEach, expect, test } from '@jest/globals';
import type { Bus } from '@portcullis/bus/bus';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import { testKafka } from '@portcullis/bus/kafka.fixture';
import type { PassedOver } from '@portcullis/contract/containment';
import { principalId } from '@portcullis/contract/ids';
import { silentLog } from '@portcullis/contract/log';
import type { BehaviourState } from '@portcullis/contract/standing';
import { randomBytes } from 'node:crypto';
import { memoryContainment } from './containment.memory.js';
import { signersOn } from './feeds.fixture.js';
import { standingFeed } from './standing-feed.js';

const STANDING = 'portcullis.standing';
const { brokers, prefix } = testKafka();
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

// What feeds do on any bus is in statement-feed.contract.ts; this is how much of it.

/** A cluster of a test's own: each replica has a bus, and knows who may sign. */
function cluster() {
  const topicPrefix = `${prefix}${randomBytes(4).toString('hex')}-`;
  const containment = memoryContainment();
  const bus = (): Bus => {
    const one = platformaticBus({ brokers, clientId: 'spec', topicPrefix, log: silentLog });
    opened.push(one);
    return one;
  };
  const replica = async () => {
    const passedOver: PassedOver[] = [];
    const feed = await standingFeed(bus(), 'mcp-server', {
      keysOf: containment.keysOf,
      now: Date.now,
      uptime: () => performance.now(),
      passedOver: (_topic, why) => void passedOver.push(why),
      log: silentLog,
    });
    opened.push({ close: feed.stop });
    return { feed, passedOver };
  };
  const publisher = bus();
  return { replica, signers: signersOn(publisher, containment) };
}
const agentOf = (n: number) => principalId('default', `agent-${n}`);
const keyOf = (n: number) => `default/${agentOf(n)}`;
const bodyOf = (n: number, state: BehaviourState) => ({
  tenant: 'default',
  agent: agentOf(n),
  state,
  since: '2026-01-01T00:00:00.000Z',
});
const who = (n: number) => ({ tenant: 'default', principal: agentOf(n) });
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('four replicas hear all of a thousand changes, each agent’s in order, and a fifth knows them before it is there', async () => {
  const { replica, signers } = cluster();
  const replicas = await Promise.all([replica(), replica(), replica(), replica()]);
  const states = ['Isolated', 'Remediation', 'Monitoring', 'Normal', 'Compromised'] as const;
  const agents = Array.from({ length: 100 }, (_, n) => n);
  for (let round = 0; round < 10; round++) {
    const state = states[round % states.length]!;
    const sayings = agents.map((n) => ({ key: keyOf(n), seq: round, body: bodyOf(n, state) }));
    await signers.publish(STANDING, ...sayings);
  }
  for (const { feed, passedOver } of replicas) {
    await until(() => agents.every((n) => feed.stateOf(who(n)) === 'Compromised' && feed.seqOf(keyOf(n)) === 9));
    // nothing came out of order
    expect(passedOver).toEqual([]);
  }
  const late = await replica();
  expect(agents.map((n) => late.feed.stateOf(who(n)))).toEqual(agents.map(() => 'Compromised'));
}, 120_000);
