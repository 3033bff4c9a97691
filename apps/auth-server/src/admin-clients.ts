import { isTenant } from '@portcullis/contract/ids';
import { isScope, SCOPES, type Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import { AUTH_METHODS, GRANT_TYPES, type ClientRecord } from './clients.js';
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

/** Public ES256 keys; a private member is refused, not dropped, so that whoever sent it learns that it leaked. */
const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes as base64url');
const publicJwk = z
  .object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate,
    y: coordinate,
    kid: z.string().min(1).max(100).optional(),
    alg: z.literal('ES256').optional(),
    use: z.literal('sig').optional(),
    d: z.undefined('is private: make a new key and send only its public members').optional(),
  })
  .transform(({ kty, crv, x, y, kid }) => ({ kty, crv, x, y, ...(kid !== undefined && { kid }) }));
const jwks = z.object({ keys: z.array(publicJwk).min(1).max(5) });

/** Body of POST /admin/v1/clients. Names are those of RFC 7591, but `auth_method`, and `scopes`, which is the ceiling. */
export const newClientBody = z
  .strictObject({
    name: displayName,
    tenant: tenantName.optional(),
    auth_method: z.enum(AUTH_METHODS),
    jwks: jwks.optional(),
    redirect_uris: redirectUris.default([]),
    grant_types: z.array(z.enum(GRANT_TYPES)).min(1).max(GRANT_TYPES.length).optional(),
    scopes: scopeList,
    application_type: z.enum(['web', 'native']).optional(),
  })
  .transform((body) => ({
    ...body,
    grant_types: [
      ...new Set(
        body.grant_types ??
          (body.redirect_uris.length > 0 || body.auth_method === 'none'
            ? (['authorization_code'] as const)
            : (['client_credentials'] as const)),
      ),
    ],
    application_type:
      body.application_type ??
      (body.redirect_uris.length > 0 && body.redirect_uris.every(isLoopbackRedirect) ? 'native' : 'web'),
  }))
  .superRefine((body, context) => {
    const wrong = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message, input: undefined });
    const redirects = body.grant_types.includes('authorization_code');
    if (body.auth_method === 'private_key_jwt' && !body.jwks) wrong('jwks', 'private_key_jwt needs public keys');
    if (body.auth_method !== 'private_key_jwt' && body.jwks) wrong('jwks', 'is for private_key_jwt only');
    if (body.auth_method === 'none' && body.grant_types.includes('client_credentials')) {
      wrong('grant_types', 'a client without credentials cannot use client_credentials');
    }
    if (redirects && body.redirect_uris.length === 0) wrong('redirect_uris', 'authorization_code needs at least one');
    if (!redirects && body.redirect_uris.length > 0) wrong('redirect_uris', 'are for authorization_code only');
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

/** Body of PATCH /admin/v1/clients/:client_id. */
export const clientChangeBody = z
  .strictObject({
    name: displayName.optional(),
    scopes: scopeList.optional(),
    disabled: z.boolean().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'names nothing to change');

/** Query of everything that names a tenant, and of lists. */
export const tenantQuery = z.strictObject({ tenant: tenantName.optional() });
export const listQuery = z.strictObject({ tenant: tenantName.optional(), ...pageQuery });

/** The scopes of a ceiling that only the platform's administrator may hand out. */
export const reservedScopes = (scopes: readonly Scope[]): Scope[] =>
  scopes.filter((name) => SCOPES[name].holder !== 'client');

/** A client as the API shows it: everything but the hash of its secret. */
export const clientView = (client: ClientRecord) => ({
  client_id: client.clientId,
  tenant: client.tenant,
  name: client.name,
  auth_method: client.authMethod,
  application_type: client.applicationType,
  ...(client.jwks && { jwks: client.jwks }),
  redirect_uris: client.redirectUris,
  grant_types: client.grantTypes,
  scopes: client.scopes,
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
  jwksUri: undefined,
  redirectUris: body.redirect_uris,
  grantTypes: body.grant_types,
  scopes: [...new Set(body.scopes)],
  dpopBound: false,
  requirePar: false,
  demo: false,
  disabled: false,
  createdAt: made.now,
  version: 1,
});
