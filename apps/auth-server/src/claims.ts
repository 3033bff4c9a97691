import { createHash } from 'node:crypto';
import { base32, principalId } from '@portcullis/contract/ids';
import { EFFECTS } from '@portcullis/contract/standing';
import type { StandingFeed } from '@portcullis/guard/standing-feed';
import { parseScopes } from '@portcullis/scopes/scopes';
import { errors, type AccessToken, type ClientCredentials, type KoaContextWithOIDC } from 'oidc-provider';
import { LOCAL_ADMIN } from './audit.js';
import { allTenantsOf, customersPerHourOf, customersPerTaskOf, tenantOf } from './client-metadata.js';
import { isOfServices } from './clients.js';
import { nothingLeft } from './resource-servers.js';
import { taskDetailOf } from './task-details.js';

export interface ClaimPorts {
  readonly stateOf: StandingFeed['stateOf'];
  /** names the actor of what the local administrator does */
  readonly localAdmin?: { readonly uid: number } | undefined;
}

/**
 * The task of a person's grant: the same for every token that comes from it, and nobody's guess.
 * @param made id of the grant; for a machine's task that of its token
 */
export const taskOf = (made: string): string =>
  `tsk_${base32(createHash('sha256').update(`task:${made}`).digest().subarray(0, 16))}`;

/**
 * The claims of ours (scopes/caller.ts has their meaning). oidc-provider asks for them whenever it makes an access
 * token, by whatever grant, so this is also where a contained principal is turned away: with access_denied, not
 * invalid_client, since clients drop their registration on the latter.
 * @throws errors.AccessDenied, errors.InvalidScope
 */
export function accessTokenClaims(
  { stateOf, localAdmin }: ClaimPorts,
  ctx: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials,
): Record<string, unknown> | undefined {
  const { client } = ctx.oidc;
  if (client === undefined) throw new Error('an access token without a client');
  const tenant = tenantOf(client);
  const person = 'accountId' in token ? token : undefined;
  const state = stateOf({ tenant, principal: principalId(tenant, client.clientId, person?.accountId) });
  if (!EFFECTS[state].admitted) throw new errors.AccessDenied('this agent is contained; a person has to release it');
  // without a resource it is an opaque token for /userinfo, where these claims mean nothing
  if (token.resourceServer === undefined) return undefined;
  const { AuthorizationCode: code, RefreshToken: refreshToken } = ctx.oidc.entities;
  // what tells when and how the person signed in; refreshing is no sign-in
  const signIn = person && (code ?? refreshToken);
  if (!token.scope) throw nothingLeft(signIn?.scope);
  const task = person === undefined ? taskDetailOf(token) : undefined;
  const [perTask, perHour] = [customersPerTaskOf(client), customersPerHourOf(client)];
  return {
    tenant,
    ceiling: token.resourceServer.scope,
    // asked again for each token: a record may have been written by the version before, which knows no such rule
    ...(person === undefined && allTenantsOf(client) && isForServices(token.scope) && { all_tenants: true }),
    ...(person?.grantId !== undefined && { task: taskOf(person.grantId), grant_id: person.grantId }),
    ...(task && { task: taskOf(token.jti) }),
    ...(task?.customer_id !== undefined && { task_customer_id: task.customer_id }),
    ...(perTask !== undefined && { customers_per_task: perTask }),
    ...(perHour !== undefined && { customers_per_hour: perHour }),
    ...(client.clientId === LOCAL_ADMIN && localAdmin && { actor: `${LOCAL_ADMIN}/${localAdmin.uid}` }),
    ...(signIn && { auth_time: signIn.authTime, acr: signIn.acr }),
  };
}

const isForServices = (scope: string): boolean => [...parseScopes(scope)].every(isOfServices);
