import type { Bus } from '@portcullis/bus/bus';
import type { PrincipalId } from '@portcullis/contract/ids';
import type { Log } from '@portcullis/contract/log';
import { standingSchema, type BehaviourState } from '@portcullis/contract/standing';

export interface StandingFeed {
  /** the state a principal is in as far as was heard; Normal for one that nothing was heard of */
  stateOf(tenant: string, agent: PrincipalId): BehaviourState;
  stop(): Promise<void>;
}

/**
 * Listens to what security-analytics says of principals. Resolves when everything it has said so far was heard, so that
 * nobody who is contained gets a token right after a restart.
 */
export async function followStanding(bus: Bus, log: Log): Promise<StandingFeed> {
  const states = new Map<string, BehaviourState>();
  const { stop } = await bus.subscribe('portcullis.standing', 'auth-server', async (messages) => {
    for (const { key, value } of messages) {
      const standing = standingSchema.safeParse(parsed(value));
      if (!standing.success) {
        log.error('a message on portcullis.standing is not one', { key });
        continue;
      }
      const { tenant, agent, state } = standing.data;
      // Normal is what is assumed anyway
      if (state === 'Normal') states.delete(`${tenant}/${agent}`);
      else states.set(`${tenant}/${agent}`, state);
    }
  });
  return { stateOf: (tenant, agent) => states.get(`${tenant}/${agent}`) ?? 'Normal', stop };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
