import { isTenant } from '@portcullis/contract/ids';
import * as z from 'zod';

/** Who calls by a client certificate: the tenant for which, by the name in it; `*` = for every tenant. */
export type CertificateNames = ReadonlyMap<string, string>;

/** Every tenant. */
export const ANY_TENANT = '*';

/** Names of client certificates, `NAME=TENANT` or `NAME=*`, comma-separated. */
export const clientCertificatesSetting = () =>
  z
    .string()
    .default('')
    .transform((text, context): CertificateNames => {
      const names = new Map<string, string>();
      for (const entry of text.split(',').map((word) => word.trim())) {
        if (entry === '') continue;
        // a URI may hold an equals sign, a tenant does not
        const equals = entry.lastIndexOf('=');
        const [name, tenant] = [entry.slice(0, Math.max(0, equals)).trim(), entry.slice(equals + 1).trim()];
        if (name === '' || names.has(nameOf(name)) || (tenant !== ANY_TENANT && !isTenant(tenant))) {
          context.addIssue({
            code: 'custom',
            message: 'must be NAME=TENANT or NAME=*, each name once',
            input: undefined,
          });
          return z.NEVER;
        }
        names.set(nameOf(name), tenant);
      }
      return names;
    });

/** Hosts are the same whatever their case (RFC 4343), URIs are not. */
const nameOf = (name: string): string => (name.includes('://') ? name : name.toLowerCase());

const ENTRY = /(?:^|, )([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^,"]*)/y;

/**
 * The hosts and URIs in a certificate's names, as Node.js writes them (`DNS:a.example, URI:spiffe://…`). It quotes a name
 * that could be taken for more than one; such a name is nobody's here, and of a text of another form nothing is taken.
 * @see RFC 5280 §4.2.1.6
 */
export function certificateNames(subjectAltName: string): readonly string[] {
  const names: string[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < subjectAltName.length) {
    const [, kind, name = ''] = ENTRY.exec(subjectAltName) ?? [];
    if (kind === undefined) return [];
    if (name.startsWith('"')) continue;
    if (kind === 'DNS' && !name.includes('://')) names.push(nameOf(name));
    if (kind === 'URI' && name.includes('://')) names.push(name);
  }
  return names;
}

/** Who a certificate that was verified speaks for. */
export interface CertificateHolder {
  readonly name: string;
  /** {@link ANY_TENANT} or a tenant */
  readonly tenant: string;
}

/** @returns undefined when nobody named it, or when it has names of two tenants */
export function holderOf(subjectAltName: string, named: CertificateNames): CertificateHolder | undefined {
  const found = certificateNames(subjectAltName).filter((name) => named.has(name));
  const [name] = found;
  if (name === undefined || new Set(found.map((each) => named.get(each))).size > 1) return undefined;
  return { name, tenant: named.get(name)! };
}
