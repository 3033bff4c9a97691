import { Refusal } from '@portcullis/contract/refusals';
import { SIGNING_ALGORITHMS } from '@portcullis/scopes/algorithms';
import { accessTokenClaims, callerOf, foreignTokenClaims, type Caller } from '@portcullis/scopes/caller';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';

/** What makes a token good here. */
export interface TokenRules {
  readonly issuer: string;
  /** exactly this one audience (RFC 8707, RFC 9068 §4) */
  readonly audience: string;
  readonly keys: JWTVerifyGetKey;
  /** the issuer is not ours and knows nothing of tenants: all its callers belong to this one */
  readonly foreignTenant?: string | undefined;
  /** ms since epoch */
  now(): number;
}

/** Seconds two clocks may differ. */
export const CLOCK_SKEW = 30;
const MAX_TOKEN_LENGTH = 8192;

/** A token as it was sent. */
export interface PresentedToken {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly token: string;
}

/**
 * Takes the one access token out of the request's Authorization headers.
 * @param authorization every Authorization header as it came; Node would silently drop a second one
 * @throws Refusal token_missing when there is none, token_invalid when there are two or it is malformed
 * @see RFC 6750 §2.1, RFC 9449 §7.1; the body and the query (RFC 6750 §2.2, §2.3) are not looked at
 */
export function presentedToken(authorization: readonly string[]): PresentedToken {
  const [header, ...more] = authorization;
  if (header === undefined) throw new Refusal('token_missing');
  if (more.length > 0) throw new Refusal('token_invalid', {}, { detail: 'more than one Authorization header' });
  const [, scheme, token] = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*)$/i.exec(header) ?? [];
  if (scheme === undefined || token === undefined || token.length > MAX_TOKEN_LENGTH) {
    throw new Refusal('token_invalid', {}, { detail: 'neither a Bearer nor a DPoP header' });
  }
  return { scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token };
}

/**
 * Verifies a JWT access token and says whose it is. That is not yet who calls: a token that names a key (`jkt`) is only
 * as good as the proof beside it, so services ask credentials.ts.
 * @throws Refusal token_invalid for anything wrong with it, overloaded when the keys cannot be had
 * @see RFC 9068 §4, RFC 8725
 */
export async function verifyAccessToken(token: string, rules: TokenRules): Promise<Caller> {
  const payload = await verifySignature(token, rules);
  const { foreignTenant } = rules;
  const claims =
    foreignTenant === undefined
      ? accessTokenClaims.safeParse(payload)
      : foreignTokenClaims.safeParse({ ...payload, tenant: foreignTenant });
  if (!claims.success)
    throw new Refusal('token_invalid', {}, { detail: `claims: ${claims.error.issues[0]?.path.join('.')}` });
  return callerOf(claims.data);
}

async function verifySignature(token: string, { issuer, audience, keys, now }: TokenRules): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: [...SIGNING_ALGORITHMS],
      clockTolerance: CLOCK_SKEW,
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti'],
    });
    return payload;
  } catch (error) {
    if (isOurFault(error)) throw new Refusal('overloaded', { retryAfterMs: 1000 }, { cause: error });
    throw new Refusal(
      'token_invalid',
      {},
      { cause: error, detail: error instanceof Error ? error.message : undefined },
    );
  }
}

/** The keys could not be had: that says nothing about the token. Whatever is wrong with a token, jose says as a JOSEError. */
const isOurFault = (error: unknown): boolean =>
  error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError);
