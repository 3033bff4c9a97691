import { Refusal } from '@portcullis/contract/refusals';
import { fetchInside } from '@portcullis/service/fetch-inside.http';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientError,
  Configuration,
  customFetch,
  None,
  randomPKCECodeVerifier,
  randomState,
  ResponseBodyError,
} from 'openid-client';

/** A sign-in that a browser was sent away for. */
export interface Begun {
  readonly tenant: string;
  readonly state: string;
  readonly verifier: string;
}

/** Signing people in at our authorization server, as the client `approvals.TENANT` (RFC 6749 §4.1, PKCE S256). */
export interface SignIn {
  begin(tenant: string): Promise<{ readonly url: string; readonly begun: Begun }>;
  /**
   * @param callback the URL the browser came back to, as the outside knows it
   * @returns the access token; `refused` when the person may not, or would not; `broken` when it does not belong to what was begun
   * @throws Refusal overloaded when the authorization server cannot be asked
   */
  finish(callback: URL, begun: Begun): Promise<{ readonly token: string } | 'refused' | 'broken'>;
}

/** Seconds: how lately the person must have signed in. */
export const MAX_AGE = 300;

/** @param approvalsUrl audience of the tokens; the callback lies below it */
export function signInAt(issuer: string, approvalsUrl: string): SignIn {
  const redirect_uri = `${approvalsUrl}/callback`;
  const clientOf = (tenant: string): Configuration => {
    const config = new Configuration(
      {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        authorization_response_iss_parameter_supported: true,
      },
      `approvals.${tenant}`,
      undefined,
      None(),
    );
    config[customFetch] = (url, init) => fetchInside(url, init as Parameters<typeof fetchInside>[1]);
    // what the settings say is what we go by: https where it leaves the machine, see settings-rules.ts
    if (issuer.startsWith('http:')) allowInsecureRequests(config);
    return config;
  };

  return {
    async begin(tenant) {
      const begun = { tenant, state: randomState(), verifier: randomPKCECodeVerifier() };
      const url = buildAuthorizationUrl(clientOf(tenant), {
        response_type: 'code',
        redirect_uri,
        scope: 'approvals:give',
        resource: approvalsUrl,
        max_age: String(MAX_AGE),
        state: begun.state,
        code_challenge: await calculatePKCECodeChallenge(begun.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, begun };
    },

    async finish(callback, { tenant, state, verifier }) {
      try {
        const { access_token: token } = await authorizationCodeGrant(
          clientOf(tenant),
          callback,
          { expectedState: state, pkceCodeVerifier: verifier },
          { resource: approvalsUrl },
        );
        return { token };
      } catch (error) {
        if (error instanceof AuthorizationResponseError) return 'refused';
        if (error instanceof ResponseBodyError || isNoAnswerOfOurs(error)) return 'broken';
        throw new Refusal('overloaded', { retryAfterMs: 1000 }, { cause: error });
      }
    },
  };
}

/** What the callback brought is not what was begun: no code, another state, another issuer. */
const isNoAnswerOfOurs = (error: unknown): boolean =>
  error instanceof ClientError && (error.code ?? '').startsWith('OAUTH_INVALID_RESPONSE');
