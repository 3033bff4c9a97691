import { isPrincipalId, type PrincipalId } from '@portcullis/contract/ids';
import { BEHAVIOUR_STATES, type BehaviourState } from '@portcullis/contract/standing';
import * as z from 'zod';
import { expectShape, type Api } from './api.js';
import type { Column } from './table.js';

/** An agent (a principal) and how it behaves, as security-analytics tells it. */
export const agentRow = z.object({
  agent: z.string().refine(isPrincipalId),
  tenant: z.string(),
  client_id: z.string(),
  /** the person it acts for; absent for a machine */
  sub: z.string().optional(),
  state: z.enum(BEHAVIOUR_STATES),
  /** RFC 3339: in this state since */
  since: z.string(),
  why: z.string(),
  /** denials ever */
  denials: z.int(),
});
export type Agent = z.output<typeof agentRow>;

export const agentColumns: readonly Column<Agent>[] = [
  { head: 'agent', of: ({ agent }) => agent },
  { head: 'tenant', of: ({ tenant }) => tenant },
  { head: 'client', of: ({ client_id }) => client_id },
  { head: 'for', of: ({ sub }) => sub },
  { head: 'state', of: ({ state }) => state },
  { head: 'since', of: ({ since }) => since },
  { head: 'why', of: ({ why }) => why },
  { head: 'denials', of: ({ denials }) => denials },
];

/** One agent with its history. */
export const agentDetail = agentRow.extend({
  denials_last_minute: z.int(),
  /** the states a person may move it to from here */
  a_person_may: z.array(z.enum(BEHAVIOUR_STATES)),
  /** newest first; `by` is `rule:NAME` or the person */
  transitions: z.array(
    z.object({
      from: z.enum(BEHAVIOUR_STATES),
      to: z.enum(BEHAVIOUR_STATES),
      at: z.string(),
      why: z.string(),
      by: z.string(),
    }),
  ),
});
export type AgentDetail = z.output<typeof agentDetail>;

/**
 * @param word the agent's id, or its client_id where that is one agent
 * @throws ApiRefusal 404 when no such agent has been seen, 409 naming the ids when the client is several agents
 */
export const agentNamed = async (analytics: Api, word: string, tenant?: string): Promise<AgentDetail> =>
  expectShape(agentDetail, await analytics.get(`/agents/${encodeURIComponent(word)}`, { tenant }));

/** A person moves an agent. @throws ApiRefusal 409 when no row of the transition table allows it from its state */
export const moveAgent = async (analytics: Api, id: PrincipalId, to: BehaviourState, reason: string): Promise<Agent> =>
  expectShape(agentRow, await analytics.send('POST', `/agents/${id}/transitions`, { to, reason }));

/** What every verb about one agent takes. */
export const agentArgument = { name: 'agent', says: 'its id (agt_...), or its client_id where that is one agent' };
export const agentInput = { agent: z.string().min(1, 'is empty') };

/** Moving an agent is somebody's decision, so it needs a reason that others can read later. */
export const reasonOption = { flags: '--reason <text>', says: 'why; required, and kept in the audit' };
export const reasonInput = {
  reason: z
    .string('is missing: say why, for those who read the audit later')
    .trim()
    .min(1, 'is empty: say why')
    .max(500, 'takes at most 500 characters'),
};
