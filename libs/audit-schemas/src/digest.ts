import { createHash, createHmac, hkdfSync } from 'node:crypto';

/** SHA-256 of an event as it was serialized, hex: the `prev` of the one that follows. */
export const eventHash = (line: string): string => createHash('sha256').update(line).digest('hex');

/** The digest key of one tenant (HKDF-SHA-256, RFC 5869), so that equal arguments of two tenants do not look alike. */
export const tenantDigestKey = (auditDigestKey: Uint8Array, tenant: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', auditDigestKey, new Uint8Array(0), `portcullis/audit-digest/${tenant}`, 32));

/** HMAC-SHA-256 of the canonical form, hex. */
export const argumentsDigest = (key: Uint8Array, value: unknown): string =>
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
