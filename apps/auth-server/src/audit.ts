import type { EventData, EventDraft } from '@portcullis/audit-schemas/envelope';
import { DEFAULT_TENANT, principalId } from '@portcullis/contract/ids';
import { claimedClient } from './claimed-client.js';

type AuthAction = EventData<'portcullis.auth.v1'>['action'];

/** Who did something, as far as it is known. Nobody's word for it is enough for a principal. */
export interface Who {
  /** absent when the client is not known: such events belong to the default tenant */
  readonly tenant?: string | undefined;
  readonly clientId?: string | undefined;
  readonly sub?: string | undefined;
  /** true when client and person have proved who they are, so that the event may name their principal */
  readonly proven: boolean;
}

/** @param at ms since epoch */
export function authEvent(
  action: AuthAction,
  who: Who,
  more: Partial<Omit<EventData<'portcullis.auth.v1'>, 'action' | 'clientId' | 'sub'>>,
  at: number,
): EventDraft {
  const { tenant, clientId, sub, proven } = who;
  const reason = more.reason ?? USUAL[action];
  return {
    type: 'portcullis.auth.v1',
    tenant: tenant ?? DEFAULT_TENANT,
    subject: proven && tenant !== undefined && clientId !== undefined ? principalId(tenant, clientId, sub) : undefined,
    at,
    data: {
      action,
      ...(clientId !== undefined && { clientId: tenant === undefined ? claimedClient(clientId) : clientId }),
      ...(sub !== undefined && { sub }),
      ...more,
      ...(reason !== undefined && { reason: reason.slice(0, 1000) }),
    },
  };
}

/** Why what was asked for was done, where nothing more is to say. Who refuses says why in words of its own. */
const USUAL: Partial<Record<AuthAction, string>> = {
  'token.issued': 'the client and what it may have were checked',
  'token.revoked': 'whoever holds it asked',
  'token.introspected': 'its client or resource server asked',
  'grant.revoked': 'whoever holds it asked',
  'login.succeeded': 'the password was right',
  'login.cancelled': 'the person cancelled',
  'consent.granted': 'the person allowed it',
  'consent.refused': 'the person said no',
  'request.pushed': 'the client was checked',
  'session.ended': 'the person signed out',
};

/**
 * @param tenant whose things were changed or read, not the actor's own
 * @param at     ms since epoch
 */
export const adminEvent = (tenant: string, data: EventData<'portcullis.admin.v1'>, at: number): EventDraft => ({
  type: 'portcullis.admin.v1',
  tenant,
  at,
  data: { ...data, reason: data.reason ?? 'an administrator asked' },
});

/** Client id of whoever holds the file with the administrator's key of this machine (embedded mode). */
export const LOCAL_ADMIN = 'local-admin';
