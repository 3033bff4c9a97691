import { isTenant, principalId, type PrincipalId } from '@portcullis/contract/ids';
import * as z from 'zod';
import { heldScopes } from './scopes.js';

/** Who is calling, as a verified access token says. No header, argument or `_meta` adds to it. */
export interface Caller {
  readonly tenant: string;
  /** may name other tenants than its own: a service of ours, whose record says so */
  readonly allTenants: boolean;
  readonly principal: PrincipalId;
  readonly clientId: string;
  /** the person, for a person's grant; undefined for a machine's own token */
  readonly sub: string | undefined;
  /** who is written down as having acted: `local-admin/UID`, the person, or the client */
  readonly actor: string;
  readonly scopes: ReadonlySet<string>;
  /**
   * everything the client could ever be granted here; what lies beyond it is a denial, what lies inside is a step-up.
   * undefined = its issuer is not ours and does not say
   */
  readonly ceiling: ReadonlySet<string> | undefined;
  /** the task the token was issued for; undefined = the principal's rolling hour */
  readonly task: string | undefined;
  /** the one customer that the task is about; undefined = any, as far as the budgets go */
  readonly taskCustomer: string | undefined;
  /** how many distinct customers one task may touch, and the principal in an hour */
  readonly customersPerTask: number;
  readonly customersPerHour: number;
  /** seconds since epoch: when the person signed in */
  readonly authTime: number | undefined;
  /** how the person signed in (OpenID Connect Core 1.0 §2) */
  readonly acr: string | undefined;
  readonly tokenId: string;
  /** the grant of a person that the token came of; undefined for a machine's own token */
  readonly grantId: string | undefined;
  /** thumbprint of the key that the token is bound to (RFC 9449 §6.1); undefined = a bearer token */
  readonly jkt: string | undefined;
  /** seconds since epoch */
  readonly issuedAt: number;
  /** seconds since epoch */
  readonly expiresAt: number;
}

/** How many distinct customers an agent may touch: in one task, and in an hour. */
export interface CustomerBudgets {
  readonly perTask: number;
  readonly perHour: number;
}
/** Those of agents whose client's record does not say otherwise. */
export const CUSTOMER_BUDGETS = { perTask: 10, perHour: 60 } as const satisfies CustomerBudgets;
/** What one of them may be. */
export const customerBudget = z.int().min(1).max(10_000);

/**
 * The claims of our access tokens: RFC 9068 §2.2 and `tenant`, `all_tenants`, `ceiling`, `task` and what it may touch, `grant_id`, `actor` of ours. `sub` equals `client_id` when
 * no person is involved (RFC 9068 §2.2).
 */
export const accessTokenClaims = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: z.string().min(1).max(255),
  client_id: z.string().min(1).max(255),
  jti: z.string().min(1).max(255),
  iat: z.number(),
  exp: z.number(),
  scope: z.string().max(4096).default(''),
  tenant: z.string().refine(isTenant),
  /** set for services of ours only, never for a person */
  all_tenants: z.literal(true).optional(),
  ceiling: z.string().max(4096),
  task: z.string().max(64).optional(),
  task_customer_id: z.string().min(1).max(64).optional(),
  /** what a machine asked for at /token (RFC 9396 §9.1); the claims `task` and `task_customer_id` say it for us */
  authorization_details: z
    .array(z.looseObject({ type: z.string() }))
    .max(8)
    .optional(),
  /** both only where the client's record says otherwise than {@link CUSTOMER_BUDGETS} */
  customers_per_task: customerBudget.optional(),
  customers_per_hour: customerBudget.optional(),
  /** set for the local administrator only: `local-admin/UID` */
  actor: z.string().max(255).optional(),
  auth_time: z.number().optional(),
  acr: z.string().max(255).optional(),
  grant_id: z.string().min(1).max(255).optional(),
  /** RFC 7800; any other way of binding a token is one that we cannot check */
  cnf: z.strictObject({ jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/) }).optional(),
});
export type AccessTokenClaims = z.infer<typeof accessTokenClaims>;

/** A token for one resource (RFC 9068 §3), which RFC 7519 §4.1.3 lets issuers write as an array. */
const oneAudience = z.union([z.string(), z.tuple([z.string()])]);
/**
 * The claims of access tokens of an issuer that is not ours: RFC 9068 §2.2, and those of RFC 7800 and RFC 9470. A claim
 * that is called like one of ours means something else there, so it is left behind; `tenant` is what our settings say.
 */
export const foreignTokenClaims = accessTokenClaims
  .omit({
    all_tenants: true,
    ceiling: true,
    task: true,
    task_customer_id: true,
    authorization_details: true,
    customers_per_task: true,
    customers_per_hour: true,
    actor: true,
    grant_id: true,
  })
  .extend({ aud: oneAudience });

type KnownClaims = Omit<AccessTokenClaims, 'aud' | 'ceiling'> & { readonly ceiling?: string };

/** @param budgets of a caller whose token does not say */
export function callerOf(claims: KnownClaims, budgets: CustomerBudgets = CUSTOMER_BUDGETS): Caller {
  const sub = claims.sub === claims.client_id ? undefined : claims.sub;
  return {
    tenant: claims.tenant,
    allTenants: claims.all_tenants === true && sub === undefined,
    principal: principalId(claims.tenant, claims.client_id, sub),
    clientId: claims.client_id,
    sub,
    actor: claims.actor ?? claims.sub,
    scopes: heldScopes(claims.scope),
    ceiling: claims.ceiling === undefined ? undefined : heldScopes(claims.ceiling),
    task: claims.task,
    taskCustomer: claims.task_customer_id,
    customersPerTask: claims.customers_per_task ?? budgets.perTask,
    customersPerHour: claims.customers_per_hour ?? budgets.perHour,
    authTime: claims.auth_time,
    acr: claims.acr,
    tokenId: claims.jti,
    grantId: claims.grant_id,
    jkt: claims.cnf?.jkt,
    issuedAt: claims.iat,
    expiresAt: claims.exp,
  };
}
