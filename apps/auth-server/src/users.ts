import { scopesOfRoles, type Role } from '@portcullis/scopes/roles';
import { missingScopes } from '@portcullis/scopes/scopes';
import type { Confirm, ConfirmChange, Page, PageOf } from './paging.js';
import type { Expected } from './versions.js';

export interface UserRecord {
  readonly tenant: string;
  /** `usr_…`; the `sub` of the person's tokens */
  readonly userId: string;
  readonly username: string;
  /** argon2id, PHC string format */
  readonly passwordHash: string;
  readonly roles: readonly Role[];
  readonly demo: boolean;
  readonly disabled: boolean;
  /** ms since epoch */
  readonly createdAt: number;
  /** counts the changes of the record, from 1; what its ETag says */
  readonly version: number;
}

export type UserChange = Partial<Pick<UserRecord, 'roles' | 'disabled' | 'passwordHash'>>;

/** Does the change take scopes away? */
export const narrowsUser = ({ roles: before }: Pick<UserRecord, 'roles'>, { roles }: UserChange): boolean =>
  roles !== undefined && missingScopes(scopesOfRoles(roles), scopesOfRoles(before)).length > 0;

/** The people who may sign in. Each must pass users.contract.ts. */
export interface Users {
  byId(tenant: string, userId: string): Promise<UserRecord | undefined>;
  byName(tenant: string, username: string): Promise<UserRecord | undefined>;
  /** in the order of their ids */
  list(tenant: string, page: Page): Promise<PageOf<UserRecord>>;
  /** The row is there only if `confirm` resolves. @returns false when the tenant has that name already */
  add(tenant: string, user: UserRecord, confirm: Confirm): Promise<boolean>;
  /**
   * The row changes only if `confirm` resolves. With another password, or when they are disabled, their sessions, codes
   * and grants go too; when a role is taken from them, the access tokens that they have given.
   * @param expected the versions it may have now
   * @returns undefined when the tenant has no such user
   * @throws VersionDiffers
   */
  change(
    tenant: string,
    userId: string,
    change: UserChange,
    confirm: ConfirmChange<UserRecord>,
    expected?: Expected,
  ): Promise<UserRecord | undefined>;
  /** Their sessions, codes and grants go too. @returns false when the tenant has no such user @throws VersionDiffers */
  remove(tenant: string, userId: string, confirm: ConfirmChange<UserRecord>, expected?: Expected): Promise<boolean>;
  /** Adds them, or overwrites password, roles and state of the one with the same tenant and name, who keeps their id. */
  put(tenant: string, user: UserRecord): Promise<void>;
}

/** What a person types: case and surrounding blanks do not tell two people apart. */
export const usernameOf = (typed: string): string => typed.normalize('NFKC').trim().toLowerCase();
export const USERNAME = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
