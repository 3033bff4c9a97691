import { Buffer } from 'node:buffer';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { parseJson } from '@portcullis/validators/json';
import { proofJwk, thumbprint, type DpopAlgorithm } from './proof-key.js';

/** The key in the header of a proof. */
export interface ProofSigner {
  /** its thumbprint (RFC 7638) */
  readonly jkt: string;
  /** @param text the proof up to its last dot @param signature as it stands behind it, base64url */
  signed(text: string, signature: string): Promise<boolean>;
}

/** @returns undefined for a header that is none of a proof, or has no key that is good for one */
export type SignerOf = (header: string, jkt: string) => ProofSigner | undefined;

/** node:crypto's, by nothing but the key; or that, done when it costs least (bunched.memory.ts). */
export type Verify = (
  hash: string | null,
  text: Buffer,
  key: KeyObject,
  signature: Buffer,
) => boolean | Promise<boolean>;

/** Headers are small; a proof is no longer than 4,096 characters anyway. */
export const PROOF_JSON = { maxDepth: 8, maxKeys: 64, maxBytes: 4096 };
const KEPT = 1_000;

/**
 * Reads the headers of proofs. A client sends the same one with each of its proofs, so the last thousand are kept by their
 * text: those whose key a token names, since anybody can make up others.
 */
export function proofSigners(verify: Verify): SignerOf {
  const kept = new Map<string, ProofSigner>();
  return (header, jkt) => {
    const known = kept.get(header);
    if (known !== undefined) return known;
    const signer = signerIn(header, verify);
    if (signer?.jkt !== jkt) return signer;
    const [oldest] = kept.keys();
    if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest);
    kept.set(header, signer);
    return signer;
  };
}

/** @param header base64url @see RFC 9449 §4.2, RFC 7515 §4.1 */
function signerIn(header: string, verify: Verify): ProofSigner | undefined {
  try {
    const read = parseJson(Buffer.from(header, 'base64url').toString(), PROOF_JSON);
    const { typ, alg, jwk, crit } = read as Record<string, unknown>;
    // an extension that must be understood is one that we do not (RFC 7515 §4.1.11)
    if (typeof typ !== 'string' || !TYP.test(typ) || crit !== undefined) return undefined;
    const found = proofJwk(alg, jwk);
    if (found === undefined) return undefined;
    // a point that is not on its curve is no key
    const key = createPublicKey({ key: found, format: 'jwk' });
    const hash = HASH[alg as DpopAlgorithm];
    return {
      jkt: thumbprint(found),
      signed: async (text, signature) => {
        const bytes = Buffer.from(signature, 'base64url');
        if (alg !== 'ES256') return verify(hash, Buffer.from(text), key, bytes);
        // naming the form of the signature to node:crypto instead would cost a third of the check
        return bytes.length === 64 && verify(hash, Buffer.from(text), key, derOf(bytes));
      },
    };
  } catch {
    return undefined;
  }
}
const TYP = /^(?:application\/)?dpop\+jwt$/i;

/** What is hashed before it is signed, if it is (RFC 7518 §3.3 and §3.4, RFC 8037 §3.1). */
const HASH: Readonly<Record<DpopAlgorithm, string | null>> = {
  ES256: 'sha256',
  RS256: 'sha256',
  EdDSA: null,
  Ed25519: null,
};

/** An ECDSA signature from r‖s, as JOSE writes it, to the DER that OpenSSL reads (RFC 3279 §2.2.3). @param signature 64 bytes */
function derOf(signature: Buffer): Buffer {
  const der = Buffer.allocUnsafe(2 + 2 * (2 + 1 + 32));
  const end = writeInteger(der, writeInteger(der, 2, signature, 0), signature, 32);
  der[0] = 0x30;
  der[1] = end - 2;
  return der.subarray(0, end);
}

/** As short as it can be, and with a nought before it where the first bit would make it negative. @returns where it ends */
function writeInteger(der: Buffer, at: number, signature: Buffer, from: number): number {
  const end = from + 32;
  let first = from;
  while (first < end - 1 && signature[first] === 0) first += 1;
  let length = end - first;
  let to = at + 2;
  if (signature[first]! >= 0x80) {
    der[to++] = 0;
    length += 1;
  }
  der[at] = 0x02;
  der[at + 1] = length;
  return to + signature.copy(der, to, first, end);
}
