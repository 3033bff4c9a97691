import type { AuditEvent, EventData } from '@portcullis/audit-schemas/envelope';
import { isDrillTenant, isTenant, principalId, type PrincipalId } from '@portcullis/contract/ids';
import type { BehaviourEvent } from './behaviour.js';

/** Who a principal is, beside its id. */
export interface Identity {
  readonly tenant: string;
  readonly agent: PrincipalId;
  readonly clientId: string;
  /** the person, for a person's grant */
  readonly sub: string | undefined;
}

/** What one audit event says about one principal. */
export interface Evidence extends Identity {
  readonly event: BehaviourEvent & { kind: 'call' };
}

/**
 * What an event proves about a principal. Only calls do, and only those whose subject is the principal of their client
 * and person: a call without a verified token has no subject, so nothing unproven moves anybody, and our own standing
 * events, which come back over the bus, move nobody a second time.
 * @returns undefined when it proves nothing
 */
export function evidenceOf(event: AuditEvent): Evidence | undefined {
  if (!isOutcome(event) || event.subject === undefined || event.data.clientId === undefined) return undefined;
  const { clientId, sub, denial } = event.data;
  const agent = principalId(event.tenant, clientId, sub);
  if (agent !== event.subject) return undefined;
  const at = Date.parse(event.time);
  return {
    tenant: event.tenant,
    agent,
    clientId,
    sub,
    event: { kind: 'call', id: event.id, at, denial, allowed: isExecuted(event.data) },
  };
}

/** Lists, pings and notifications are allowed as well, but whoever sends twenty of them has shown nothing. */
const isExecuted = ({ outcome, tool, resource }: EventData<'portcullis.call.v1'>): boolean =>
  outcome === 'allowed' && (tool !== undefined || resource !== undefined);

/** A call that names a principal which is not the one of its client and person: a fault of the service that wrote it. */
export const isContradictory = (event: AuditEvent): boolean =>
  isOutcome(event) && event.subject !== undefined && evidenceOf(event) === undefined;

/** What became of a call. That one was attempted is told beforehand, and its outcome counts. */
const isOutcome = (event: AuditEvent): event is Extract<AuditEvent, { type: 'portcullis.call.v1' }> =>
  event.type === 'portcullis.call.v1' && event.data.outcome !== 'attempted';

/** The drill tenant that an event declares to be over; its agents are forgotten. */
export function drillRemoved(event: AuditEvent): string | undefined {
  if (event.type !== 'portcullis.admin.v1' || event.data.action !== 'drill.removed') return undefined;
  const { target } = event.data;
  return isTenant(target) && isDrillTenant(target) ? target : undefined;
}
