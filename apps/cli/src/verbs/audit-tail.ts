import { auditEvent, EVENT_TYPES, type AuditEvent, type EventType } from '@portcullis/audit-schemas/envelope';
import * as z from 'zod';
import { pageOf } from '../api.js';
import { table, type Column } from '../table.js';
import { acrossTenants, defineVerb, noteMore, pageInput, pageOptions, tenantInput, tenantOption } from '../verb.js';

const TYPES = Object.keys(EVENT_TYPES) as [EventType, ...EventType[]];

const columns: readonly Column<AuditEvent>[] = [
  { head: 'time', of: ({ time }) => time },
  { head: 'tenant', of: ({ tenant }) => tenant },
  { head: 'type', of: ({ type }) => type.split('.')[1] },
  { head: 'who', of: whoOf },
  { head: 'what', of: whatOf },
  { head: 'agent', of: ({ subject }) => subject },
];

function whoOf({ type, data }: AuditEvent): string | undefined {
  if (type === 'portcullis.admin.v1') return data.actor;
  if (type === 'portcullis.standing.v1') return data.by;
  if (type === 'portcullis.approval.v1') return data.actor ?? data.clientId;
  return data.clientId;
}

function whatOf(event: AuditEvent): string {
  switch (event.type) {
    case 'portcullis.call.v1':
      return `${event.data.tool ?? event.data.resource ?? event.data.method ?? 'a request'}: ${event.data.outcome} (${event.data.http})`;
    case 'portcullis.auth.v1':
      return [event.data.action, event.data.scope, event.data.reason].filter(Boolean).join(' ');
    case 'portcullis.admin.v1':
      return [event.data.action, event.data.target, event.data.reason].filter(Boolean).join(' ');
    case 'portcullis.approval.v1':
      return [event.data.action, event.data.tool, event.data.approval, event.data.reason].filter(Boolean).join(' ');
    case 'portcullis.standing.v1':
      return `${event.data.from} -> ${event.data.to}: ${event.data.why}`;
  }
}

export const auditTail = defineVerb({
  name: 'audit tail',
  says: 'what was recorded last: the newest event at the end',
  options: [
    { flags: '--agent <agent>', says: 'only of this agent, by its id or client_id' },
    { flags: '--type <type>', says: 'only events of this type', choices: TYPES },
    ...pageOptions,
    tenantOption,
  ],
  input: z.object({ agent: z.string().optional(), type: z.enum(TYPES).optional(), ...pageInput, ...tenantInput }),
  run: async ({ agent, type, limit, cursor, tenant }, ports) => {
    const analytics = await ports.admin('analytics', ['security:read', ...acrossTenants(tenant)]);
    const answer = await analytics.get('/events', { agent, type, limit, cursor, tenant });
    const { items, next } = pageOf(auditEvent, answer);
    noteMore(next, ports);
    const oldestFirst = items.toReversed();
    return { json: oldestFirst, text: table(columns, oldestFirst) };
  },
});
