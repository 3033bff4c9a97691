import type { Agent, AgentTransition } from './audit-store.js';
import { move } from './behaviour.js';
import type { Evidence } from './evidence.js';

/** One word for a principal across tenants; no tenant holds a slash. */
export const keyOf = ({ tenant, agent }: { tenant: string; agent: string }): string => `${tenant}/${agent}`;

export interface Reckoned {
  /** only those that are not as before */
  readonly changed: readonly Agent[];
  readonly transitions: readonly AgentTransition[];
}

/**
 * What a batch of evidence makes of the agents it is about, in the order given.
 * @param agents by {@link keyOf}; holds every principal of the evidence
 */
export function reckon(agents: ReadonlyMap<string, Agent>, evidence: readonly Evidence[]): Reckoned {
  const changed = new Map<string, Agent>();
  const transitions: AgentTransition[] = [];
  for (const { event, ...identity } of evidence) {
    const key = keyOf(identity);
    const agent = changed.get(key) ?? agents.get(key);
    if (!agent) throw new Error(`no agent ${key} to reckon with`);
    const moved = move(agent.behaviour, event);
    if (moved.next !== agent.behaviour) changed.set(key, { ...agent, behaviour: moved.next });
    transitions.push(...moved.transitions.map((transition) => ({ ...identity, transition })));
  }
  return { changed: [...changed.values()], transitions };
}
