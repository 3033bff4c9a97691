import { createPublicKey } from 'node:crypto';
import * as z from 'zod';
import type { PublicJwk } from './clients.js';

/** JWS algorithms that clients may sign their assertions with (RFC 7523 §2.2); a key is good for exactly one. */
export const ASSERTION_ALGS = ['ES256', 'EdDSA', 'RS256'] as const;
export type AssertionAlg = (typeof ASSERTION_ALGS)[number];

const ALG_OF = { EC: 'ES256', OKP: 'EdDSA', RSA: 'RS256' } as const satisfies Record<PublicJwk['kty'], AssertionAlg>;
export const assertionAlgOf = ({ kty }: PublicJwk): AssertionAlg => ALG_OF[kty];

/** What must never be in a public key (RFC 7518 §6.2.2, §6.3.2, §6.4.1). */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;
const bytes32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes as base64url');
const common = {
  kid: z.string().min(1).max(100).optional(),
  use: z.literal('sig').optional(),
  // refused, not dropped, so that whoever sent it learns that it leaked
  ...(Object.fromEntries(
    PRIVATE.map((name) => [
      name,
      z.undefined('is private: make a new key and send only its public members').optional(),
    ]),
  ) as Record<(typeof PRIVATE)[number], z.ZodOptional<z.ZodUndefined>>),
};

const ec = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: bytes32,
  y: bytes32,
  alg: z.literal('ES256').optional(),
  ...common,
});
const okp = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: bytes32,
  alg: z.literal('EdDSA').optional(),
  ...common,
});
const rsa = z.object({
  kty: z.literal('RSA'),
  // 4096 bits are 683 characters; more only costs us time at every signature
  n: z
    .string()
    .max(700, 'must have at most 4096 bits')
    .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url')
    .refine((n) => bitsOf(n) >= 2048 && bitsOf(n) <= 4096, 'must have 2048 to 4096 bits'),
  e: z.literal('AQAB', 'must be AQAB (65537)'),
  alg: z.literal('RS256').optional(),
  ...common,
});

/** One of them; the `kid` stays with it, `alg` and `use` go without saying. */
export const publicJwk = z
  .discriminatedUnion('kty', [ec, okp, rsa], 'must be EC (P-256), OKP (Ed25519) or RSA')
  .transform((key, context): PublicJwk => {
    const kid = key.kid !== undefined && { kid: key.kid };
    const plain: PublicJwk =
      key.kty === 'EC'
        ? { kty: key.kty, crv: key.crv, x: key.x, y: key.y, ...kid }
        : key.kty === 'OKP'
          ? { kty: key.kty, crv: key.crv, x: key.x, ...kid }
          : { kty: key.kty, n: key.n, e: key.e, ...kid };
    if (!isKey(plain)) context.addIssue({ code: 'custom', message: 'is no key: its numbers do not fit its kind' });
    return plain;
  });

/** The public keys of a client (RFC 7517 §5), of kinds and sizes that we accept; private members are refused. */
export const publicJwks = z.object({ keys: z.array(publicJwk).min(1).max(5) });

function bitsOf(base64url: string): number {
  const hex = Buffer.from(base64url, 'base64url').toString('hex').replace(/^0+/, '');
  return hex === '' ? 0 : BigInt(`0x${hex}`).toString(2).length;
}

/** A point off the curve would be found out at the client's first request only. */
function isKey(jwk: PublicJwk): boolean {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' }).type === 'public';
  } catch {
    return false;
  }
}
