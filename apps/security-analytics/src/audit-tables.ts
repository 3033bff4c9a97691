import type { AuditEvent } from '@portcullis/audit-schemas/envelope';
import type { PrincipalId } from '@portcullis/contract/ids';
import type { BehaviourState } from '@portcullis/contract/standing';
import type { ColumnType, Generated, Insertable, Selectable } from 'kysely';
import type { Agent, AgentTransition } from './audit-store.js';
import type { Memory, Transition } from './behaviour.js';
import type { Accepted } from './line.js';

/** The schema. */
export const AUDIT = 'audit';

/** A column that is written once. */
type Once<T> = ColumnType<T, T, never>;

export interface AuditTables {
  events: {
    tenant: Once<string>;
    id: Once<string>;
    position: ColumnType<string, never, never>;
    source: Once<string>;
    seq: Once<number>;
    prev: Once<string>;
    type: Once<string>;
    subject: Once<string | null>;
    time: ColumnType<Date, string, never>;
    client_id: Once<string | null>;
    correlation_id: Once<string | null>;
    tool: Once<string | null>;
    outcome: Once<string | null>;
    line: Once<string>;
    received_at: ColumnType<Date, never, never>;
  };
  agents: {
    tenant: Once<string>;
    agent: Once<string>;
    client_id: string;
    sub: string | null;
    state: BehaviourState;
    since: ColumnType<Date, string, string>;
    why: string;
    denials: number;
    memory: ColumnType<Memory, string, string>;
  };
  transitions: {
    tenant: Once<string>;
    position: ColumnType<string, never, never>;
    agent: Once<string>;
    client_id: Once<string>;
    sub: Once<string | null>;
    from_state: Once<BehaviourState>;
    to_state: Once<BehaviourState>;
    at: ColumnType<Date, string, never>;
    why: Once<string>;
    by_whom: Once<string>;
    published: Generated<boolean>;
    recorded: Generated<boolean>;
  };
  dead_letters: {
    hash: string;
    reason: string;
    line: string;
    length: number;
    received_at: ColumnType<Date, never, never>;
  };
}

export const time = (ms: number): string => new Date(ms).toISOString();

/** Postgres stores no NUL (22021). The line keeps what really was said: in JSON it stands escaped. */
const storable = (text: string): string => text.replaceAll('\0', '\uFFFD');
const column = (text: string | undefined): string | null => (text === undefined ? null : storable(text));

export function eventRow({ event, line }: Accepted): Insertable<AuditTables['events']> {
  const asked = questions(event);
  return {
    tenant: event.tenant,
    id: event.id,
    source: event.source,
    seq: event.seq,
    prev: event.prev,
    type: event.type,
    subject: column(event.subject),
    time: event.time,
    client_id: column(asked.clientId),
    correlation_id: asked.correlationId ?? null,
    tool: column(asked.tool),
    outcome: column(asked.outcome),
    line,
  };
}

/** `outcome` is the word for what became of it: of a call its outcome, else what was done or reached. */
function questions(event: AuditEvent): { clientId?: string; correlationId?: string; tool?: string; outcome?: string } {
  const { type, data } = event;
  if (type === 'portcullis.admin.v1') return { outcome: data.action };
  const { clientId } = data;
  if (type === 'portcullis.auth.v1') return { clientId, outcome: data.action };
  if (type === 'portcullis.approval.v1') return { clientId, tool: data.tool, outcome: data.action };
  if (type === 'portcullis.standing.v1') return { clientId, outcome: data.to };
  return { clientId, correlationId: data.correlationId, tool: data.tool, outcome: data.outcome };
}

export const agentRow = ({ tenant, agent, clientId, sub, behaviour }: Agent): Insertable<AuditTables['agents']> => ({
  tenant,
  agent,
  client_id: storable(clientId),
  sub: column(sub),
  state: behaviour.state,
  since: time(behaviour.since),
  why: storable(behaviour.why),
  denials: behaviour.denials,
  memory: JSON.stringify(behaviour.memory),
});

export const agentOf = (row: Selectable<AuditTables['agents']>): Agent => ({
  tenant: row.tenant,
  agent: row.agent as PrincipalId,
  clientId: row.client_id,
  sub: row.sub ?? undefined,
  behaviour: { state: row.state, since: row.since.getTime(), why: row.why, denials: row.denials, memory: row.memory },
});

export const transitionRow = (moved: AgentTransition): Insertable<AuditTables['transitions']> => ({
  tenant: moved.tenant,
  agent: moved.agent,
  client_id: storable(moved.clientId),
  sub: column(moved.sub),
  from_state: moved.transition.from,
  to_state: moved.transition.to,
  at: time(moved.transition.at),
  why: storable(moved.transition.why),
  by_whom: storable(moved.transition.by),
});

export const transitionOf = (row: Selectable<AuditTables['transitions']>): Transition => ({
  from: row.from_state,
  to: row.to_state,
  at: row.at.getTime(),
  why: row.why,
  by: row.by_whom,
});
