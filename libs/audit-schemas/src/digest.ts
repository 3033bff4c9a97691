import { createHmac, createSecretKey, hash, hkdfSync, type KeyObject } from 'node:crypto';

/** SHA-256 of an event as it was serialized, hex: the `prev` of the one that follows. */
export const eventHash = (line: string): string => hash('sha256', line);

/** The digest key of one tenant (HKDF-SHA-256, RFC 5869), so that equal arguments of two tenants do not look alike. */
export const tenantDigestKey = (auditDigestKey: Uint8Array, tenant: string): KeyObject =>
  createSecretKey(
    new Uint8Array(hkdfSync('sha256', auditDigestKey, new Uint8Array(0), `portcullis/audit-digest/${tenant}`, 32)),
  );

/** HMAC-SHA-256 of the canonical form, hex. @param key no bytes: turning those into a key costs more than the digest */
export const argumentsDigest = (key: KeyObject, value: unknown): string =>
  createHmac('sha256', key).update(canonicalJson(value)).digest('hex');

/** JSON with the keys of every object sorted by code unit, so that equal values have equal text (RFC 8785 in spirit). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
}
