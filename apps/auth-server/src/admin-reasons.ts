import type { NewClient } from './admin-clients.js';
import type { ClientChange } from './clients.js';
import type { UserChange } from './users.js';

/*
 * What the event of a change says was changed: the members as the API names them, with their new values, but never a
 * secret, a password or a key.
 */

export const newClientReason = (body: NewClient): string =>
  said({
    auth_method: body.auth_method,
    grant_types: body.grant_types,
    ...keysOf(body.jwks, body.jwks_uri),
    dpop_bound_access_tokens: body.dpop_bound_access_tokens,
    require_pushed_authorization_requests: body.require_pushed_authorization_requests,
    introspects: body.introspects,
    customers_per_task: body.customers_per_task,
    customers_per_hour: body.customers_per_hour,
    all_tenants: body.all_tenants,
    name: JSON.stringify(body.name),
    scopes: body.scopes,
  });

export const clientChangeReason = (change: ClientChange): string =>
  said({
    disabled: change.disabled,
    dpop_bound_access_tokens: change.dpopBound,
    require_pushed_authorization_requests: change.requirePar,
    ...keysOf(change.jwks, change.jwksUri),
    customers_per_task: change.customersPerTask,
    customers_per_hour: change.customersPerHour,
    all_tenants: change.allTenants,
    name: change.name && JSON.stringify(change.name),
    scopes: change.scopes,
  });

export const userReason = ({ disabled, roles }: Pick<UserChange, 'disabled' | 'roles'>): string =>
  said({ disabled, roles });

export const secretReason = (overlapSeconds: number): string => said({ overlap_seconds: overlapSeconds });

const keysOf = (jwks: { readonly keys: readonly unknown[] } | undefined, uri: string | undefined) => ({
  jwks: jwks && `${jwks.keys.length} keys`,
  jwks_uri: uri === undefined ? undefined : placeOf(uri),
});

/** A query could hold what opens the place. */
function placeOf(uri: string): string {
  const url = URL.parse(uri);
  return url === null ? 'changed' : `${url.origin}${url.pathname}`;
}

type Said = string | number | boolean | readonly string[] | undefined;
/** As long as the reason of an event may be. */
const said = (members: Readonly<Record<string, Said>>): string =>
  Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? `[${value.join(' ')}]` : String(value)}`)
    .join(', ')
    .slice(0, 1000);
