import { isPrincipalId, principalId, DEFAULT_TENANT, type PrincipalId } from '@portcullis/contract/ids';
import { BEHAVIOUR_STATES } from '@portcullis/contract/standing';
import * as z from 'zod';
import { expectShape, pageOf, type Api, type Page } from './api.js';
import { WrongUse } from './faults.js';
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

export interface AgentsAsked {
  readonly tenant?: string | undefined;
  readonly client?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}
export const agentsOf = async (analytics: Api, { tenant, client, limit, cursor }: AgentsAsked): Promise<Page<Agent>> =>
  pageOf(agentRow, await analytics.get('/agents', { tenant, client_id: client, limit, cursor }));

export const agentNamed = async (analytics: Api, id: PrincipalId): Promise<Agent> =>
  expectShape(agentRow, await analytics.get(`/agents/${id}`));

/**
 * The id of the agent that a word names: the id itself, or a client_id where that is one agent.
 * @throws WrongUse when the client acts for several people, naming the ids to choose from
 */
export async function agentIdOf(analytics: Api, word: string, tenant: string | undefined): Promise<PrincipalId> {
  if (isPrincipalId(word)) return word;
  const { items } = await agentsOf(analytics, { tenant, client: word, limit: 200 });
  const [only, ...more] = items;
  if (more.length > 0) {
    const ids = items.map(({ agent, sub }) => `${agent} (${sub ?? 'the client itself'})`).join(', ');
    throw new WrongUse(`${word} is more than one agent. Name one of them: ${ids}.`);
  }
  return only?.agent ?? principalId(tenant ?? DEFAULT_TENANT, word);
}

/** A person moves an agent. @throws ApiRefusal 409 when no row of the transition table allows it from its state */
export const moveAgent = async (analytics: Api, id: PrincipalId, to: Agent['state'], reason: string): Promise<Agent> =>
  expectShape(agentRow, await analytics.send('POST', `/agents/${id}/transitions`, { to, reason }));

/** Moving an agent is somebody's decision, so it needs a reason that others can read later. */
export const reasonOption = { flags: '--reason <text>', says: 'why; required, and kept in the audit' };
export const reasonInput = {
  reason: z
    .string('is missing: say why, for those who read the audit later')
    .trim()
    .min(1, 'is empty: say why')
    .max(500, 'takes at most 500 characters'),
};
