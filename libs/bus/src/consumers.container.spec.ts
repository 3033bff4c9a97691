import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { silentLog } from '@portcullis/contract/log';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { until } from './bus.contract.js';
import { kafkajsBus } from './bus.kafkajs.kafka.js';
import { platformaticBus } from './bus.platformatic.kafka.js';
import type { BusStats, Message } from './bus.js';
import { testKafka } from './kafka.fixture.js';
import type { KafkaBus } from './kafka.js';

const EVENTS = 'portcullis.events';
const { brokers, prefix } = testKafka();
let admin: Admin;
beforeAll(async () => {
  admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(() => admin?.disconnect());

const opened: KafkaBus[] = [];
afterEach(() => Promise.all(opened.splice(0).map((bus) => bus.close())));

describe.each([
  ['@platformatic/kafka', platformaticBus],
  ['kafkajs', kafkajsBus],
])('a consumer by %s', (_library, make) => {
  /** A cluster of a test's own, as its names go. */
  const cluster = () => {
    const topicPrefix = `${prefix}${randomBytes(4).toString('hex')}-`;
    return {
      group: `${topicPrefix}a.${EVENTS}`,
      open: (): KafkaBus => {
        const bus = make({
          brokers,
          clientId: 'spec',
          topicPrefix,
          topics: [EVENTS],
          compression: 'none',
          log: silentLog,
        });
        opened.push(bus);
        return bus;
      },
    };
  };
  const numbered = (count: number): Message[] =>
    Array.from({ length: count }, (_, i) => ({ key: `acme/${i}`, value: String(i) }));
  const ofEvents = ({ subscriptions }: BusStats) => subscriptions.find(({ topic }) => topic === EVENTS);
  const waiting = async (bus: KafkaBus): Promise<number> => {
    const behind = ofEvents(await bus.stats())?.behind;
    return behind === undefined ? NaN : [...behind.values()].reduce((sum, each) => sum + each, 0);
  };

  it('says how many messages of each partition wait, and how many batches were rejected', async () => {
    const bus = cluster().open();
    let open = false;
    await bus.subscribe(EVENTS, 'a', async () => {
      if (!open) throw new Error('not now');
    });
    await bus.publish(EVENTS, numbered(30));
    while (!ofEvents(await bus.stats())?.rejected) await new Promise((resolve) => setTimeout(resolve, 20));
    const stats = ofEvents(await bus.stats());
    expect([...(stats?.behind ?? [])]).toHaveLength(12);
    expect(await waiting(bus)).toBe(30);
    open = true;
    while ((await waiting(bus)) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ofEvents(await bus.stats())).toMatchObject({ handled: 30, buried: 0 });
  });

  it('that stops has left its group by then, so that nobody waits for its session to end', async () => {
    const { group, open } = cluster();
    const [staying, leaving] = [open(), open()];
    const [here, there]: [Message[], Message[]] = [[], []];
    await staying.subscribe(EVENTS, 'a', async (messages) => void here.push(...messages));
    const subscription = await leaving.subscribe(EVENTS, 'a', async (messages) => void there.push(...messages));
    while (there.length === 0) await staying.publish(EVENTS, numbered(40));
    await subscription.stop();
    const { groups } = await admin.describeGroups([group]);
    expect(groups[0]?.members).toHaveLength(1);

    const last: Message[] = numbered(40).map(({ key }) => ({ key, value: 'last' }));
    await staying.publish(EVENTS, last);
    await until(() => new Set(here.filter(({ value }) => value === 'last').map(({ key }) => key)).size === 40);
    expect(there.some(({ value }) => value === 'last')).toBe(false);
    expect(ofEvents(await staying.stats())?.rebalances).toBeGreaterThan(0);
  });

  it('whose handler is slow holds a part of what waits, however much that is', async () => {
    const { open } = cluster();
    const publisher = open();
    const MB = 1_048_576;
    // 96 MB
    for (let i = 0; i < 24; i += 1) {
      const batch = Array.from({ length: 10 }, (_, at) => ({
        key: `acme/${i}-${at}`,
        value: randomBytes(150_000).toString('hex') + 'x'.repeat(100_000),
      }));
      await publisher.publish(EVENTS, batch);
    }
    await publisher.close();
    const before = held();
    const slow = open();
    let go: () => void = () => undefined;
    const going = new Promise<void>((resolve) => (go = resolve));
    let most = 0;
    await slow.subscribe(EVENTS, 'a', async (messages) => {
      most = Math.max(most, messages.length);
      await going;
    });
    await until(() => most > 0);
    // time enough to fetch all of it
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const more = held() - before;
    go();
    expect(more / MB).toBeLessThan(40);
    while ((await waiting(slow)) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ofEvents(await slow.stats())?.handled).toBe(240);
  });
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
/** Bytes that are in use. */
function held(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
