-- Rotas 值班表 (Work points 4.1): who is on duty on weekends, holidays and in the staggered hours of working days.

-- How rotas are made; of those whose day has come the latest counts, of one day the last recorded.
create table rota_policy (
    town     text        not null,
    id       uuid        not null,
    from_day date        not null,
    -- numbers of workers, days of rest, hours in minutes after midnight
    terms    jsonb       not null,
    created  timestamptz not null default clock_timestamp(),
    primary key (town, id)
);
create index rota_policy_of_day on rota_policy (town, from_day, id);
create trigger written_once before update or delete on rota_policy for each row execute function never_changes();

create table rota (
    town             text        not null,
    id               uuid        not null,
    starts           date        not null,
    -- the first day no longer
    ends             date        not null,
    state            text        not null check (state in ('DRAFT', 'PUBLISHED', 'SUPERSEDED', 'DISCARDED')),
    -- none while the town has recorded no policy
    policy           uuid,
    -- the policy as it was
    terms            jsonb       not null,
    provisional      boolean     not null,
    -- of each committee, as it was when the rota was made
    fairness         jsonb       not null,
    replaces         uuid,
    replaced_by      uuid,
    made_by          text        not null,
    made_person      text        not null default '',
    published_by     text        not null default '',
    published_person text        not null default '',
    version          bigint      not null default 1,
    created          timestamptz not null default clock_timestamp(),
    updated          timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, policy) references rota_policy (town, id),
    foreign key (town, replaces) references rota (town, id),
    foreign key (town, replaced_by) references rota (town, id),
    constraint rota_lasts check (ends > starts and ends <= starts + 366),
    constraint rota_published_by_another check (
        state not in ('PUBLISHED', 'SUPERSEDED')
        or (published_by <> '' and are_two(made_by, made_person, published_by, published_person))),
    constraint rota_superseded_by_one check ((state = 'SUPERSEDED') = (replaced_by is not null))
);
create trigger kept before delete on rota for each row execute function is_kept();

-- The committees of a rota, with the days for which it is drafted or in force: one of either a day.
create table rota_committee (
    town      text      not null,
    rota      uuid      not null,
    committee text      not null check (committee ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    standing  text      not null check (standing in ('DRAFT', 'IN_FORCE', 'ENDED')),
    days      daterange not null,
    primary key (town, rota, committee),
    foreign key (town, rota) references rota (town, id),
    constraint rota_once_a_day exclude using gist (town with =, committee with =, standing with =, days with &&) where (standing <> 'ENDED')
);
create trigger kept before delete on rota_committee for each row execute function is_kept();

-- The kinds of its days when it was made: a later paper of the calendar shows by them.
create table rota_day (
    town text not null,
    rota uuid not null,
    day  date not null,
    kind text not null check (kind in ('WORK', 'REST', 'HOLIDAY', 'MAKE_UP_WORK')),
    primary key (town, rota, day),
    foreign key (town, rota) references rota (town, id)
);
create trigger written_once before update or delete on rota_day for each row execute function never_changes();

create table duty (
    town            text        not null,
    id              uuid        not null,
    rota            uuid        not null,
    committee       text        not null,
    day             date        not null,
    kind            text        not null,
    part            text        not null check (part in ('DAY', 'NOON', 'EVENING')),
    seat            integer     not null check (seat >= 1),
    -- minutes after midnight
    begins          integer     not null check (begins between 0 and 1440),
    ends            integer     not null check (ends between begins and 1440),
    -- nobody is on duty without one
    worker          text,
    -- why this worker, and why not others
    why             jsonb       not null,
    -- what was accepted when it was given by hand
    violations      text[]      not null default '{}',
    standing        text        not null check (standing in ('DRAFT', 'IN_FORCE', 'ENDED')),
    -- who gave or took it by hand
    assigned_by     text        not null default '',
    assigned_person text        not null default '',
    version         bigint      not null default 1,
    created         timestamptz not null default clock_timestamp(),
    updated         timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, rota, committee) references rota_committee (town, rota, committee),
    foreign key (town, rota, day) references rota_day (town, rota, day),
    foreign key (town, worker) references worker (town, id),
    constraint duty_seat_once_in_a_rota unique (town, rota, committee, day, part, seat)
);
create unique index duty_seat_once on duty (town, committee, day, part, seat) where standing = 'IN_FORCE';
create unique index duty_worker_once_a_day on duty (town, worker, day) where standing = 'IN_FORCE' and worker is not null;
create unique index duty_worker_once_a_day_in_a_rota on duty (town, rota, worker, day) where standing <> 'ENDED' and worker is not null;
create index duty_of_rota on duty (town, rota, id);
create index duty_of_committee on duty (town, committee, id);
create index duty_of_worker on duty (town, worker, day);
create index duty_of_day on duty (town, day, committee);
create trigger kept before delete on duty for each row execute function is_kept();

-- Whoever is on duty is at work, confirmed, trained, not away and of that committee on the day: looked at whenever a duty is given.
create function check_duty_qualified() returns trigger language plpgsql as $$
declare
    wrong record;
begin
    select f.worker, f.day into wrong from fresh f
    where f.worker is not null and f.standing <> 'ENDED' and not (
        exists (select from worker w where w.town = f.town and w.id = f.worker and w.employed @> f.day and w.confirmed_on <= f.day)
        and exists (select from posting p where p.town = f.town and p.worker = f.worker and p.committee = f.committee
                    and upper_inf(p.recorded) and p.valid @> f.day)
        and exists (select from certificate c where c.town = f.town and c.worker = f.worker and c.kind = 'ONBOARDING'
                    and c.voided is null and c.valid @> f.day)
        and not exists (select from absence a where a.town = f.town and a.worker = f.worker and a.cancelled is null and a.valid @> f.day))
    limit 1;
    if found then
        perform refuse('duty_of_a_qualified_worker', format('worker %s can''t be on duty on %s', wrong.worker, wrong.day));
    end if;
    return null;
end
$$;
create trigger duty_qualified_at_first after insert on duty referencing new table as fresh
    for each statement execute function check_duty_qualified();
create trigger duty_qualified after update on duty referencing new table as fresh
    for each statement execute function check_duty_qualified();

-- Whoever gave or took duties of a rota by hand doesn't publish it.
create function check_rota_publisher() returns trigger language plpgsql as $$
begin
    if exists (select from duty d where d.town = new.town and d.rota = new.id and d.assigned_by <> ''
               and not are_two(d.assigned_by, d.assigned_person, new.published_by, new.published_person)) then
        perform refuse('rota_published_by_another', format('rota %s is published by who edited it', new.id));
    end if;
    return null;
end
$$;
create trigger published_by_another after update of state on rota for each row
    when (old.state = 'DRAFT' and new.state = 'PUBLISHED') execute function check_rota_publisher();

-- Swaps 换班 of published duties: both agree, and somebody who is neither approves.
create table duty_swap (
    town             text        not null,
    id               uuid        not null,
    duty             uuid        not null,
    worker           text        not null,
    other_worker     text        not null,
    other_duty       uuid,
    state            text        not null check (state in ('PROPOSED', 'CONSENTED', 'APPROVED', 'REJECTED', 'WITHDRAWN')),
    proposed_by      text        not null,
    proposed_person  text        not null,
    consented_by     text        not null default '',
    consented_person text        not null default '',
    approved_by      text        not null default '',
    approved_person  text        not null default '',
    version          bigint      not null default 1,
    created          timestamptz not null default clock_timestamp(),
    updated          timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, duty) references duty (town, id),
    foreign key (town, other_duty) references duty (town, id),
    foreign key (town, worker) references worker (town, id),
    foreign key (town, other_worker) references worker (town, id),
    constraint duty_swap_of_two check (worker <> other_worker and other_duty is distinct from duty),
    constraint duty_swap_consented check (
        state not in ('CONSENTED', 'APPROVED') or (consented_by <> '' and are_two(proposed_by, proposed_person, consented_by, consented_person))),
    constraint duty_swap_approved_by_a_third check (
        state <> 'APPROVED' or (approved_by <> '' and are_two(proposed_by, proposed_person, approved_by, approved_person)
        and are_two(consented_by, consented_person, approved_by, approved_person)))
);
create unique index duty_swap_open_once on duty_swap (town, duty) where state in ('PROPOSED', 'CONSENTED');
create index duty_swap_of_other on duty_swap (town, other_worker);
create index duty_swap_of_worker on duty_swap (town, worker);
create trigger kept before delete on duty_swap for each row execute function is_kept();
