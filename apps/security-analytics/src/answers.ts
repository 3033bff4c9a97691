import { ApiProblem } from '@portcullis/service/problem';
import type { BehaviourState } from '@portcullis/contract/standing';
import type { Agent, Paged } from './audit-store.js';
import { personMay, recentDenials, settle, type Transition } from './behaviour.js';
import { cursorOf } from './queries.js';

/** An agent as the API shows it: its state is the one of now, whenever it was written. */
export function agentView({ tenant, agent, clientId, sub, behaviour }: Agent, now: number) {
  const { state, since, why, denials } = settle(behaviour, now).next;
  return {
    agent,
    tenant,
    client_id: clientId,
    ...(sub !== undefined && { sub }),
    state,
    since: new Date(since).toISOString(),
    why,
    denials,
  };
}

/** @param stored its transitions, newest first */
export function agentDetail(agent: Agent, stored: readonly Transition[], now: number) {
  const { next, transitions } = settle(agent.behaviour, now);
  return {
    ...agentView(agent, now),
    denials_last_minute: recentDenials(next, now),
    a_person_may: personMay(next.state),
    transitions: [...transitions.toReversed(), ...stored].map(({ from, to, at, why, by }) => ({
      from,
      to,
      at: new Date(at).toISOString(),
      why,
      by,
    })),
  };
}

export const listOf = <T, V>({ items, next }: Paged<T>, viewOf: (item: T) => V) => ({
  items: items.map(viewOf),
  next_cursor: cursorOf(next),
});

/** The same words for an agent that never was and for one of another tenant. */
export const noSuchAgent = (): ApiProblem =>
  new ApiProblem(
    404,
    'agent_unknown',
    'No such agent has been seen. An agent is known from its first call on; before that there is nothing to contain.',
  );

export const severalAgents = (agents: readonly Agent[]): ApiProblem =>
  new ApiProblem(
    409,
    'agent_ambiguous',
    `That client is more than one agent. Name one of them: ${agents.map(({ agent }) => agent).join(', ')}.`,
  );

export const cannotMove = (from: BehaviourState, to: BehaviourState): ApiProblem =>
  new ApiProblem(
    409,
    'transition_illegal',
    `This agent is ${from} and cannot be moved to ${to}. From ${from} a person may move it to: ${personMay(from).join(', ')}.`,
  );
