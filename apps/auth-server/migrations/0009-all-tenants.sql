-- expand: a client that no record says this of keeps to its own tenant, as before
-- It is a service of ours that acts on every tenant: its tokens carry `all_tenants`.
alter table clients add column all_tenants boolean not null default false;
