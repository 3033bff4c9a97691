-- How clients prove themselves, and what their tokens are bound to.

alter table clients drop constraint clients_auth_method_check;
alter table clients add constraint clients_auth_method_check
  check (auth_method in ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'));

-- where a private_key_jwt client publishes its keys (RFC 7517), instead of `jwks`
alter table clients add column jwks_uri text;

-- The secret before the present one, good until then: whoever rotates has time to bring the new one to every machine.
alter table clients add column previous_secret_hash text;
alter table clients add column previous_secret_until timestamptz;

-- Its tokens are bound to its key (RFC 9449 §5.2). Clients that are here already were registered for bearer tokens.
alter table clients add column dpop_bound boolean not null default false;
alter table clients alter column dpop_bound drop default;

-- It must push its authorization requests (RFC 9126 §6).
alter table clients add column require_par boolean not null default false;
alter table clients alter column require_par drop default;

-- counts the changes of the record; its ETag
alter table clients add column version integer not null default 1;
