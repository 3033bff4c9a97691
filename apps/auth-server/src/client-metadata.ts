import type { Client, ClientMetadata } from 'oidc-provider';
import { parseScopes, type Scope } from '@portcullis/scopes/scopes';
import type { ClientRecord } from './clients.js';

/** What our records say beyond OpenID Connect Dynamic Client Registration 1.0, section 2. */
export const EXTRA_METADATA = ['tenant', 'ceiling', 'token_seconds'] as const;

/** A client as oidc-provider knows it. Its `client_secret` is the stored hash; client-secret.ts does the comparing. */
export const clientMetadata = (client: ClientRecord): ClientMetadata => ({
  client_id: client.clientId,
  client_name: client.name,
  token_endpoint_auth_method: client.authMethod,
  ...(client.secretHash !== undefined && { client_secret: client.secretHash }),
  ...(client.authMethod === 'private_key_jwt' && { token_endpoint_auth_signing_alg: 'ES256' }),
  ...(client.jwks && { jwks: { keys: client.jwks.keys.map((key) => ({ ...key, alg: 'ES256', use: 'sig' })) } }),
  application_type: client.applicationType,
  redirect_uris: [...client.redirectUris],
  grant_types: [...client.grantTypes],
  response_types: client.grantTypes.includes('authorization_code') ? ['code'] : [],
  tenant: client.tenant,
  ceiling: client.scopes.join(' '),
  ...(client.tokenSeconds !== undefined && { token_seconds: client.tokenSeconds }),
});

export const tenantOf = (client: Client): string => client.tenant as string;
export const ceilingOf = (client: Client): ReadonlySet<Scope> => parseScopes(client.ceiling as string);
export const tokenSecondsOf = (client: Client, otherwise: number): number =>
  (client.token_seconds as number | undefined) ?? otherwise;
