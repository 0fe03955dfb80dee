-- The service works on rows; it makes no tables and sees no other schema.
revoke all on schema $schema from public;
revoke create on schema public from public;
grant usage on schema $schema to $role;
grant select, insert, update, delete on all tables in schema $schema to $role;
grant usage on all sequences in schema $schema to $role;
-- What is written once is written once.
revoke update, delete, truncate on $schema.audit, $schema.audit_seal, $schema.history from $role;
revoke all on $schema._migrations, $schema._chassis_migrations from $role;
do $$
begin
    execute format('alter role $role in database %I set search_path = $schema, public', current_database());
end
$$;
-- The schema's functions look nowhere but there: without pg_temp at the end, Postgres would look among the caller's temporary tables
-- first, and a trigger would work on those.
do $$
declare
    its regprocedure;
begin
    perform pg_advisory_xact_lock(hashtext('linli roles'));
    for its in select p.oid::regprocedure from pg_proc p where p.pronamespace = '$schema'::regnamespace and p.prokind = 'f'
    loop
        execute format('alter function %s set search_path = $schema, public, pg_temp', its);
    end loop;
    execute format('revoke temporary on database %I from public', current_database());
end
$$;
-- What a service's own migrations take back from its role.
do $$
begin
    if to_regprocedure('$schema.service_grants(name)') is not null then
        perform $schema.service_grants('$role');
    end if;
end
$$;
