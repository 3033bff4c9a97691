-- Rows are those of the tenant for which a statement is asked (libs/sql: ofTenant); '*' is asked by everyTenant alone. A
-- tenant is a slug, so none is called so; without one, no row is there and none can be added. FORCE, since the role of the
-- service owns its tables. Programs that name no tenant see nothing from here on, so this contracts.
do $$
declare
  name text;
begin
  foreach name in array array['events', 'agents', 'transitions'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy of_tenant on %I using (current_setting(''portcullis.tenant'', true) in (tenant, ''*''))', name);
  end loop;
end
$$;
