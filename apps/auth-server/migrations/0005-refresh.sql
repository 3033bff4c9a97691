-- Refresh tokens (RFC 6749 §6), each good for one use. A family is all tokens that came of one grant; its row in artefacts
-- (kind Grant) is the lock under which its tokens are used, and a family without that row has ended.

create table refresh_tokens (
  tenant     text        not null,
  -- SHA-256 of the token, base64url: reading this table gives nobody a token
  token_hash text        not null,
  grant_id   text        not null,
  client_id  text        not null,
  account_id text        not null,
  -- thumbprint of the key that a public client's token is bound to (RFC 9449 §5)
  jkt        text,
  -- what it stands for, as JSON. As text, since jsonb does not take every string that JSON can hold (NUL)
  payload    text        not null,
  -- the end of the grant: using the token does not move it
  expires_at timestamptz not null,
  -- when it was used, by the clock of this database. A used one stays until it expires, to be known when it comes back.
  used_at    timestamptz,
  -- the token that it was exchanged for, sealed with a key derived from the used token itself (JWE, dir, A256GCM)
  successor  text,
  primary key (tenant, token_hash)
);

create index refresh_tokens_grant on refresh_tokens (tenant, grant_id);
create index refresh_tokens_client on refresh_tokens (client_id);
create index refresh_tokens_account on refresh_tokens (account_id);
create index refresh_tokens_expiry on refresh_tokens (expires_at);
create index refresh_tokens_sealed on refresh_tokens (used_at) where successor is not null;
