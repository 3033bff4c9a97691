-- Everything the tools work on. The tenant stands first in every key, and rows refer to rows of their own tenant only.
create table customers (
  tenant text not null,
  customer_id text not null,
  name text not null,
  email text not null,
  phone text not null,
  ssn text not null,
  card text not null,
  status text not null,
  balance_cents bigint not null,
  created_at timestamptz not null,
  primary key (tenant, customer_id)
);

create index customers_recent on customers (tenant, created_at desc, customer_id);

create table purchases (
  tenant text not null,
  purchase_id bigint generated always as identity,
  customer_id text not null,
  amount_cents bigint not null,
  bought_at timestamptz not null,
  primary key (tenant, purchase_id),
  foreign key (tenant, customer_id) references customers (tenant, customer_id) on delete cascade
);

create index purchases_of_customer on purchases (tenant, customer_id);

create table tickets (
  tenant text not null,
  ticket_id text not null,
  customer_id text not null,
  subject text not null,
  description text not null,
  priority text not null,
  status text not null,
  created_at timestamptz not null,
  primary key (tenant, ticket_id),
  foreign key (tenant, customer_id) references customers (tenant, customer_id) on delete cascade
);

create index tickets_of_customer on tickets (tenant, customer_id);

-- The number of the last ticket of each tenant; the next one is taken by one atomic update.
create table ticket_numbers (
  tenant text primary key,
  last bigint not null
);

-- Which tenants were given demo rows. A tenant gets them once, so that what was deleted stays deleted.
create table seeded (
  tenant text primary key,
  seeded_at timestamptz not null
);
