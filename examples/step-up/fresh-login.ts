// What a client of the MCP SDK needs for tools that want a person who signed in a short while ago (RFC 9470).
import { auth, computeScopeUnion, extractWWWAuthenticateParams, type AuthProvider } from '@modelcontextprotocol/client';
import type { Person } from './person.js';

/** The person's tokens; on 401 a sign-in as fresh as the server asks for, and then the same request once more. */
export const freshLogin = (person: Person): AuthProvider => ({
  token: async () => person.tokens()?.access_token,
  async onUnauthorized({ response, serverUrl, fetchFn }) {
    const challenge = response.headers.get('www-authenticate') ?? '';
    const tooOld = challenge.includes('error="insufficient_user_authentication"');
    const { resourceMetadataUrl, scope: needed } = extractWWWAuthenticateParams(response);
    const scope = computeScopeUnion(person.tokens()?.scope ?? person.clientMetadata.scope, needed);
    const asked = { serverUrl, resourceMetadataUrl, scope, fetchFn, forceReauthorization: tooOld };
    person.maxAge = /max_age="(\d+)"/.exec(challenge)?.[1];
    // AUTHORIZED: a refresh token was enough
    if ((await auth(person, asked)) === 'AUTHORIZED') return;
    const back = await person.signedIn();
    await auth(person, { ...asked, authorizationCode: back.get('code')!, iss: back.get('iss')! });
  },
});
