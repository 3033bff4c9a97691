import { hkdfSync } from 'node:crypto';
import { DPOP_ALGORITHMS, proofJwk } from '@portcullis/guard/proof-key';
import { decodeProtectedHeader } from 'jose';
import type Provider from 'oidc-provider';
import { errors, type Configuration } from 'oidc-provider';

type DPoP = NonNullable<NonNullable<Configuration['features']>['dPoP']>;

/** Signatures of proofs that are taken here, the same as at our resource servers (RFC 9449 §5.1). */
export const PROOF_ALGORITHMS = [...DPOP_ALGORITHMS];

/**
 * Proofs at the endpoints of oidc-provider (RFC 9449 §5): each carries a nonce of ours and is good once. A nonce lives for
 * five minutes at most, and the id of a proof is kept for five minutes from its use (replay.ts), in the database: so no
 * restart and no other replica takes a proof again.
 * @param cookieKey the present COOKIE_KEY: a key derived from it (HKDF-SHA-256, RFC 5869) makes the nonces of all replicas
 */
export const proofsRequired = (cookieKey: Uint8Array): DPoP => ({
  enabled: true,
  nonceSecret: Buffer.from(hkdfSync('sha256', cookieKey, new Uint8Array(0), 'portcullis/dpop-nonces', 32)),
  requireNonce: () => true,
  allowReplay: false,
});

const MAX_LENGTH = 4096;

/**
 * Holds proofs to the bounds of our resource servers: no token is bound here to a key that none of them takes, or that
 * costs more to check than a proof is worth. oidc-provider answers such a proof as one that is none.
 */
export function boundProofs(provider: Provider): void {
  provider.use(async ({ req }, next) => {
    const { dpop } = req.headers;
    if (dpop !== undefined && !fits(String(dpop))) req.headers['dpop'] = 'beyond-bounds';
    await next();
  });
}

function fits(proof: string): boolean {
  if (proof.length > MAX_LENGTH) return false;
  try {
    const { alg, jwk } = decodeProtectedHeader(proof);
    return proofJwk(alg, jwk) !== undefined;
  } catch {
    return false;
  }
}

/** How oidc-provider words it (lib/helpers/sender_constraints.js). */
const NO_PROOF = 'DPoP proof JWT not provided';

/**
 * A client that must prove its key and sends no proof is told invalid_dpop_proof. oidc-provider says invalid_grant, at
 * which clients throw their refresh token away, and nothing is wrong with that (RFC 9449 §5, §5.2).
 */
export function nameMissingProofs(provider: Provider): void {
  provider.on('grant.error', (ctx, error) => {
    if (!(error instanceof errors.InvalidGrant) || error.error_detail !== NO_PROOF) return;
    const named = new errors.InvalidDpopProof('this client must send a DPoP proof');
    Object.assign(error, { error: named.error, error_description: named.error_description, error_detail: undefined });
    if (typeof ctx.body === 'object') ctx.body = { error: named.error, error_description: named.error_description };
  });
}
