import { hash } from 'node:crypto';
import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import { networkOf } from './addresses.js';
import { checkProof, type ProofChecks } from './dpop.js';
import { presentedToken, type PresentedToken } from './token.js';

/** What a request says of who sends it. */
export interface Credentials {
  /** every Authorization header as it came */
  readonly authorization: readonly string[];
  /** every DPoP header as it came */
  readonly dpop: readonly string[];
  readonly method: string;
  /** whom its failures count for */
  readonly address: string;
}

/** Who calls, and what the answer should bring. */
export interface Authenticated {
  readonly caller: Caller;
  /** the nonce for the next proof, when that of this one is about to lapse (RFC 9449 §8.2) */
  readonly dpopNonce: string | undefined;
}

/** Tokens by their digest `ath`: base64url of SHA-256 over the token's text, as proofs name them too (RFC 9449 §4.2). */
export interface VerifiedTokens {
  /**
   * Whose token was verified before and is good by its keys and its expiry still: the same object each time. A promise when
   * the keys are so old that they have to be fetched first.
   * @returns undefined when it is not known, or not any more
   * @throws Refusal overloaded when the keys cannot be had
   */
  known(ath: string): Caller | undefined | Promise<Caller | undefined>;
  /** Verifies once for all who wait for the same token. @throws Refusal token_invalid, overloaded */
  verify(token: string, ath: string): Promise<Caller>;
}

/** How often what is sent may turn out to be bad. It knows no tenants, as nobody is known yet. */
export interface FailureBudget {
  /**
   * Does the work when its owner has a try left, or waits for those under way to show whether there will be one.
   * @param owner whom a failure counts for
   * @param isFailure whether what the work threw counts
   * @throws Refusal rate_limited with limitType `failures` when too much of it failed of late, overloaded when too many wait
   */
  attempt<T>(owner: string, work: () => Promise<T>, isFailure: (error: unknown) => boolean): Promise<T>;
}

/** What saying who calls remembers from one request to the next. */
export interface CredentialChecks {
  readonly tokens: VerifiedTokens;
  readonly failures: FailureBudget;
  readonly proofs: ProofChecks;
}

/**
 * Says who calls. A token that is bound to a key comes under the DPoP scheme with a proof of that key; one that is not
 * comes as Bearer. Nothing between the two is taken: a bound token sent as Bearer is a stolen one as far as we can tell,
 * and a proof beside a bearer token protects nothing while its sender believes that it does.
 *
 * A bearer token that is known is answered at once. One that is not draws on the failures of the address, by IPv6 network,
 * before its signature is looked at; a proof beside a known token draws on those of this token from there, so that a flood
 * from an address locks out nobody who is known.
 * @param htu our own URI in the form of target-uri.ts, made of our settings: no Host and no X-Forwarded header says where we are
 * @throws Refusal token_missing, token_invalid, dpop_invalid; rate_limited or overloaded as the checks say
 * @see RFC 9449 §7.1, §7.2
 */
export function authenticate(
  request: Credentials,
  htu: string | undefined,
  checks: CredentialChecks,
): Authenticated | Promise<Authenticated> {
  const shown = asShown(request.authorization);
  if (shown === undefined) return notKnown(request, htu, checks);
  const known = checks.tokens.known(shown.ath);
  if (known === undefined) return notKnown(request, htu, checks);
  if (!(known instanceof Promise)) return accepted(shown, known, request, htu, checks);
  return known.then((caller) =>
    caller === undefined ? notKnown(request, htu, checks) : accepted(shown, caller, request, htu, checks),
  );
}

interface Shown extends PresentedToken {
  readonly ath: string;
}

/** The token as nearly everybody writes it, unread: only what was read and verified once can be known by its digest. */
function asShown(authorization: readonly string[]): Shown | undefined {
  if (authorization.length !== 1) return undefined;
  const header = authorization[0]!;
  const scheme = header.startsWith('Bearer ') ? 'Bearer' : header.startsWith('DPoP ') ? 'DPoP' : undefined;
  return scheme && digested({ scheme, token: header.slice(scheme.length + 1) });
}

const digested = ({ scheme, token }: PresentedToken): Shown => ({
  scheme,
  token,
  ath: hash('sha256', token, 'base64url'),
});

async function notKnown(
  request: Credentials,
  htu: string | undefined,
  checks: CredentialChecks,
): Promise<Authenticated> {
  if (request.authorization.length === 0) throw new Refusal('token_missing');
  const verify = async (): Promise<[Shown, Caller]> => {
    const shown = digested(presentedToken(request.authorization));
    if (shown.scheme === 'Bearer') refuseProof(request);
    // somebody may have verified it while this one waited
    const known = await checks.tokens.known(shown.ath);
    return [shown, known ?? (await checks.tokens.verify(shown.token, shown.ath).catch(inTheScheme(shown)))];
  };
  const [shown, caller] = await checks.failures.attempt(networkOf(request.address), verify, isFailure);
  return accepted(shown, caller, request, htu, checks);
}

/** Whether a verified token is sent in the way that it has to be. */
function accepted(
  { scheme, ath }: Shown,
  caller: Caller,
  request: Credentials,
  htu: string | undefined,
  { failures, proofs }: CredentialChecks,
): Authenticated | Promise<Authenticated> {
  if (scheme === 'Bearer') {
    refuseProof(request);
    if (caller.jkt !== undefined) {
      throw new Refusal('dpop_invalid', {}, { detail: `a bound token of ${caller.clientId} as Bearer` });
    }
    return { caller, dpopNonce: undefined };
  }
  if (caller.jkt === undefined) {
    throw new Refusal('token_invalid', { scheme }, { detail: 'a token without a key under the DPoP scheme' });
  }
  const { dpop, method, address } = request;
  const owner = `${networkOf(address)} ${ath}`;
  const proven = failures.attempt(owner, () => checkProof({ dpop, method, htu }, ath, caller, proofs), isFailure);
  return proven.then((dpopNonce) => ({ caller, dpopNonce }));
}

function refuseProof({ dpop }: Credentials): void {
  if (dpop.length === 0) return;
  throw new Refusal('dpop_invalid', { dpopError: 'invalid_dpop_proof' }, { detail: 'a proof beside a Bearer token' });
}

/** Bad by itself; not for want of a nonce, which is asked for by way of a refusal, nor because we cannot say. */
const isFailure = (error: unknown): boolean =>
  error instanceof Refusal &&
  (error.code === 'token_invalid' || (error.code === 'dpop_invalid' && error.facts.dpopError !== 'use_dpop_nonce'));

/** @throws whatever it was, saying by which scheme the token came */
const inTheScheme =
  ({ scheme }: PresentedToken) =>
  (error: unknown): never => {
    if (!(error instanceof Refusal) || scheme === 'Bearer') throw error;
    const { code, facts, detail, cause } = error;
    throw new Refusal(code, { ...facts, scheme }, { ...(detail !== undefined && { detail }), cause });
  };
