-- The structure of a town. Every key begins with the town. Facts that change stand in *_period tables with two time axes:
-- `valid` (the days on which it holds, half-open) and `recorded` (since when, and until when, it was believed). A row is
-- believed now while upper_inf(recorded); such rows never overlap and leave no day out.

create table town (
    town                text        primary key check (town ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    display_name        text        not null,
    district            text        not null default '',
    administrative_code text        not null default '',
    demonstration       boolean     not null default false,
    version             bigint      not null default 1,
    created             timestamptz not null default clock_timestamp(),
    updated             timestamptz not null default clock_timestamp()
);

-- 镇管社区
create table community (
    town         text        not null references town,
    id           text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    display_name text        not null,
    version      bigint      not null default 1,
    created      timestamptz not null default clock_timestamp(),
    updated      timestamptz not null default clock_timestamp(),
    primary key (town, id)
);

-- 居委会, 村委会, 筹建组. What never changes stands here, the rest in committee_period.
create table committee (
    town              text        not null references town,
    id                text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    kind              text        not null check (kind in ('RESIDENTS_COMMITTEE', 'VILLAGERS_COMMITTEE')),
    preparation_start date,
    founding_date     date,
    version           bigint      not null default 1,
    created           timestamptz not null default clock_timestamp(),
    updated           timestamptz not null default clock_timestamp(),
    primary key (town, id),
    check (preparation_start is not null or founding_date is not null),
    check (founding_date > preparation_start)
);

create table committee_period (
    town             text      not null,
    id               uuid      not null,
    committee        text      not null,
    valid            daterange not null check (not isempty(valid) and lower_inc(valid) and not upper_inc(valid)),
    recorded         tstzrange not null check (not isempty(recorded)),
    display_name     text      not null,
    community        text      not null,
    state            text      not null check (state in ('PREPARING', 'FOUNDED', 'MERGED', 'DISSOLVED')),
    management_class text      not null default '' check (management_class in ('', 'A', 'B', 'C')),
    difficulty       text      not null default '' check (difficulty in ('', 'NORMAL', 'HARD')),
    merged_into      text,
    reason           text      not null default '',
    primary key (town, id),
    foreign key (town, committee) references committee (town, id),
    foreign key (town, community) references community (town, id),
    foreign key (town, merged_into) references committee (town, id),
    check ((state = 'MERGED') = (merged_into is not null)),
    constraint committee_one_truth_per_day exclude using gist (town with =, committee with =, valid with &&)
        where (upper_inf(recorded))
);
create index committee_period_of on committee_period (town, committee);
create index committee_period_in on committee_period (town, community) where upper_inf(recorded);

-- Declared numbers of households 户数 by the day on which they are valid; one is believed for a day.
create table household_count (
    town        text      not null,
    id          uuid      not null,
    committee   text      not null,
    valid_on    date      not null,
    recorded    tstzrange not null check (not isempty(recorded)),
    households  integer   not null check (households between 0 and 1000000),
    source      text      not null default '',
    reason      text      not null default '',
    reported_on date,
    primary key (town, id),
    foreign key (town, committee) references committee (town, id)
);
create unique index household_count_one_per_day on household_count (town, committee, valid_on) where upper_inf(recorded);
create index household_count_of on household_count (town, committee, valid_on desc);

-- 区块
create table block (
    town    text        not null references town,
    id      text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    life    daterange   not null check (not isempty(life) and lower_inc(life) and not upper_inc(life)),
    version bigint      not null default 1,
    created timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    primary key (town, id)
);

create table block_period (
    town         text      not null,
    id           uuid      not null,
    block        text      not null,
    valid        daterange not null check (not isempty(valid) and lower_inc(valid) and not upper_inc(valid)),
    recorded     tstzrange not null check (not isempty(recorded)),
    committee    text      not null,
    display_name text      not null,
    reason       text      not null default '',
    primary key (town, id),
    foreign key (town, block) references block (town, id),
    foreign key (town, committee) references committee (town, id),
    constraint block_one_truth_per_day exclude using gist (town with =, block with =, valid with &&) where (upper_inf(recorded))
);
create index block_period_of on block_period (town, block);
create index block_period_in on block_period (town, committee) where upper_inf(recorded);

-- 小管家: exactly one for each block on every day of its life.
create table stewardship (
    town             text      not null,
    id               uuid      not null,
    block            text      not null,
    valid            daterange not null check (not isempty(valid) and lower_inc(valid) and not upper_inc(valid)),
    recorded         tstzrange not null check (not isempty(recorded)),
    person           text      not null default '',
    worker           text      not null,
    kind             text      not null check (kind in ('REGULAR', 'COVER', 'DIRECTOR_COVER')),
    handover_pending boolean   not null default false,
    reason           text      not null default '',
    primary key (town, id),
    foreign key (town, block) references block (town, id),
    -- never two …
    constraint stewardship_one_per_day exclude using gist (town with =, block with =, valid with &&) where (upper_inf(recorded))
);
create index stewardship_of on stewardship (town, block);
create index stewardship_by on stewardship (town, worker) where upper_inf(recorded);
create index stewardship_start on stewardship (town, lower(valid), id);

-- … and never none: at the end of each transaction the days with a steward are the days of the block's life. The
-- block's row is locked first, so that two transactions can't each leave half.
create function check_block_covered() returns trigger language plpgsql as $$
declare
    its_town  text := coalesce(new.town, old.town);
    its_block text;
    its_life  daterange;
    stewarded datemultirange;
    placed    datemultirange;
begin
    if tg_table_name = 'block' then
        its_block := new.id;
    else
        its_block := coalesce(new.block, old.block);
    end if;
    select life into its_life from block where town = its_town and id = its_block for update;
    if not found then
        return null;
    end if;
    select range_agg(valid) into stewarded from stewardship
        where town = its_town and block = its_block and upper_inf(recorded);
    if stewarded is distinct from datemultirange(its_life) then
        raise exception using errcode = 'check_violation', constraint = 'stewardship_every_day', table = 'stewardship',
            message = format('block %s has days without a steward', its_block);
    end if;
    select range_agg(valid) into placed from block_period
        where town = its_town and block = its_block and upper_inf(recorded);
    if placed is distinct from datemultirange(its_life) then
        raise exception using errcode = 'check_violation', constraint = 'block_every_day', table = 'block_period',
            message = format('block %s has days without a committee', its_block);
    end if;
    return null;
end
$$;
create constraint trigger block_covered after insert or update on block
    deferrable initially deferred for each row execute function check_block_covered();
create constraint trigger stewardship_covered after insert or update or delete on stewardship
    deferrable initially deferred for each row execute function check_block_covered();
create constraint trigger block_period_covered after insert or update or delete on block_period
    deferrable initially deferred for each row execute function check_block_covered();

-- A committee is something on every day from its beginning on.
create function check_committee_covered() returns trigger language plpgsql as $$
declare
    its_town      text := coalesce(new.town, old.town);
    its_committee text;
    first_day     date;
    believed      datemultirange;
begin
    if tg_table_name = 'committee' then
        its_committee := new.id;
    else
        its_committee := coalesce(new.committee, old.committee);
    end if;
    select coalesce(preparation_start, founding_date) into first_day from committee
        where town = its_town and id = its_committee for update;
    if not found then
        return null;
    end if;
    select range_agg(valid) into believed from committee_period
        where town = its_town and committee = its_committee and upper_inf(recorded);
    if believed is distinct from datemultirange(daterange(first_day, null)) then
        raise exception using errcode = 'check_violation', constraint = 'committee_every_day', table = 'committee_period',
            message = format('committee %s has days without a state', its_committee);
    end if;
    return null;
end
$$;
create constraint trigger committee_covered after insert or update on committee
    deferrable initially deferred for each row execute function check_committee_covered();
create constraint trigger committee_period_covered after insert or update or delete on committee_period
    deferrable initially deferred for each row execute function check_committee_covered();

-- Rows that were believed are never rewritten: only the end of their recorded time may be set, once.
create function keep_what_was_believed() returns trigger language plpgsql as $$
begin
    if not upper_inf(old.recorded) or lower(new.recorded) is distinct from lower(old.recorded)
        or to_jsonb(new) - 'recorded' is distinct from to_jsonb(old) - 'recorded' then
        raise exception using errcode = 'check_violation', constraint = 'history_is_kept', table = tg_table_name,
            message = 'what was believed before is kept';
    end if;
    return new;
end
$$;
create trigger keep_believed before update on committee_period for each row execute function keep_what_was_believed();
create trigger keep_believed before update on household_count for each row execute function keep_what_was_believed();
create trigger keep_believed before update on block_period for each row execute function keep_what_was_believed();
create trigger keep_believed before update on stewardship for each row execute function keep_what_was_believed();

-- Who holds which role where.
create table role_binding (
    town    text        not null references town,
    id      text        not null,
    member  text        not null check (member ~ '^(principal|group):'),
    role    text        not null,
    area    text        not null,
    person  text        not null default '',
    version bigint      not null default 1,
    created timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    deleted timestamptz,
    primary key (town, id)
);
create unique index role_binding_once on role_binding (town, member, role, area) where deleted is null;
create index role_binding_member on role_binding (member) where deleted is null;

-- The first administrator of an installation; there is one row at most, ever.
create table bootstrap (
    only_one  boolean     primary key default true check (only_one),
    principal text        not null,
    created   timestamptz not null default clock_timestamp()
);

-- The official papers about working days, the same for every town.
create table calendar_paper (
    id      text        primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    title   text        not null,
    issued  date        not null,
    note    text        not null default '',
    created timestamptz not null default clock_timestamp()
);
create table calendar_paper_day (
    paper   text not null references calendar_paper,
    day     date not null,
    kind    text not null check (kind in ('WORK', 'REST', 'HOLIDAY', 'MAKE_UP_WORK')),
    holiday text not null default '',
    primary key (paper, day)
);
