import { createHash } from 'node:crypto';
import type { EventLog } from '@portcullis/bus/outbox';
import { adminEvent } from './audit.js';
import type { Confirm } from './paging.js';
import type { UserRecord } from './users.js';

/**
 * The way in for the first administrator of a deployment: a link that works once, for a short time, while there is no
 * administrator. Whoever can reach the database can have one made; nobody else can.
 */
export const LINK_MINUTES = 30;
export const BOOTSTRAP_PATH = '/bootstrap';

/** @param random32 256 random bits: nobody guesses it, so nothing counts who tries */
export const linkToken = (random32: Uint8Array): string => Buffer.from(random32).toString('base64url');
/** What is kept of a link's token. */
export const linkHash = (token: string): string =>
  createHash('sha256').update(`bootstrap:${token}`).digest('base64url');
export const isLinkToken = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text);

/** What became of a link that somebody came with. */
export type Spent = 'made' | 'not_good' | 'name_taken';

/** Links for first administrators, see bootstrap-links.contract.ts. */
export interface BootstrapLinks {
  /**
   * The one link of the tenant: an earlier one works no more.
   * @param expiresAt ms since epoch
   * @returns false when the tenant has an administrator who may sign in; no link is made then
   */
  make(tenant: string, tokenHash: string, expiresAt: number): Promise<boolean>;
  /** @param now ms since epoch */
  isGood(tenant: string, tokenHash: string, now: number): Promise<boolean>;
  /**
   * Adds the user and takes the link away, both or neither, and only if `confirm` resolves.
   * @param now ms since epoch
   * @returns `not_good` for a link that is used, expired, unknown or too late, since there is an administrator already
   */
  spend(tenant: string, tokenHash: string, now: number, user: UserRecord, confirm: Confirm): Promise<Spent>;
  /** Calls `confirm` for each link that was made and is not on record yet; each is on record only if that resolves. */
  putOnRecord(confirm: (tenant: string) => Promise<void>): Promise<void>;
}

/** Who acts where nobody is known yet: whoever holds the link, or could have it made. */
export const BOOTSTRAP_ACTOR = 'bootstrap';

/**
 * Links are made by a process of their own, which reaches the database only; this service puts them on record.
 * @param now ms since epoch
 */
export const recordLinks = (links: BootstrapLinks, events: EventLog, now: () => number): Promise<void> =>
  links.putOnRecord(async (tenant) => {
    await events.append(adminEvent(tenant, { action: 'bootstrap.link_made', actor: BOOTSTRAP_ACTOR }, now()));
  });
