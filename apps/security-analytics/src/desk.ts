import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import type { Caller } from '@portcullis/scopes/caller';
import type * as z from 'zod';
import type { Announcer } from './announcer.js';
import { agentDetail, agentView, cannotMove, listOf, noSuchAgent, severalAgents } from './answers.js';
import { ALL_TENANTS, type Agent, type AuditQuestions, type AuditStore } from './audit-store.js';
import { isAgentName, type agentsQuery, type eventsQuery, type transitionBody } from './queries.js';
import { reachOf } from './reach.js';

/** What the security team's questions and decisions need. */
export interface DeskPorts {
  readonly questions: AuditQuestions;
  readonly store: Pick<AuditStore, 'decide'>;
  readonly announcer: Pick<Announcer, 'announce'>;
  /** puts an event into the audit log, or rejects */
  record(draft: EventDraft): Promise<unknown>;
  /** ms since epoch */
  now(): number;
}

const TRANSITIONS_SHOWN = 50;

export async function listAgents(caller: Caller, query: z.output<typeof agentsQuery>, ports: DeskPorts) {
  const tenants = reachOf(caller, query.tenant);
  await auditCrossing(caller, { tenants, action: 'agents.read' }, ports);
  const page = { limit: query.limit, after: query.cursor };
  const agents = await ports.questions.agents(tenants, { clientId: query.client_id }, page);
  const now = ports.now();
  return listOf(agents, (agent) => agentView(agent, now));
}

export async function showAgent(caller: Caller, name: string, tenant: string | undefined, ports: DeskPorts) {
  const agent = await agentNamed(caller, { name, tenant, action: 'agent.read' }, ports);
  const transitions = await ports.questions.transitions(agent.tenant, agent.agent, TRANSITIONS_SHOWN);
  return agentDetail(agent, transitions, ports.now());
}

/** Resolves after the standing feed was told, if it can be told now. */
export async function moveAgent(
  caller: Caller,
  name: string,
  { tenant, to, reason }: z.output<typeof transitionBody> & { readonly tenant: string | undefined },
  ports: DeskPorts,
) {
  const agent = await agentNamed(caller, { name, tenant, action: 'agent.move', reason }, ports);
  const now = ports.now();
  const event = { kind: 'person', at: now, to, by: caller.actor, reason } as const;
  const decision = await ports.store.decide(agent.tenant, agent.agent, event);
  if (decision.kind === 'unknown') throw noSuchAgent();
  if (decision.kind === 'illegal') throw cannotMove(decision.from, to);
  await ports.announcer.announce();
  return agentView(decision.agent, now);
}

export async function listEvents(caller: Caller, query: z.output<typeof eventsQuery>, ports: DeskPorts) {
  const tenants = reachOf(caller, query.tenant);
  await auditCrossing(caller, { tenants, action: 'events.read' }, ports);
  const { limit, cursor, agent, type, tool, outcome, correlation_id: correlationId, since, until } = query;
  const filter = { agent, type, tool, outcome, correlationId, since, until };
  return listOf(await ports.questions.events(tenants, filter, { limit, after: cursor }), (event) => event);
}

interface Looking {
  /** `agt_…`, or a client id where that is one principal */
  readonly name: string;
  readonly tenant: string | undefined;
  readonly action: string;
  readonly reason?: string;
}

/**
 * The one agent of that name within the caller's reach.
 * @throws ApiProblem 404 when there is none, 409 when a client is several principals
 */
async function agentNamed(caller: Caller, { name, tenant, action, reason }: Looking, ports: DeskPorts): Promise<Agent> {
  const tenants = reachOf(caller, tenant);
  const found = isAgentName(name) ? await ports.questions.named(tenants, name) : [];
  const [only] = found;
  if (only === undefined || found.length > 1) {
    await auditCrossing(caller, { tenants, action, reason }, ports);
    throw only === undefined ? noSuchAgent() : severalAgents(found);
  }
  await auditCrossing(caller, { tenants: only.tenant, agent: only.agent, action, reason }, ports);
  return only;
}

/**
 * Puts the look into another tenant, or into all, into the audit before anything is answered; no record, no look. A look
 * at one tenant stands in that tenant's own log.
 */
async function auditCrossing(
  caller: Caller,
  look: { tenants: string; agent?: string; action: string; reason?: string | undefined },
  { record, now }: DeskPorts,
): Promise<void> {
  const { tenants, agent, action, reason } = look;
  if (tenants === caller.tenant) return;
  await record({
    type: 'portcullis.admin.v1',
    tenant: tenants === ALL_TENANTS ? caller.tenant : tenants,
    subject: caller.principal,
    at: now(),
    data: {
      action,
      actor: caller.actor,
      target: agent === undefined ? tenants : `${tenants}/${agent}`,
      ...(reason !== undefined && { reason }),
    },
  });
}
