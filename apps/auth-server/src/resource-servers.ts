import { DEFAULT_ALGORITHM, type TokenAlgorithms } from '@portcullis/scopes/algorithms';
import { scopesOfRoles } from '@portcullis/scopes/roles';
import { resourceNamed, type ResourceUris } from '@portcullis/scopes/resources';
import { errors, type Client, type Configuration, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import { ceilingOf, tenantOf, tokenSecondsOf } from './client-metadata.js';
import { apiScopes, resourceGrant, type ResourceGrant, type ResourceQuestion } from './resource-grant.js';
import type { KeyRing } from './key-ring.js';
import type { Users } from './users.js';

export interface ResourcePorts {
  readonly uris: ResourceUris;
  readonly users: Users;
  /** resources whose tokens are not signed with ES256 */
  readonly algorithms: TokenAlgorithms;
  readonly ring: Pick<KeyRing, 'algorithmFor'>;
  /** seconds an access token lives */
  readonly tokenSeconds: number;
}

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

/**
 * RFC 8707 for oidc-provider. It asks for the resource before it looks at scopes, so this is also where a request's
 * scopes are narrowed to what client, resource and person allow; the rest is dropped, as RFC 6749 §3.3 permits.
 */
export const resourceIndicators = (ports: ResourcePorts): ResourceIndicators => ({
  enabled: true,
  // several named at /token: handing them back makes oidc-provider say invalid_target
  defaultResource: (_ctx, _client, named) => named ?? ports.uris.mcp,
  // a code for a sign-in only is for /userinfo and no API; any other is for the resource it was granted for
  useGrantedResource: (_ctx, source) => apiScopes((source as { scope?: string }).scope).length > 0,
  getResourceServerInfo: (ctx, resource, client) => resourceServer(ports, ctx, resource, client),
});

async function resourceServer(
  { uris, users, tokenSeconds, algorithms, ring }: ResourcePorts,
  ctx: KoaContextWithOIDC,
  resource: string,
  client: Client,
): Promise<ResourceServer> {
  const params = ctx.oidc.params as { resource?: unknown; scope?: string | undefined; grant_type?: string | undefined };
  if (Array.isArray(params.resource)) throw new errors.InvalidTarget('a token is for one resource: name one');
  const machine = params.grant_type === 'client_credentials';
  const accountId = ctx.oidc.account?.accountId ?? ctx.oidc.session?.accountId;
  const user = machine || accountId === undefined ? undefined : await users.byId(tenantOf(client), accountId);
  const roles = user && scopesOfRoles(user.roles);
  const asked = { uris, resource, scope: params.scope };
  const grant = machine
    ? machinesGrant(client, asked)
    : resourceGrant({ ...asked, ceiling: ceilingOf(client), roles, person: true });
  if (grant === undefined) throw new errors.InvalidTarget('resource indicator is missing, or unknown');
  // A code's scopes were narrowed when it was asked for; its exchange names none. A refresh token stands for those; what
  // client or person have lost since, oidc-provider leaves out by the `scope` below.
  if (params.grant_type !== 'authorization_code' && params.grant_type !== 'refresh_token') {
    if (grant.granted.length === 0) throw nothingLeft(params.scope);
    params.scope = grant.granted.join(' ');
  }
  const name = resourceNamed(uris, grant.audience);
  const wanted = (name && algorithms[name]) ?? DEFAULT_ALGORITHM;
  return {
    audience: grant.audience,
    // oidc-provider bounds a token's scopes by this; claims.ts writes it into the claim `ceiling`
    scope: grant.ceiling.join(' '),
    accessTokenFormat: 'jwt',
    accessTokenTTL: tokenSecondsOf(client, tokenSeconds),
    jwt: { sign: { alg: ring.algorithmFor(wanted) } },
  };
}

/** What a machine gets depends on its record and its request only, and it asks for the same all day. */
function machinesGrant(
  client: Client,
  asked: Pick<ResourceQuestion, 'uris' | 'resource' | 'scope'>,
): ResourceGrant | undefined {
  const words = `${asked.resource} ${asked.scope ?? ''}`;
  let grants = known.get(client);
  if (grants === undefined || grants.size >= GRANTS_AT_MOST) known.set(client, (grants = new Map()));
  let grant = grants.get(words);
  if (grant === undefined) {
    grant = resourceGrant({ ...asked, ceiling: ceilingOf(client), roles: undefined, person: false });
    if (grant !== undefined) grants.set(words, grant);
  }
  return grant;
}
/** oidc-provider's client is made anew when its record changes, see client-lookup.ts. */
const known = new WeakMap<Client, Map<string, ResourceGrant>>();
const GRANTS_AT_MOST = 16;

export const nothingLeft = (scope: string | undefined): errors.InvalidScope =>
  new errors.InvalidScope('none of the requested scopes can be granted for this resource', scope ?? '');
