-- One Postgres database, one schema and one role per service: no role reads, or even enters, the schema of another.
-- Run it once, and again after an update, as the owner of the database or a superuser who may create roles:
--
--   psql -v ON_ERROR_STOP=1 -f infra/postgres/roles.sql postgres://OWNER@HOST/portcullis
--
-- Then give each role a password; psql's \password asks for it and sends a SCRAM verifier, never the password:
--
--   psql -c '\password auth' postgres://OWNER@HOST/portcullis
--
-- and each service its own DATABASE_URL: postgres://auth:PASSWORD@HOST/portcullis?sslmode=verify-full for auth-server,
-- tools for mcp-server, audit for security-analytics. Each makes its tables when it starts, and row-level security on them,
-- which keeps its own queries to the rows of one tenant at a time. limits is kept for rate-limiter,
-- which has no database in this version.

do $$
declare
  service text;
  -- an owner who is no superuser must be a member of a role to give it a schema, and is none afterwards
  needs_membership constant boolean := not (select rolsuper from pg_roles where rolname = current_user);
begin
  execute format('revoke all on database %I from public', current_database());
  revoke all on schema public from public;
  foreach service in array array['auth', 'tools', 'limits', 'audit'] loop
    if not exists (select from pg_roles where rolname = service) then
      execute format('create role %I login', service);
    end if;
    -- row-level security leaves such a role alone, and with it every tenant's rows
    if exists (select from pg_roles where rolname = service and (rolsuper or rolbypassrls)) then
      raise exception 'the role % is a superuser or has BYPASSRLS: take that from it first', service;
    end if;
    execute format('grant connect on database %I to %I', current_database(), service);
    execute format('alter role %I in database %I set search_path = %I', service, current_database(), service);
    if needs_membership then
      execute format('grant %I to current_user', service);
    end if;
    execute format('create schema if not exists %I authorization %I', service, service);
    execute format('revoke all on schema %I from public', service);
    if needs_membership then
      execute format('revoke %I from current_user granted by current_user', service);
    end if;
  end loop;
end
$$;
