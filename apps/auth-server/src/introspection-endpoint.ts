import { EFFECTS } from '@portcullis/contract/standing';
import type { PrincipalId } from '@portcullis/contract/ids';
import type { RevocationFeed } from '@portcullis/guard/revocation-feed';
import type { StandingFeed } from '@portcullis/guard/standing-feed';
import type { ResourceUris } from '@portcullis/scopes/resources';
import type { Client } from 'oidc-provider';
import { introspectsOf, tenantOf } from './client-metadata.js';
import type { ShownToken } from './shown-token.js';

export interface IntrospectionPorts {
  readonly issuer: string;
  readonly uris: ResourceUris;
  readonly isRevoked: RevocationFeed['isRevoked'];
  readonly stateOf: StandingFeed['stateOf'];
}

/**
 * RFC 7662 §2.2. A client learns of its own tokens, a resource server of those with its audience, each within its tenant;
 * all else is `{ active: false }` and nothing more, as are tokens that expired, were revoked, or belong to an agent that is
 * contained. A public client has nothing to authenticate with (§2.1), but it has to show a token that was issued to it,
 * which nobody can guess.
 */
export function introspection(
  client: Client,
  shown: ShownToken | undefined,
  ports: IntrospectionPorts,
): Readonly<Record<string, unknown>> & { readonly active: boolean } {
  if (shown === undefined || !mayKnow(client, shown, ports) || !isActive(shown, ports)) return { active: false };
  return shown.form === 'jwt'
    ? { active: true, token_type: shown.claims.cnf ? 'DPoP' : 'Bearer', ...shown.claims }
    : { active: true, ...storedClaims(shown, ports.issuer) };
}

function mayKnow(client: Client, shown: ShownToken, { uris }: IntrospectionPorts): boolean {
  if (shown.ids.tenant !== tenantOf(client)) return false;
  if (shown.ids.clientId === client.clientId) return true;
  const resource = introspectsOf(client);
  return shown.form === 'jwt' && resource !== undefined && shown.claims.aud === uris[resource];
}

function isActive(shown: ShownToken, { isRevoked, stateOf }: IntrospectionPorts): boolean {
  const { ids } = shown;
  const { tenant, principal } = ids;
  if (shown.form === 'stored' && shown.stored.consumed !== undefined) return false;
  return !isRevoked(ids) && EFFECTS[stateOf({ tenant, principal: principal as PrincipalId })].admitted;
}

/** `token_type` is that of an access token (§2.2): a refresh token has none. No `jti`: a stored token is its own id. */
function storedClaims({ stored, ids }: ShownToken & { form: 'stored' }, iss: string): Record<string, unknown> {
  const { kind, scope, iat, exp, jkt } = stored;
  return {
    iss,
    client_id: ids.clientId,
    sub: ids.sub,
    tenant: ids.tenant,
    grant_id: ids.grantId,
    iat,
    exp,
    ...(scope !== undefined && scope !== '' && { scope }),
    ...(kind === 'AccessToken' && { token_type: jkt === undefined ? 'Bearer' : 'DPoP' }),
    ...(jkt !== undefined && { cnf: { jkt } }),
  };
}
