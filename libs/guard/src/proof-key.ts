import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import * as z from 'zod';

/** Signatures a proof may have. Nothing symmetric and no `none`, so that whoever checks a proof cannot make one (RFC 9449 §11.6). */
export const DPOP_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256'] as const;
export type DpopAlgorithm = (typeof DPOP_ALGORITHMS)[number];

const word = (length: number) => z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${length}}$`));
/** base64url of 2048 to 4096 bits that begin with a one; larger keys would cost us more than they give */
const modulus = z.string().regex(/^[g-z0-9_-][A-Za-z0-9_-]{341,682}$/);
const ec = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: word(43), y: word(43) });
const okp = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: word(43).refine((x) => !isOfSmallOrder(x)),
});
const rsa = z.object({ kty: z.literal('RSA'), n: modulus, e: z.literal('AQAB') });
/** the members that make a key, by its algorithm */
const MEMBERS = { ES256: ec, EdDSA: okp, Ed25519: okp, RS256: rsa } as const satisfies Record<DpopAlgorithm, z.ZodType>;
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export type ProofJwk = z.output<(typeof MEMBERS)[DpopAlgorithm]>;

/**
 * The public key in the header of a proof.
 * @returns undefined when there is none, it is not of that algorithm, too small or too large, one that
 * anybody can sign for, or carries a private member
 * @see RFC 9449 §4.2 and §4.3, RFC 7518 §6
 */
export function proofJwk(alg: unknown, jwk: unknown): ProofJwk | undefined {
  if (typeof jwk !== 'object' || jwk === null || PRIVATE.some((member) => member in jwk)) return undefined;
  const members = DPOP_ALGORITHMS.includes(alg as DpopAlgorithm) ? MEMBERS[alg as DpopAlgorithm] : undefined;
  return members?.safeParse(jwk).data;
}

/**
 * The points of Ed25519 whose order divides 8, by their y (RFC 8032 §5.1.2), 0 and 1 also as p and p + 1: whoever names
 * one as a key needs none to sign, since a constant signature is good for every text, or for every few.
 * @see libsodium, ge25519_has_small_order: the same seven
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** By its bytes, since base64url spells them in four ways, and without the sign of x, which is the last bit. */
function isOfSmallOrder(x: string): boolean {
  const point = Buffer.from(x, 'base64url');
  point[31]! &= 0x7f;
  return SMALL_ORDER.has(point.toString('hex'));
}

/** @see RFC 7638 §3: SHA-256 over the members that make the key, in the order of their names, as base64url */
export function thumbprint(jwk: ProofJwk): string {
  const members = Object.fromEntries(Object.entries(jwk).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}
