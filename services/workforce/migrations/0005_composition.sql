-- The mix of workers that is aimed at 队伍结构目标 (Work points 4.1): by committee, or for every committee without targets of its own.

create table composition_target (
    town      text        not null,
    -- empty: the default of the town, and what the town as a whole aims at
    committee text        not null default '' check (committee = '' or committee ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    -- of those whose day has come the latest counts
    from_day  date        not null,
    -- rungs of age, schooling, sex with their shares: as the rules read them
    terms     jsonb       not null check (jsonb_typeof(terms) = 'object'),
    version   bigint      not null default 1,
    updated   timestamptz not null default clock_timestamp(),
    primary key (town, committee, from_day)
);
-- Shares are percents, and a range isn't upside down.
create function check_composition_target() returns trigger language plpgsql as $$
begin
    if exists (
        select from jsonb_path_query(new.terms, '$.*[*].range') r
        where not ((r ->> 'min')::integer between 0 and 100 and (r ->> 'max')::integer between (r ->> 'min')::integer and 100)) then
        perform refuse('composition_shares_are_ranges', 'a share is a range of percents');
    end if;
    return new;
end
$$;
create trigger shares_are_ranges before insert or update on composition_target for each row execute function check_composition_target();
create trigger kept before delete on composition_target for each row execute function is_kept();
