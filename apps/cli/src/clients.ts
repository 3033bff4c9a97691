import * as z from 'zod';
import { jsonOf } from './ask.js';
import { WrongUse } from './faults.js';
import type { Column } from './table.js';

/** How a client can prove itself at /token; `none` is a public client, for people only. */
export const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;

/** A registered client, without its secret. */
export const clientRow = z.object({
  client_id: z.string(),
  tenant: z.string(),
  name: z.string(),
  auth_method: z.string(),
  redirect_uris: z.array(z.string()),
  grant_types: z.array(z.string()),
  /** its ceiling: all it can ever be granted */
  scopes: z.array(z.string()),
  /** its tokens are bound to a key of its own (RFC 9449); false = plain bearer tokens */
  dpop_bound_access_tokens: z.boolean(),
  /** it must push its authorization requests (RFC 9126) */
  require_pushed_authorization_requests: z.boolean(),
  /** how many distinct customers it may touch, where that is not the default */
  customers_per_task: z.number().optional(),
  customers_per_hour: z.number().optional(),
  /** it is a service of the platform, whose tokens are good for every tenant */
  all_tenants: z.boolean().optional(),
  disabled: z.boolean(),
  /** RFC 3339 */
  created_at: z.string(),
});
export type Client = z.output<typeof clientRow>;

export const clientColumns: readonly Column<Client>[] = [
  { head: 'client', of: ({ client_id }) => client_id },
  { head: 'tenant', of: ({ tenant, all_tenants: all }) => (all ? `${tenant}, acts on all` : tenant) },
  { head: 'name', of: ({ name }) => name },
  { head: 'proves itself by', of: ({ auth_method }) => auth_method },
  { head: 'grants', of: ({ grant_types }) => grant_types },
  { head: 'tokens', of: ({ dpop_bound_access_tokens: bound }) => (bound ? 'DPoP' : 'bearer') },
  { head: 'ceiling', of: ({ scopes }) => scopes },
  { head: 'disabled', of: ({ disabled }) => (disabled ? 'disabled' : undefined) },
];

const jwk = z.looseObject({ kty: z.string() });
const jwks = z.object({ keys: z.array(jwk).min(1) });

/**
 * The public keys in a file: a JWK set, or one JWK.
 * @throws WrongUse when it is neither, or when a private key is in it, which must not leave this machine
 */
export function publicKeysIn(text: string, path: string): z.output<typeof jwks> {
  const content = jsonOf({ text });
  const set = jwks.safeParse(content);
  const one = jwk.safeParse(content);
  if (!set.success && !one.success) throw new WrongUse(`${path} holds no JWK and no JWK set (RFC 7517).`);
  const keys = set.success ? set.data.keys : [one.data as z.output<typeof jwk>];
  if (keys.some((key) => 'd' in key || 'k' in key || 'p' in key)) {
    throw new WrongUse(
      `${path} holds a private key. Take out its private members: the gate needs the public key only.`,
    );
  }
  return { keys };
}
