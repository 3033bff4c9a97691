import {
  errors,
  type Account,
  type Client,
  type Grant,
  type Provider,
  type RefreshToken,
  type TokenEndpointGrantContext,
} from 'oidc-provider';
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  findAccount,
  resolveAndApplyResource,
  validateDpop,
  validateGrant,
} from 'oidc-provider/lib/helpers/grants.js';
import { tenantOf } from './client-metadata.js';
import type { EndGrant } from './grant-ending.js';
import { judge } from './refresh-rotation.js';
import type { RefreshTokens } from './refresh-tokens.js';

export interface RefreshGrantPorts {
  readonly refreshTokens: RefreshTokens;
  readonly endGrant: EndGrant;
  /** 256 random bits as text */
  newToken(): string;
  /** ms since epoch */
  now(): number;
}

type Context = TokenEndpointGrantContext<{ refresh_token?: string }>;

/**
 * The refresh grant (RFC 6749 §6), in place of oidc-provider's, which ends the session of a client whose two processes
 * refresh at once. Everything is checked, and the access token is made, before the refresh token is used: a request that
 * fails for any reason costs nothing. From then on nothing can fail but the way to the client, and for that there is the
 * replay window.
 */
export function serveRefreshGrant(provider: Provider, ports: RefreshGrantPorts): void {
  const handler = (ctx: Context): Promise<void> => refresh(provider, ports, ctx);
  provider.registerGrantType('refresh_token', handler, ['refresh_token', 'scope', 'resource'], ['resource']);
}

async function refresh(provider: Provider, ports: RefreshGrantPorts, ctx: Context): Promise<void> {
  const { refreshTokens, endGrant, newToken, now } = ports;
  const { client, params } = ctx.oidc;
  const tenant = tenantOf(client);
  const presented = params.refresh_token;
  if (!presented) throw new errors.InvalidRequest("missing required parameter(s) 'refresh_token'");
  const proof = await validateDpop(provider, ctx);
  checkDpopRequired(provider, ctx, proof);
  const kept = await refreshTokens.find(tenant, presented, now());
  if (kept === undefined) throw new errors.InvalidGrant('refresh token not found');
  // before anything is concluded from the proof: one that was seen before proves nothing
  await checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidDpopProof);
  const by = { clientId: client.clientId, jkt: proof?.thumbprint };
  const refuse = async (why: string, ends: boolean): Promise<never> => {
    const { grantId, clientId, accountId } = kept;
    if (ends) await endGrant({ tenant, grantId, clientId, sub: accountId }, 'refresh-replay', why);
    // at invalid_grant clients throw their token away; here only the proof is wrong
    throw ends ? new errors.InvalidGrant(why) : new errors.InvalidDpopProof(why);
  };
  const verdict = judge(kept, by);
  if ('why' in verdict) return refuse(verdict.why, verdict.do === 'end');

  const stands = JSON.parse(kept.payload) as Omit<ConstructorParameters<typeof RefreshToken>[0], 'client'>;
  const token = new provider.RefreshToken({ ...stands, client } as ConstructorParameters<typeof RefreshToken>[0]);
  const grant = await validateGrant(provider, ctx, kept.grantId);
  const scopes = requested(params.scope, token.scopes);
  ctx.oidc.entity('RefreshToken', token);
  ctx.oidc.entity('Grant', grant);
  const account = await findAccount(provider, ctx, kept.accountId, token);
  if (account === undefined) throw new errors.InvalidGrant('the person may not sign in any more');
  if (grant.accountId !== account.accountId) throw new errors.InvalidGrant('the grant is of another person');
  ctx.oidc.entity('Account', account);

  const accessToken = new provider.AccessToken({
    accountId: account.accountId,
    client,
    grantId: kept.grantId,
    gty: refreshed(token.gty),
    sessionUid: token.sessionUid,
    sid: token.sid,
  });
  if (proof) accessToken.setThumbprint('jkt', proof.thumbprint);
  await resolveAndApplyResource(provider, ctx, token, accessToken, grant, scopes);
  ctx.oidc.entity('AccessToken', accessToken);
  const value = await accessToken.save();
  const idToken = scopes.has('openid')
    ? await idTokenOf(provider, ctx, token, grant, account, accessToken.aud === undefined, scopes)
    : undefined;

  const payload = JSON.stringify({
    ...stands,
    iat: Math.floor(now() / 1000),
    gty: refreshed(token.gty),
    rotations: (token.rotations ?? 0) + 1,
  });
  const rotation = await refreshTokens.rotate(tenant, presented, by, { token: newToken(), payload }, now());
  if (rotation.outcome === 'gone') throw new errors.InvalidGrant('the grant has ended');
  if ('why' in rotation) return refuse(rotation.why, rotation.outcome === 'ended');

  if (rotation.outcome === 'repeated') ctx.state.tokenNote = 'its refresh token came back within its window';
  ctx.body = buildTokenResponse(provider, {
    accessToken: value,
    expiresIn: accessToken.expiration,
    idToken,
    refreshToken: rotation.token,
    scope: accessToken.scope,
    tokenType: accessToken.tokenType,
  });
}

/** RFC 6749 §6: less than was granted, never more. @throws errors.InvalidScope */
function requested(scope: string | undefined, granted: ReadonlySet<string>): Set<string> {
  if (!scope) return new Set(granted);
  const asked = new Set(scope.split(' '));
  const beyond = [...asked].filter((one) => !granted.has(one));
  if (beyond.length > 0) throw new errors.InvalidScope('more than the refresh token stands for', beyond.join(' '));
  return asked;
}

const refreshed = (gty: string | undefined): string =>
  gty === undefined || gty.endsWith('refresh_token') ? (gty ?? 'refresh_token') : `${gty} refresh_token`;

/** OpenID Connect Core 1.0 §12.2: who signed in, when and how stay what they were. */
async function idTokenOf(
  provider: Provider,
  ctx: Context & { oidc: { client: Client } },
  token: RefreshToken,
  grant: Grant,
  account: Account,
  /** no API: what else there is to know of the person, /userinfo tells */
  signInOnly: boolean,
  scopes: ReadonlySet<string>,
): Promise<string> {
  const claims = await account.claims('id_token', [...scopes].join(' '), {}, []);
  const { acr, amr, authTime } = token;
  const idToken = new provider.IdToken({ ...claims, sub: account.accountId, acr, amr, auth_time: authTime }, { ctx });
  const scope = signInOnly ? 'openid' : grant.getOIDCScopeFiltered(new Set(scopes));
  Object.assign(idToken, { scope, mask: {}, rejected: grant.getRejectedOIDCClaims() });
  idToken.set('nonce', token.nonce);
  idToken.set('sid', token.sid);
  return idToken.issue({ use: 'idtoken' });
}
