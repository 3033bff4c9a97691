import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { principalId } from '@portcullis/contract/ids';
import { silentLog } from '@portcullis/contract/log';
import type { BehaviourState } from '@portcullis/contract/standing';
import { announcer } from './announcer.js';
import type { Announcement, StandingRead, Unannounced, Whose } from './audit-store.js';

const tenant = 'default';
const agent = principalId(tenant, 'c');

/** A store that holds the transitions of one agent, a feed, an audit log and a clock that a test turns by hand. */
function scene() {
  const transitions: Unannounced[] = [];
  const marked = { published: new Set<string>(), recorded: new Set<string>() };
  const published: BehaviourState[] = [];
  const recorded: EventDraft[] = [];
  const timers: (() => void)[] = [];
  const broken = { feed: false, log: false };
  const clock = { at: 0 };
  const asked: (readonly Whose[] | undefined)[] = [];
  const current = (): StandingRead => ({
    tenant,
    agent,
    state: transitions.at(-1)?.transition.to ?? 'Normal',
    since: '2026-11-21T00:00:00.000Z',
    readAt: 1,
  });
  const ports = {
    store: {
      unannounced: async (how: Announcement, limit: number) =>
        transitions.filter(({ position }) => !marked[how].has(position)).slice(0, limit),
      markAnnounced: async (how: Announcement, positions: readonly string[]) => {
        for (const position of positions) marked[how].add(position);
      },
      standings: async (of?: readonly Whose[]) => {
        asked.push(of);
        return [current()];
      },
    },
    publish: async (standings: readonly StandingRead[]) => {
      if (broken.feed) throw new Error('no feed');
      published.push(...standings.map(({ state }) => state));
    },
    record: async (draft: EventDraft) => {
      if (broken.log) throw new Error('no log');
      recorded.push(draft);
    },
    later: (_ms: number, run: () => void) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run), 1);
    },
    now: () => clock.at,
    uptime: () => clock.at,
    log: silentLog,
  };
  const commit = (to: BehaviourState) =>
    transitions.push({
      tenant,
      agent,
      clientId: 'c',
      sub: undefined,
      position: String(transitions.length + 1),
      transition: { from: current().state, to, at: 1000 * transitions.length, why: 'w', by: 'rule:r' },
    });
  return { announcer: announcer(ports), commit, published, recorded, asked, timers, broken, clock };
}

test('each transition is recorded once, the feed gets what is true by now, and what was told is not told again', async () => {
  const { announcer, commit, published, recorded } = scene();
  commit('Monitoring');
  commit('Isolated');
  await announcer.announce();
  await announcer.announce();
  expect(published).toEqual(['Isolated']);
  expect(recorded).toMatchObject([
    {
      type: 'portcullis.standing.v1',
      tenant,
      subject: agent,
      at: 0,
      data: { from: 'Normal', to: 'Monitoring', clientId: 'c' },
    },
    { at: 1000, data: { from: 'Monitoring', to: 'Isolated', why: 'w', by: 'rule:r' } },
  ]);
});

test('while the feed fails the audit log is told, nothing rejects, and the feed is told again until it takes it', async () => {
  const { announcer, commit, published, recorded, timers, broken } = scene();
  broken.feed = true;
  commit('Isolated');
  await announcer.announce();
  expect([published, recorded.length, timers.length]).toEqual([[], 1, 1]);
  expect(announcer.state()).not.toBe('ok');
  broken.feed = false;
  timers[0]!();
  await announcer.announce();
  expect([published, recorded.length, timers.length, announcer.state()]).toEqual([['Isolated'], 1, 0, 'ok']);
});

test('while the audit log fails the feed is told, so containment does not wait for the audit', async () => {
  const { announcer, commit, published, recorded, timers, broken } = scene();
  broken.log = true;
  for (let n = 0; n < 600; n++) commit(n % 2 ? 'Normal' : 'Monitoring');
  commit('Isolated');
  await announcer.announce();
  expect(published.at(-1)).toBe('Isolated');
  expect([recorded.length, timers.length]).toEqual([0, 1]);
  broken.log = false;
  await announcer.announce();
  expect(recorded).toHaveLength(601);
});

test('calls that come while one is under way share the one that follows it', async () => {
  const { announcer, commit, recorded } = scene();
  commit('Monitoring');
  const under = announcer.announce();
  commit('Isolated');
  await Promise.all([under, announcer.announce(), announcer.announce()]);
  expect(recorded).toHaveLength(2);
});

test('after stop nothing is told and no timer is left', async () => {
  const { announcer, commit, published, timers, broken } = scene();
  broken.feed = true;
  commit('Isolated');
  await announcer.announce();
  broken.feed = false;
  await announcer.stop();
  await announcer.announce();
  expect([published, timers]).toEqual([[], []]);
});

test('what is told again is what is true by now, of those who were asked for', async () => {
  const { announcer, commit, published, asked } = scene();
  commit('Isolated');
  await announcer.announce();
  await announcer.retell([{ tenant, agent }]);
  expect([published, asked.at(-1)]).toEqual([['Isolated', 'Isolated'], [{ tenant, agent }]]);
});

test('all is said to be published when the feed took it, though the audit log did not', async () => {
  const { announcer, commit, broken } = scene();
  Object.assign(broken, { feed: true, log: true });
  commit('Isolated');
  await announcer.announce();
  expect(announcer.isPublished()).toBe(false);
  broken.feed = false;
  await announcer.announce();
  expect([announcer.isPublished(), announcer.state() === 'ok']).toEqual([true, false]);
  await announcer.stop();
});

test('what a replica that died did not tell is told by those that are left, and recorded once it is plain that it died', async () => {
  const { announcer, commit, published, recorded, timers, clock } = scene();
  await announcer.watch();
  const look = async (at: number): Promise<void> => {
    clock.at = at;
    timers.splice(0).forEach((run) => run());
    await announcer.retell([]);
  };
  commit('Isolated');
  await look(1000);
  expect(published).toContain('Isolated');
  expect(recorded).toEqual([]);
  await look(6000);
  expect(recorded).toMatchObject([{ data: { to: 'Isolated' } }]);
  await announcer.stop();
});

test('a replica that cannot look says no more that all is told', async () => {
  const { announcer, commit, timers, broken, clock } = scene();
  await announcer.watch();
  expect(announcer.isPublished()).toBe(true);
  commit('Isolated');
  broken.feed = true;
  clock.at = 2001;
  timers.splice(0).forEach((run) => run());
  await announcer.retell([]).catch(() => undefined);
  expect(announcer.isPublished()).toBe(false);
  broken.feed = false;
  timers.splice(0).forEach((run) => run());
  await announcer.retell([]);
  expect(announcer.isPublished()).toBe(true);
  await announcer.stop();
});
