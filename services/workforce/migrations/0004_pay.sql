-- Pay 薪酬 (Work points 4.1): scales as data, a run for each month, statements with their lines and with what they were computed from.
-- Sums are in fen and gross. What was approved never changes; a correction is a difference in the run of a later month.

create table pay_scale (
    town            text        not null,
    id              text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    display_name    text        not null check (length(display_name) between 1 and 200),
    -- the first day of the month from which on it holds
    from_month      date        not null check (from_month = date_trunc('month', from_month)::date),
    -- grades, steps, allowances, probation: as the rules read them
    terms           jsonb       not null check (jsonb_typeof(terms) = 'object'),
    state           text        not null default 'DRAFT' check (state in ('DRAFT', 'APPROVED')),
    -- everybody who wrote some of it
    written_by      text[]      not null,
    written_person  text[]      not null,
    approved_by     text        not null default '',
    approved_person text        not null default '',
    approved        timestamptz,
    version         bigint      not null default 1,
    created         timestamptz not null default clock_timestamp(),
    updated         timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint pay_scale_approved_by_somebody check ((state = 'APPROVED') = (approved is not null) and (state = 'APPROVED') = (approved_by <> '')),
    constraint pay_scale_approved_by_another check (
        state <> 'APPROVED' or not (approved_by = any(written_by) or approved_person <> '' and approved_person = any(written_person)))
);
create index pay_scale_of_month on pay_scale (town, from_month) where state = 'APPROVED';
create function keep_approved_scale() returns trigger language plpgsql as $$
begin
    if old.state = 'APPROVED' then
        perform refuse('pay_scale_approved_never_changes', 'an approved pay scale never changes');
    end if;
    return new;
end
$$;
create trigger approved_never_changes before update on pay_scale for each row execute function keep_approved_scale();
create trigger kept before delete on pay_scale for each row execute function is_kept();

create table pay_run (
    town            text        not null,
    id              text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    -- the first day of the month
    month           date        not null check (month = date_trunc('month', month)::date),
    scale           text        not null,
    state           text        not null default 'COMPUTING' check (state in ('COMPUTING', 'COMPUTED', 'APPROVED', 'CANCELLED')),
    -- the operation that computes it
    operation       uuid        not null,
    begun_by        text        not null,
    begun_person    text        not null default '',
    approved_by     text        not null default '',
    approved_person text        not null default '',
    approved        timestamptz,
    version         bigint      not null default 1,
    created         timestamptz not null default clock_timestamp(),
    updated         timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, scale) references pay_scale (town, id),
    constraint pay_run_approved_by_somebody check ((state = 'APPROVED') = (approved is not null)),
    constraint pay_run_approved_by_another check (
        state <> 'APPROVED' or are_two(begun_by, begun_person, approved_by, approved_person))
);
create unique index pay_run_one_open on pay_run (town) where state in ('COMPUTING', 'COMPUTED');
create unique index pay_run_one_of_month on pay_run (town, month) where state = 'APPROVED';
create function check_pay_run() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if old.state in ('APPROVED', 'CANCELLED') then
            perform refuse('pay_run_decided_never_changes', 'a pay run that was approved or given up never changes');
        end if;
        if (new.month, new.scale, new.begun_by, new.begun_person) is distinct from (old.month, old.scale, old.begun_by, old.begun_person) then
            perform refuse('pay_run_grounds_never_change', 'month, scale and maker of a pay run never change');
        end if;
    end if;
    if new.state <> 'CANCELLED' and exists (
        select from pay_run r where r.town = new.town and r.state = 'APPROVED' and r.month >= new.month and r.id <> new.id) then
        perform refuse('pay_run_after_the_last', 'no pay run comes before a month that was approved');
    end if;
    return new;
end
$$;
create trigger pay_run_in_order before insert or update on pay_run for each row execute function check_pay_run();
create trigger kept before delete on pay_run for each row execute function is_kept();

-- Days on duty as they were told to a run: of its month, or of an earlier one in place of what was told before.
create table pay_duty (
    town         text     not null,
    run          text     not null,
    worker       text     not null,
    month        date     not null check (month = date_trunc('month', month)::date),
    rest_days    integer  not null check (rest_days between 0 and 31),
    holiday_days integer  not null check (holiday_days between 0 and 31),
    primary key (town, run, worker, month),
    foreign key (town, run) references pay_run (town, id),
    foreign key (town, worker) references worker (town, id),
    constraint pay_duty_within_its_month check (rest_days + holiday_days <= 31)
);
create index pay_duty_of_worker on pay_duty (town, worker, month);

-- What a worker gets in a run 工资单, with everything that it was computed from.
create table pay_statement (
    town      text        not null,
    id        uuid        not null,
    run       text        not null,
    worker    text        not null,
    month     date        not null,
    -- by them it is computed again to the fen
    inputs    jsonb       not null check (jsonb_typeof(inputs) = 'object'),
    total_fen bigint      not null,
    created   timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, run) references pay_run (town, id),
    foreign key (town, worker) references worker (town, id),
    constraint pay_statement_once unique (town, run, worker)
);
create index pay_statement_of_worker on pay_statement (town, worker, month);

create table pay_line (
    town       text    not null,
    statement  uuid    not null,
    n          integer not null check (n > 0),
    kind       text    not null check (kind in ('BASE', 'CERTIFICATE_ALLOWANCE', 'POST_ALLOWANCE', 'DUTY_ALLOWANCE', 'DIFFERENCE')),
    -- the month that it is of: an earlier one for a difference
    month      date    not null,
    amount_fen bigint  not null,
    -- codes and numbers; words are made of them when it is read
    input      jsonb   not null,
    primary key (town, statement, n),
    foreign key (town, statement) references pay_statement (town, id)
);

-- Statements are written while their run is computed, and never after.
create function check_pay_written() returns trigger language plpgsql as $$
declare
    its_run text := case when tg_table_name = 'pay_line' then
        (select s.run from pay_statement s where s.town = new.town and s.id = (to_jsonb(new) ->> 'statement')::uuid)
        else to_jsonb(new) ->> 'run' end;
begin
    if not exists (select from pay_run r where r.town = new.town and r.id = its_run and r.state = 'COMPUTING') then
        perform refuse('pay_written_while_computing', 'what a pay run says is written while it is computed');
    end if;
    return new;
end
$$;
create trigger written_while_computing before insert on pay_duty for each row execute function check_pay_written();
create trigger written_while_computing before insert on pay_statement for each row execute function check_pay_written();
create trigger written_while_computing before insert on pay_line for each row execute function check_pay_written();
create trigger written_once before update or delete on pay_duty for each row execute function never_changes();
create trigger written_once before update or delete on pay_statement for each row execute function never_changes();
create trigger written_once before update or delete on pay_line for each row execute function never_changes();

-- The lines of a statement add up to it, and it is of the month of its run.
create function check_pay_sum() returns trigger language plpgsql as $$
declare
    its_id uuid := (to_jsonb(new) ->> case when tg_table_name = 'pay_line' then 'statement' else 'id' end)::uuid;
begin
    if exists (
        select from pay_statement s where s.town = new.town and s.id = its_id
            and s.total_fen <> (select coalesce(sum(l.amount_fen), 0) from pay_line l where l.town = s.town and l.statement = s.id)) then
        perform refuse('pay_lines_add_up', 'the lines of a pay statement add up to it');
    end if;
    if exists (
        select from pay_statement s join pay_run r on r.town = s.town and r.id = s.run
        where s.town = new.town and s.id = its_id and s.month <> r.month) then
        perform refuse('pay_statement_of_its_month', 'a pay statement is of the month of its run');
    end if;
    return null;
end
$$;
create constraint trigger lines_add_up after insert on pay_statement deferrable initially deferred for each row execute function check_pay_sum();
create constraint trigger lines_add_up after insert on pay_line deferrable initially deferred for each row execute function check_pay_sum();
