import { resourceNamed, type ResourceUris } from '@portcullis/scopes/resources';
import { errors } from 'oidc-provider';

/** Parameters of a request to /authorize or /token. */
export type RequestParams = Record<string, unknown>;

/** Where what anybody sends is kept in the database before they have proved anything. */
export const KEPT_ROUTES: ReadonlySet<string> = new Set(['authorization', 'pushed_authorization_request']);
/** Characters of all parameters together, as JSON. */
const MOST = 8 * 1024;

/** @throws errors.InvalidRequest where the parameters of a request are more than an authorization request needs */
export function expectModest(params: RequestParams): void {
  if (JSON.stringify(params).length <= MOST) return;
  throw new errors.InvalidRequest('the parameters are too long: at most 8192 characters together');
}

/**
 * Brings a request's parameters into the form that the rest relies on, in place.
 *
 * `resource`: clients write the same URI with and without a trailing slash, sometimes each in turn; oidc-provider
 * compares strings between /authorize and /token (RFC 8707 §2).
 *
 * `max_age` without `openid`: a client that was told to have the person sign in again (RFC 9470 §4) is no OpenID client,
 * and oidc-provider refuses it the parameter. A fresh sign-in satisfies every `max_age`.
 */
export function adaptParams(params: RequestParams, uris: ResourceUris): void {
  if (params.resource !== undefined) params.resource = canonical(params.resource, uris);
  // what was said twice stays so, for oidc-provider to refuse (RFC 6749 §3.1)
  const once = [params.max_age, params.scope, params.prompt].every((value) => !Array.isArray(value));
  if (once && params.max_age !== undefined && !words(params.scope).includes('openid')) {
    params.max_age = undefined;
    params.prompt = [...new Set([...words(params.prompt), 'login'])].join(' ');
  }
}

function canonical(resource: unknown, uris: ResourceUris): unknown {
  if (Array.isArray(resource)) return resource.map((one) => canonical(one, uris));
  if (typeof resource !== 'string') return resource;
  const name = resourceNamed(uris, resource);
  return name === undefined ? resource : uris[name];
}

const words = (value: unknown): string[] => (typeof value === 'string' ? value.split(' ').filter(Boolean) : []);
