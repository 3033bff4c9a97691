import { memoryBus } from '@portcullis/bus/bus.memory';
import { silentLog } from '@portcullis/contract/log';
import type { Revocable, RevocableToken } from '@portcullis/contract/revocation';
import { revocationFeed } from './revocation-feed.js';

const NOW = Date.UTC(2026, 0, 1, 12);
const HOUR = 3_600_000;
const token: RevocableToken = {
  tenant: 'default',
  tokenId: 'jti-1',
  grantId: 'grant-1',
  principal: 'agt_1',
  clientId: 'support-agent',
  sub: 'usr_1',
  issuedAt: NOW / 1000 - 60,
};
const says = (what: Revocable, id: string, more: { tenant?: string; at?: number; until?: number } = {}) => {
  const { tenant = 'default', at = NOW, until = NOW + HOUR } = more;
  const message = { tenant, what, id, at: new Date(at).toISOString(), until: new Date(until).toISOString() };
  return { key: `${tenant}/${what}/${id}`, value: JSON.stringify(message) };
};
async function rig(log = silentLog) {
  const bus = memoryBus();
  const clock = { now: NOW };
  const open = (group = 'test') => revocationFeed(bus, group, { now: () => clock.now, log });
  return {
    clock,
    open,
    publish: (...batch: ReturnType<typeof says>[]) => bus.publish('portcullis.revocations', batch),
  };
}

test.each<[Revocable, string]>([
  ['token', 'jti-1'],
  ['grant', 'grant-1'],
  ['principal', 'agt_1'],
  ['client', 'support-agent'],
  ['user', 'usr_1'],
])('a revoked %s ends the token, whether it was said before the feed began or after', async (what, id) => {
  const { open, publish } = await rig();
  const early = await open('early');
  expect(early.isRevoked(token)).toBe(false);
  await publish(says(what, id));
  const late = await open('late');
  expect([early.isRevoked(token), late.isRevoked(token), late.ready()]).toEqual([true, true, true]);
});

test('what was revoked of others, or in another tenant, ends nothing here', async () => {
  const { open, publish } = await rig();
  const feed = await open();
  await publish(says('token', 'jti-2'), says('user', 'usr_2'), says('grant', 'jti-1'));
  await publish(says('token', 'jti-1', { tenant: 'other' }), says('client', 'support-agent', { tenant: 'other' }));
  expect(feed.isRevoked(token)).toBe(false);
  expect(feed.isRevoked({ ...token, tenant: 'other' })).toBe(true);
});

test('a client that was revoked gets new tokens that are good; of a grant no new token is', async () => {
  const { open, publish } = await rig();
  const feed = await open();
  const newer = { ...token, tokenId: 'jti-2', issuedAt: NOW / 1000 + 1 };
  await publish(says('client', 'support-agent'));
  expect([feed.isRevoked(token), feed.isRevoked(newer)]).toEqual([true, false]);
  await publish(says('grant', 'grant-1'));
  expect(feed.isRevoked(newer)).toBe(true);
});

test('a person is shut out up to the moment they were, in their tenant, and nobody else is', async () => {
  const { open, publish } = await rig();
  const feed = await open();
  await publish(says('user', 'usr_1'), says('client', 'usr_2'));
  expect([NOW - 1, NOW, NOW + 1].map((since) => feed.isShutOut('default', 'usr_1', since))).toEqual([
    true,
    true,
    false,
  ]);
  expect([feed.isShutOut('default', 'usr_2', 0), feed.isShutOut('other', 'usr_1', 0)]).toEqual([false, false]);
});

test('a later time stays when an earlier one is said after it', async () => {
  const { open, publish } = await rig();
  const feed = await open();
  const newer = { ...token, issuedAt: NOW / 1000 + 5 };
  await publish(says('client', 'support-agent', { at: NOW + 10_000 }));
  await publish(says('client', 'support-agent', { at: NOW }));
  expect(feed.isRevoked(newer)).toBe(true);
});

test('what has run out is dropped, and a tombstone drops nothing that has not', async () => {
  const { open, publish, clock } = await rig();
  const feed = await open();
  await publish(says('token', 'jti-1', { until: NOW + 1000 }), says('grant', 'grant-2'));
  await publish({ key: 'default/grant/grant-2', value: '' });
  clock.now += 2 * 60_000;
  expect(feed.isRevoked(token)).toBe(true);
  await publish(says('token', 'jti-3'));
  expect(feed.isRevoked(token)).toBe(false);
  expect(feed.isRevoked({ ...token, grantId: 'grant-2' })).toBe(true);
});

test('a message that is none is passed over, on record, and the ones around it count', async () => {
  const errors: string[] = [];
  const { open, publish } = await rig({ ...silentLog, error: (message) => void errors.push(message) });
  const feed = await open();
  await publish({ key: 'x', value: 'no json' }, says('everything' as Revocable, 'x'), says('token', 'jti-1'));
  expect([feed.isRevoked(token), errors.length]).toEqual([true, 2]);
});

test('a feed that was stopped vouches for nothing', async () => {
  const feed = await (await rig()).open();
  await feed.stop();
  expect(feed.ready()).toBe(false);
  expect(() => feed.isRevoked(token)).toThrow(expect.objectContaining({ code: 'overloaded' }));
  expect(() => feed.isShutOut('default', 'usr_1', NOW)).toThrow(expect.objectContaining({ code: 'overloaded' }));
});
