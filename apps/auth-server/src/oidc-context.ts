import type Provider from 'oidc-provider';
import type { RequestParams } from './request-params.js';

/**
 * Corrects two things in what oidc-provider knows of a request, for which it has no setting:
 *
 * - It makes URLs from the Host header. That would let a forged Host choose the endpoints in our metadata and the
 *   audience that a client's assertion is accepted for. Here every URL begins with the issuer.
 * - It takes parameters as they came. Here `adapt` sees them first, at every endpoint, which `route` names.
 */
export function correctContext(provider: Provider, adapt: (params: RequestParams, route: string) => void): void {
  const { prototype } = provider.OIDCContext;
  prototype.urlFor = (name, options) => provider.urlFor(name, options);
  const held = new WeakMap<object, RequestParams>();
  Object.defineProperty(prototype, 'params', {
    get(this: object) {
      return held.get(this);
    },
    set(this: { readonly route: string }, params: RequestParams) {
      adapt(params, this.route);
      held.set(this, params);
    },
  });
}
