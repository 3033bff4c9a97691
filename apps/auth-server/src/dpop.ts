import { hkdfSync } from 'node:crypto';
import { DPOP_ALGORITHMS, proofJwk } from '@portcullis/guard/proof-key';
import { decodeProtectedHeader } from 'jose';
import { errors, Provider, type Configuration } from 'oidc-provider';
import { checkDpopReplay, validateDpop } from 'oidc-provider/lib/helpers/grants.js';

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
 * Two Authorization headers are none that can be read, and are answered so (RFC 9110 §5.3): Node shows the first of them,
 * a proxy may have looked at the other. Two DPoP headers arrive as one that is no proof.
 */
export function oneAuthorization(provider: Provider): void {
  provider.use(async ({ req }, next) => {
    if ((req.headersDistinct['authorization'] ?? []).length > 1) req.headers.authorization = 'more-than-one';
    await next();
  });
}

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

/** The proofs that were looked up before their code was used. */
const checked = new WeakMap<object, string>();

/** Is it the proof that this very request was found to bring for the first time? */
export const wasChecked = (jti: string): boolean => Provider.ctx !== undefined && checked.get(Provider.ctx) === jti;

/**
 * A proof that came before is refused before the code is used: its code is good still, for whoever brings a good proof.
 * oidc-provider looks only afterwards.
 */
export function checkProofsBeforeCodes(provider: Provider): void {
  const { prototype } = provider.AuthorizationCode;
  const use = prototype.consume;
  prototype.consume = async function () {
    const ctx = Provider.ctx as Parameters<typeof validateDpop>[1] | undefined;
    const client = ctx?.oidc.client;
    const proof = ctx && (await validateDpop(provider, ctx));
    if (ctx && client && proof) {
      await checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidDpopProof);
      checked.set(ctx, proof.jti);
    }
    return use.call(this);
  };
}

/** How oidc-provider words it (lib/helpers/sender_constraints.js, validate_dpop.js), and how we do. */
const OF_PROOFS: Readonly<Record<string, string>> = {
  'DPoP proof JWT not provided': 'this client must send a DPoP proof',
  'DPoP proof JWT Replay detected': 'the DPoP proof was used before',
};

/**
 * A client that must prove its key and sends no proof, or one that came before, is told invalid_dpop_proof. oidc-provider
 * says invalid_grant, at which clients throw their refresh token away, and nothing is wrong with that (RFC 9449 §5, §5.2).
 */
export function nameProofProblems(provider: Provider): void {
  provider.on('grant.error', (ctx, error) => {
    const says = error instanceof errors.InvalidGrant && OF_PROOFS[error.error_detail ?? ''];
    if (!says) return;
    const named = new errors.InvalidDpopProof(says);
    Object.assign(error, { error: named.error, error_description: named.error_description, error_detail: undefined });
    if (typeof ctx.body === 'object') ctx.body = { error: named.error, error_description: named.error_description };
  });
}
