import { SCOPES, isScope } from '@portcullis/scopes/scopes';
import type { Client, Interaction, InteractionResults } from 'oidc-provider';
import { ACR } from './acr.js';
import { consentPage, loginPage } from './pages.js';
import { formTarget, redirectHost } from './redirects.js';
import { apiScopes, LOGIN_SCOPES, loginScopes } from './resource-grant.js';
import type { UserRecord } from './users.js';

/** The authorization request that an interaction belongs to, after it was checked and narrowed. */
export interface AskedOf {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope: string | undefined;
  readonly resource: string | undefined;
  /** the person, once signed in */
  readonly accountId: string | undefined;
}

export const askedOf = ({ params, session }: Interaction): AskedOf => ({
  clientId: String(params.client_id),
  redirectUri: String(params.redirect_uri),
  scope: typeof params.scope === 'string' ? params.scope : undefined,
  resource: typeof params.resource === 'string' ? params.resource : undefined,
  accountId: session?.accountId,
});

/** A page, and where its forms' answers may redirect to. */
export interface Shown {
  readonly html: string;
  readonly formTargets: readonly string[];
}

export function loginFor(
  uid: string,
  asked: AskedOf,
  client: Client,
  formToken: string,
  again: { readonly problem?: string; readonly username?: string } = {},
): Shown {
  return {
    html: loginPage({ interactionId: uid, formToken, ...asker(asked, client), ...again }),
    formTargets: formTarget(asked.redirectUri),
  };
}

export function consentFor(uid: string, asked: AskedOf, client: Client, user: UserRecord, formToken: string): Shown {
  return {
    html: consentPage({
      interactionId: uid,
      formToken,
      username: user.username,
      scopes: (asked.scope ?? '').split(' ').flatMap((scope) => inWords(scope) ?? []),
      ...asker(asked, client),
    }),
    formTargets: formTarget(asked.redirectUri),
  };
}

const asker = (asked: AskedOf, client: Client) => ({
  client: client.clientName ?? client.clientId,
  redirectHost: redirectHost(asked.redirectUri),
});

const inWords = (scope: string): string | undefined =>
  isScope(scope) ? SCOPES[scope].says : (LOGIN_SCOPES as Readonly<Record<string, string>>)[scope];

/** What a person's yes covers: exactly what the page showed. */
export const consented = ({ scope, resource }: AskedOf) => ({
  login: loginScopes(scope).join(' '),
  api: resource === undefined ? '' : apiScopes(scope).join(' '),
});

/** @param at seconds since epoch; becomes `auth_time` */
export const signedIn = (user: UserRecord, at: number): InteractionResults => ({
  login: { accountId: user.userId, acr: ACR.password, amr: ['pwd'], ts: Math.floor(at), remember: false },
});

export const refusedByPerson: InteractionResults = {
  error: 'access_denied',
  error_description: 'The person did not allow it.',
};
