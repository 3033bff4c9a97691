-- What happened, one row per event, as it was said. Rows are only ever added.
create table events (
  tenant text not null,
  id uuid not null,
  -- order of arrival, which is the order that a replay uses
  position bigint generated always as identity,
  source text not null,
  seq bigint not null,
  prev text not null,
  type text not null,
  -- the principal
  subject text,
  time timestamptz not null,
  -- what people ask for; the rest is in the line
  client_id text,
  correlation_id uuid,
  tool text,
  outcome text,
  -- the event exactly as its source serialized it: hashes are of this text
  line text not null,
  received_at timestamptz not null default now(),
  primary key (tenant, id)
);
create index events_newest on events (tenant, time desc, id desc);
create index events_newest_of_all on events (time desc, id desc);
create index events_of_subject on events (tenant, subject, time desc, id desc);
create index events_of_client on events (tenant, client_id, time desc, id desc);
create index events_of_correlation on events (tenant, correlation_id);
create index events_of_source on events (source, seq);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'events are only ever added';
end;
$$;
create trigger events_are_only_added before update or delete or truncate on events
  for each statement execute function refuse_change();

-- The behaviour of each principal that was seen.
create table agents (
  tenant text not null,
  agent text not null,
  client_id text not null,
  sub text,
  state text not null,
  since timestamptz not null,
  why text not null,
  denials integer not null,
  -- what the rules remember of the past
  memory jsonb not null,
  primary key (tenant, agent)
);
create index agents_of_client on agents (tenant, client_id);
create index agents_not_normal on agents (tenant, agent) where state <> 'Normal';

-- Every step of every principal. published: the standing feed has it; recorded: the audit log has it. Both are done
-- after the commit and again after a crash, hence at least once.
create table transitions (
  tenant text not null,
  position bigint generated always as identity,
  agent text not null,
  client_id text not null,
  sub text,
  from_state text not null,
  to_state text not null,
  at timestamptz not null,
  why text not null,
  by_whom text not null,
  published boolean not null default false,
  recorded boolean not null default false,
  primary key (tenant, position)
);
create index transitions_of_agent on transitions (tenant, agent, position desc);
create index transitions_to_publish on transitions (position) where published = false;
create index transitions_to_record on transitions (position) where recorded = false;

-- Messages that are no event this version knows. Keyed by the SHA-256 of the message and without a tenant: nothing a
-- message says of itself is believed here.
create table dead_letters (
  hash text primary key,
  reason text not null,
  -- the first characters only
  line text not null,
  length integer not null,
  received_at timestamptz not null default now()
);
create index dead_letters_newest on dead_letters (received_at desc, hash);
