import type { Revocable } from '@portcullis/contract/revocation';
import type { Confirm } from './paging.js';
import { revocationTimes, type Revocations } from './revocations.js';

export interface RevokingPorts {
  readonly revocations: Pick<Revocations, 'revoke'>;
  /** tells the other services, see revocation-announcer.ts */
  announce(): Promise<void>;
  /** ms since epoch */
  now(): number;
}

export interface ToRevoke {
  readonly what: Revocable;
  readonly id: string;
  /** why, for people; never a token */
  readonly reason: string;
  /** who does it */
  readonly by: string;
  /** ms since epoch: when the token expires, where only one is meant */
  readonly expires?: number | undefined;
}

/**
 * Revokes for good and tells everyone. When it resolves, the row is committed and this replica's feed has heard of it,
 * or will as soon as it can be reached. Nothing is revoked unless `confirm` resolves, such as when the event is kept.
 */
export type Revoke = (tenant: string, what: ToRevoke, confirm: Confirm) => Promise<void>;

export const revoking =
  ({ revocations, announce, now }: RevokingPorts): Revoke =>
  async (tenant, { what, id, reason, by, expires }, confirm) => {
    const times = revocationTimes(now(), expires);
    await revocations.revoke(tenant, { what, id, reason: reason.slice(0, 1000), by, ...times }, confirm);
    await announce();
  };
