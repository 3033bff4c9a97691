import { isTenant } from '@portcullis/contract/ids';
import { REVOCABLE, type Revocable, type Revocation } from '@portcullis/contract/revocation';
import type { Confirm } from './paging.js';

/** A revocation as it is kept. */
export interface RevocationRecord {
  readonly tenant: string;
  readonly what: Revocable;
  readonly id: string;
  /** ms since epoch: a standing one ends what was issued until then */
  readonly at: number;
  /** ms since epoch: by then the last token it ends has expired */
  readonly until: number;
  /** why, for people; never a token */
  readonly reason: string;
  /** who did it: a client, a person, `local-admin/UID` */
  readonly by: string;
}

/** A place in the order of what was written; opaque. */
export type Horizon = string;

/**
 * Everything that was revoked and could still be used. What is told to other services tells of all tenants, so those
 * questions name none. Must pass revocations.contract.ts.
 */
export interface Revocations {
  /**
   * Revokes, once and for all: the same again keeps the later `at` and `until`. What of it lies in the same database goes
   * in the same transaction (codes, refresh tokens, grants, a person's sessions), and each grant that goes is revoked by
   * itself, too: an exchange that is under way may issue a token of it a little later than `at`. All of it happens only if
   * `confirm` resolves.
   */
  revoke(tenant: string, revocation: Omit<RevocationRecord, 'tenant'>, confirm: Confirm): Promise<void>;
  /** @returns undefined when the tenant has no such revocation */
  find(tenant: string, what: Revocable, id: string): Promise<RevocationRecord | undefined>;
  /**
   * What was written since a horizon (undefined = all there is) and ends something at `now`, with the horizon to ask from
   * next time. Nothing is ever left out; what was written around a horizon may come twice.
   */
  since(horizon: Horizon | undefined, now: number): Promise<{ rows: readonly RevocationRecord[]; horizon: Horizon }>;
  /** at most `limit` of those that end nothing any more at `now` (ms since epoch) */
  expired(now: number, limit: number): Promise<readonly RevocationRecord[]>;
  /** Forgets these, unless they were revoked again and end something at `now`. */
  forget(rows: readonly RevocationRecord[], now: number): Promise<void>;
}

const SECOND = 1000;
/** No setting makes an access token live longer, and the setting may have been another one when it was issued. */
const LONGEST_TOKEN_MS = 60 * 60 * SECOND;
/** Clocks differ, and a request that was under way when its grant was revoked ends a little later. */
const MARGIN_MS = 120 * SECOND;
/** How long whoever was disabled or removed may still be given a token: replicas know clients of a second ago. */
export const STILL_KNOWN_MS = 2 * SECOND;

/**
 * From when to when a revocation counts.
 * @param at      ms since epoch: a standing one ends what was issued until then
 * @param expires ms since epoch: when what it ends expires, where that is known; else an access token's longest life
 */
export const revocationTimes = (
  at: number,
  expires: number = at + LONGEST_TOKEN_MS,
): Pick<RevocationRecord, 'at' | 'until'> => ({ at, until: expires + MARGIN_MS });

export const revocationKey = ({ tenant, what, id }: Pick<RevocationRecord, 'tenant' | 'what' | 'id'>): string =>
  `${tenant}/${what}/${id}`;

/** As the bus carries it: why and by whom stays here. */
export const revocationMessage = (row: RevocationRecord): { key: string; value: string } => {
  const { tenant, what, id } = row;
  const message: Revocation = { tenant, what, id, at: timeOf(row.at), until: timeOf(row.until) };
  return { key: revocationKey(row), value: JSON.stringify(message) };
};
/** For a topic that keeps the last message per key: there is none any more. */
export const revocationTombstone = (row: RevocationRecord): { key: string; value: string } => ({
  key: revocationKey(row),
  value: '',
});

/** A message of the two above as it is to be signed. Its place among those of its key is when it was revoked. */
export function revocationSaying({ key, value }: { key: string; value: string }) {
  if (value === '') return { key, seq: 0, body: undefined };
  const body = JSON.parse(value) as Revocation;
  return { key, seq: Date.parse(body.at), body };
}

/** What a key of the topic names; undefined for one that names nothing. */
export function keyParts(key: string): Pick<RevocationRecord, 'tenant' | 'what' | 'id'> | undefined {
  const [tenant = '', what = '', ...rest] = key.split('/');
  const id = rest.join('/');
  const named = isTenant(tenant) && Object.hasOwn(REVOCABLE, what) && /^[\x21-\x7e]{1,255}$/.test(id);
  return named ? { tenant, what: what as Revocable, id } : undefined;
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
