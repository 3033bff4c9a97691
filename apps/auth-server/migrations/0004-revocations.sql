-- What was revoked before it expired: the truth that every message on the bus repeats.

create table revocations (
  tenant     text        not null,
  what       text        not null check (what in ('token', 'grant', 'principal', 'client', 'user')),
  id         text        not null,
  -- a standing one (principal, client, user) ends what was issued until then
  at         timestamptz not null,
  -- by then the last token that it ends has expired, and the row may go
  until      timestamptz not null,
  -- for people: why, and who did it
  reason     text        not null,
  by         text        not null,
  -- The transaction that wrote the row last. Replicas ask for what was written since they last asked; a number or a time
  -- would not do, since transactions do not end in the order in which they began.
  written_by xid8        not null,
  primary key (tenant, what, id)
);

create index revocations_written on revocations (written_by);
create index revocations_until on revocations (until);

-- A grant is named by its id in tokens (claim `grant_id`), so that one can be listed and revoked by it. It opens nothing.
create index artefacts_grants on artefacts (grant_id) where kind = 'Grant';

-- The API that a client is the resource server of: it may introspect tokens for it (RFC 7662 §2.1). Null = of none.
alter table clients add column introspects text;
