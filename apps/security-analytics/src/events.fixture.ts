import { auditEvent, FIRST_PREV, type AuditEvent, type EventData } from '@portcullis/audit-schemas/envelope';
import { principalId } from '@portcullis/contract/ids';
import type { Accepted } from './line.js';

export const T0 = Date.UTC(2026, 10, 21, 12);

/** A UUIDv7-shaped id: the same number gives the same id. */
export const uuid = (n: number): string => `019aa000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

let made = 0;
/** Numbers for ids of this test process. */
export const nextNumber = (): number => ++made;

export interface CallFacts {
  readonly tenant?: string;
  readonly clientId?: string;
  readonly sub?: string;
  readonly subject?: string | undefined;
  readonly id?: string;
  /** ms after T0 */
  readonly at?: number;
  readonly denial?: boolean;
  readonly outcome?: EventData<'portcullis.call.v1'>['outcome'];
  /** undefined = the call names none */
  readonly tool?: string | undefined;
  readonly resource?: string;
  readonly correlationId?: string;
}

/** A call as mcp-server says it: allowed unless `denial`. */
export function call(facts: CallFacts = {}): Accepted {
  const { tenant = 'default', clientId = 'client-a', sub, at = 0, denial = false } = facts;
  const subject = 'subject' in facts ? facts.subject : principalId(tenant, clientId, sub);
  return eventLine({
    type: 'portcullis.call.v1',
    tenant,
    ...(subject !== undefined && { subject }),
    ...(facts.id !== undefined && { id: facts.id }),
    at,
    data: {
      clientId,
      ...(sub !== undefined && { sub }),
      correlationId: facts.correlationId ?? uuid(nextNumber()),
      method: 'tools/call',
      tool: 'tool' in facts ? facts.tool : 'get_customer_info',
      resource: facts.resource,
      outcome: facts.outcome ?? (denial ? 'scope_insufficient' : 'allowed'),
      denial,
      http: denial ? 403 : 200,
      durationMs: 1,
    },
  });
}

export const admin = (tenant: string, action: string, target: string): Accepted =>
  eventLine({ type: 'portcullis.admin.v1', tenant, at: 0, data: { action, actor: 'local-admin/0', target } });

export function eventLine(facts: {
  type: AuditEvent['type'];
  tenant: string;
  subject?: string;
  id?: string;
  at: number;
  data: unknown;
}): Accepted {
  const { type, tenant, subject, at, data } = facts;
  const event = auditEvent.parse({
    specversion: '1.0',
    id: facts.id ?? uuid(nextNumber()),
    source: '/portcullis/mcp-server/test',
    type,
    subject,
    time: new Date(T0 + at).toISOString(),
    datacontenttype: 'application/json',
    tenant,
    seq: nextNumber(),
    prev: FIRST_PREV,
    data,
  });
  return { event, line: JSON.stringify(event) };
}

/** So many denials of one principal, a second apart. */
export const denials = (count: number, facts: CallFacts = {}): Accepted[] =>
  Array.from({ length: count }, (_, n) => call({ ...facts, denial: true, at: (facts.at ?? 0) + n * 1000 }));
