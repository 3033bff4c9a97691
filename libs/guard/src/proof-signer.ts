import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { parseJson } from '@portcullis/validators/json';
import { proofJwk, thumbprint, type DpopAlgorithm } from './proof-key.js';

/** The key in the header of a proof. */
export interface ProofSigner {
  /** its thumbprint (RFC 7638) */
  readonly jkt: string;
  /** @param text the proof up to its last dot @param signature as it stands behind it, base64url */
  signed(text: string, signature: string): boolean;
}

/** @returns undefined for a header that is none of a proof, or has no key that is good for one */
export type SignerOf = (header: string, jkt: string) => ProofSigner | undefined;

/** Headers are small; a proof is no longer than 4,096 characters anyway. */
export const PROOF_JSON = { maxDepth: 8, maxKeys: 64, maxBytes: 4096 };
const KEPT = 1_000;

/**
 * Reads the headers of proofs. A client sends the same one with each of its proofs, so the last thousand are kept by their
 * text: those whose key a token names, since anybody can make up others.
 */
export function proofSigners(): SignerOf {
  const kept = new Map<string, ProofSigner>();
  return (header, jkt) => {
    const known = kept.get(header);
    if (known !== undefined) return known;
    const signer = signerIn(header);
    if (signer?.jkt !== jkt) return signer;
    const [oldest] = kept.keys();
    if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest);
    kept.set(header, signer);
    return signer;
  };
}

/** @param header base64url @see RFC 9449 §4.2, RFC 7515 §4.1 */
function signerIn(header: string): ProofSigner | undefined {
  try {
    const read = parseJson(Buffer.from(header, 'base64url').toString(), PROOF_JSON);
    const { typ, alg, jwk, crit } = read as Record<string, unknown>;
    // an extension that must be understood is one that we do not (RFC 7515 §4.1.11)
    if (typeof typ !== 'string' || !TYP.test(typ) || crit !== undefined) return undefined;
    const found = proofJwk(alg, jwk);
    if (found === undefined) return undefined;
    // a point that is not on its curve is no key
    const key = createPublicKey({ key: found, format: 'jwk' });
    const isGood = VERIFY[alg as DpopAlgorithm];
    return {
      jkt: thumbprint(found),
      signed: (text, signature) => isGood(Buffer.from(text), key, Buffer.from(signature, 'base64url')),
    };
  } catch {
    return undefined;
  }
}
const TYP = /^(?:application\/)?dpop\+jwt$/i;

/**
 * Whether a signature is good (RFC 7518 §3.3 and §3.4, RFC 8037 §3.1). In this thread and by node:crypto with nothing but the
 * key: the Web Crypto API, another thread, and naming the form of the signature each cost a third of the check or more.
 */
const VERIFY: Readonly<Record<DpopAlgorithm, (text: Buffer, key: KeyObject, signature: Buffer) => boolean>> = {
  ES256: (text, key, signature) => signature.length === 64 && verify('sha256', text, key, derOf(signature)),
  RS256: (text, key, signature) => verify('sha256', text, key, signature),
  EdDSA: (text, key, signature) => verify(null, text, key, signature),
  Ed25519: (text, key, signature) => verify(null, text, key, signature),
};

/** An ECDSA signature from r‖s, as JOSE writes it, to the DER that OpenSSL reads (RFC 3279 §2.2.3). */
function derOf(signature: Buffer): Buffer {
  const half = signature.length / 2;
  const [r, s] = [integerOf(signature.subarray(0, half)), integerOf(signature.subarray(half))];
  return Buffer.concat([Buffer.from([0x30, r.length + s.length]), r, s]);
}

/** DER: as short as it can be, and with a nought before it where the first bit would make it negative */
function integerOf(bytes: Buffer): Buffer {
  let first = 0;
  while (first < bytes.length - 1 && bytes[first] === 0) first += 1;
  const digits = bytes.subarray(first);
  const sign = digits[0]! >= 0x80 ? [0] : [];
  return Buffer.concat([Buffer.from([0x02, digits.length + sign.length, ...sign]), digits]);
}
