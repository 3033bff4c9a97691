import { pathOf, type ArrivalStep } from '@portcullis/service/arrival';
import type { Provider } from 'oidc-provider';
import { PUBLISH_AHEAD_MS } from './key-rotation.js';

/** Paths that oidc-provider answers; the rest is ours. */
const OIDC =
  /^\/(?:\.well-known\/(?:openid-configuration|oauth-authorization-server)|authorize(?:\/[\w-]+)?|par|token|revoke|introspect|jwks|userinfo|logout(?:\/confirm|\/success)?)$/;
const DOCUMENTS = /^\/(?:\.well-known\/.*|jwks)$/;

/**
 * Hands oidc-provider its requests, unread. The policy lets it add the
 * hash of its own script to the page of `response_mode=form_post`, and nothing else; that page may post to the client.
 */
export function oidcMount(provider: Provider): ArrivalStep {
  const answer = provider.callback();
  return (request, response, next) => {
    const path = pathOf(request);
    if (!OIDC.test(path)) return next();
    response.setHeader(
      'Content-Security-Policy',
      "default-src 'none'; script-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    );
    if (DOCUMENTS.test(path)) response.setHeader('Cache-Control', `public, max-age=${PUBLISH_AHEAD_MS / 1000}`);
    // RFC 6749 §5.1; oidc-provider says no-store, in words that HTTP/1.0 does not know
    else response.setHeader('Pragma', 'no-cache');
    void answer(request, response);
  };
}
