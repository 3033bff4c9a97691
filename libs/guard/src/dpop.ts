import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import { jwtVerify, type CryptoKey, type JWTHeaderParameters } from 'jose';
import * as z from 'zod';
import type { Nonces } from './nonces.js';
import { DPOP_ALGORITHMS, proofJwk, thumbprint, type ProofJwk } from './proof-key.js';
import type { ProofReplay } from './proof-replay.js';
import { targetUri } from './target-uri.js';

/** What checking proofs remembers from one to the next. */
export interface ProofChecks {
  readonly nonces: Nonces;
  readonly replay: ProofReplay;
  keyOf(jwk: ProofJwk, jkt: string): Promise<CryptoKey>;
  /** ms since epoch */
  now(): number;
}

/** The request that a proof must have been made for. */
export interface ProvenRequest {
  /** every DPoP header as it came */
  readonly dpop: readonly string[];
  readonly method: string;
  /** its URI in the form of {@link targetUri}, made of our settings: no Host and no X-Forwarded header says where we are */
  readonly htu: string | undefined;
}

const MAX_LENGTH = 4096;
/** Seconds that `iat` may lie before or behind our clock. */
const WINDOW = 300;
const claimsOfProof = z.object({
  jti: z.string().min(1).max(255),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  ath: z.string(),
  nonce: z.string().max(255).optional(),
});

/**
 * Checks that whoever sends this request holds the key that its token is bound to.
 * @param ath base64url of SHA-256 over the token's text
 * @returns the nonce that the answer should bring, when the proof's own is about to lapse
 * @throws Refusal dpop_invalid: with invalid_dpop_proof for a proof that is missing, malformed, made for something else,
 *   too old or used; with use_dpop_nonce and a nonce for one without a good nonce; with invalid_token for the proof of
 *   another key. rate_limited or overloaded when no more proofs can be kept.
 * @see RFC 9449 §4.3, §7.1, §9
 */
export async function checkProof(
  { dpop, method, htu }: ProvenRequest,
  ath: string,
  { tenant, principal, clientId, jkt }: Pick<Caller, 'tenant' | 'principal' | 'clientId' | 'jkt'>,
  { nonces, replay, keyOf, now }: ProofChecks,
): Promise<string | undefined> {
  const proof = onlyOne(dpop);
  const signer = async (header: JWTHeaderParameters): Promise<CryptoKey> => {
    const jwk = proofJwk(header.alg, header.jwk);
    if (jwk === undefined) throw invalid('no public key of its algorithm');
    const its = thumbprint(jwk);
    if (its !== jkt) {
      throw new Refusal('dpop_invalid', { scheme: 'DPoP' }, { detail: `a token of ${clientId}, proof of another key` });
    }
    return keyOf(jwk, its);
  };
  const { jti, iat, nonce, ...of } = await signed(proof, signer, now());
  if (of.htm !== method) throw invalid('made for another method');
  if (htu === undefined || targetUri(of.htu) !== htu) throw invalid('made for another URI');
  if (of.ath !== ath) throw invalid('made for another token');
  if (Math.abs(now() / 1000 - iat) > WINDOW) throw invalid('made too long ago, or in the future');
  const age = nonce === undefined ? undefined : nonces.ageOf(nonce);
  if (age === undefined) throw noNonce(nonces, nonce === undefined ? 'no nonce' : 'an old nonce, or none of ours');
  // the nonce ends sooner than the window of `iat`, and unlike a clock it never comes back
  await useOnce(replay, tenant, principal, jti, age.until);
  return age.aging ? nonces.current() : undefined;
}

function onlyOne([proof, ...more]: readonly string[]): string {
  if (proof === undefined) throw invalid('no proof');
  if (more.length > 0) throw invalid('more than one proof');
  if (proof.length > MAX_LENGTH) throw invalid('a very long proof');
  return proof;
}

/** The claims of a proof whose signature is good. Nothing here is fetched, so whatever fails is the proof's fault. */
async function signed(
  proof: string,
  signer: (header: JWTHeaderParameters) => Promise<CryptoKey>,
  now: number,
): Promise<z.output<typeof claimsOfProof>> {
  try {
    const { payload } = await jwtVerify(proof, signer, {
      typ: 'dpop+jwt',
      algorithms: [...DPOP_ALGORITHMS],
      clockTolerance: WINDOW,
      currentDate: new Date(now),
    });
    return claimsOfProof.parse(payload);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw invalid(error instanceof z.ZodError ? `claims: ${error.issues[0]?.path.join('.')}` : 'not verified', error);
  }
}

async function useOnce(
  replay: ProofReplay,
  tenant: string,
  principal: string,
  jti: string,
  until: number,
): Promise<void> {
  const use = await replay.use(tenant, principal, jti, until);
  if (use === 'again') throw invalid('used before');
  if (use === 'crowded') throw new Refusal('rate_limited', { retryAfterMs: 60_000 }, { detail: 'too many proofs' });
  if (use === 'full') throw new Refusal('overloaded', { retryAfterMs: 60_000 }, { detail: 'too many proofs in all' });
}

const invalid = (detail: string, cause?: unknown): Refusal =>
  new Refusal(
    'dpop_invalid',
    { scheme: 'DPoP', dpopError: 'invalid_dpop_proof' },
    { detail: `proof: ${detail}`, cause },
  );

const noNonce = (nonces: Nonces, detail: string): Refusal =>
  new Refusal(
    'dpop_invalid',
    { scheme: 'DPoP', dpopError: 'use_dpop_nonce', dpopNonce: nonces.current() },
    { detail: `proof: ${detail}` },
  );
