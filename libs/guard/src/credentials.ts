import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import { checkProof, type ProofChecks, type ProvenRequest } from './dpop.js';
import { presentedToken, verifyAccessToken, type TokenRules } from './token.js';

/** What a request says of who sends it. */
export interface Credentials extends ProvenRequest {
  /** every Authorization header as it came */
  readonly authorization: readonly string[];
}

/** Who calls, and what the answer should bring. */
export interface Authenticated {
  readonly caller: Caller;
  /** the nonce for the next proof, when that of this one is about to lapse (RFC 9449 §8.2) */
  readonly dpopNonce: string | undefined;
}

/**
 * Says who calls. A token that is bound to a key comes under the DPoP scheme with a proof of that key; one that is not
 * comes as Bearer. Nothing between the two is taken: a bound token sent as Bearer is a stolen one as far as we can tell,
 * and a proof beside a bearer token protects nothing while its sender believes that it does.
 * @throws Refusal token_missing, token_invalid, dpop_invalid; rate_limited or overloaded as dpop.ts says
 * @see RFC 9449 §7.1, §7.2
 */
export async function authenticate(
  { authorization, ...request }: Credentials,
  rules: TokenRules,
  checks: ProofChecks,
): Promise<Authenticated> {
  const { scheme, token } = presentedToken(authorization);
  if (scheme === 'Bearer') {
    if (request.dpop.length > 0) {
      throw new Refusal(
        'dpop_invalid',
        { dpopError: 'invalid_dpop_proof' },
        { detail: 'a proof beside a Bearer token' },
      );
    }
    const caller = await verifyAccessToken(token, rules);
    if (caller.jkt !== undefined) {
      throw new Refusal('dpop_invalid', {}, { detail: `a bound token of ${caller.clientId} as Bearer` });
    }
    return { caller, dpopNonce: undefined };
  }
  const caller = await verifyAccessToken(token, rules).catch(inTheScheme);
  if (caller.jkt === undefined) {
    throw new Refusal('token_invalid', { scheme }, { detail: 'a token without a key under the DPoP scheme' });
  }
  return { caller, dpopNonce: await checkProof(request, token, caller, checks) };
}

/** @throws whatever it was, saying by which scheme the token came */
function inTheScheme(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  const { code, facts, detail, cause } = error;
  throw new Refusal(code, { ...facts, scheme: 'DPoP' }, { ...(detail !== undefined && { detail }), cause });
}
