import { createHash } from 'node:crypto';
import * as z from 'zod';

/** Signatures a proof may have. Nothing symmetric and no `none`, so that whoever checks a proof cannot make one (RFC 9449 §11.6). */
export const DPOP_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256'] as const;
export type DpopAlgorithm = (typeof DPOP_ALGORITHMS)[number];

const word = (length: number) => z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${length}}$`));
/** base64url of 2048 to 4096 bits that begin with a one; larger keys would cost us more than they give */
const modulus = z.string().regex(/^[g-z0-9_-][A-Za-z0-9_-]{341,682}$/);
const ec = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: word(43), y: word(43) });
const okp = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: word(43) });
const rsa = z.object({ kty: z.literal('RSA'), n: modulus, e: z.literal('AQAB') });
/** the members that make a key, by its algorithm */
const MEMBERS = { ES256: ec, EdDSA: okp, Ed25519: okp, RS256: rsa } as const satisfies Record<DpopAlgorithm, z.ZodType>;
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export type ProofJwk = z.output<(typeof MEMBERS)[DpopAlgorithm]>;

/**
 * The public key in the header of a proof.
 * @returns undefined when there is none, it is not of that algorithm, too small or too large, or carries a private member
 * @see RFC 9449 §4.2 and §4.3, RFC 7518 §6
 */
export function proofJwk(alg: unknown, jwk: unknown): ProofJwk | undefined {
  if (typeof jwk !== 'object' || jwk === null || PRIVATE.some((member) => member in jwk)) return undefined;
  const members = DPOP_ALGORITHMS.includes(alg as DpopAlgorithm) ? MEMBERS[alg as DpopAlgorithm] : undefined;
  return members?.safeParse(jwk).data;
}

/** @see RFC 7638 §3: SHA-256 over the members that make the key, in the order of their names, as base64url */
export function thumbprint(jwk: ProofJwk): string {
  const members = Object.fromEntries(Object.entries(jwk).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}
