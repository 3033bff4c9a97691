import type { Revocable, RevocableToken } from '@portcullis/contract/revocation';
import { feedRig } from './feeds.fixture.js';
import { revocationFeed } from './revocation-feed.js';

const REVOCATIONS = 'portcullis.revocations';
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
  const body = { tenant, what, id, at: new Date(at).toISOString(), until: new Date(until).toISOString() };
  return { key: `${tenant}/${what}/${id}`, seq: at, body };
};
function rig() {
  const all = feedRig();
  return {
    ...all,
    open: (group = 'test') => revocationFeed(all.bus, group, all.ports),
    publish: (...batch: ReturnType<typeof says>[]) => all.publish(REVOCATIONS, ...batch),
  };
}

test.each<[Revocable, string]>([
  ['token', 'jti-1'],
  ['grant', 'grant-1'],
  ['principal', 'agt_1'],
  ['client', 'support-agent'],
  ['user', 'usr_1'],
])('a revoked %s ends the token, whether it was said before the feed began or after', async (what, id) => {
  const { open, publish } = rig();
  const early = await open('early');
  expect(early.isRevoked(token)).toBe(false);
  await publish(says(what, id));
  const late = await open('late');
  expect([early.isRevoked(token), late.isRevoked(token), late.ready()]).toEqual([true, true, true]);
});

test('what was revoked of others, or in another tenant, ends nothing here', async () => {
  const { open, publish } = rig();
  const feed = await open();
  await publish(says('token', 'jti-2'), says('user', 'usr_2'), says('grant', 'jti-1'));
  await publish(says('token', 'jti-1', { tenant: 'other' }), says('client', 'support-agent', { tenant: 'other' }));
  expect(feed.isRevoked(token)).toBe(false);
  expect(feed.isRevoked({ ...token, tenant: 'other' })).toBe(true);
});

test('a client that was revoked gets new tokens that are good; of a grant no new token is', async () => {
  const { open, publish } = rig();
  const feed = await open();
  const newer = { ...token, tokenId: 'jti-2', issuedAt: NOW / 1000 + 1 };
  await publish(says('client', 'support-agent'));
  expect([feed.isRevoked(token), feed.isRevoked(newer)]).toEqual([true, false]);
  await publish(says('grant', 'grant-1'));
  expect(feed.isRevoked(newer)).toBe(true);
});

test('a person is shut out up to the moment they were, in their tenant, and nobody else is', async () => {
  const { open, publish } = rig();
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
  const { open, publish, passedOver, mended } = rig();
  const feed = await open();
  const newer = { ...token, issuedAt: NOW / 1000 + 5 };
  await publish(says('client', 'support-agent', { at: NOW + 10_000 }));
  await publish(says('client', 'support-agent', { at: NOW }));
  expect(feed.isRevoked(newer)).toBe(true);
  // the topic now ends with the older one, which a new replica would hear
  expect([passedOver, mended]).toEqual([['out_of_date'], ['default/client/support-agent']]);
});

test('what has run out is dropped, and a tombstone drops nothing that has not', async () => {
  const { bus, open, publish, clock, passedOver, mended } = rig();
  const feed = await open();
  await publish(says('token', 'jti-1', { until: NOW + 1000 }), says('grant', 'grant-2'));
  await bus.publish(REVOCATIONS, [{ key: 'default/grant/grant-2', value: '' }]);
  expect([passedOver, mended]).toEqual([['removed'], ['default/grant/grant-2']]);
  clock.now += 2 * 60_000;
  expect(feed.isRevoked(token)).toBe(true);
  await publish(says('token', 'jti-3'));
  expect(feed.isRevoked(token)).toBe(false);
  expect(feed.isRevoked({ ...token, grantId: 'grant-2' })).toBe(true);
});

test('a tombstone for what has run out is as it should be', async () => {
  const { bus, open, publish, clock, passedOver, mended } = rig();
  await open();
  await publish(says('token', 'jti-1', { until: NOW + 1000 }));
  clock.now += 1000;
  await bus.publish(REVOCATIONS, [{ key: 'default/token/jti-1', value: '' }]);
  expect([passedOver, mended]).toEqual([[], []]);
});

test('a message that is none is passed over, and the ones around it count', async () => {
  const { bus, open, publish, passedOver } = rig();
  const feed = await open();
  await bus.publish(REVOCATIONS, [{ key: 'x', value: 'no json' }]);
  await publish(says('everything' as Revocable, 'x'), says('token', 'jti-1'));
  expect([feed.isRevoked(token), passedOver]).toEqual([true, ['unsigned', 'not_understood']]);
});

test('a revocation that is put on the key of another one is passed over', async () => {
  const { open, publish, passedOver } = rig();
  const feed = await open();
  await publish({ ...says('token', 'jti-1'), key: 'default/token/jti-2' });
  expect([feed.isRevoked(token), passedOver]).toEqual([false, ['misplaced']]);
});

test('a feed that was stopped vouches for nothing', async () => {
  const feed = await rig().open();
  await feed.stop();
  expect(feed.ready()).toBe(false);
  expect(() => feed.isRevoked(token)).toThrow(expect.objectContaining({ code: 'overloaded' }));
  expect(() => feed.isShutOut('default', 'usr_1', NOW)).toThrow(expect.objectContaining({ code: 'overloaded' }));
});
