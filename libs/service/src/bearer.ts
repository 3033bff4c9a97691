import { Refusal, REFUSALS, refusalOf } from '@portcullis/contract/refusals';
import { EFFECTS, type BehaviourState } from '@portcullis/contract/standing';
import {
  authenticate,
  type Authenticated,
  type CredentialChecks,
  type Credentials,
} from '@portcullis/guard/credentials';
import { revoked } from '@portcullis/guard/pipeline';
import { targetUri } from '@portcullis/guard/target-uri';
import type { Caller } from '@portcullis/scopes/caller';
import { missingScopes, type Scope } from '@portcullis/scopes/scopes';

/** By what an API knows who calls it with an access token. */
export interface BearerChecks {
  /** by which tokens are good at this API, whose audience is its own, and what is remembered of them, of proofs and of failures */
  readonly checks: CredentialChecks;
  /** the URL of this API as its clients know it, which the paths of requests are added to: proofs name the whole of it */
  readonly baseUrl: string;
  /** was the token revoked before it expired? @throws Refusal overloaded when that is not known */
  readonly isRevoked: (caller: Caller) => boolean;
  /** where given, contained callers are refused here too */
  readonly stateOf?: ((caller: Caller) => BehaviourState) | undefined;
}

/** @param target of the request as it was sent, with its query if it has one. @throws Refusal as {@link authenticate} */
export function bearerOf(
  credentials: Credentials,
  target: string,
  { checks, baseUrl }: Pick<BearerChecks, 'checks' | 'baseUrl'>,
): Authenticated | Promise<Authenticated> {
  const htu =
    credentials.dpop.length === 0
      ? undefined
      : targetUri(`${baseUrl.replace(/\/+$/, '')}${target.replace(/[?#].*$/s, '')}`);
  return authenticate(credentials, htu, checks);
}

/** Whether a caller whose token is good may call now. @throws Refusal token_invalid (revoked), quarantined, overloaded */
export function expectInGoodStanding(
  caller: Caller,
  { isRevoked, stateOf }: Pick<BearerChecks, 'isRevoked' | 'stateOf'>,
): void {
  if (isRevoked(caller)) throw revoked();
  const state = stateOf?.(caller);
  if (state !== undefined && !EFFECTS[state].admitted)
    throw new Refusal('quarantined', {}, { detail: `state ${state}` });
}

/** @throws Refusal scope_insufficient naming all scopes that are needed */
export function expectScopes({ scopes: held }: Caller, scopes: readonly Scope[]): void {
  if (missingScopes(held, scopes).length > 0) throw new Refusal('scope_insufficient', { scopes });
}

/** What refused, as a refusal; a 401 tells which scopes to ask for, so that one more round trip is enough. */
export function namingScopes(error: unknown, scopes: readonly Scope[]): Refusal {
  const refusal = refusalOf(error);
  if (REFUSALS[refusal.code].http !== 401 || refusal.facts.scopes !== undefined) return refusal;
  const { code, facts, detail } = refusal;
  return new Refusal(code, { ...facts, scopes }, { ...(detail !== undefined && { detail }), cause: refusal });
}
