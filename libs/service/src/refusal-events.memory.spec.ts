import type { EventLog } from '@portcullis/bus/outbox';
import { boundedRefusals } from './refusal-events.memory.js';

function rig() {
  const reasons: (string | undefined)[] = [];
  const state = { now: 1000 };
  const append = (async (draft: { data: { reason?: string } }) => void reasons.push(draft.data.reason)) as never;
  const record = boundedRefusals({ append: append as EventLog['append'] }, () => state.now);
  const refuse = (address = '192.0.2.1') =>
    record(address, (more) => ({
      type: 'portcullis.admin.v1',
      tenant: 'default',
      at: state.now,
      data: { action: 'request.refused', actor: 'unknown', reason: `no${more}` },
    }));
  return { reasons, state, refuse };
}

test('sixty a minute and network are kept, and the next one tells how many were not', async () => {
  const { reasons, state, refuse } = rig();
  for (let i = 0; i < 100; i += 1) await refuse();
  expect(reasons).toEqual(Array.from({ length: 60 }, () => 'no'));
  state.now += 59_999;
  await refuse();
  expect(reasons).toHaveLength(60);
  state.now += 1;
  await refuse();
  await refuse();
  expect(reasons.slice(60)).toEqual(['no; 41 more from there were left out', 'no']);
});

test('one network takes nothing from another, and addresses of one IPv6 network are one', async () => {
  const { reasons, refuse } = rig();
  for (let i = 1; i <= 100; i += 1) await refuse(`2001:db8::${i.toString(16)}`);
  expect(reasons).toHaveLength(60);
  await refuse();
  expect(reasons).toHaveLength(61);
});

test('ten thousand networks are remembered at most, the quietest forgotten first', async () => {
  const { reasons, refuse } = rig();
  for (let i = 0; i < 100; i += 1) await refuse();
  for (let i = 0; i < 10_000; i += 1) await refuse(`10.0.${i >> 8}.${i & 255}`);
  const before = reasons.length;
  await refuse();
  expect(reasons.slice(before)).toEqual(['no']);
});
