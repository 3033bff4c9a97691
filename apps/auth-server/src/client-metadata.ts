import type { Client, ClientMetadata } from 'oidc-provider';
import type { ResourceName } from '@portcullis/scopes/resources';
import { parseScopes, type Scope } from '@portcullis/scopes/scopes';
import { assertionAlgOf } from './client-keys.js';
import type { ClientRecord, PreviousSecret } from './clients.js';
import { TASK_TYPE } from './task-details.js';

/** What our records say beyond OpenID Connect Dynamic Client Registration 1.0, section 2. */
export const EXTRA_METADATA = [
  'tenant',
  'ceiling',
  'token_seconds',
  'introspects',
  'previous_secret',
  'customers_per_task',
  'customers_per_hour',
  'all_tenants',
] as const;

/** A client as oidc-provider knows it. Its `client_secret` is the stored hash; client-secret.ts does the comparing. */
export const clientMetadata = (client: ClientRecord): ClientMetadata => ({
  client_id: client.clientId,
  client_name: client.name,
  token_endpoint_auth_method: client.authMethod,
  ...(client.secretHash !== undefined && { client_secret: client.secretHash }),
  // the algorithm stands with the key, so that no other can be tried on it (RFC 8725 §3.1)
  ...(client.jwks && {
    jwks: { keys: client.jwks.keys.map((key) => ({ ...key, alg: assertionAlgOf(key), use: 'sig' })) },
  }),
  ...(client.jwksUri !== undefined && { jwks_uri: client.jwksUri }),
  application_type: client.applicationType,
  redirect_uris: [...client.redirectUris],
  grant_types: [...client.grantTypes],
  response_types: client.grantTypes.includes('authorization_code') ? ['code'] : [],
  dpop_bound_access_tokens: client.dpopBound,
  require_pushed_authorization_requests: client.requirePar,
  // which of them may name one is task-details.ts's to say
  authorization_details_types: [TASK_TYPE],
  tenant: client.tenant,
  ceiling: client.scopes.join(' '),
  ...(client.previousSecret && { previous_secret: { ...client.previousSecret } }),
  ...(client.introspects !== undefined && { introspects: client.introspects }),
  ...(client.tokenSeconds !== undefined && { token_seconds: client.tokenSeconds }),
  ...(client.customersPerTask !== undefined && { customers_per_task: client.customersPerTask }),
  ...(client.customersPerHour !== undefined && { customers_per_hour: client.customersPerHour }),
  ...(client.allTenants && { all_tenants: true }),
});

export const previousSecretOf = (client: Client): PreviousSecret | undefined =>
  client.previous_secret as PreviousSecret | undefined;
export const tenantOf = (client: Client): string => client.tenant as string;
export const ceilingOf = (client: Client): ReadonlySet<Scope> => parseScopes(client.ceiling as string);
/** see ClientRecord */
export const introspectsOf = (client: Client): ResourceName | undefined =>
  client.introspects as ResourceName | undefined;
export const customersPerTaskOf = (client: Client): number | undefined =>
  client.customers_per_task as number | undefined;
export const customersPerHourOf = (client: Client): number | undefined =>
  client.customers_per_hour as number | undefined;
/** see ClientRecord */
export const allTenantsOf = (client: Client): boolean => client.all_tenants === true;
export const tokenSecondsOf = (client: Client, otherwise: number): number =>
  (client.token_seconds as number | undefined) ?? otherwise;
