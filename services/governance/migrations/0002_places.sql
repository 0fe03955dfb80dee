-- Places and organisations. As in 0001: what never changes stands in the head, what changes in a *_period table with two
-- time axes; a row is believed now while upper_inf(recorded).

-- 组织: 物业, 单位, 社会组织, 保险公司, 群众团队
create table organisation (
    town         text        not null references town,
    id           text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    display_name text        not null,
    kind         text        not null check (kind in ('PROPERTY_COMPANY', 'INSURER', 'SOCIAL_ORGANISATION', 'UNIT', 'GROUP')),
    credit_code  text        check (credit_code ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'),
    version      bigint      not null default 1,
    created      timestamptz not null default clock_timestamp(),
    updated      timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint organisation_code_once unique (town, credit_code),
    check (credit_code is not null or kind = 'GROUP')
);

-- 小区
create table estate (
    town    text        not null references town,
    id      text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    life    daterange   not null check (not isempty(life) and lower_inc(life) and upper_inf(life)),
    version bigint      not null default 1,
    created timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    primary key (town, id)
);
create table estate_period (
    town             text      not null,
    id               uuid      not null,
    estate           text      not null,
    valid            daterange not null check (not isempty(valid) and lower_inc(valid) and not upper_inc(valid)),
    recorded         tstzrange not null check (not isempty(recorded)),
    display_name     text      not null,
    committee        text      not null,
    property_company text,
    reason           text      not null default '',
    primary key (town, id),
    foreign key (town, estate) references estate (town, id),
    foreign key (town, committee) references committee (town, id),
    foreign key (town, property_company) references organisation (town, id),
    constraint estate_one_truth_per_day exclude using gist (town with =, estate with =, valid with &&) where (upper_inf(recorded))
);
create index estate_period_of on estate_period (town, estate);
create index estate_period_in on estate_period (town, committee) where upper_inf(recorded);

-- 楼
create table building (
    town    text        not null references town,
    id      text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    estate  text        not null,
    life    daterange   not null check (not isempty(life) and lower_inc(life) and upper_inf(life)),
    version bigint      not null default 1,
    created timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, estate) references estate (town, id)
);
create index building_of on building (town, estate);
create table building_period (
    town         text      not null,
    id           uuid      not null,
    building     text      not null,
    valid        daterange not null check (not isempty(valid) and lower_inc(valid) and not upper_inc(valid)),
    recorded     tstzrange not null check (not isempty(recorded)),
    display_name text      not null,
    committee    text      not null,
    block        text,
    reason       text      not null default '',
    primary key (town, id),
    foreign key (town, building) references building (town, id),
    foreign key (town, committee) references committee (town, id),
    foreign key (town, block) references block (town, id),
    -- no building, and so no household, in two places
    constraint building_one_place_per_day exclude using gist (town with =, building with =, valid with &&)
        where (upper_inf(recorded))
);
create index building_period_of on building_period (town, building);
create index building_period_in on building_period (town, committee) where upper_inf(recorded);
create index building_period_block on building_period (town, block) where upper_inf(recorded);

-- 户
create table household (
    town      text        not null references town,
    id        text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    building  text        not null,
    door      text        not null,
    occupancy text        not null check (occupancy in ('OWNED', 'RENTED', 'VACANT')),
    version   bigint      not null default 1,
    created   timestamptz not null default clock_timestamp(),
    updated   timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, building) references building (town, id),
    constraint household_door_once unique (town, building, door)
);

-- A line of days leaves none out: from the first day of the head until its last.
create function check_line_covered() returns trigger language plpgsql as $$
declare
    head     text := tg_argv[0];
    its_town text := coalesce(new.town, old.town);
    its_id   text;
    its_life daterange;
    believed datemultirange;
begin
    if tg_table_name = head then
        its_id := new.id;
    else
        its_id := coalesce(to_jsonb(new), to_jsonb(old)) ->> head;
    end if;
    execute format('select life from %I where town = $1 and id = $2 for update', head) into its_life using its_town, its_id;
    if its_life is null then
        return null;
    end if;
    execute format('select range_agg(valid) from %I where town = $1 and %I = $2 and upper_inf(recorded)', head || '_period', head)
        into believed using its_town, its_id;
    if believed is distinct from datemultirange(its_life) then
        raise exception using errcode = 'check_violation', constraint = head || '_every_day', table = head || '_period',
            message = format('%s %s has days of which nothing is said', head, its_id);
    end if;
    return null;
end
$$;
create constraint trigger estate_covered after insert or update on estate
    deferrable initially deferred for each row execute function check_line_covered('estate');
create constraint trigger estate_period_covered after insert or update or delete on estate_period
    deferrable initially deferred for each row execute function check_line_covered('estate');
create constraint trigger building_covered after insert or update on building
    deferrable initially deferred for each row execute function check_line_covered('building');
create constraint trigger building_period_covered after insert or update or delete on building_period
    deferrable initially deferred for each row execute function check_line_covered('building');

-- The partition 分块: a block holds buildings of its own committee alone, on days of its life …
create function check_block_holds_its_own(its_town text, its_block text) returns void language plpgsql as $$
begin
    if exists (
        select from building_period p where p.town = its_town and p.block = its_block and upper_inf(p.recorded)
            and not (datemultirange(p.valid) <@ coalesce((select range_agg(b.valid) from block_period b
                where b.town = p.town and b.block = p.block and b.committee = p.committee and upper_inf(b.recorded)), '{}'))
    ) then
        raise exception using errcode = 'check_violation', constraint = 'building_in_block_of_its_committee', table = 'building_period',
            message = format('block %s holds a building on days on which it is not of the building''s committee', its_block);
    end if;
end
$$;
-- … and once one building of a committee lies in a block, every one does. The committee's row is locked first, so that two
-- transactions can't each see half.
create function check_none_left_out(its_town text, its_committee text) returns void language plpgsql as $$
declare
    divided   datemultirange;
    undivided datemultirange;
begin
    perform from committee where town = its_town and id = its_committee for update;
    select range_agg(valid) filter (where block is not null), range_agg(valid) filter (where block is null)
        into divided, undivided
        from building_period where town = its_town and committee = its_committee and upper_inf(recorded);
    if divided && undivided then
        raise exception using errcode = 'check_violation', constraint = 'partition_leaves_none_out', table = 'building_period',
            message = format('committee %s is divided and a building of it lies in no block', its_committee);
    end if;
end
$$;
create function check_partition() returns trigger language plpgsql as $$
begin
    if new.block is not null then
        perform check_block_holds_its_own(new.town, new.block);
    end if;
    perform check_none_left_out(new.town, new.committee);
    return null;
end
$$;
create constraint trigger building_partition after insert or update on building_period
    deferrable initially deferred for each row when (upper_inf(new.recorded)) execute function check_partition();
create function check_block_still_holds_its_own() returns trigger language plpgsql as $$
begin
    perform check_block_holds_its_own(coalesce(new.town, old.town), coalesce(new.block, old.block));
    return null;
end
$$;
create constraint trigger block_period_partition after insert or update or delete on block_period
    deferrable initially deferred for each row execute function check_block_still_holds_its_own();

create trigger keep_believed before update on estate_period for each row execute function keep_what_was_believed();
create trigger keep_believed before update on building_period for each row execute function keep_what_was_believed();
