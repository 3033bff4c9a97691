-- Calls that wait for people, and what people said of them.
create table approvals (
  tenant text not null,
  approval_id text not null,
  principal text not null,
  client_id text not null,
  -- the person the caller acts for, who cannot approve; null for a machine's own token
  sub text,
  -- null = the principal's rolling hour
  task text,
  tool text not null,
  arguments_hash text not null,
  -- canonical JSON, as the page shows it; text and not jsonb, so that it stays the very text that was digested
  arguments text not null,
  needed integer not null check (needed in (1, 2)),
  -- [{ "by": user, "at": ms since epoch, "yes": boolean }], each person once
  decisions jsonb not null default '[]',
  asked_at timestamptz not null,
  expires_at timestamptz not null,
  spent_at timestamptz,
  primary key (tenant, approval_id)
);

create index approvals_open on approvals (tenant, principal, expires_at) where spent_at is null;
-- a link names a record before anybody knows whose it is; ids are 128 random bits
create unique index approvals_by_id on approvals (approval_id);
create index approvals_expired on approvals (expires_at);
