import { createHash } from 'node:crypto';
import type { AdapterPayload } from 'oidc-provider';

/** What is kept of a code, session, interaction or grant of oidc-provider. */
export interface Artefact {
  /** oidc-provider's name of the model, such as `AuthorizationCode` */
  readonly kind: string;
  /** see {@link artefactHash} */
  readonly idHash: string;
  readonly payload: string;
  readonly grantId: string | undefined;
  readonly sessionUid: string | undefined;
  readonly clientId: string | undefined;
  readonly accountId: string | undefined;
  /** ms since epoch */
  readonly expiresAt: number;
}
export interface StoredArtefact {
  readonly payload: string;
  /** ms since epoch; undefined = not used yet */
  readonly consumedAt: number | undefined;
}

/**
 * No tenant in any question here: each id is a secret (a cookie, a code) that comes before anybody knows whose it is.
 * Must pass artefacts.contract.ts.
 */
export interface Artefacts {
  /** Adds it or overwrites the one with the same kind and id. */
  put(artefact: Artefact): Promise<void>;
  /** @returns false when it is there already, expired or not; atomic, so that of two at once one gets false */
  putOnce(artefact: Artefact): Promise<boolean>;
  /** @param now ms since epoch; what has expired by then is not found */
  find(kind: string, idHash: string, now: number): Promise<StoredArtefact | undefined>;
  /** Finds it as {@link find} does, and keeps it until `keepUntil` (ms since epoch) at least; one step. */
  findAndKeep(kind: string, idHash: string, now: number, keepUntil: number): Promise<StoredArtefact | undefined>;
  findSession(sessionUid: string, now: number): Promise<(StoredArtefact & { idHash: string }) | undefined>;
  /**
   * @param keepUntil ms since epoch: how long to remember that it was used; until it expires, unless given
   * @returns false when it was used before or is gone; atomic, so that of two at once one gets false
   */
  consume(kind: string, idHash: string, now: number, keepUntil?: number): Promise<boolean>;
  remove(kind: string, idHash: string): Promise<void>;
  removeOfGrant(kind: string, grantId: string): Promise<void>;
  /** Notes which session (`uid`) a grant came of. */
  noteSession(grantId: string, sessionUid: string): Promise<void>;
  /** @returns the ids of the grants that came of the session and are good at `now` */
  grantsOf(sessionUid: string, now: number): Promise<readonly string[]>;
  /** @returns how many had expired by `now` and are gone */
  sweep(now: number): Promise<number>;
}

export const artefactHash = (id: string): string => createHash('sha256').update(id).digest('base64url');

/**
 * Takes out of a payload what would give its reader the thing itself: its own id (`jti`, and as the end of an
 * interaction's `returnTo`), and the session cookie that an interaction carries along and nobody reads.
 */
export function shelve(kind: string, id: string, payload: AdapterPayload, expiresAt: number): Artefact {
  const { jti: _id, consumed: _consumed, ...kept } = payload;
  if (kept.returnTo?.endsWith(id)) kept.returnTo = kept.returnTo.slice(0, -id.length);
  if (kind === 'Interaction' && kept.session !== undefined) {
    const { cookie: _cookie, ...session } = kept.session as Record<string, unknown>;
    kept.session = session as AdapterPayload['session'];
  }
  return {
    kind,
    idHash: artefactHash(id),
    payload: JSON.stringify(kept),
    // a grant belongs to itself, so that it can be found by the id that its tokens name
    grantId: kind === 'Grant' ? id : payload.grantId,
    sessionUid: kind === 'Session' ? payload.uid : undefined,
    clientId: payload.clientId,
    accountId: payload.accountId,
    expiresAt,
  };
}

/** The payload as oidc-provider gave it, for whoever knows the id. */
export function unshelve(kind: string, id: string, { payload, consumedAt }: StoredArtefact): AdapterPayload {
  const kept = JSON.parse(payload) as AdapterPayload;
  if (kind === 'Interaction' && kept.returnTo !== undefined) kept.returnTo += id;
  if (consumedAt !== undefined) kept.consumed = Math.floor(consumedAt / 1000);
  return { ...kept, jti: id };
}
