import type { ResourceName } from '@portcullis/scopes/resources';
import { CUSTOMER_BUDGETS } from '@portcullis/scopes/caller';
import { mostInTask, TASK_HOURS } from '@portcullis/scopes/customer-budgets';
import { missingScopes, SCOPES, type Scope } from '@portcullis/scopes/scopes';
import type { Confirm, ConfirmChange, Page, PageOf } from './paging.js';
import type { Expected } from './versions.js';

/** How a client proves itself at /token (RFC 6749 §2.3.1, RFC 7523 §2.2); `none` is a public client. */
export const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];
export const hasSecret = (method: AuthMethod): boolean => method.startsWith('client_secret_');

export const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials'] as const;
export type GrantType = (typeof GRANT_TYPES)[number];

/** A public key for ES256 (RFC 7518 §6.2.1), EdDSA (RFC 8037 §2) or RS256 (RFC 7518 §6.3.1, from 2048 bits). */
export type PublicJwk = (
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
) & { readonly kid?: string | undefined };

/** A secret that was replaced and is good for a while yet. */
export interface PreviousSecret {
  readonly hash: string;
  /** ms since epoch */
  readonly until: number;
}

export interface ClientRecord {
  readonly tenant: string;
  readonly clientId: string;
  readonly name: string;
  readonly authMethod: AuthMethod;
  readonly applicationType: 'web' | 'native';
  /** see client-secret.ts; undefined for clients without a secret */
  readonly secretHash: string | undefined;
  readonly previousSecret: PreviousSecret | undefined;
  /** keys of a private_key_jwt client, which has either these or `jwksUri` */
  readonly jwks: { readonly keys: readonly PublicJwk[] } | undefined;
  readonly jwksUri: string | undefined;
  readonly redirectUris: readonly string[];
  readonly grantTypes: readonly GrantType[];
  /** the ceiling: everything the client could ever be granted, before resource and roles narrow it */
  readonly scopes: readonly Scope[];
  /** its tokens must be bound to a key of its own (RFC 9449 §5.2, `dpop_bound_access_tokens`); false allows plain bearer */
  readonly dpopBound: boolean;
  /** it must push its authorization requests (RFC 9126 §6, `require_pushed_authorization_requests`) */
  readonly requirePar: boolean;
  /** the API that it is the resource server of: it may introspect tokens for it (RFC 7662 §2.1); undefined = of none */
  readonly introspects?: ResourceName | undefined;
  readonly demo: boolean;
  readonly disabled: boolean;
  /** ms since epoch */
  readonly createdAt: number;
  /** counts its changes, from 1; what its ETag says */
  readonly version: number;
  /** seconds its tokens live, where that differs from TOKEN_LIFE_MINUTES */
  readonly tokenSeconds?: number | undefined;
  /** how many distinct customers it may touch in one task, and in an hour, where that differs from CUSTOMER_BUDGETS */
  readonly customersPerTask?: number | undefined;
  readonly customersPerHour?: number | undefined;
  /** it is a service of ours: its tokens are good for every tenant, and say so (`all_tenants`); see {@link allTenantsProblem} */
  readonly allTenants?: boolean | undefined;
}

export type ClientChange = Partial<
  Pick<
    ClientRecord,
    | 'name'
    | 'scopes'
    | 'redirectUris'
    | 'disabled'
    | 'dpopBound'
    | 'requirePar'
    | 'jwks'
    | 'jwksUri'
    | 'customersPerTask'
    | 'customersPerHour'
    | 'allTenants'
  >
>;

/** Does the change take scopes away, or customers, or tenants? */
export const narrowsClient = (
  before: Pick<ClientRecord, 'scopes' | 'customersPerTask' | 'customersPerHour' | 'allTenants'>,
  { scopes, customersPerTask, customersPerHour, allTenants }: ClientChange,
): boolean =>
  (allTenants === false && before.allTenants === true) ||
  (scopes !== undefined && missingScopes(new Set(scopes), before.scopes).length > 0) ||
  isLess(customersPerTask, before.customersPerTask ?? CUSTOMER_BUDGETS.perTask) ||
  isLess(customersPerHour, before.customersPerHour ?? CUSTOMER_BUDGETS.perHour);

const isLess = (after: number | undefined, before: number): boolean => after !== undefined && after < before;

/**
 * What is wrong with a budget for one task that no task can ever come to, since the budget of an hour ends it before.
 * @returns undefined when nothing is wrong, as always when the record leaves the budget of a task as it is for everybody
 */
export function budgetProblem({
  grantTypes,
  customersPerTask: perTask,
  customersPerHour: perHour = CUSTOMER_BUDGETS.perHour,
}: Pick<ClientRecord, 'grantTypes' | 'customersPerTask' | 'customersPerHour'>): string | undefined {
  const whose = grantTypes.includes('authorization_code') ? 'person' : 'machine';
  const most = mostInTask(whose, perHour);
  if (perTask === undefined || perTask <= most) return undefined;
  return `customers_per_task of ${perTask} can never be reached: a task of this client lasts at most ${TASK_HOURS[whose]} h, and customers_per_hour is ${perHour}, which makes ${most}. Lower customers_per_task, or raise customers_per_hour`;
}

/** Is it for services of ours? */
export const isOfServices = (scope: Scope): boolean => SCOPES[scope].holder === 'service';

/**
 * What is wrong with a record that is of all tenants and no service's: what reads or changes customers, and what people
 * sign in to, keeps to one tenant.
 * @returns undefined when nothing is wrong
 */
export function allTenantsProblem({
  allTenants,
  grantTypes,
  scopes,
}: Pick<ClientRecord, 'allTenants' | 'grantTypes' | 'scopes'>): string | undefined {
  if (!allTenants) return undefined;
  if (grantTypes.some((type) => type !== 'client_credentials')) {
    return 'all_tenants is for services, whose only grant is client_credentials';
  }
  const others = scopes.filter((scope) => !isOfServices(scope));
  if (others.length === 0) return undefined;
  return `all_tenants is for clients that have scopes of services only, and ${others.join(' ')} is none. Register another client for that`;
}

/** The registered clients. Each must pass clients.contract.ts. */
export interface Clients {
  /** The one question without a tenant: a request names a client before anybody knows whose it is. */
  find(clientId: string): Promise<ClientRecord | undefined>;
  byId(tenant: string, clientId: string): Promise<ClientRecord | undefined>;
  /** in the order of their ids */
  list(tenant: string, page: Page): Promise<PageOf<ClientRecord>>;
  /** The row is there only if `confirm` resolves. @returns false when the id is taken */
  add(tenant: string, client: ClientRecord, confirm: Confirm): Promise<boolean>;
  /**
   * The row changes only if `confirm` resolves. When it is disabled, its codes and grants go too; when scopes are taken
   * from it, the access tokens that it has.
   * @param expected the versions it may have now
   * @returns undefined when the tenant has no such client
   * @throws VersionDiffers
   */
  change(
    tenant: string,
    clientId: string,
    change: ClientChange,
    confirm: ConfirmChange<ClientRecord>,
    expected?: Expected,
  ): Promise<ClientRecord | undefined>;
  /**
   * Gives it another secret. The present one becomes the previous one, whose own predecessor is good no more.
   * @param secret hash of the new one, and until when the present one is good (ms since epoch); undefined = no longer
   * @returns undefined when the tenant has no such client that has a secret
   * @throws VersionDiffers
   */
  rotateSecret(
    tenant: string,
    clientId: string,
    secret: { readonly hash: string; readonly previousUntil: number | undefined },
    confirm: ConfirmChange<ClientRecord>,
    expected?: Expected,
  ): Promise<ClientRecord | undefined>;
  /** Forgets previous secrets whose time is up. @param now ms since epoch @returns how many */
  sweepSecrets(now: number): Promise<number>;
  /** Replaces the stored hash of the same secret, if it is `old` still. No change of the client: its version stays. */
  renewSecretHash(tenant: string, clientId: string, old: string, renewed: string): Promise<void>;
  /** Its codes and grants go too. @returns false when the tenant has no such client @throws VersionDiffers */
  remove(tenant: string, clientId: string, confirm: ConfirmChange<ClientRecord>, expected?: Expected): Promise<boolean>;
  /** Adds it, or overwrites the one with the same tenant and id. */
  put(tenant: string, client: ClientRecord): Promise<void>;
  /** Is there a demo client in any tenant? Hardened mode asks before it starts. */
  anyDemo(): Promise<boolean>;
}
