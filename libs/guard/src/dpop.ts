import { Buffer } from 'node:buffer';
import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import { parseJson } from '@portcullis/validators/json';
import * as z from 'zod';
import type { Nonces } from './nonces.js';
import type { ProofReplay, ProofUse } from './proof-replay.js';
import { PROOF_JSON, type SignerOf } from './proof-signer.js';
import { targetUri } from './target-uri.js';

/** What checking proofs remembers from one to the next. */
export interface ProofChecks {
  readonly nonces: Nonces;
  readonly replay: ProofReplay;
  readonly signerOf: SignerOf;
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
/** JWS compact serialization (RFC 7515 §7.1) */
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;
/** Seconds that `iat` may lie before or behind our clock. */
const WINDOW = 300;
const claimsOfProof = z.object({
  jti: z.string().min(1).max(255),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  ath: z.string(),
  nonce: z.string().max(255).optional(),
  /** no proof needs them; where they are they mean what they mean in every JWT (RFC 7519 §4.1) */
  exp: z.number().optional(),
  nbf: z.number().optional(),
});
type Claims = z.output<typeof claimsOfProof>;

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
  { nonces, replay, signerOf, now }: ProofChecks,
): Promise<string | undefined> {
  const proof = onlyOne(dpop);
  const [, header, payload, signature] = COMPACT.exec(proof) ?? [];
  if (header === undefined || payload === undefined || signature === undefined) throw invalid('no compact JWS');
  const signer = signerOf(header, jkt!);
  if (signer === undefined) throw invalid('no header of a proof, or no public key of its algorithm');
  if (signer.jkt !== jkt) {
    throw new Refusal('dpop_invalid', { scheme: 'DPoP' }, { detail: `a token of ${clientId}, proof of another key` });
  }
  const claims = claimsIn(payload);
  if (claims.htm !== method) throw invalid('made for another method');
  if (htu === undefined || (claims.htu !== htu && targetUri(claims.htu) !== htu)) throw invalid('made for another URI');
  if (claims.ath !== ath) throw invalid('made for another token');
  if (!isTimely(claims, now() / 1000)) throw invalid('made too long ago, or in the future');
  const age = claims.nonce === undefined ? undefined : nonces.ageOf(claims.nonce);
  if (age === undefined) {
    throw noNonce(nonces, claims.nonce === undefined ? 'no nonce' : 'an old nonce, or none of ours');
  }
  // it costs more than all the rest, so what is wrong in another way never gets here
  if (!(await signer.signed(proof.slice(0, -signature.length - 1), signature))) throw invalid('not signed by its key');
  // the nonce ends sooner than the window of `iat`, and unlike a clock it never comes back
  const used = replay.use(tenant, principal, claims.jti, age.until);
  expectFirst(used instanceof Promise ? await used : used);
  return age.aging ? nonces.current() : undefined;
}

function onlyOne([proof, ...more]: readonly string[]): string {
  if (proof === undefined) throw invalid('no proof');
  if (more.length > 0) throw invalid('more than one proof');
  if (proof.length > MAX_LENGTH) throw invalid('a very long proof');
  return proof;
}

function claimsIn(payload: string): Claims {
  try {
    return claimsOfProof.parse(parseJson(Buffer.from(payload, 'base64url').toString(), PROOF_JSON));
  } catch (error) {
    throw invalid(error instanceof z.ZodError ? `claims: ${error.issues[0]?.path.join('.')}` : 'no JSON', error);
  }
}

const isTimely = ({ iat, exp, nbf }: Claims, now: number): boolean =>
  Math.abs(now - iat) <= WINDOW &&
  (exp === undefined || now < exp + WINDOW) &&
  (nbf === undefined || now >= nbf - WINDOW);

function expectFirst(use: ProofUse): void {
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
