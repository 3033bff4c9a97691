-- The way in for the first administrator of a deployment, and what administrators change of people.

-- Links that `portcullis bootstrap` printed. The token is kept as its hash only, so that reading this table lets nobody in.
create table bootstrap_links (
  -- the tenant that its administrator will belong to
  tenant     text        not null,
  -- SHA-256 of the token, base64url
  token_hash text        not null,
  expires_at timestamptz not null,
  -- whether the audit has an event of its making
  on_record  boolean     not null default false,
  primary key (tenant, token_hash)
);

-- counts the changes of the record; its ETag
alter table users add column version integer not null default 1;

-- for the sweep of secrets that were replaced
create index clients_previous_secret on clients (previous_secret_until) where previous_secret_until is not null;
