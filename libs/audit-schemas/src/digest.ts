import { hash, hkdfSync } from 'node:crypto';

/** SHA-256 of an event as it was serialized, hex: the `prev` of the one that follows. */
export const eventHash = (line: string): string => hash('sha256', line);

/** The digest key of one tenant (HKDF-SHA-256, RFC 5869), so that equal arguments of two tenants do not look alike. */
export const tenantDigestKey = (auditDigestKey: Uint8Array, tenant: string): DigestKey =>
  digestKey(
    new Uint8Array(hkdfSync('sha256', auditDigestKey, new Uint8Array(0), `portcullis/audit-digest/${tenant}`, 32)),
  );

/** A key of HMAC-SHA-256 as its two pads (RFC 2104 §2), so that a digest is two hashes and no object of the crypto library. */
export interface DigestKey {
  readonly inner: Buffer;
  readonly outer: Buffer;
}
const BLOCK = 64;
const padded = (key: Uint8Array, pad: number): Buffer =>
  Buffer.alloc(BLOCK, pad).map((byte, at) => byte ^ (key[at] ?? 0)) as Buffer;
/** @param key at most 64 bytes */
export const digestKey = (key: Uint8Array): DigestKey => ({ inner: padded(key, 0x36), outer: padded(key, 0x5c) });

/** HMAC-SHA-256 of the canonical form, hex. A test holds it against the crypto library's own, which costs three times that. */
export function argumentsDigest({ inner, outer }: DigestKey, value: unknown): string {
  const text = Buffer.from(canonicalJson(value));
  // 'binary' is latin1: it keeps every byte, at a third of the price of a Buffer
  const hashed = hash('sha256', Buffer.concat([inner, text]), 'binary');
  return hash('sha256', Buffer.concat([outer, Buffer.from(hashed, 'latin1')]));
}

/** JSON with the keys of every object sorted by code unit, so that equal values have equal text (RFC 8785 in spirit). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
}
