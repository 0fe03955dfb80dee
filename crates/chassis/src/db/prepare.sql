do $$
begin
    -- roles are the cluster's, not the database's: one at a time
    perform pg_advisory_xact_lock(hashtext('linli roles'));
    create extension if not exists btree_gist with schema public;
    if not exists (select from pg_roles where rolname = '$role') then
        create role $role nologin;
    end if;
    if not pg_has_role(current_user, '$role', 'member') then
        execute format('grant $role to %I', current_user);
    end if;
    create schema if not exists $schema;
end
$$;
