import type { Revocable } from '@portcullis/contract/revocation';
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { AuthMethod, GrantType, PublicJwk } from './clients.js';
import type { KeyState } from './signing-keys.js';

/** The rows of schema `auth`, see migrations/. */
export interface AuthTables {
  clients: {
    tenant: string;
    client_id: string;
    name: string;
    auth_method: AuthMethod;
    application_type: 'web' | 'native';
    secret_hash: string | null;
    previous_secret_hash: string | null;
    previous_secret_until: Time | null;
    jwks: JSONColumnType<{ keys: PublicJwk[] }> | null;
    jwks_uri: string | null;
    redirect_uris: JSONColumnType<string[]>;
    grant_types: JSONColumnType<GrantType[]>;
    scopes: JSONColumnType<string[]>;
    dpop_bound: boolean;
    require_par: boolean;
    demo: boolean;
    disabled: boolean;
    created_at: Time;
    version: number;
    introspects: string | null;
    customers_per_task: number | null;
    customers_per_hour: number | null;
    all_tenants: boolean;
  };
  users: {
    tenant: string;
    user_id: string;
    username: string;
    password_hash: string;
    roles: JSONColumnType<string[]>;
    demo: boolean;
    disabled: boolean;
    created_at: Time;
    version: number;
  };
  signing_keys: {
    kid: string;
    alg: string;
    state: KeyState;
    public_jwk: JSONColumnType<PublicJwk>;
    sealed: string;
    not_before: Time;
    not_after: Time | null;
  };
  bootstrap_links: {
    tenant: string;
    token_hash: string;
    expires_at: Time;
    on_record: Generated<boolean>;
  };
  artefacts: {
    kind: string;
    id_hash: string;
    payload: string;
    grant_id: string | null;
    session_uid: string | null;
    client_id: string | null;
    account_id: string | null;
    expires_at: Time;
    consumed_at: Time | null;
  };
  refresh_tokens: {
    tenant: string;
    token_hash: string;
    grant_id: string;
    client_id: string;
    account_id: string;
    jkt: string | null;
    payload: string;
    expires_at: Time;
    used_at: Time | null;
    successor: string | null;
  };
  revocations: {
    tenant: string;
    what: Revocable;
    id: string;
    at: Time;
    until: Time;
    reason: string;
    by: string;
    /** xid8 */
    written_by: string;
  };
}
type Time = ColumnType<Date, Date, Date>;

/** Name of the schema. */
export const AUTH = 'auth';
