import { isPrincipalId, principalId } from '@portcullis/contract/ids';
import type { Revocable } from '@portcullis/contract/revocation';
import type { Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import { tenantName } from './admin-clients.js';

/** What an administrator needs to revoke what: people's things are admin:users, programs' things admin:clients. */
export const REVOKING_NEEDS: Readonly<Record<Revocable, Scope>> = {
  token: 'admin:clients',
  principal: 'admin:clients',
  client: 'admin:clients',
  grant: 'admin:users',
  user: 'admin:users',
};

const id = z.string().regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable characters');
/** As ours are: what cannot be one is not remembered by every service. */
const tokenId = z.string().regex(/^[\w-]{20,64}$/, 'must be the jti of an access token');
const more = {
  tenant: tenantName.optional(),
  /** kept in the audit */
  reason: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .refine((text) => !/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(text), 'must be printable')
    .optional(),
};

/**
 * Body of POST /admin/v1/revocations: a thing by its id, a token by showing it, an agent by its id or by whose it is. What
 * is shown here goes into no URL, no log and no event.
 */
export const revocationBody = z.union([
  z.strictObject({ what: z.literal('token'), id: tokenId, ...more }),
  z.strictObject({ what: z.enum(['grant', 'client', 'user']), id, ...more }),
  z.strictObject({ what: z.literal('token'), token: z.string().min(1).max(8192), ...more }),
  z.strictObject({
    what: z.literal('principal'),
    id: z.string().refine(isPrincipalId, 'must be agt_ and 26 more'),
    ...more,
  }),
  z.strictObject({ what: z.literal('principal'), client_id: id, sub: id.optional(), ...more }),
]);
export type RevocationBody = z.output<typeof revocationBody>;

/** What the body names by itself; undefined = it shows a token, which has to be looked at. */
export function namedIn(body: RevocationBody, tenant: string): { what: Revocable; id: string } | undefined {
  if ('id' in body) return { what: body.what, id: body.id };
  if ('client_id' in body) return { what: 'principal', id: principalId(tenant, body.client_id, body.sub) };
  return undefined;
}

/** Query of GET /admin/v1/grants, beside paging and tenant. */
export const grantFilter = { client_id: id.optional(), sub: id.optional() };
