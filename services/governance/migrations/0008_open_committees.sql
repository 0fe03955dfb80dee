-- Nothing lies in a committee on days on which it is merged or dissolved: whatever it held has gone over or was ended. The
-- committee's row is locked first, so that a merger and a new estate can't each see half.
create function check_committee_open() returns trigger language plpgsql as $$
declare
    held text;
begin
    if new.committee is null then
        return null;
    end if;
    perform from committee where town = new.town and id = new.committee for no key update;
    select x.held into held from (
        select 'estate ' || p.estate as held, p.valid from estate_period p
            where p.town = new.town and p.committee = new.committee and upper_inf(p.recorded)
        union all select 'building ' || p.building, p.valid from building_period p
            where p.town = new.town and p.committee = new.committee and upper_inf(p.recorded)
        union all select 'block ' || p.block, p.valid from block_period p
            where p.town = new.town and p.committee = new.committee and upper_inf(p.recorded)
        union all select 'body ' || p.body, p.valid from body_period p
            where p.town = new.town and p.committee = new.committee and upper_inf(p.recorded)) x
        join committee_period c on c.town = new.town and c.committee = new.committee and upper_inf(c.recorded)
            and c.state in ('MERGED', 'DISSOLVED') and c.valid && x.valid
        limit 1;
    if found then
        raise exception using errcode = 'check_violation', constraint = 'committee_holds_nothing_when_closed', table = tg_table_name,
            message = format('committee %s is closed on days on which it holds %s', new.committee, held);
    end if;
    return null;
end
$$;
-- when a committee closes, and when something is put into one that is closed on a day
create constraint trigger committee_closes after insert on committee_period deferrable initially deferred
    for each row when (upper_inf(new.recorded) and new.state in ('MERGED', 'DISSOLVED')) execute function check_committee_open();
create function check_put_into_open() returns trigger language plpgsql as $$
begin
    if new.committee is null then
        return null;
    end if;
    -- one that closes meanwhile waits for this lock, or this row for it
    perform from committee where town = new.town and id = new.committee for no key update;
    if exists (select from committee_period c where c.town = new.town
        and c.committee = new.committee and upper_inf(c.recorded) and c.state in ('MERGED', 'DISSOLVED') and c.valid && new.valid)
    then
        raise exception using errcode = 'check_violation', constraint = 'committee_holds_nothing_when_closed', table = tg_table_name,
            message = format('committee %s is closed on some of these days', new.committee);
    end if;
    return null;
end
$$;
create constraint trigger estate_in_open after insert on estate_period deferrable initially deferred
    for each row when (upper_inf(new.recorded)) execute function check_put_into_open();
create constraint trigger building_in_open after insert on building_period deferrable initially deferred
    for each row when (upper_inf(new.recorded)) execute function check_put_into_open();
create constraint trigger block_in_open after insert on block_period deferrable initially deferred
    for each row when (upper_inf(new.recorded)) execute function check_put_into_open();
create constraint trigger body_in_open after insert on body_period deferrable initially deferred
    for each row when (upper_inf(new.recorded)) execute function check_put_into_open();

-- As in 0002, by a lock that does not wait for the foreign keys of rows that others have put there meanwhile.
create or replace function check_none_left_out(its_town text, its_committee text) returns void language plpgsql as $$
declare
    divided   datemultirange;
    undivided datemultirange;
begin
    perform from committee where town = its_town and id = its_committee for no key update;
    select range_agg(valid) filter (where block is not null), range_agg(valid) filter (where block is null)
        into divided, undivided
        from building_period where town = its_town and committee = its_committee and upper_inf(recorded);
    if divided && undivided then
        raise exception using errcode = 'check_violation', constraint = 'partition_leaves_none_out', table = 'building_period',
            message = format('committee %s is divided and a building of it lies in no block', its_committee);
    end if;
end
$$;
