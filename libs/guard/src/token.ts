import { Refusal } from '@portcullis/contract/refusals';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '@portcullis/scopes/algorithms';
import {
  accessTokenClaims,
  callerOf,
  foreignTokenClaims,
  type Caller,
  type CustomerBudgets,
} from '@portcullis/scopes/caller';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';

/** The signing keys of an issuer, for jose; those that are fetched know how old they are. */
export interface SigningKeys extends JWTVerifyGetKey {
  /**
   * Has keys that are no longer young fetched again beside the request.
   * @returns a promise when they are too old to be used before, which rejects when there are none to use
   */
  readonly fresh?: () => Promise<void> | undefined;
  /**
   * how often a key was withdrawn, or changed, as far as is known: what was verified before may have been by that key.
   * Without it nothing that was verified is trusted for longer than ten minutes
   */
  readonly withdrawals?: () => number;
}

/** What makes a token good here. */
export interface TokenRules {
  readonly issuer: string;
  /** exactly this one audience (RFC 8707, RFC 9068 §4) */
  readonly audience: string;
  readonly keys: SigningKeys;
  /** signatures that are taken; all of SIGNING_ALGORITHMS where none are named (RFC 8725 §3.1) */
  readonly algorithms?: readonly SigningAlgorithm[];
  /** the issuer is not ours and knows nothing of tenants: all its callers belong to this one */
  readonly foreignTenant?: string | undefined;
  /** of callers whose token does not say; the house's own unless given */
  readonly customerBudget?: CustomerBudgets | undefined;
  /** ms since epoch */
  now(): number;
}

/** Seconds that two clocks may differ: for `exp`, `nbf` and `iat`. */
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
  const { foreignTenant, customerBudget } = rules;
  const claims =
    foreignTenant === undefined
      ? accessTokenClaims.safeParse(payload)
      : foreignTokenClaims.safeParse({ ...payload, tenant: foreignTenant });
  if (!claims.success)
    throw new Refusal('token_invalid', {}, { detail: `claims: ${claims.error.issues[0]?.path.join('.')}` });
  return callerOf(claims.data, customerBudget);
}

async function verifySignature(
  token: string,
  { issuer, audience, keys, algorithms = SIGNING_ALGORITHMS, now }: TokenRules,
): Promise<JWTPayload> {
  try {
    // padding and the unused bits of the last letter are not signed, and would make many texts of one token (RFC 4648 §3.5)
    const signature = token.slice(token.lastIndexOf('.') + 1);
    if (Buffer.from(signature, 'base64url').toString('base64url') !== signature)
      throw new errors.JWSInvalid('the signature is not in its one form');
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: [...algorithms],
      clockTolerance: CLOCK_SKEW,
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti'],
    });
    // RFC 9068 asks for `iat` and says nothing of one in the future, which no honest issuer writes
    if (payload.iat! > now() / 1000 + CLOCK_SKEW)
      throw new errors.JWTClaimValidationFailed('issued later', payload, 'iat');
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
