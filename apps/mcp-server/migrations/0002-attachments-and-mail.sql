-- The last number given out, per tenant and kind of record; the next one is taken by one atomic statement.
create table numbers (
  tenant text not null,
  kind text not null,
  last bigint not null,
  primary key (tenant, kind)
);

insert into numbers (tenant, kind, last) select tenant, 'ticket', last from ticket_numbers;

drop table ticket_numbers;

-- `type` is what the content was found to be, never what a caller called it; `scan` is what the scanner said of it.
create table attachments (
  tenant text not null,
  attachment_id text not null,
  ticket_id text not null,
  name text not null,
  type text not null,
  size_bytes integer not null,
  sha256 text not null,
  scan text not null,
  content bytea not null,
  created_at timestamptz not null,
  primary key (tenant, attachment_id),
  foreign key (tenant, ticket_id) references tickets (tenant, ticket_id) on delete cascade
);

create index attachments_of_ticket on attachments (tenant, ticket_id);

-- One row per recipient of a mailing; whoever really sends mail takes it from here. What was not sent to a deleted
-- customer goes with the customer.
create table outgoing_mail (
  tenant text not null,
  mail_id text not null,
  customer_id text not null,
  address text not null,
  subject text not null,
  body text not null,
  created_at timestamptz not null,
  primary key (tenant, mail_id, customer_id),
  foreign key (tenant, customer_id) references customers (tenant, customer_id) on delete cascade
);

create index outgoing_mail_of_customer on outgoing_mail (tenant, customer_id);
