import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { Scope } from '@portcullis/scopes/scopes';
import { LOCAL_ADMIN } from './audit.js';
import type { ClientRecord, PublicJwk } from './clients.js';

/**
 * Whoever can read the administrator's key file of this machine (embedded mode only). The key is made at each start, so
 * this client is never stored: a stored one would outlive its key.
 */
export interface LocalAdmin {
  readonly jwk: PublicJwk;
  /** user id of the process that made the key; names the actor in the audit */
  readonly uid: number;
}

const CEILING = [
  'admin:clients',
  'admin:users',
  'admin:keys',
  'security:read',
  'security:respond',
  'platform:admin',
] as const satisfies readonly Scope[];

export const localAdminClient = ({ jwk }: LocalAdmin, now: number): ClientRecord => ({
  tenant: DEFAULT_TENANT,
  clientId: LOCAL_ADMIN,
  name: 'Local administrator',
  authMethod: 'private_key_jwt',
  applicationType: 'web',
  secretHash: undefined,
  previousSecret: undefined,
  jwks: { keys: [jwk] },
  jwksUri: undefined,
  redirectUris: [],
  grantTypes: ['client_credentials'],
  scopes: CEILING,
  // bearer tokens of 300 s that never leave this machine: the key file is what is worth stealing
  dpopBound: false,
  requirePar: false,
  demo: false,
  disabled: false,
  createdAt: now,
  version: 1,
  tokenSeconds: 300,
});
