import { errors, Provider } from 'oidc-provider';

/**
 * A client that asks /token for a grant that it is not registered for is told so (RFC 6749 §5.2, `unauthorized_client`);
 * oidc-provider says `invalid_request`, which is for requests that are malformed.
 */
export function nameUnauthorizedClients(provider: Provider): void {
  const { prototype } = provider.Client;
  const registered = prototype.grantTypeAllowed;
  prototype.grantTypeAllowed = function (type) {
    const allowed = registered.call(this, type);
    const oidc = Provider.ctx?.oidc;
    if (!allowed && oidc?.route === 'token' && oidc.params?.grant_type === type) {
      throw new errors.UnauthorizedClient('requested grant type is not allowed for this client');
    }
    return allowed;
  };
}
