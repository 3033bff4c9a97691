import { memoryBus } from '@portcullis/bus/bus.memory';
import { principalId } from '@portcullis/contract/ids';
import { silentLog } from '@portcullis/contract/log';
import { followStanding } from './standing-feed.js';

const agent = principalId('default', 'a');
const message = (tenant: string, state: string, who: string = agent) => ({
  key: `${tenant}/${who}`,
  value: JSON.stringify({ tenant, agent: who, state, since: '2026-01-01T00:00:00.000Z' }),
});

test('what was said before the feed began is heard, and so is what follows', async () => {
  const bus = memoryBus();
  await bus.publish('portcullis.standing', [message('default', 'Isolated')]);
  const feed = await followStanding(bus, silentLog);
  expect(feed.stateOf('default', agent)).toBe('Isolated');
  await bus.publish('portcullis.standing', [message('default', 'Remediation')]);
  expect(feed.stateOf('default', agent)).toBe('Remediation');
  await bus.publish('portcullis.standing', [message('default', 'Normal')]);
  expect(feed.stateOf('default', agent)).toBe('Normal');
});

test('somebody unheard of, and the same id in another tenant, are Normal', async () => {
  const bus = memoryBus();
  const feed = await followStanding(bus, silentLog);
  await bus.publish('portcullis.standing', [message('default', 'Isolated')]);
  expect(feed.stateOf('other', agent)).toBe('Normal');
  expect(feed.stateOf('default', principalId('default', 'b'))).toBe('Normal');
});

test('a message that is none is passed over, on record, and the ones around it count', async () => {
  const bus = memoryBus();
  const errors: string[] = [];
  const feed = await followStanding(bus, { ...silentLog, error: (says) => void errors.push(says) });
  await bus.publish('portcullis.standing', [
    { key: 'x', value: 'no json' },
    message('default', 'Asleep', principalId('default', 'c')),
    message('default', 'Compromised'),
  ]);
  expect(feed.stateOf('default', agent)).toBe('Compromised');
  expect(errors).toHaveLength(2);
});

test('a feed that was stopped hears no more', async () => {
  const bus = memoryBus();
  const feed = await followStanding(bus, silentLog);
  await feed.stop();
  await bus.publish('portcullis.standing', [message('default', 'Isolated')]);
  expect(feed.stateOf('default', agent)).toBe('Normal');
});
