-- What the authorization server keeps. The tenant comes first in every primary key, but where a comment says why not.

create table clients (
  tenant           text        not null,
  client_id        text        not null,
  name             text        not null,
  auth_method      text        not null check (auth_method in ('client_secret_basic', 'private_key_jwt', 'none')),
  application_type text        not null check (application_type in ('web', 'native')),
  -- HMAC-SHA-256 of the secret under SECRET_HASH_KEY, base64url; null for clients that have none
  secret_hash      text,
  -- public keys of private_key_jwt clients (RFC 7517), else null
  jwks             jsonb,
  redirect_uris    jsonb       not null,
  grant_types      jsonb       not null,
  -- the ceiling: everything the client could ever be granted
  scopes           jsonb       not null,
  demo             boolean     not null,
  disabled         boolean     not null,
  created_at       timestamptz not null,
  primary key (tenant, client_id)
);

-- A request names a client before any tenant is known, so the id alone must say which one is meant.
create unique index clients_client_id on clients (client_id);

create table users (
  tenant        text        not null,
  user_id       text        not null,
  username      text        not null,
  -- argon2id in PHC string format
  password_hash text        not null,
  roles         jsonb       not null,
  demo          boolean     not null,
  disabled      boolean     not null,
  created_at    timestamptz not null,
  primary key (tenant, user_id),
  unique (tenant, username)
);

-- `sub` must never mean two people of one issuer (OpenID Connect Core 1.0, 5.7).
create unique index users_user_id on users (user_id);

-- No tenant here: one issuer signs for all tenants with the same keys, and whoever verifies a signature does not know
-- the tenant yet.
create table signing_keys (
  kid        text        primary key,
  alg        text        not null,
  state      text        not null check (state in ('next', 'active', 'retiring')),
  public_jwk jsonb       not null,
  -- the private key, sealed with KEY_ENCRYPTION_KEY (JWE, dir, A256GCM)
  sealed     text        not null,
  not_before timestamptz not null,
  not_after  timestamptz
);

-- Two first starts at once end up with one key.
create unique index signing_keys_one_active on signing_keys (state) where state = 'active';

-- Codes, sessions, interactions, grants and used assertion ids of oidc-provider. No tenant here: each is looked up by an
-- unguessable id (a cookie, a code) before anybody knows whose it is; the tenant follows from the client it names.
-- The id is kept as its hash only, so that reading this table gives nobody a session or a code.
create table artefacts (
  kind        text        not null,
  -- SHA-256 of the id, base64url
  id_hash     text        not null,
  -- JSON. As text, since jsonb does not take every string that JSON can hold (NUL)
  payload     text        not null,
  grant_id    text,
  session_uid text,
  client_id   text,
  account_id  text,
  expires_at  timestamptz not null,
  consumed_at timestamptz,
  primary key (kind, id_hash)
);

create index artefacts_grant on artefacts (grant_id) where grant_id is not null;
create index artefacts_session on artefacts (session_uid) where session_uid is not null;
create index artefacts_client on artefacts (client_id) where client_id is not null;
create index artefacts_account on artefacts (account_id) where account_id is not null;
create index artefacts_expiry on artefacts (expires_at);
