-- What the tables of workforce share.

-- Refuses by the name of a constraint, so that callers and tests know which.
create function refuse(which text, said text) returns void language plpgsql as $$
begin
    raise exception using errcode = '23514', constraint = which, message = said;
end
$$;

-- Whether two steps were done by two humans: other logins, and where both are mapped to a person, other persons.
create function are_two(one text, one_person text, other text, other_person text) returns boolean language sql immutable as $$
    select one <> other and (one_person = '' or other_person = '' or one_person <> other_person)
$$;

-- What is kept is never deleted.
create function is_kept() returns trigger language plpgsql as $$
begin
    perform refuse(tg_table_name || '_is_kept', format('%s is never deleted', tg_table_name));
    return null;
end
$$;

-- What was written is never changed.
create function never_changes() returns trigger language plpgsql as $$
begin
    perform refuse(tg_table_name || '_never_changes', format('%s is append-only', tg_table_name));
    return null;
end
$$;

-- Rows that were believed are never rewritten: only the end of their recorded time may be set, once.
create function keep_what_was_believed() returns trigger language plpgsql as $$
begin
    if not upper_inf(old.recorded) or lower(new.recorded) is distinct from lower(old.recorded)
        or to_jsonb(new) - 'recorded' is distinct from to_jsonb(old) - 'recorded' then
        perform refuse('history_is_kept', 'what was believed before is kept');
    end if;
    return new;
end
$$;
