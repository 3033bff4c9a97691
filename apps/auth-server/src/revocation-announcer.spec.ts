import type { Message } from '@portcullis/bus/bus';
import { silentLog } from '@portcullis/contract/log';
import { revocationAnnouncer } from './revocation-announcer.js';
import { revocationMessage, revocationTombstone, type RevocationRecord } from './revocations.js';

const NOW = Date.UTC(2026, 0, 1);
const row = (id: string, more: Partial<RevocationRecord> = {}): RevocationRecord => ({
  tenant: 'default',
  what: 'token',
  id,
  at: NOW,
  until: NOW + 1000,
  reason: 'r',
  by: 'b',
  ...more,
});

/** A store whose horizon is how many rows were written, a feed that can be down, and a clock for the next look. */
function rig(written: RevocationRecord[]) {
  const told: Message[][] = [];
  const alarms: (() => void)[] = [];
  const errors: string[] = [];
  const state = { down: false, overlap: 0, beforePublish: () => undefined as void };
  const announcer = revocationAnnouncer({
    revocations: {
      since: async (horizon) => ({
        rows: written.slice(Math.max(0, Number(horizon ?? 0) - state.overlap)),
        horizon: String(written.length),
      }),
      expired: async (now) => written.filter(({ until }) => until <= now),
      forget: async (rows, now) => {
        for (const one of rows) if (one.until <= now && written.includes(one)) written.splice(written.indexOf(one), 1);
      },
    },
    publish: async (messages) => {
      state.beforePublish();
      if (state.down) throw new Error('no feed');
      told.push([...messages]);
    },
    later: (_ms, run) => {
      alarms.push(run);
      return () => void alarms.splice(alarms.indexOf(run), 1);
    },
    now: () => NOW,
    log: { ...silentLog, error: (message) => void errors.push(message) },
  });
  const flat = () => told.flat();
  /** the next look of its own accord */
  const look = async () => {
    alarms.at(-1)?.();
    await announcer.announce();
  };
  return { announcer, flat, look, alarms, errors, state, written };
}

test('at the start everything is told, and without a feed there is no start', async () => {
  const { announcer, flat, state, alarms } = rig([row('a'), row('b')]);
  state.down = true;
  await expect(announcer.start()).rejects.toThrow('no feed');
  state.down = false;
  await announcer.start();
  expect(flat()).toEqual([row('a'), row('b')].map(revocationMessage));
  expect(alarms).toHaveLength(1);
});

test('what another replica wrote is told by the next look, and nothing twice', async () => {
  const { announcer, flat, look, written } = rig([row('a')]);
  await announcer.start();
  written.push(row('b'));
  await look();
  await look();
  expect(flat()).toEqual([row('a'), row('b')].map(revocationMessage));
});

test('what comes again while a transaction stays open is not told again, unless it changed', async () => {
  const { announcer, flat, look, state, written } = rig([row('a'), row('b')]);
  state.overlap = 2;
  await announcer.start();
  await look();
  expect(flat()).toHaveLength(2);
  written[1] = row('b', { until: NOW + 5000 });
  await look();
  expect(flat().slice(2)).toEqual([revocationMessage(row('b', { until: NOW + 5000 }))]);
});

test('what the feed did not take is told by a later look; the operator hears of it once, and /readyz says so', async () => {
  const { announcer, flat, look, errors, state, written } = rig([]);
  await announcer.start();
  state.down = true;
  written.push(row('a'));
  await announcer.announce();
  await look();
  expect([announcer.state(), errors.length]).toEqual(['revocations wait to be announced', 1]);
  state.down = false;
  await look();
  expect([announcer.state(), flat()]).toEqual(['ok', [revocationMessage(row('a'))]]);
});

test('what ends nothing any more is forgotten with a tombstone, before which nothing new can be lost', async () => {
  const [dead, again] = [row('a', { until: NOW }), row('b', { until: NOW })];
  const alive = row('b', { until: NOW + 9 });
  const { announcer, flat, state, written } = rig([dead, again]);
  await announcer.start();
  const before = flat().length;
  // told by whoever revoked it again, just before the tombstone
  state.beforePublish = () => {
    state.beforePublish = () => undefined;
    written.splice(1, 1);
    written.push(alive);
    state.overlap = 2;
  };
  await announcer.sweep();
  expect(flat().slice(before)).toEqual([...[dead, again].map(revocationTombstone), revocationMessage(alive)]);
  expect(written).toEqual([alive]);
});

test('once stopped it looks no more', async () => {
  const { announcer, flat, alarms, written } = rig([]);
  await announcer.start();
  await announcer.stop();
  written.push(row('a'));
  await announcer.announce();
  expect([alarms, flat()]).toEqual([[], []]);
});
