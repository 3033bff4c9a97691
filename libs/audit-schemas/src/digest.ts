import { Buffer } from 'node:buffer';
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

/**
 * HMAC-SHA-256 of the canonical form, hex. A test holds it against the crypto library's own, which costs several times that,
 * as Buffers made for each would.
 */
export function argumentsDigest({ inner, outer }: DigestKey, value: unknown): string {
  const text = canonicalJson(value);
  // 'binary' is latin1: it keeps every byte, at a third of the price of a Buffer
  AROUND.write(hash('sha256', behind(inner, text), 'binary'), BLOCK, 'latin1');
  AROUND.set(outer);
  return hash('sha256', AROUND);
}
/** the outer pad with the inner hash behind it, and the inner pad with a text: for one digest after the other */
const AROUND = Buffer.alloc(BLOCK + 32);
const TEXT = Buffer.alloc(4096);
/** bytes of UTF-8 that one UTF-16 unit takes at most */
const UTF8_MOST = 3;

function behind(pad: Buffer, text: string): Buffer {
  if (BLOCK + UTF8_MOST * text.length > TEXT.length) return Buffer.concat([pad, Buffer.from(text)]);
  TEXT.set(pad);
  return TEXT.subarray(0, BLOCK + TEXT.write(text, BLOCK));
}

/** JSON with the keys of every object sorted by code unit, so that equal values have equal text (RFC 8785 in spirit). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(inner)}`);
  }
  return `{${members.join(',')}}`;
}
