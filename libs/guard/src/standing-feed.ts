import type { Bus } from '@portcullis/bus/bus';
import type { PassedOver, Statement } from '@portcullis/contract/containment';
import { Refusal } from '@portcullis/contract/refusals';
import { standingSchema, type BehaviourState } from '@portcullis/contract/standing';
import type { Caller } from '@portcullis/scopes/caller';
import { statementFeed, type Feed, type FeedPorts } from './statement-feed.js';

/** In which state each principal is, as security-analytics says. */
export interface StandingFeed extends Feed {
  /**
   * Normal for a principal that nothing was heard of.
   * @throws Refusal overloaded once the feed has stopped: what it knew may no longer be so
   */
  stateOf(who: Pick<Caller, 'tenant' | 'principal'>): BehaviourState;
  /** the number of the last statement of a principal, by its key on the topic; undefined = none is known */
  seqOf(key: string): number | undefined;
}

interface Known {
  readonly state: BehaviourState;
  readonly seq: number;
}
/** Principals that are Normal again, and whose last statement is remembered, so that an older one does not come back. */
const RELEASED = 100_000;

/**
 * Listens to `portcullis.standing`, whose last statement per principal counts. Resolves when the topic's present content
 * has been handled, so that no contained agent slips in after a restart.
 * @param group the service that listens
 */
export async function standingFeed(bus: Bus, group: string, ports: FeedPorts): Promise<StandingFeed> {
  const contained = new Map<string, Known>();
  const released = new Map<string, number>();
  const seqOf = (key: string): number | undefined => contained.get(key)?.seq ?? released.get(key);

  const take = ({ key, seq, body }: Statement): PassedOver | undefined => {
    const parsed = standingSchema.safeParse(body);
    if (!parsed.success) return 'not_understood';
    const { tenant, agent, state } = parsed.data;
    if (keyOf(tenant, agent) !== key) return 'misplaced';
    if (seq < (seqOf(key) ?? 0)) return 'out_of_date';
    // Normal is what is assumed anyway
    if (state !== 'Normal') {
      released.delete(key);
      contained.set(key, { state, seq });
      return undefined;
    }
    contained.delete(key);
    released.delete(key);
    released.set(key, seq);
    if (released.size > RELEASED) released.delete(released.keys().next().value!);
    return undefined;
  };

  const feed = await statementFeed(
    bus,
    'portcullis.standing',
    group,
    { take, stillCounts: (key) => contained.has(key) },
    ports,
  );
  return {
    ...feed,
    seqOf,
    stateOf({ tenant, principal }) {
      if (!feed.ready()) throw new Refusal('overloaded', { retryAfterMs: 1000 }, { detail: 'standing is not known' });
      return contained.get(keyOf(tenant, principal))?.state ?? 'Normal';
    },
  };
}

const keyOf = (tenant: string, principal: string): string => `${tenant}/${principal}`;
