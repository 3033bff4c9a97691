import { principalId } from '@portcullis/contract/ids';
import { feedRig } from './feeds.fixture.js';
import { standingFeed } from './standing-feed.js';

const STANDING = 'portcullis.standing';
const principal = principalId('default', 'a');
const who = { tenant: 'default', principal };
const says = (state: string, agent: string = principal) =>
  [`default/${agent}`, { tenant: 'default', agent, state, since: '2026-01-01T00:00:00.000Z' }] as const;

test('what was said before the feed began is known at once, and what follows is heard', async () => {
  const { bus, ports, say } = feedRig();
  await say(STANDING, ...says('Isolated'));
  const feed = await standingFeed(bus, 'test', ports);
  expect([feed.ready(), feed.stateOf(who)]).toEqual([true, 'Isolated']);
  for (const state of ['Remediation', 'Normal']) {
    await say(STANDING, ...says(state));
    expect(feed.stateOf(who)).toBe(state);
  }
});

test('somebody unheard of, and the same id in another tenant, are Normal', async () => {
  const { bus, ports, say } = feedRig();
  const feed = await standingFeed(bus, 'test', ports);
  await say(STANDING, ...says('Isolated'));
  expect(feed.stateOf({ ...who, tenant: 'other' })).toBe('Normal');
  expect(feed.stateOf({ ...who, principal: principalId('default', 'b') })).toBe('Normal');
});

test('a statement that is not understood is passed over, and the ones around it count', async () => {
  const { bus, ports, say, passedOver } = feedRig();
  const feed = await standingFeed(bus, 'test', ports);
  await bus.publish(STANDING, [{ key: 'x', value: 'no json' }]);
  await say(STANDING, ...says('Asleep', principalId('default', 'c')));
  await say(STANDING, ...says('Compromised'));
  expect(feed.stateOf(who)).toBe('Compromised');
  expect(passedOver).toEqual(['unsigned', 'not_understood']);
});

test('the place of what was said last is known, also of one who is free again', async () => {
  const { bus, ports, publish } = feedRig();
  const feed = await standingFeed(bus, 'test', ports);
  const [key, body] = says('Isolated');
  expect(feed.seqOf(key)).toBeUndefined();
  await publish(STANDING, { key, seq: 7, body });
  expect(feed.seqOf(key)).toBe(7);
  await publish(STANDING, { key, seq: 8, body: { ...body, state: 'Normal' } });
  expect(feed.seqOf(key)).toBe(8);
});

test('a feed that was stopped vouches for nobody', async () => {
  const { bus, ports } = feedRig();
  const feed = await standingFeed(bus, 'test', ports);
  await feed.stop();
  expect(feed.ready()).toBe(false);
  expect(() => feed.stateOf(who)).toThrow(expect.objectContaining({ code: 'overloaded' }));
});
