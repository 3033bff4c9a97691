import type { Page, PageOf } from './paging.js';

/** What one consent of a person gave a client. Its id is the claim `grant_id` of the tokens that came of it. */
export interface GrantRecord {
  readonly tenant: string;
  readonly grantId: string;
  readonly clientId: string;
  /** the person */
  readonly sub: string;
  /** what was consented to, by the resource's URI; scopes separated by blanks */
  readonly resources: Readonly<Record<string, string>>;
  /** ms since epoch */
  readonly createdAt: number;
  /** ms since epoch */
  readonly expiresAt: number;
}

/** Which of a tenant's grants are asked for; undefined = whatever it is. */
export interface GrantFilter {
  readonly clientId: string | undefined;
  readonly sub: string | undefined;
}

/** The grants that are good at `now` (ms since epoch). To end one is revocations.ts. Must pass grants.contract.ts. */
export interface Grants {
  /** in the order of their ids */
  list(tenant: string, filter: GrantFilter, page: Page, now: number): Promise<PageOf<GrantRecord>>;
  byId(tenant: string, grantId: string, now: number): Promise<GrantRecord | undefined>;
  /**
   * Whose principal id this is: of a client by itself, or of one that a person has given something.
   * @returns undefined when it is nobody's here, or that person's grants have ended
   */
  agent(tenant: string, principal: string): Promise<Agent | undefined>;
}

/** A client by itself, or with a person. */
export interface Agent {
  readonly clientId: string;
  readonly sub?: string | undefined;
}

/** A grant as the admin API shows it. */
export const grantView = (grant: GrantRecord) => ({
  grant_id: grant.grantId,
  tenant: grant.tenant,
  client_id: grant.clientId,
  sub: grant.sub,
  resources: grant.resources,
  created_at: new Date(grant.createdAt).toISOString(),
  expires_at: new Date(grant.expiresAt).toISOString(),
});
