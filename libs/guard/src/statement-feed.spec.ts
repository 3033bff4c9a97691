import type { Bus, Message } from '@portcullis/bus/bus';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { heartbeatKey, STALE_MS } from '@portcullis/contract/containment';
import { principalId } from '@portcullis/contract/ids';
import type { BehaviourState } from '@portcullis/contract/standing';
import { silentLog } from '@portcullis/contract/log';
import { startHeartbeats } from './heartbeats.memory.js';
import { feedRig } from './feeds.fixture.js';
import { openFeeds, feedAge } from './feeds.js';
import { standingFeed } from './standing-feed.js';
import { statementSigner } from './statement.js';
import { publishStatements } from './statements.js';

const STANDING = 'portcullis.standing';
const HEARTBEAT = heartbeatKey(STANDING);
const agentOf = (name: string) => principalId('default', name);
const bodyOf = (state: BehaviourState, name = 'a') => ({
  tenant: 'default',
  agent: agentOf(name),
  state,
  since: '2026-01-01T00:00:00.000Z',
});
const keyOf = (name = 'a') => `default/${agentOf(name)}`;
const who = { tenant: 'default', principal: agentOf('a') };

/** A bus that notes what is published, as somebody who listens in would. */
function overheard() {
  const bus = memoryBus();
  const heard: Message[] = [];
  const noting: Bus = {
    ...bus,
    publish: (topic, messages) => {
      heard.push(...messages);
      return bus.publish(topic, messages);
    },
  };
  return { bus: noting, heard };
}

describe('how fresh a feed is', () => {
  test('is the time since the last heartbeat, by a clock that is never turned', async () => {
    const rig = feedRig();
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    expect([feed.isFresh(), feed.ageMs()]).toEqual([false, Infinity]);
    await rig.beat(STANDING, rig.clock.now);
    for (const hour of [1, -2]) {
      rig.clock.now += hour * 3_600_000;
      expect([feed.isFresh(), feed.ageMs()]).toEqual([true, 0]);
    }
    rig.pass(STALE_MS);
    expect([feed.isFresh(), feedAge(feed)]).toEqual([true, 'heard 3000 ms ago']);
    rig.pass(1);
    expect([feed.isFresh(), feedAge(feed)]).toEqual([false, 'stale: heard 3001 ms ago']);
    await rig.beat(STANDING, rig.clock.now);
    expect(feed.isFresh()).toBe(true);
  });

  test.each([-1, 1])('is no worse when the clock of signer and replica are an hour apart (%d)', async (hours) => {
    const rig = feedRig();
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    await rig.beat(STANDING, rig.clock.now + hours * 3_600_000);
    expect(feed.isFresh()).toBe(true);
  });

  test.each([
    [0, true],
    [STALE_MS, true],
    [STALE_MS + 1, false],
    [-1, false],
  ])('where the topic held a heartbeat of %d ms ago is that old: fresh %p', async (ago, fresh) => {
    const rig = feedRig();
    await rig.beat(STANDING, rig.clock.now - ago);
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    expect([feed.isFresh(), rig.passedOver]).toEqual([fresh, []]);
  });

  test('is nothing that other messages tell', async () => {
    const rig = feedRig();
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    await rig.say(STANDING, keyOf(), bodyOf('Isolated'));
    expect(feed.isFresh()).toBe(false);
  });

  test('is worst for a feed that was stopped', async () => {
    const rig = feedRig();
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    await rig.beat(STANDING, rig.clock.now);
    await feed.stop();
    expect([feed.isFresh(), feedAge(feed)]).toEqual([false, 'no heartbeat was heard']);
  });

  test('of two is that of the staler one', async () => {
    const rig = feedRig();
    const feeds = await openFeeds(rig.bus, 'test', rig.ports);
    await rig.beat(STANDING, rig.clock.now);
    expect(feeds.isFresh()).toBe(false);
    await rig.beat('portcullis.revocations', rig.clock.now);
    expect(feeds.isFresh()).toBe(true);
    rig.pass(2000);
    await rig.beat(STANDING, rig.clock.now);
    rig.pass(2000);
    expect([feeds.standing.isFresh(), feeds.isFresh()]).toEqual([true, false]);
    await feeds.stop();
  });
});

describe('a heartbeat', () => {
  test('that was recorded does not make a feed fresh, whoever said it', async () => {
    const { bus, heard } = overheard();
    const rig = feedRig(bus);
    const feed = await standingFeed(bus, 'test', rig.ports);
    await rig.beat(STANDING, rig.clock.now, { instance: 'one' });
    await rig.beat(STANDING, rig.clock.now, { instance: 'two' });
    const recorded = [...heard];
    rig.pass(STALE_MS + 1);
    await bus.publish(STANDING, recorded);
    expect([feed.isFresh(), rig.passedOver]).toEqual([false, ['out_of_date', 'out_of_date']]);
  });

  test('of a process that nobody here has heard is of no use when it is older than clocks can be apart', async () => {
    const rig = feedRig();
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    await rig.beat(STANDING, rig.clock.now - 2 * 3_600_000 - 1, { instance: 'gone' });
    expect([feed.isFresh(), rig.passedOver]).toEqual([false, ['out_of_date']]);
  });

  test('that is forged, or of another service, does not make a feed fresh', async () => {
    const rig = feedRig();
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    const body = { instance: 'x', at: rig.clock.now };
    const authServer = rig.containment.signers['auth-server'];
    await publishStatements(rig.bus, STANDING, authServer, [{ key: HEARTBEAT, seq: 1, body }]);
    await rig.bus.publish(STANDING, [{ key: HEARTBEAT, value: JSON.stringify(body) }]);
    await rig.publish(STANDING, { key: HEARTBEAT, seq: 2, body: { instance: 'x' } });
    expect([feed.isFresh(), rig.passedOver]).toEqual([false, ['unknown_key', 'unsigned', 'not_understood']]);
  });

  test('of a second process of the signer counts as well, and either alone keeps a feed fresh', async () => {
    const rig = feedRig();
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    await rig.beat(STANDING, rig.clock.now, { instance: 'one', seq: 50 });
    rig.pass(2000);
    await rig.beat(STANDING, rig.clock.now, { instance: 'two', seq: 1 });
    rig.pass(2000);
    expect([feed.isFresh(), rig.passedOver]).toEqual([true, []]);
  });

  test('comes at once from who starts to say them, and not while there is something untold', async () => {
    const rig = feedRig();
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    const signer = rig.containment.signers['security-analytics'];
    const says = (isTold: boolean) =>
      startHeartbeats(rig.bus, STANDING, signer, { now: rig.ports.now, isTold: () => isTold, log: silentLog });
    await (await says(false)).stop();
    expect(feed.isFresh()).toBe(false);
    await (await says(true)).stop();
    expect(feed.isFresh()).toBe(true);
  });

  test('that cannot be said is on record once, and hinders nobody', async () => {
    const rig = feedRig();
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
    const broken: Bus = { ...rig.bus, publish: () => Promise.reject(new Error('away')) };
    const signer = rig.containment.signers['security-analytics'];
    const beating = await startHeartbeats(broken, STANDING, signer, { now: rig.ports.now, log });
    await beating.stop();
    expect(warnings).toHaveLength(1);
  });

  test('hides no statement, however many of them a topic holds that was not compacted for long', async () => {
    const rig = feedRig();
    const all: Message[] = [];
    const keeping: Bus = { ...rig.bus, publish: async (_topic, messages) => void all.push(...messages) };
    const past = feedRig(keeping);
    for (let n = 0; n < 300; n++) await past.beat(STANDING, rig.clock.now);
    await past.say(STANDING, keyOf(), bodyOf('Isolated'));
    for (let n = 0; n < 300; n++) await past.beat(STANDING, rig.clock.now);
    const full: Bus = {
      ...rig.bus,
      subscribe: async (topic, group, handle) => {
        await handle(all, async () => undefined);
        return rig.bus.subscribe(topic, group, handle);
      },
    };
    const feed = await standingFeed(full, 'test', { ...rig.ports, keysOf: past.containment.keysOf });
    expect([feed.stateOf(who), feed.isFresh()]).toEqual(['Isolated', true]);
  });
});

describe('catching up', () => {
  test('is done before a feed is there, however slow the bus', async () => {
    const rig = feedRig();
    await rig.say(STANDING, keyOf(), bodyOf('Isolated'));
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow: Bus = {
      ...rig.bus,
      subscribe: (topic, group, handle) =>
        rig.bus.subscribe(topic, group, async (messages, bury) => {
          await gate;
          await handle(messages, bury);
        }),
    };
    let opened = false;
    const opening = standingFeed(slow, 'test', rig.ports).finally(() => (opened = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(opened).toBe(false);
    release();
    expect((await opening).stateOf(who)).toBe('Isolated');
  });

  test('fails where the topic cannot be read, so that nothing starts without it', async () => {
    const rig = feedRig();
    const broken: Bus = { ...rig.bus, subscribe: () => Promise.reject(new Error('away')) };
    await expect(standingFeed(broken, 'test', rig.ports)).rejects.toThrow('away');
  });
});

describe('a message that was not said by security-analytics changes nothing', () => {
  const forged: [string, () => string, string][] = [
    ['unsigned', () => JSON.stringify(bodyOf('Normal')), 'unsigned'],
    [
      'signed with a key of their own',
      () =>
        statementSigner('security-analytics', [new Uint8Array(32).fill(9)]).sign(
          STANDING,
          keyOf(),
          99,
          bodyOf('Normal'),
        ),
      'unknown_key',
    ],
  ];
  test.each(forged)('when it is %s, and is counted, on record and mended', async (_what, value, why) => {
    const errors: unknown[] = [];
    const rig = feedRig(memoryBus(), { ...silentLog, error: (message, facts) => void errors.push(message, facts) });
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    await rig.say(STANDING, keyOf(), bodyOf('Isolated'));
    await rig.bus.publish(STANDING, [{ key: keyOf(), value: value() }]);
    expect([feed.stateOf(who), rig.passedOver, rig.mended]).toEqual(['Isolated', [why], [keyOf()]]);
    expect(JSON.stringify(errors)).toContain(why);
    expect(JSON.stringify(errors)).not.toContain(value());
  });

  test.each([
    [true, 1],
    [false, 0],
  ])('and is a dead letter, from its signer alone (%s)', async (isSigner, count) => {
    const rig = feedRig();
    const dead: Message[] = [];
    await rig.bus.subscribe('portcullis.dead-letters', 'morgue', async (messages) => void dead.push(...messages));
    const { mend, ...others } = rig.ports;
    await standingFeed(rig.bus, 'test', isSigner ? { ...others, mend: mend! } : others);
    await rig.say(STANDING, keyOf(), { ...bodyOf('Isolated'), state: 'Of the future' });
    await rig.say(STANDING, keyOf(), bodyOf('Isolated'));
    expect(dead).toHaveLength(count);
    for (const { value } of dead)
      expect(JSON.parse(value)).toMatchObject({
        topic: STANDING,
        group: 'test',
        key: keyOf(),
        reason: 'is signed, and its content is not known to this version',
        text: expect.stringMatching(/^eyJ/),
      });
  });

  test('when it was said before', async () => {
    const { bus, heard } = overheard();
    const rig = feedRig(bus);
    const feed = await standingFeed(bus, 'test', rig.ports);
    await rig.say(STANDING, keyOf(), bodyOf('Normal'));
    await rig.say(STANDING, keyOf(), bodyOf('Isolated'));
    await bus.publish(STANDING, [heard[0]!]);
    expect([feed.stateOf(who), rig.passedOver, rig.mended]).toEqual(['Isolated', ['out_of_date'], [keyOf()]]);
  });

  test('when it was said before of one who is free again', async () => {
    const { bus, heard } = overheard();
    const rig = feedRig(bus);
    const feed = await standingFeed(bus, 'test', rig.ports);
    await rig.say(STANDING, keyOf(), bodyOf('Isolated'));
    await rig.say(STANDING, keyOf(), bodyOf('Normal'));
    await bus.publish(STANDING, [heard[0]!]);
    expect([feed.stateOf(who), rig.passedOver]).toEqual(['Normal', ['out_of_date']]);
  });

  test.each([['b'], ['a of another tenant']])('when it was said of %s', async (name) => {
    const { bus, heard } = overheard();
    const rig = feedRig(bus);
    const feed = await standingFeed(bus, 'test', rig.ports);
    const body =
      name === 'b' ? bodyOf('Normal', 'b') : { ...bodyOf('Normal'), tenant: 'other', agent: principalId('other', 'a') };
    await rig.say(STANDING, keyOf(), bodyOf('Isolated'));
    await rig.say(STANDING, `${body.tenant}/${body.agent}`, body);
    await bus.publish(STANDING, [{ key: keyOf(), value: heard[1]!.value }]);
    expect([feed.stateOf(who), rig.passedOver]).toEqual(['Isolated', ['misplaced']]);
    // signed for this key, about another
    await rig.publish(STANDING, { key: keyOf(), seq: 9, body });
    expect([feed.stateOf(who), rig.passedOver]).toEqual(['Isolated', ['misplaced', 'misplaced']]);
  });

  test('when it is a tombstone', async () => {
    const rig = feedRig();
    const feed = await standingFeed(rig.bus, 'test', rig.ports);
    await rig.say(STANDING, keyOf(), bodyOf('Isolated'));
    await rig.bus.publish(STANDING, [
      { key: keyOf(), value: '' },
      { key: keyOf('nobody'), value: '' },
    ]);
    expect([feed.stateOf(who), rig.passedOver, rig.mended]).toEqual(['Isolated', ['removed'], [keyOf()]]);
  });
});

test('four feeds on one bus hear all of a thousand changes, each agent’s in order', async () => {
  const rig = feedRig();
  const feeds = await Promise.all(['a', 'b', 'c', 'd'].map((group) => standingFeed(rig.bus, group, rig.ports)));
  const states = ['Isolated', 'Remediation', 'Monitoring', 'Normal', 'Compromised'] as const;
  const names = Array.from({ length: 100 }, (_, n) => `agent-${n}`);
  for (let change = 0; change < 1000; change++) {
    const name = names[change % names.length]!;
    await rig.say(STANDING, keyOf(name), bodyOf(states[Math.floor(change / names.length) % states.length]!, name));
    const told = states[Math.floor(change / names.length) % states.length];
    const principal = agentOf(name);
    expect(feeds.map((feed) => feed.stateOf({ tenant: 'default', principal }))).toEqual([told, told, told, told]);
  }
  for (const name of names)
    for (const feed of feeds) expect(feed.stateOf({ tenant: 'default', principal: agentOf(name) })).toBe('Compromised');
  expect(rig.passedOver).toEqual([]);
});
