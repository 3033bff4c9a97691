import type { Bus, Message } from '@portcullis/bus/bus';
import type { Log } from '@portcullis/contract/log';
import { Refusal } from '@portcullis/contract/refusals';
import { standingSchema, type BehaviourState } from '@portcullis/contract/standing';
import type { Caller } from '@portcullis/scopes/caller';

/** In which state each principal is, as security-analytics says. */
export interface StandingFeed {
  /**
   * Normal for a principal that nothing was heard of.
   * @throws Refusal overloaded once the feed has stopped: what it knew may no longer be so
   */
  stateOf(who: Pick<Caller, 'tenant' | 'principal'>): BehaviourState;
  ready(): boolean;
  stop(): Promise<void>;
}

/**
 * Listens to `portcullis.standing`, whose last message per principal counts. Resolves when the topic's present content has
 * been handled, so that no contained agent slips in after a restart.
 * @param group the service that listens
 */
export async function standingFeed(bus: Bus, group: string, log: Log): Promise<StandingFeed> {
  const states = new Map<string, BehaviourState>();
  let ready = false;
  const subscription = await bus.subscribe('portcullis.standing', group, async (messages) => {
    for (const message of messages) take(states, message, log);
  });
  ready = true;
  return {
    stateOf({ tenant, principal }) {
      if (!ready) throw new Refusal('overloaded', { retryAfterMs: 1000 }, { detail: 'standing is not known' });
      return states.get(keyOf(tenant, principal)) ?? 'Normal';
    },
    ready: () => ready,
    async stop() {
      ready = false;
      await subscription.stop();
    },
  };
}

function take(states: Map<string, BehaviourState>, { value }: Message, log: Log): void {
  const parsed = standingSchema.safeParse(jsonOf(value));
  // Stopping at a message that nobody understands would keep every later one from being heard.
  if (!parsed.success) return log.error('a standing message was not understood', { bytes: value.length });
  const { tenant, agent, state } = parsed.data;
  const key = keyOf(tenant, agent);
  // Normal is what is assumed anyway
  if (state === 'Normal') states.delete(key);
  else states.set(key, state);
}

const keyOf = (tenant: string, principal: string): string => `${tenant}/${principal}`;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
