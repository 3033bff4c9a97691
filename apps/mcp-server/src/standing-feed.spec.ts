import { memoryBus } from '@portcullis/bus/bus.memory';
import { silentLog } from '@portcullis/contract/log';
import type { PrincipalId } from '@portcullis/contract/ids';
import { standingFeed } from './standing-feed.js';

const who = { tenant: 'default', principal: 'agt_a' as PrincipalId };
const says = (state: string) => [
  {
    key: 'default/agt_a',
    value: JSON.stringify({ tenant: 'default', agent: 'agt_a', state, since: '2026-11-20T00:00:00.000Z' }),
  },
];

it('knows at once what was said before it listened', async () => {
  const bus = memoryBus();
  await bus.publish('portcullis.standing', says('Isolated'));
  const feed = await standingFeed(bus, silentLog);
  expect([feed.ready(), feed.stateOf(who), feed.stateOf({ ...who, tenant: 'other' })]).toEqual([
    true,
    'Isolated',
    'Normal',
  ]);
  await bus.publish('portcullis.standing', says('Normal'));
  expect(feed.stateOf(who)).toBe('Normal');
});

it('answers nothing once it has stopped listening', async () => {
  const feed = await standingFeed(memoryBus(), silentLog);
  await feed.stop();
  expect(feed.ready()).toBe(false);
  expect(() => feed.stateOf(who)).toThrow(expect.objectContaining({ code: 'overloaded' }));
});
