import { Refusal, refusalOf } from '@portcullis/contract/refusals';
import type { Authenticated, Credentials } from '@portcullis/guard/credentials';
import type { Caller } from '@portcullis/scopes/caller';
import type { Scope } from '@portcullis/scopes/scopes';
import {
  bearerOf,
  expectInGoodStanding,
  expectScopes,
  namingScopes,
  type BearerChecks,
} from '@portcullis/service/bearer';
import { ANY_TENANT, holderOf, type CertificateNames } from '@portcullis/service/client-certificates';
import { ApiProblem } from '@portcullis/service/problem';

/** Who asks: a service by its token, or by its client certificate. */
export interface Asker {
  /** its own; undefined = it has none, and names the one it asks about */
  readonly tenant: string | undefined;
  readonly allTenants: boolean;
  /** whom leases are bound to */
  readonly taker: string;
}

/** What came with a request, before anything of its body is read. */
export interface Presented extends Credentials {
  /** of the request, as it was sent */
  readonly target: string;
  /** names in the client certificate that TLS verified; undefined = there is none */
  readonly certificate?: string | undefined;
}

export interface Known {
  readonly asker: Asker;
  /** the nonce for the next proof, when that of this one is about to lapse (RFC 9449 §8.2) */
  readonly dpopNonce: string | undefined;
  /** asked again when something was waited for. @throws Refusal when the token was revoked or its caller contained meanwhile */
  expectStill(): void;
}

/**
 * Says who asks.
 * @throws Refusal token_missing, token_invalid, dpop_invalid, scope_insufficient, quarantined, rate_limited, overloaded;
 *   ApiProblem 403 certificate_unknown
 */
export type AskerOf = (presented: Presented) => Known | Promise<Known>;

export const NEEDED: readonly Scope[] = ['limits:decide'];

/** A token, where one is sent, decides alone; a certificate speaks for whoever sends none. */
export function askers(bearer: BearerChecks, certificates: CertificateNames): AskerOf {
  const known = new WeakMap<Caller, Known>();
  const admitted = ({ caller, dpopNonce }: Authenticated): Known => {
    inItsScheme(caller, () => {
      expectInGoodStanding(caller, bearer);
      expectScopes(caller, NEEDED);
    });
    if (dpopNonce !== undefined) return knownBy(caller, bearer, dpopNonce);
    // a token that is known is the same caller each time
    let same = known.get(caller);
    if (same === undefined) known.set(caller, (same = knownBy(caller, bearer)));
    return same;
  };
  const named = (error: unknown): never => {
    throw namingScopes(error, NEEDED);
  };
  return (presented) => {
    const { authorization, certificate } = presented;
    if (authorization.length === 0 && certificate !== undefined && certificates.size > 0) {
      return byCertificate(certificate, certificates);
    }
    try {
      const who = bearerOf(presented, presented.target, bearer);
      return who instanceof Promise ? who.then(admitted).catch(named) : admitted(who);
    } catch (error) {
      return named(error);
    }
  };
}

function knownBy(caller: Caller, bearer: BearerChecks, dpopNonce?: string): Known {
  const { tenant, allTenants, clientId } = caller;
  return {
    asker: { tenant, allTenants, taker: `client ${clientId}` },
    dpopNonce,
    expectStill: () => inItsScheme(caller, () => expectInGoodStanding(caller, bearer)),
  };
}

function byCertificate(certificate: string, certificates: CertificateNames): Known {
  const holder = holderOf(certificate, certificates);
  if (holder === undefined) {
    throw new ApiProblem(403, 'certificate_unknown', 'This client certificate names nobody who may ask here.');
  }
  const allTenants = holder.tenant === ANY_TENANT;
  const tenant = allTenants ? undefined : holder.tenant;
  return { asker: { tenant, allTenants, taker: `certificate ${holder.name}` }, dpopNonce: undefined, expectStill() {} };
}

/** The challenge of a refusal answers in the scheme that the token came by. */
function inItsScheme({ jkt }: Caller, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (jkt === undefined) throw error;
    const { code, facts, detail, cause } = refusalOf(error);
    throw new Refusal(code, { ...facts, scheme: 'DPoP' }, { ...(detail !== undefined && { detail }), cause });
  }
}
