-- What the formula of a year's policy gives every committee: computed, adjusted, approved by another, released into the ledger once
-- (Work points 3.3). The numbers that a decision rests on are kept with it.

create table allocation_run (
    town              text        not null,
    id                text        not null,
    fiscal_year       integer     not null,
    policy            text        not null,
    purpose           text        not null default '',
    state             text        not null default 'COMPUTING'
                      check (state in ('COMPUTING', 'COMPUTED', 'SUBMITTED', 'APPROVED', 'RELEASING', 'RELEASED', 'REJECTED', 'CANCELLED')),
    -- the day on which committees are looked at, the day whose counts are taken, and what was known at which instant
    as_of             date        not null,
    households_as_of  date        not null,
    read_time         timestamptz not null,
    skipped           integer     not null default 0 check (skipped >= 0),
    pool_fen          bigint      not null check (pool_fen >= 0),
    pool_former_fen   bigint      not null,
    former_runs       text[]      not null,
    operation         uuid        not null,
    created_by        text        not null,
    created_person    text        not null default '',
    -- everybody who submitted it, the last of them last; the persons where they are known
    submitted_by      text[]      not null default '{}',
    submitted_person  text[]      not null default '{}',
    approved_by       text        not null default '',
    approved_person   text        not null default '',
    released          timestamptz,
    version           bigint      not null default 1,
    created           timestamptz not null default clock_timestamp(),
    updated           timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, policy) references policy (town, id),
    foreign key (town, fiscal_year) references fiscal_year (town, year),
    constraint run_within_its_year check (extract(year from as_of) = fiscal_year),
    constraint run_knows_the_past check (read_time <= created),
    constraint run_decided_as_its_state_says check (
        (state not in ('SUBMITTED', 'APPROVED', 'RELEASING', 'RELEASED', 'REJECTED') or cardinality(submitted_by) > 0)
        and (state in ('APPROVED', 'RELEASING', 'RELEASED', 'REJECTED') or state = 'CANCELLED' or approved_by = '')
        and (state not in ('APPROVED', 'RELEASING', 'RELEASED', 'REJECTED') or approved_by <> '')
        and (state = 'RELEASED') = (released is not null)),
    -- four eyes; who adjusted is checked by the trigger below
    constraint run_approved_by_another check (
        approved_by <> created_by and approved_by <> all (submitted_by)
        and (approved_person = '' or (approved_person <> created_person and approved_person <> all (submitted_person))))
);
create unique index run_one_open on allocation_run (town, fiscal_year)
    where state in ('COMPUTING', 'COMPUTED', 'SUBMITTED', 'APPROVED', 'RELEASING');
create index run_of_year on allocation_run (town, fiscal_year, id);

create table allocation (
    town                text        not null,
    id                  text        not null,
    run                 text        not null,
    fiscal_year         integer     not null,
    committee           text        not null,
    fund                text        not null check (fund in ('WORK', 'SERVICE')),
    -- the committee as governance had it
    display_name        text        not null,
    kind                text        not null check (kind in ('RESIDENTS_COMMITTEE', 'VILLAGERS_COMMITTEE')),
    management_class    text        check (management_class in ('A', 'B', 'C')),
    difficulty          text        check (difficulty in ('NORMAL', 'HARD')),
    begun_on            date,
    households          integer     check (households >= 0),
    counted_on          date,
    months              integer     not null check (months between 0 and 12),
    above               integer     not null check (above >= 0),
    -- the lines, in twelve months and in the months that count
    floor_year_fen      bigint      not null check (floor_year_fen >= 0),
    floor_fen           bigint      not null check (floor_fen >= 0),
    uplift_year_fen     bigint      not null check (uplift_year_fen >= 0),
    uplift_fen          bigint      not null check (uplift_fen >= 0),
    growth_year_fen     bigint      not null,
    growth_fen          bigint      not null,
    supplement_year_fen bigint      not null check (supplement_year_fen >= 0),
    supplement_fen      bigint      not null check (supplement_fen >= 0),
    adjustment_fen      bigint      not null default 0,
    -- they add up, by the column's own definition
    year_fen            bigint      not null
                        generated always as (floor_year_fen + uplift_year_fen + growth_year_fen + supplement_year_fen + adjustment_fen) stored,
    amount_fen          bigint      not null
                        generated always as (floor_fen + uplift_fen + growth_fen + supplement_fen + adjustment_fen) stored,
    least_fen           bigint      not null check (least_fen >= 0),
    former_fen          bigint      not null,
    exception_reason    text        not null default '',
    excepted_by         text        not null default '',
    excepted_person     text        not null default '',
    excepted            timestamptz,
    exception_needed    boolean     not null
                        generated always as (excepted is null and floor_year_fen + uplift_year_fen + growth_year_fen + supplement_year_fen
                                             + adjustment_fen < least_fen) stored,
    state               text        not null default 'COMPUTED' check (state in ('COMPUTED', 'RELEASED')),
    entry               uuid,
    released            timestamptz,
    version             bigint      not null default 1,
    created             timestamptz not null default clock_timestamp(),
    updated             timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, run) references allocation_run (town, id),
    foreign key (town, entry) references entry (town, id),
    constraint allocation_once unique (town, run, committee, fund),
    constraint allocation_not_below_zero check (floor_fen + uplift_fen + growth_fen + supplement_fen + adjustment_fen >= 0),
    constraint allocation_counted_as_it_says check ((households is null) = (counted_on is null)),
    constraint allocation_excepted_with_a_reason check (
        (excepted is null) = (exception_reason = '') and (excepted is null) = (excepted_by = '')),
    constraint allocation_released_as_its_state_says check (
        (state = 'RELEASED') = (released is not null)
        -- what differs from what was released before is booked; what doesn't is not
        and (state <> 'RELEASED' or (entry is not null)
             = (floor_fen + uplift_fen + growth_fen + supplement_fen + adjustment_fen <> former_fen)))
);
create index allocation_of_run on allocation (town, run, id);
create index allocation_of_committee on allocation (town, committee, fiscal_year, id);
create index allocation_released on allocation (town, fiscal_year, committee, fund) where state = 'RELEASED';
create index allocation_below_floor on allocation (town, run) where exception_needed;

-- An adjustment by hand 人工调整; each is another line, none is changed.
create table allocation_adjustment (
    town            text        not null,
    allocation      text        not null,
    n               integer     not null check (n > 0),
    run             text        not null,
    amount_fen      bigint      not null check (amount_fen <> 0),
    reason          text        not null,
    adjusted_by     text        not null,
    adjusted_person text        not null default '',
    adjusted        timestamptz not null default clock_timestamp(),
    primary key (town, allocation, n),
    foreign key (town, allocation) references allocation (town, id),
    foreign key (town, run) references allocation_run (town, id),
    constraint adjustment_has_a_reason check (btrim(reason) <> '')
);
create index adjustment_of_run on allocation_adjustment (town, run);

-- A run keeps what it rests on; what is decided or released never changes; nobody approves what he adjusted; nothing below its floor is
-- submitted without an exception.
create function run_keeps_its_word() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform refuse('run_never_changes', format('run %s is kept', old.id));
    end if;
    if old.state in ('RELEASED', 'REJECTED', 'CANCELLED') then
        perform refuse('run_never_changes', format('run %s is %s', old.id, old.state));
    end if;
    if (new.town, new.id, new.fiscal_year, new.policy, new.as_of, new.households_as_of, new.read_time, new.pool_fen, new.pool_former_fen,
        new.former_runs, new.created_by, new.created_person, new.created)
        is distinct from (old.town, old.id, old.fiscal_year, old.policy, old.as_of, old.households_as_of, old.read_time, old.pool_fen,
                          old.pool_former_fen, old.former_runs, old.created_by, old.created_person, old.created) then
        perform refuse('run_never_changes', format('run %s keeps what it rests on', old.id));
    end if;
    if not (old.submitted_by <@ new.submitted_by and old.submitted_person <@ new.submitted_person) then
        perform refuse('run_never_changes', format('run %s keeps who submitted it', old.id));
    end if;
    if new.state <> old.state and (old.state, new.state) not in (
        ('COMPUTING', 'COMPUTED'), ('COMPUTED', 'SUBMITTED'), ('SUBMITTED', 'APPROVED'), ('SUBMITTED', 'COMPUTED'), ('SUBMITTED', 'REJECTED'),
        ('APPROVED', 'RELEASING'), ('RELEASING', 'RELEASED'), ('COMPUTING', 'CANCELLED'), ('COMPUTED', 'CANCELLED'),
        ('SUBMITTED', 'CANCELLED'), ('APPROVED', 'CANCELLED')) then
        perform refuse('run_goes_its_way', format('run %s: %s → %s', old.id, old.state, new.state));
    end if;
    if new.state = 'SUBMITTED' and exists (
        select from allocation a where a.town = new.town and a.run = new.id and a.exception_needed) then
        perform refuse('run_keeps_its_floors', format('run %s has amounts below their floor', new.id));
    end if;
    if new.approved_by <> '' and exists (
        select from allocation_adjustment d where d.town = new.town and d.run = new.id
            and (d.adjusted_by = new.approved_by or (d.adjusted_person = new.approved_person and d.adjusted_person <> ''))) then
        perform refuse('run_approved_by_another', format('run %s was adjusted by its approver', new.id));
    end if;
    if new.state = 'RELEASED' and exists (
        select from allocation a where a.town = new.town and a.run = new.id and a.state <> 'RELEASED') then
        perform refuse('run_released_whole', format('run %s has allocations that are not booked', new.id));
    end if;
    return new;
end
$$;
create trigger run_keeps_its_word before update or delete on allocation_run for each row execute function run_keeps_its_word();

-- Allocations are computed while their run is COMPUTING, adjusted and excepted while it is COMPUTED, booked while it is RELEASING. Of
-- everything else nothing changes. The run's row is locked, so that it doesn't change its state meanwhile.
create function allocations_follow_their_run() returns trigger language plpgsql as $$
declare
    bad record;
begin
    perform from allocation_run r where (r.town, r.id) in (select town, run from added) order by r.town, r.id for share;
    if tg_op = 'INSERT' then
        select a.id, r.state into bad from added a join allocation_run r on r.town = a.town and r.id = a.run
            where r.state <> 'COMPUTING' or a.state <> 'COMPUTED' or a.adjustment_fen <> 0 or a.excepted is not null or r.fiscal_year <> a.fiscal_year
            limit 1;
    else
        select a.id, r.state into bad
            from added a join allocation_run r on r.town = a.town and r.id = a.run left join former f on f.town = a.town and f.id = a.id
            where f.id is null or f.state = 'RELEASED'
                or case r.state
                    when 'COMPUTED' then
                        a.state <> 'COMPUTED'
                        or to_jsonb(a) - array['adjustment_fen', 'year_fen', 'amount_fen', 'exception_needed', 'exception_reason', 'excepted_by',
                                               'excepted_person', 'excepted', 'version', 'updated']
                           is distinct from to_jsonb(f) - array['adjustment_fen', 'year_fen', 'amount_fen', 'exception_needed', 'exception_reason',
                                                                'excepted_by', 'excepted_person', 'excepted', 'version', 'updated']
                        -- an exception is for the amount that was seen
                        or (a.adjustment_fen <> f.adjustment_fen and a.excepted is not null)
                    when 'RELEASING' then
                        a.state <> 'RELEASED'
                        or to_jsonb(a) - array['state', 'entry', 'released', 'version', 'updated']
                           is distinct from to_jsonb(f) - array['state', 'entry', 'released', 'version', 'updated']
                    else true end
            limit 1;
    end if;
    if found then
        perform refuse('allocation_never_changes', format('allocation %s of a run that is %s', bad.id, bad.state));
    end if;
    return null;
end
$$;
create trigger allocations_are_computed after insert on allocation referencing new table as added
    for each statement execute function allocations_follow_their_run();
create trigger allocations_follow_their_run after update on allocation referencing old table as former new table as added
    for each statement execute function allocations_follow_their_run();

-- An exception is granted by somebody else than who adjusted the amount or began the run.
create function exception_by_another() returns trigger language plpgsql as $$
begin
    if new.excepted is not null and (
        exists (select from allocation_adjustment d where d.town = new.town and d.allocation = new.id
                    and (d.adjusted_by = new.excepted_by or (d.adjusted_person = new.excepted_person and d.adjusted_person <> '')))
        or exists (select from allocation_run r where r.town = new.town and r.id = new.run
                    and (r.created_by = new.excepted_by or (r.created_person = new.excepted_person and r.created_person <> '')))) then
        perform refuse('exception_by_another', format('allocation %s', new.id));
    end if;
    return new;
end
$$;
create trigger exception_by_another before update of excepted, excepted_by, excepted_person on allocation
    for each row execute function exception_by_another();

-- The adjustments of an allocation are its adjustment, and each comes while its run is COMPUTED.
create function adjustments_add_up() returns trigger language plpgsql as $$
declare
    its_allocation text;
    bad            bigint;
begin
    its_allocation := case tg_table_name when 'allocation' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'allocation' end;
    select a.adjustment_fen into bad from allocation a where a.town = new.town and a.id = its_allocation
        and a.adjustment_fen <> (select coalesce(sum(d.amount_fen), 0) from allocation_adjustment d where d.town = a.town and d.allocation = a.id);
    if found then
        perform refuse('adjustments_add_up', format('allocation %s', its_allocation));
    end if;
    return null;
end
$$;
create constraint trigger adjustments_add_up after insert on allocation_adjustment
    deferrable initially deferred for each row execute function adjustments_add_up();
create constraint trigger allocation_adjusted after update of adjustment_fen on allocation
    deferrable initially deferred for each row execute function adjustments_add_up();

create function adjustment_of_its_run() returns trigger language plpgsql as $$
declare
    its_state text;
begin
    select r.state into its_state from allocation a join allocation_run r on r.town = a.town and r.id = a.run
        where a.town = new.town and a.id = new.allocation and a.run = new.run for share of r;
    if its_state is distinct from 'COMPUTED' then
        perform refuse('allocation_never_changes', format('allocation %s of a run that is %s', new.allocation, its_state));
    end if;
    return new;
end
$$;
create trigger adjustment_of_its_run before insert on allocation_adjustment for each row execute function adjustment_of_its_run();

create function allocation_is_kept() returns trigger language plpgsql as $$
begin
    perform refuse('allocation_never_changes', format('%s is kept', tg_table_name));
    return null;
end
$$;
create trigger allocation_is_kept before delete or truncate on allocation for each statement execute function allocation_is_kept();
create trigger adjustment_is_kept before update or delete or truncate on allocation_adjustment
    for each statement execute function allocation_is_kept();
create trigger run_is_kept before truncate on allocation_run for each statement execute function allocation_is_kept();
