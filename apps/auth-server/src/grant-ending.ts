import type { EventLog } from '@portcullis/bus/outbox';
import { authEvent } from './audit.js';
import type { Revoke } from './revoking.js';

/** What one consent gave a client: its code, its refresh tokens (a family), its access tokens. */
export interface EndingGrant {
  readonly tenant: string;
  readonly grantId: string;
  readonly clientId: string;
  /** the person */
  readonly sub: string;
}

/** What ends a grant before its time. `compromised`: a code or token of it was in other hands, or could have been. */
export const GRANT_ENDINGS = {
  'code-replay': { action: 'grant.compromised', by: 'rule:code-replay' },
  'refresh-replay': { action: 'grant.compromised', by: 'rule:refresh-replay' },
  logout: { action: 'grant.revoked', by: undefined },
} as const;
export type GrantEnding = keyof typeof GRANT_ENDINGS;

/**
 * Ends a grant with everything that came of it, and nothing else of that person or client: the principal is not contained.
 * When it resolves, no replica gives a token of it any more, and the other services are being told of those that are out.
 * @param why for people; becomes the reason of the event
 */
export type EndGrant = (grant: EndingGrant, ending: GrantEnding, why: string) => Promise<void>;

export interface GrantEndingPorts {
  readonly revoke: Revoke;
  readonly events: EventLog;
  /** ms since epoch */
  now(): number;
}

export const grantEnding =
  ({ revoke, events, now }: GrantEndingPorts): EndGrant =>
  async ({ tenant, grantId, clientId, sub }, ending, why) => {
    const { action, by = sub } = GRANT_ENDINGS[ending];
    await revoke(tenant, { what: 'grant', id: grantId, reason: why, by }, async () => {
      const who = { tenant, clientId, sub, proven: true };
      await events.append(authEvent(action, who, { grantId, reason: why }, now()));
    });
  };
