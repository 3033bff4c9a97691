import * as z from 'zod';
import type { Column } from './table.js';

export const AUTH_METHODS = ['client_secret_basic', 'private_key_jwt', 'none'] as const;

/** A registered client, without its secret. */
export const clientRow = z.object({
  client_id: z.string(),
  tenant: z.string(),
  name: z.string().nullish(),
  auth_method: z.string(),
  /** its ceiling: all it can ever be granted */
  scopes: z.array(z.string()),
  redirect_uris: z.array(z.string()).optional(),
  created_at: z.string().optional(),
});
export type Client = z.output<typeof clientRow>;

export const clientColumns: readonly Column<Client>[] = [
  { head: 'client', of: ({ client_id }) => client_id },
  { head: 'tenant', of: ({ tenant }) => tenant },
  { head: 'name', of: ({ name }) => name },
  { head: 'proves itself by', of: ({ auth_method }) => auth_method },
  { head: 'ceiling', of: ({ scopes }) => scopes },
];
