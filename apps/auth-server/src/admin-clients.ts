import { isTenant } from '@portcullis/contract/ids';
import { RESOURCES, type ResourceName } from '@portcullis/scopes/resources';
import { isScope, type Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import { publicJwks } from './client-keys.js';
import {
  allTenantsProblem,
  AUTH_METHODS,
  budgetProblem,
  GRANT_TYPES,
  type ClientChange,
  type ClientRecord,
  type GrantType,
} from './clients.js';
import { pageQuery } from './paging.js';
import { isLoopbackRedirect, redirectProblem } from './redirects.js';

/** Names are shown to people; what does not print or turns text around could make one look like another. */
const displayName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine((name) => !/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(name), 'must be printable');
export const tenantName = z.string().refine(isTenant, 'must be 1 to 32 of a-z, 0-9 and -');
const scope = z.string().refine(isScope, 'is not a scope') as unknown as z.ZodType<Scope>;
const customerBudget = z.int().min(1).max(10_000);
const scopeList = z.array(scope).min(1).max(50);
const redirectUris = z
  .array(
    z
      .string()
      .max(1000)
      .superRefine((uri, context) => {
        const problem = redirectProblem(uri);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      }),
  )
  .max(20);

/** Body of POST /admin/v1/clients. Names are those of RFC 7591, but `auth_method`, and `scopes`, which is the ceiling. */
export const newClientBody = z
  .strictObject({
    name: displayName,
    tenant: tenantName.optional(),
    auth_method: z.enum(AUTH_METHODS),
    jwks: publicJwks.optional(),
    jwks_uri: z.string().max(2000).optional(),
    redirect_uris: redirectUris.default([]),
    grant_types: z.array(z.enum(GRANT_TYPES)).min(1).max(GRANT_TYPES.length).optional(),
    scopes: scopeList,
    application_type: z.enum(['web', 'native']).optional(),
    dpop_bound_access_tokens: z.boolean().optional(),
    require_pushed_authorization_requests: z.boolean().default(false),
    introspects: z.enum(Object.keys(RESOURCES) as [ResourceName, ...ResourceName[]]).optional(),
    customers_per_task: customerBudget.optional(),
    customers_per_hour: customerBudget.optional(),
    all_tenants: z.boolean().optional(),
  })
  .transform((body) => ({
    ...body,
    grant_types: [...new Set(body.grant_types ?? grantTypesOf(body))],
  }))
  .transform((body) => ({
    ...body,
    // a machine can keep a key; people's programs bind their tokens where they can, by sending proofs
    dpop_bound_access_tokens: body.dpop_bound_access_tokens ?? body.grant_types.includes('client_credentials'),
    application_type:
      body.application_type ??
      (body.redirect_uris.length > 0 && body.redirect_uris.every(isLoopbackRedirect) ? 'native' : 'web'),
  }))
  .superRefine((body, context) => {
    const wrong = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message, input: undefined });
    const redirects = body.grant_types.includes('authorization_code');
    const keys = [body.jwks, body.jwks_uri].filter((one) => one !== undefined);
    if (body.auth_method === 'private_key_jwt' && keys.length === 0) {
      wrong('jwks', 'private_key_jwt needs public keys, or the jwks_uri where they are');
    }
    if (body.auth_method !== 'private_key_jwt' && keys.length > 0) wrong('jwks', 'is for private_key_jwt only');
    if (body.auth_method === 'none' && body.introspects !== undefined) {
      wrong('introspects', 'is for clients with credentials (RFC 7662 §2.1)');
    }
    if (keys.length > 1) wrong('jwks_uri', 'goes without jwks: the keys are in one place (RFC 7591 §2)');
    if (body.auth_method === 'none' && body.grant_types.includes('client_credentials')) {
      wrong('grant_types', 'a client without credentials cannot use client_credentials');
    }
    if (redirects && body.redirect_uris.length === 0) wrong('redirect_uris', 'authorization_code needs at least one');
    if (!redirects && body.grant_types.includes('refresh_token')) {
      wrong('grant_types', 'refresh_token comes with authorization_code only');
    }
    if (!redirects && body.require_pushed_authorization_requests) {
      wrong('require_pushed_authorization_requests', 'is for authorization_code only');
    }
    if (!redirects && body.redirect_uris.length > 0) wrong('redirect_uris', 'are for authorization_code only');
    const unreachable = budgetProblem({
      grantTypes: body.grant_types,
      customersPerTask: body.customers_per_task,
      customersPerHour: body.customers_per_hour,
    });
    if (unreachable !== undefined) wrong('customers_per_task', unreachable);
    const notAService = allTenantsProblem({
      allTenants: body.all_tenants,
      grantTypes: body.grant_types,
      scopes: body.scopes,
    });
    if (notAService !== undefined) wrong('all_tenants', notAService);
    const native = body.application_type === 'native';
    // oidc-provider would refuse the client at every request (OpenID Connect Dynamic Client Registration 1.0, section 2)
    if (
      native &&
      body.redirect_uris.some((uri) => uri.startsWith('https:') && /\/\/(localhost|127\.0\.0\.1|\[::1\])/.test(uri))
    ) {
      wrong('redirect_uris', 'of a native client are http on loopback, or https elsewhere');
    }
  });
export type NewClient = z.output<typeof newClientBody>;

const grantTypesOf = (body: {
  readonly redirect_uris: readonly string[];
  readonly auth_method: string;
}): GrantType[] =>
  body.redirect_uris.length > 0 || body.auth_method === 'none'
    ? ['authorization_code', 'refresh_token']
    : ['client_credentials'];

/** Body of PATCH /admin/v1/clients/:client_id. */
export const clientChangeBody = z
  .strictObject({
    name: displayName.optional(),
    scopes: scopeList.optional(),
    disabled: z.boolean().optional(),
    dpop_bound_access_tokens: z.boolean().optional(),
    require_pushed_authorization_requests: z.boolean().optional(),
    jwks: publicJwks.optional(),
    jwks_uri: z.string().max(2000).optional(),
    customers_per_task: customerBudget.optional(),
    customers_per_hour: customerBudget.optional(),
    all_tenants: z.boolean().optional(),
  })
  .refine(({ jwks, jwks_uri: uri }) => jwks === undefined || uri === undefined, 'names jwks and jwks_uri')
  .refine((change) => Object.keys(change).length > 0, 'names nothing to change')
  .transform(
    ({
      dpop_bound_access_tokens: dpopBound,
      require_pushed_authorization_requests: requirePar,
      jwks_uri: jwksUri,
      customers_per_task: customersPerTask,
      customers_per_hour: customersPerHour,
      all_tenants: allTenants,
      ...same
    }): ClientChange =>
      // only what was named is there
      Object.fromEntries(
        Object.entries({
          ...same,
          dpopBound,
          requirePar,
          jwksUri,
          customersPerTask,
          customersPerHour,
          allTenants,
        }).filter(([, value]) => value !== undefined),
      ),
  );

/** Body of POST /admin/v1/clients/:client_id/secret. */
export const secretRotationBody = z.strictObject({
  /** how long the present secret stays good, so that there is time to bring the new one everywhere */
  overlap_seconds: z
    .int()
    .min(0)
    .max(30 * 24 * 3600)
    .default(24 * 3600),
});

/** Query of everything that names a tenant, and of lists. */
export const tenantQuery = z.strictObject({ tenant: tenantName.optional() });
export const listQuery = z.strictObject({ tenant: tenantName.optional(), ...pageQuery });

/** A client as the API shows it: everything but the hashes of its secrets. */
export const clientView = (client: ClientRecord) => ({
  client_id: client.clientId,
  tenant: client.tenant,
  name: client.name,
  auth_method: client.authMethod,
  application_type: client.applicationType,
  ...(client.jwks && { jwks: client.jwks }),
  ...(client.jwksUri !== undefined && { jwks_uri: client.jwksUri }),
  redirect_uris: client.redirectUris,
  grant_types: client.grantTypes,
  scopes: client.scopes,
  dpop_bound_access_tokens: client.dpopBound,
  require_pushed_authorization_requests: client.requirePar,
  ...(client.introspects !== undefined && { introspects: client.introspects }),
  ...(client.customersPerTask !== undefined && { customers_per_task: client.customersPerTask }),
  ...(client.customersPerHour !== undefined && { customers_per_hour: client.customersPerHour }),
  ...(client.allTenants && { all_tenants: true }),
  ...(client.previousSecret && {
    previous_secret_expires_at: new Date(client.previousSecret.until).toISOString(),
  }),
  disabled: client.disabled,
  created_at: new Date(client.createdAt).toISOString(),
});

export const newClientRecord = (
  body: NewClient,
  made: {
    readonly tenant: string;
    readonly clientId: string;
    readonly secretHash: string | undefined;
    readonly now: number;
  },
): ClientRecord => ({
  tenant: made.tenant,
  clientId: made.clientId,
  name: body.name,
  authMethod: body.auth_method,
  applicationType: body.application_type,
  secretHash: made.secretHash,
  previousSecret: undefined,
  jwks: body.jwks,
  jwksUri: body.jwks_uri,
  redirectUris: body.redirect_uris,
  grantTypes: body.grant_types,
  scopes: [...new Set(body.scopes)],
  dpopBound: body.dpop_bound_access_tokens,
  requirePar: body.require_pushed_authorization_requests,
  introspects: body.introspects,
  customersPerTask: body.customers_per_task,
  customersPerHour: body.customers_per_hour,
  allTenants: body.all_tenants,
  demo: false,
  disabled: false,
  createdAt: made.now,
  version: 1,
});
