import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import type { Log } from '@portcullis/contract/log';
import type { Announcement, AuditStore, StandingRead, Unannounced, Whose } from './audit-store.js';
import type { Identity } from './evidence.js';
import { keyOf } from './reckon.js';

export interface AnnouncerPorts {
  readonly store: Pick<AuditStore, 'unannounced' | 'markAnnounced' | 'standings'>;
  /** puts standings on the feed; resolves when the feed answers for them */
  publish(standings: readonly StandingRead[]): Promise<void>;
  /** puts an event into the audit log */
  record(draft: EventDraft): Promise<unknown>;
  /** runs something after so many milliseconds; the answer stops it */
  later(ms: number, run: () => void): () => void;
  /** ms since epoch */
  now(): number;
  /** ms of a clock that is never turned */
  uptime(): number;
  readonly log: Log;
}

/**
 * Tells the others what is committed here: the standing feed first, since containment waits for nothing, then the audit
 * log. At least once each: what a crash or a failure left untold is told again, and always as it is by then. One at a
 * time, so that of two standings of one principal the newer one comes last.
 */
export interface Announcer {
  /** Resolves after one attempt at everything untold. Never rejects: what failed is tried again on its own. */
  announce(): Promise<void>;
  /** Looks once a second, from now on, for what a replica committed that died before it told. */
  watch(): Promise<void>;
  /** Publishes the standing of every principal that is not Normal. @throws when the feed does not take it */
  republish(): Promise<void>;
  /** Publishes that these principals, of which nothing is known any more, are as new ones. Never rejects. */
  forget(identities: readonly Identity[]): Promise<void>;
  /** Publishes what is true of these principals by now, as far as they are known. @throws when the feed does not take it */
  retell(whose: readonly Whose[]): Promise<void>;
  /** Is every transition on the standing feed, whoever committed it? Not for certain, when the last look was too long ago. */
  isPublished(): boolean;
  /** 'ok', or what could not be told the last time. */
  state(): string;
  stop(): Promise<void>;
}

const AT_ONCE = 500;
const RETRY_MS = 1000;
const LOOK_EVERY_MS = 1000;
/** A replica that could not look for so long says no more that all is told. */
const LOOKED_MS = 2000;
/** Younger ones are being recorded by who committed them. */
const LEFT_BEHIND_MS = 5000;

export function announcer(ports: AnnouncerPorts): Announcer {
  const { store, publish, log } = ports;
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  let cancelRetry: (() => void) | undefined;
  let failure: string | undefined;
  let published = true;
  let lookedAt = Infinity;
  let cancelLook: (() => void) | undefined;
  let stopped = false;

  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act);
    last = turn.catch(() => undefined);
    return turn;
  };

  const attempt = async (): Promise<void> => {
    waiting = undefined;
    if (stopped) return;
    cancelRetry?.();
    const told = await outcomeOf(() => publishAll(ports));
    published = told.error === undefined;
    const outcomes = [told, await outcomeOf(() => recordAll(ports))];
    const failed = outcomes.find(({ error }) => error !== undefined);
    if (failed && failure === undefined) log.error('a transition could not be announced; trying again', failed);
    if (!failed && failure !== undefined) log.info('every transition is announced again');
    failure = failed && 'transitions wait to be announced';
    if (failed && !stopped) cancelRetry = ports.later(RETRY_MS, () => void announce());
  };
  /** What went wrong is said by the next of our own, if it lasts. */
  const look = async (): Promise<void> => {
    if (stopped) return;
    const began = ports.uptime();
    const told = await outcomeOf(() => publishAll(ports));
    if (told.error === undefined) lookedAt = began;
    await outcomeOf(() => recordAll(ports, ports.now() - LEFT_BEHIND_MS));
  };
  const watch = async (): Promise<void> => {
    await inTurn(look);
    if (!stopped) cancelLook = ports.later(LOOK_EVERY_MS, () => void watch());
  };
  // one that waits for its turn will see whatever is committed by now
  const announce = (): Promise<void> => (waiting ??= inTurn(attempt));

  return {
    announce,
    watch() {
      lookedAt = ports.uptime();
      return watch();
    },
    republish: () => inTurn(async () => publish(await store.standings())),
    async forget(identities) {
      if (identities.length === 0) return;
      const since = new Date(ports.now()).toISOString();
      const readAt = ports.now() * 1000;
      const standings = identities.map(({ tenant, agent }) => ({
        tenant,
        agent,
        state: 'Normal' as const,
        since,
        readAt,
      }));
      const { error } = await outcomeOf(() => inTurn(() => publish(standings)));
      if (error !== undefined) log.warn('principals of a finished drill are still on the standing feed', { error });
    },
    retell: (whose) => inTurn(async () => publish(await store.standings(whose))),
    isPublished: () => published && (lookedAt === Infinity || ports.uptime() - lookedAt <= LOOKED_MS),
    state: () => failure ?? 'ok',
    async stop() {
      stopped = true;
      cancelRetry?.();
      cancelLook?.();
      await last;
    },
  };
}

async function publishAll({ store, publish }: AnnouncerPorts): Promise<void> {
  await inPortions(store, 'published', async (untold) => {
    const whose = new Map(untold.map((one) => [keyOf(one), one]));
    await publish(await store.standings([...whose.values()]));
    await store.markAnnounced('published', positions(untold));
  });
}

/** @param until ms since epoch: those that are newer are left to others; each is told unless given */
async function recordAll({ store, record }: AnnouncerPorts, until = Infinity): Promise<void> {
  await inPortions(store, 'recorded', async (untold) => {
    for (const one of untold) {
      if (one.transition.at > until) continue;
      await record(draftOf(one));
      await store.markAnnounced('recorded', [one.position]);
    }
  });
}

async function inPortions(
  store: AnnouncerPorts['store'],
  how: Announcement,
  tell: (untold: readonly Unannounced[]) => Promise<void>,
): Promise<void> {
  for (let before = ''; ;) {
    const untold = await store.unannounced(how, AT_ONCE);
    // the same again: they are left to others
    if (untold.length === 0 || untold[0]?.position === before) return;
    before = untold[0]?.position ?? '';
    await tell(untold);
    if (untold.length < AT_ONCE) return;
  }
}

const positions = (untold: readonly Unannounced[]): string[] => untold.map(({ position }) => position);

const draftOf = ({ tenant, agent, clientId, sub, transition }: Unannounced): EventDraft => ({
  type: 'portcullis.standing.v1',
  tenant,
  subject: agent,
  at: transition.at,
  data: {
    clientId,
    ...(sub !== undefined && { sub }),
    from: transition.from,
    to: transition.to,
    why: transition.why,
    by: transition.by,
  },
});

async function outcomeOf(act: () => Promise<void>): Promise<{ readonly error?: unknown }> {
  try {
    await act();
    return {};
  } catch (error) {
    return { error: error ?? 'unknown' };
  }
}
