import { principalId } from '@portcullis/contract/ids';
import type { RevocableToken } from '@portcullis/contract/revocation';
import { accessTokenClaims, callerOf, type AccessTokenClaims } from '@portcullis/scopes/caller';
import { SIGNING_ALGORITHMS } from '@portcullis/scopes/algorithms';
import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { RefreshTokens } from './refresh-tokens.js';
import type { ToRevoke } from './revoking.js';

/** A token as it is kept in the database: a refresh token, or an opaque access token for /userinfo. */
export interface StoredToken {
  readonly kind: 'RefreshToken' | 'AccessToken';
  readonly clientId?: string;
  readonly accountId: string;
  readonly grantId: string;
  readonly scope?: string;
  /** seconds since epoch */
  readonly iat: number;
  readonly exp?: number;
  readonly jkt?: string;
  /** set when it is a refresh token that was exchanged already */
  readonly consumed?: unknown;
  destroy(): Promise<void>;
}

/** What a client showed at /revoke or /introspect, when it is a token of ours that has not expired. */
export type ShownToken =
  | { readonly form: 'jwt'; readonly claims: AccessTokenClaims; readonly ids: RevocableToken }
  | { readonly form: 'stored'; readonly stored: StoredToken; readonly ids: RevocableToken };

export interface ShownTokenPorts {
  readonly issuer: string;
  readonly keys: JWTVerifyGetKey;
  /** the tenant of a client; undefined = there is no such client (any more) */
  tenantOfClient(clientId: string): Promise<string | undefined>;
  /** ms since epoch */
  now(): number;
}

const noted = new WeakMap<object, StoredToken>();
/**
 * oidc-provider asks this (`allowedPolicy`) once it has authenticated the client and found a stored token. What happens to
 * it is our own rules' to say, so its own are told no.
 */
export const noteStored = (ctx: KoaContextWithOIDC, _client: unknown, token: unknown): false => {
  noted.set(ctx, token as StoredToken);
  return false;
};

/** What the request shows, behind the authentication of its client. */
export async function shownToken(ctx: KoaContextWithOIDC, ports: ShownTokenPorts): Promise<ShownToken | undefined> {
  const stored = noted.get(ctx);
  const { token } = ctx.oidc.params as { token?: unknown };
  return stored ? ofStored(stored, ports) : typeof token === 'string' ? ofJwt(token, ports) : undefined;
}

/** For an administrator, who names the tenant: what a token stands for, whoever it was issued to. */
export async function tokenNamed(
  tenant: string,
  token: string,
  ports: Pick<ShownTokenPorts, 'issuer' | 'keys' | 'now'> & { readonly refreshTokens: Pick<RefreshTokens, 'find'> },
): Promise<Pick<ToRevoke, 'what' | 'id' | 'expires'> | undefined> {
  const shown = await ofJwt(token, ports);
  if (shown?.form === 'jwt') {
    const { claims, ids } = shown;
    return ids.tenant === tenant ? { what: 'token', id: claims.jti, expires: claims.exp * 1000 } : undefined;
  }
  const refresh = await ports.refreshTokens.find(tenant, token, ports.now());
  return refresh && { what: 'grant', id: refresh.grantId };
}

/** Audience and binding are not asked here: whoever shows a token need not be the one that it is for. */
async function ofJwt(
  token: string,
  { issuer, keys, now }: Pick<ShownTokenPorts, 'issuer' | 'keys' | 'now'>,
): Promise<ShownToken | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      typ: 'at+jwt',
      algorithms: [...SIGNING_ALGORITHMS],
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti'],
    });
    const { data: claims } = accessTokenClaims.safeParse(payload);
    return claims && { form: 'jwt', claims, ids: callerOf(claims) };
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

async function ofStored(stored: StoredToken, ports: ShownTokenPorts): Promise<ShownToken | undefined> {
  const { clientId = '', accountId: sub, grantId, iat: issuedAt, exp } = stored;
  const tenant = await ports.tenantOfClient(clientId);
  if (tenant === undefined || exp === undefined || exp * 1000 <= ports.now()) return undefined;
  const principal = principalId(tenant, clientId, sub);
  // the id of a stored token is the token itself, which nothing is named by
  const ids = { tenant, tokenId: '', grantId, principal, clientId, sub, issuedAt };
  return { form: 'stored', stored, ids };
}
