import type { Log } from '@portcullis/contract/log';
import { algorithmsInUse, type TokenAlgorithms } from '@portcullis/scopes/algorithms';
import { RESOURCES, type ResourceUris } from '@portcullis/scopes/resources';
import { Provider, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { adapterFactory, INTERACTION_SECONDS, type AdapterPorts } from './adapter.js';
import { existingGrant } from './approvals-client.js';
import { checkAssertion } from './assertion.js';
import { ACR } from './acr.js';
import { accessTokenClaims, type ClaimPorts } from './claims.js';
import { compareSecrets, type ClientAuthenticationPorts } from './client-authentication.js';
import type { ClientKeySets } from './client-key-sets.js';
import { ASSERTION_ALGS } from './client-keys.js';
import { reuseClients, type ClientLookupPorts } from './client-lookup.js';
import { expectStillActive, noteArrivals, type ClientRecheckPorts } from './client-recheck.js';
import { EXTRA_METADATA, tenantOf } from './client-metadata.js';
import type { CookieSigner } from './cookie-keys.js';
import { findAccount } from './account.js';
import { checkIdTokenHint } from './id-token-hint.js';
import type { KeyRing } from './key-ring.js';
import {
  boundProofs,
  checkProofsBeforeCodes,
  nameProofProblems,
  oneAuthorization,
  PROOF_ALGORITHMS,
  proofsRequired,
} from './dpop.js';
import { correctContext } from './oidc-context.js';
import { renderError, renderLogout, renderSignedOut } from './oidc-pages.js';
import { serveRefreshGrant, type RefreshGrantPorts } from './refresh-grant.js';
import { useOnce } from './replay.js';
import { adaptParams, expectModest, KEPT_ROUTES } from './request-params.js';
import { LOGIN_SCOPES } from './resource-grant.js';
import { RingKey } from './ring-key.js';
import { resourceIndicators } from './resource-servers.js';
import { noteStored } from './shown-token.js';
import { nameUnauthorizedClients } from './unauthorized-client.js';
import { taskDetails } from './task-details.js';
import type { Users } from './users.js';

export interface ProviderParts
  extends
    AdapterPorts,
    ClaimPorts,
    ClientLookupPorts,
    ClientRecheckPorts,
    ClientAuthenticationPorts,
    RefreshGrantPorts {
  readonly issuer: string;
  readonly uris: ResourceUris;
  /** holds a key of every algorithm in use already */
  readonly ring: KeyRing;
  /** resources whose tokens are not signed with ES256 */
  readonly algorithms: TokenAlgorithms;
  readonly clientKeySets: ClientKeySets;
  readonly cookies: CookieSigner;
  /** the present COOKIE_KEY, which the key of DPoP nonces is derived from */
  readonly nonceKey: Uint8Array;
  readonly users: Users;
  /** seconds an access token lives */
  readonly tokenSeconds: number;
  readonly log: Log;
}

/** What the types leave out. */
interface IdTokenHints {
  validate(jwt: string, client: { readonly clientId: string }): ReturnType<typeof checkIdTokenHint>;
}

const HOURS = 60 * 60;
/** What a request may name; oidc-provider would advertise the sign-in's only. */
const everyScope = [...new Set([...Object.keys(LOGIN_SCOPES), ...Object.values(RESOURCES).flat()])];

/** oidc-provider as we run it. What is not switched on here is not served and not advertised. */
export function createProvider(parts: ProviderParts): Provider {
  const https = parts.issuer.startsWith('https:');
  const configuration: Configuration = {
    adapter: adapterFactory(parts),
    jwks: { keys: algorithmsInUse(parts.algorithms).map((alg) => new RingKey(parts.ring, alg)) },
    routes: {
      authorization: '/authorize',
      pushed_authorization_request: '/par',
      token: '/token',
      jwks: '/jwks',
      userinfo: '/userinfo',
      revocation: '/revoke',
      introspection: '/introspect',
      end_session: '/logout',
    },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: resourceIndicators(parts),
      richAuthorizationRequests: taskDetails(parts.uris),
      rpInitiatedLogout: { enabled: true, logoutSource: renderLogout, postLogoutSuccessSource: renderSignedOut },
      userinfo: { enabled: true },
      // what comes of it is shown-token-endpoints.ts
      revocation: { enabled: true, allowedPolicy: noteStored },
      introspection: { enabled: true, allowedPolicy: noteStored },
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      // pages of our own, in interaction.controller.ts
      devInteractions: { enabled: false },
      dPoP: proofsRequired(parts.nonceKey),
      // RFC 9126; which clients must push is in their records
      pushedAuthorizationRequests: { enabled: true },
    },
    responseTypes: ['code'],
    // whoever is registered for the grant gets the token; there is no `offline_access` to ask for
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    acrValues: Object.values(ACR),
    // OAuth 2.1 §4.1.1: of every client, public or not; S256 is the only method oidc-provider knows
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientDefaults: { grant_types: [], response_types: [], id_token_signed_response_alg: 'ES256' },
    enabledJWA: {
      clientAuthSigningAlgValues: [...ASSERTION_ALGS],
      idTokenSigningAlgValues: ['ES256'],
      dPoPSigningAlgValues: PROOF_ALGORITHMS,
    },
    assertJwtClientAuthClaimsAndHeader: async (ctx, claims, _header, client) => {
      checkAssertion(claims, parts.now() / 1000);
      if (client.jwksUri === undefined) return;
      const jwt = String(ctx.oidc.params?.client_assertion);
      await parts.clientKeySets.expectSigned(tenantOf(client), jwt, client.jwksUri);
    },
    // whatever oidc-provider reaches out for comes through here: the keys of the client that proves itself
    fetch: (url, init) => {
      const client = Provider.ctx?.oidc.client;
      if (client === undefined) throw new Error('nobody whose keys these are');
      return parts.clientKeySets.fetch(tenantOf(client), url, init);
    },
    // our records were checked when they were made
    extraClientMetadata: { properties: [...EXTRA_METADATA], validator: () => undefined },
    // browser programs have no secret to lose; whoever has one does not belong in a browser
    clientBasedCORS: (_ctx, _origin, client) => client.clientAuthMethod === 'none',
    scopes: ['openid'],
    claims: { openid: ['sub'], profile: ['preferred_username'] },
    subjectTypes: ['public'],
    loadExistingGrant: (ctx) => existingGrant(ctx.oidc, parts),
    findAccount: (ctx, sub) => findAccount(parts.users, ctx, sub),
    extraTokenClaims: async (ctx, token) => {
      await expectStillActive(parts, ctx);
      return accessTokenClaims(parts, ctx, token);
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    renderError,
    cookies: {
      keys: parts.cookies as never,
      names: {
        // RFC 6265bis §4.1.3.2; the prefix needs https
        session: https ? '__Host-portcullis_session' : 'portcullis_session',
        interaction: 'portcullis_interaction',
        resume: 'portcullis_resume',
      },
      long: { signed: true, httpOnly: true, sameSite: 'lax', path: '/', secure: https },
      short: { signed: true, httpOnly: true, sameSite: 'lax', secure: https },
    },
    // seconds
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? parts.tokenSeconds,
      ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? parts.tokenSeconds,
      AuthorizationCode: () => 60,
      // to the end of the grant, however often it is used
      RefreshToken: (ctx) => ctx.oidc.entities.Grant?.remainingTTL ?? 1,
      IdToken: () => 15 * 60,
      Interaction: () => INTERACTION_SECONDS,
      // a person signs in once a working day; a task (one grant) ends with it at the latest
      Session: () => 8 * HOURS,
      Grant: () => 8 * HOURS,
    },
  };
  const provider = new Provider(parts.issuer, configuration);
  noteArrivals(provider, parts);
  correctContext(provider, (params, route) => {
    if (KEPT_ROUTES.has(route)) expectModest(params);
    adaptParams(params, parts.uris);
  });
  reuseClients(provider, parts);
  compareSecrets(provider, parts);
  nameUnauthorizedClients(provider);
  provider.ReplayDetection.unique = useOnce(parts);
  oneAuthorization(provider);
  boundProofs(provider);
  checkProofsBeforeCodes(provider);
  nameProofProblems(provider);
  serveRefreshGrant(provider, parts);
  (provider.IdToken as unknown as IdTokenHints).validate = (jwt, { clientId }) =>
    checkIdTokenHint(jwt, { ring: parts.ring, issuer: parts.issuer, clientId });
  provider.use(async (ctx, next) => {
    // TLS may end in front of us; the issuer says what the browser sees, and cookies are marked by it
    if (https) Object.defineProperty(ctx.request, 'secure', { value: true });
    await next();
    const { oidc, body } = ctx as unknown as KoaContextWithOIDC;
    if (oidc?.route === 'discovery') Object.assign(body as object, { scopes_supported: everyScope });
    if (oidc?.route === 'jwks') ctx.body = parts.ring.jwks;
    if (ctx.status === 404 && body === undefined) {
      ctx.body = { error: 'not_found', error_description: 'There is no such thing here.' };
      ctx.status = 404;
    }
  });
  const failed = (error: unknown): void => parts.log.error('oidc-provider failed', { error });
  provider.on('server_error', (_ctx, error) => failed(error));
  // Koa's own, which the types leave out
  (provider as unknown as NodeJS.EventEmitter).on('error', failed);
  return provider;
}
