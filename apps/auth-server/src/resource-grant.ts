import { RESOURCES, resourceNamed, type ResourceUris } from '@portcullis/scopes/resources';
import { grantScopes, type Scope } from '@portcullis/scopes/scopes';

/** Scopes of a sign-in (OpenID Connect Core 1.0 §5.4): they belong to no API, so no resource and no ceiling bounds them. */
export const LOGIN_SCOPES = { openid: 'Know who you are', profile: 'Read your user name' } as const;
const isLoginScope = (scope: string): boolean => Object.hasOwn(LOGIN_SCOPES, scope);

export interface ResourceQuestion {
  readonly uris: ResourceUris;
  /** the resource indicator as the request names it (RFC 8707 §2) */
  readonly resource: string;
  /** the `scope` parameter; undefined = none named */
  readonly scope: string | undefined;
  /** everything the client could ever be granted */
  readonly ceiling: ReadonlySet<Scope>;
  /** scopes of the person's roles; undefined = no person, or nobody signed in yet */
  readonly roles: ReadonlySet<Scope> | undefined;
  /** may the request ask for a sign-in? */
  readonly person: boolean;
}

export interface ResourceGrant {
  /** the one audience */
  readonly audience: string;
  /** all that client and person could ever get at this resource: the claim `ceiling` */
  readonly ceiling: readonly Scope[];
  /** what this request gets, sign-in scopes first; empty = nothing is left of it */
  readonly granted: readonly string[];
}

/** @returns undefined when the resource is none of ours */
export function resourceGrant(question: ResourceQuestion): ResourceGrant | undefined {
  const { uris, resource, scope, ceiling, roles, person } = question;
  const name = resourceNamed(uris, resource);
  if (name === undefined) return undefined;
  const bounds = [new Set<Scope>(RESOURCES[name]), ...(roles ? [roles] : [])];
  return {
    audience: uris[name],
    ceiling: grantScopes(RESOURCES[name].join(' '), ceiling, ...bounds),
    granted: [...(person ? loginScopes(scope) : []), ...grantScopes(scope, ceiling, ...bounds)],
  };
}

export const loginScopes = (scope: string | undefined): string[] => [
  ...new Set((scope ?? '').split(' ').filter(isLoginScope)),
];
export const apiScopes = (scope: string | undefined): string[] =>
  (scope ?? '').split(' ').filter((word) => word !== '' && !isLoginScope(word));
