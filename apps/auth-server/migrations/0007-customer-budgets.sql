-- How many distinct customers a client may touch, in one task and in an hour; null = as many as any other.
alter table clients add column customers_per_task integer check (customers_per_task between 1 and 10000);
alter table clients add column customers_per_hour integer check (customers_per_hour between 1 and 10000);
