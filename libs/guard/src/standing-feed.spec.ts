import { memoryBus } from '@portcullis/bus/bus.memory';
import { principalId } from '@portcullis/contract/ids';
import { silentLog } from '@portcullis/contract/log';
import { standingFeed } from './standing-feed.js';

const principal = principalId('default', 'a');
const who = { tenant: 'default', principal };
const says = (state: string, agent: string = principal) => ({
  key: `default/${agent}`,
  value: JSON.stringify({ tenant: 'default', agent, state, since: '2026-01-01T00:00:00.000Z' }),
});

test('what was said before the feed began is known at once, and what follows is heard', async () => {
  const bus = memoryBus();
  await bus.publish('portcullis.standing', [says('Isolated')]);
  const feed = await standingFeed(bus, 'test', silentLog);
  expect([feed.ready(), feed.stateOf(who)]).toEqual([true, 'Isolated']);
  for (const state of ['Remediation', 'Normal']) {
    await bus.publish('portcullis.standing', [says(state)]);
    expect(feed.stateOf(who)).toBe(state);
  }
});

test('somebody unheard of, and the same id in another tenant, are Normal', async () => {
  const bus = memoryBus();
  const feed = await standingFeed(bus, 'test', silentLog);
  await bus.publish('portcullis.standing', [says('Isolated')]);
  expect(feed.stateOf({ ...who, tenant: 'other' })).toBe('Normal');
  expect(feed.stateOf({ ...who, principal: principalId('default', 'b') })).toBe('Normal');
});

test('a message that is none is passed over, on record, and the ones around it count', async () => {
  const bus = memoryBus();
  const errors: string[] = [];
  const feed = await standingFeed(bus, 'test', { ...silentLog, error: (message) => void errors.push(message) });
  await bus.publish('portcullis.standing', [
    { key: 'x', value: 'no json' },
    says('Asleep', principalId('default', 'c')),
    says('Compromised'),
  ]);
  expect(feed.stateOf(who)).toBe('Compromised');
  expect(errors).toHaveLength(2);
});

test('a feed that was stopped vouches for nobody', async () => {
  const feed = await standingFeed(memoryBus(), 'test', silentLog);
  await feed.stop();
  expect(feed.ready()).toBe(false);
  expect(() => feed.stateOf(who)).toThrow(expect.objectContaining({ code: 'overloaded' }));
});
