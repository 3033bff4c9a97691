import { Refusal } from '@portcullis/contract/refusals';
import { accessTokenClaims, callerOf, type Caller } from '@portcullis/scopes/caller';
import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose';

/** What makes a token good here. */
export interface TokenRules {
  readonly issuer: string;
  /** exactly this one audience (RFC 8707, RFC 9068 §4) */
  readonly audience: string;
  readonly keys: JWTVerifyGetKey;
  /** ms since epoch */
  now(): number;
}

/** Signatures our authorization server makes. `none` and every HMAC are absent, so a public key can never be a secret. */
const ALGORITHMS = ['ES256'];
/** Seconds two clocks may differ. */
export const CLOCK_SKEW = 30;
const MAX_TOKEN_LENGTH = 8192;

/**
 * Takes the one access token out of the request's Authorization headers.
 * @param authorization every Authorization header as it came; Node would silently drop a second one
 * @throws Refusal token_missing when there is none, token_invalid when there are two or it is malformed, dpop_invalid
 *   for the DPoP scheme
 * @see RFC 6750 §2.1; the body and the query (§2.2, §2.3) are not looked at
 */
export function bearerToken(authorization: readonly string[]): string {
  const [header, ...more] = authorization;
  if (header === undefined) throw new Refusal('token_missing');
  if (more.length > 0) throw new Refusal('token_invalid', {}, { detail: 'more than one Authorization header' });
  if (/^DPoP /i.test(header)) throw new Refusal('dpop_invalid');
  const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
  if (token === undefined || token.length > MAX_TOKEN_LENGTH) {
    throw new Refusal('token_invalid', {}, { detail: 'not a Bearer header' });
  }
  return token;
}

/**
 * Verifies a JWT access token and says who calls.
 * @throws Refusal token_invalid for anything wrong with it, dpop_invalid for a token bound to a key (`cnf`), since a
 *   bound token sent as bearer is a stolen one until a proof says otherwise
 * @see RFC 9068 §4, RFC 8725
 */
export async function verifyAccessToken(token: string, rules: TokenRules): Promise<Caller> {
  const payload = await verifySignature(token, rules);
  const claims = accessTokenClaims.safeParse(payload);
  if (!claims.success)
    throw new Refusal('token_invalid', {}, { detail: `claims: ${claims.error.issues[0]?.path.join('.')}` });
  if (claims.data.cnf) throw new Refusal('dpop_invalid');
  return callerOf(claims.data);
}

async function verifySignature(token: string, { issuer, audience, keys, now }: TokenRules): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: ALGORITHMS,
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
