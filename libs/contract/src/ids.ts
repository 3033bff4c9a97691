import { createHash } from 'node:crypto';

/** The tenant that exists from the first start. */
export const DEFAULT_TENANT = 'default';
const TENANT = /^[a-z0-9-]{1,32}$/;
export const isTenant = (value: unknown): value is string => typeof value === 'string' && TENANT.test(value);

/** Tenants made for one run of the demo or a drill, and removed at its end. */
export const isDrillTenant = (tenant: string): boolean => tenant.startsWith('drill-');

/** `agt_` + 26 base32 characters. */
export type PrincipalId = `agt_${string}`;
const PRINCIPAL = /^agt_[a-z2-7]{26}$/;
export const isPrincipalId = (value: unknown): value is PrincipalId =>
  typeof value === 'string' && PRINCIPAL.test(value);

/**
 * The opaque id of a principal, which is what "agent" means everywhere: `(tenant, client_id)` for a machine's token,
 * `(tenant, client_id, sub)` for a person's grant. The same three words give the same id in every service.
 */
export function principalId(tenant: string, clientId: string, sub?: string): PrincipalId {
  const words = JSON.stringify(sub === undefined ? [tenant, clientId] : [tenant, clientId, sub]);
  let id = known.get(words);
  if (id === undefined) {
    const digest = createHash('sha256').update(words).digest();
    id = `agt_${base32(digest.subarray(0, 16))}`;
    if (known.size >= KNOWN_AT_MOST) known.clear();
    known.set(words, id);
  }
  return id;
}
/** Every call and every token asks for an id, mostly the same ones; making it costs ten times the looking up. */
const known = new Map<string, PrincipalId>();
const KNOWN_AT_MOST = 4096;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
/** RFC 4648 §6 in lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let out = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += ALPHABET[(value >>> bits) & 31];
    }
  }
  return bits > 0 ? out + ALPHABET[(value << (5 - bits)) & 31] : out;
}
