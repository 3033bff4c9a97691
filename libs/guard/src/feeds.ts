import type { Bus } from '@portcullis/bus/bus';
import { revocationFeed, type RevocationFeed } from './revocation-feed.js';
import { standingFeed, type StandingFeed } from './standing-feed.js';
import type { Feed, FeedPorts } from './statement-feed.js';

/** All that a service is told of who may no longer do what. */
export interface Feeds {
  readonly standing: StandingFeed;
  readonly revocations: RevocationFeed;
  /** were both heard of late? */
  isFresh(): boolean;
  stop(): Promise<void>;
}

/** Opens both feeds; resolves when what was said before has been handled. @param group the service that listens */
export async function openFeeds(bus: Bus, group: string, ports: FeedPorts): Promise<Feeds> {
  const standing = await standingFeed(bus, group, ports);
  const revocations = await revocationFeed(bus, group, ports);
  return {
    standing,
    revocations,
    isFresh: () => standing.isFresh() && revocations.isFresh(),
    stop: async () => void (await Promise.all([standing.stop(), revocations.stop()])),
  };
}

/** How a feed does, in words for operators. */
export const feedState = (feed: Pick<Feed, 'ready'>): string => (feed.ready() ? 'ok' : 'not heard');
/** How long ago it was heard, in words for operators. */
export const feedAge = (feed: Feed): string => {
  const age = feed.ageMs();
  if (!Number.isFinite(age)) return 'no heartbeat was heard';
  return `${feed.isFresh() ? 'heard' : 'stale: heard'} ${Math.round(age)} ms ago`;
};
