-- Payment batches 批量付款: approved expenses go to the bank in one file, the return file 回单 is matched line by line (Work points 3.3).

-- The last number of each year: 付-2020-000001.
create table payment_number (
    town text    not null,
    year integer not null check (year between 1900 and 2200),
    last integer not null check (last between 1 and 999999),
    primary key (town, year)
);

create table payment_batch (
    town          text        not null,
    id            uuid        not null,
    number        text        not null check (number ~ '^付-[0-9]{4}-[0-9]{6}$'),
    state         text        not null check (state in ('DRAFT', 'EXPORTED', 'RECONCILED', 'CANCELLED')),
    made_on       date        not null,
    made_by       text        not null,
    made_person   text        not null default '',
    exported_on   date,
    file_sha256   bytea       check (octet_length(file_sha256) = 32),
    version       bigint      not null default 1,
    created       timestamptz not null default clock_timestamp(),
    updated       timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint payment_number_once unique (town, number),
    constraint payment_batch_exported_as_its_state_says
        check (num_nonnulls(exported_on, file_sha256) = case when state in ('EXPORTED', 'RECONCILED') then 2 else 0 end)
);
create index payment_batch_of_state on payment_batch (town, state, id);

create table payment_line (
    town            text    not null,
    batch           uuid    not null,
    n               integer not null check (n between 1 and 1000),
    expense         uuid    not null,
    amount_fen      bigint  not null check (amount_fen > 0),
    -- what is paid for and to whom, and who let it come so far, as the expense had it when it was gathered: a later revision is another line's
    purpose         text    not null,
    -- sealed for the expense
    payee_sealed    bytea   not null,
    data_key        integer not null check (data_key > 0),
    applied_by      text    not null,
    applied_person  text    not null default '',
    reviewed_by     text    not null,
    reviewed_person text    not null default '',
    approved_by     text    not null,
    approved_person text    not null default '',
    state           text    not null default 'PENDING' check (state in ('PENDING', 'PAID', 'FAILED', 'RELEASED')),
    bank_reference  text    not null default '',
    -- what the bank said, without payee and account number
    failure         text    not null default '',
    resolved_on     date,
    primary key (town, batch, n),
    constraint payment_line_expense_once unique (town, batch, expense),
    constraint payment_line_resolved_as_its_state_says check (
        (resolved_on is null) = (state = 'PENDING') and (state <> 'PAID' or bank_reference <> '') and (failure = '' or state = 'FAILED')),
    foreign key (town, batch) references payment_batch (town, id),
    foreign key (town, expense) references expense (town, id)
);
-- an expense is in one batch at a time, and paid once
create unique index payment_line_one_live on payment_line (town, expense) where state in ('PENDING', 'PAID');
create index payment_line_of_expense on payment_line (town, expense, batch);

create function payment_is_kept() returns trigger language plpgsql as $$
begin
    perform refuse('payment_is_kept', format('%s is never deleted', tg_table_name));
    return null;
end
$$;
create trigger payment_batch_is_kept before delete or truncate on payment_batch for each statement execute function payment_is_kept();
create trigger payment_line_is_kept before delete or truncate on payment_line for each statement execute function payment_is_kept();

-- A line is resolved once; what it pays stays. Under another key its payee may be sealed anew.
create function payment_line_stays() returns trigger language plpgsql as $$
begin
    if old.state <> 'PENDING' and (to_jsonb(new) - array['payee_sealed', 'data_key']) is distinct from (to_jsonb(old) - array['payee_sealed', 'data_key'])
        or (new.payee_sealed <> old.payee_sealed and new.data_key = old.data_key)
        or (new.town, new.batch, new.n, new.expense, new.amount_fen, new.purpose, new.applied_by, new.applied_person, new.reviewed_by,
            new.reviewed_person, new.approved_by, new.approved_person)
            is distinct from (old.town, old.batch, old.n, old.expense, old.amount_fen, old.purpose, old.applied_by, old.applied_person, old.reviewed_by,
                              old.reviewed_person, old.approved_by, old.approved_person) then
        perform refuse('payment_line_stays', format('line %s of %s', old.n, old.batch));
    end if;
    return new;
end
$$;
create trigger payment_line_stays before update on payment_line for each row execute function payment_line_stays();

-- What was sent to the bank stays.
create function payment_batch_stays() returns trigger language plpgsql as $$
begin
    if (new.town, new.id, new.number, new.made_on, new.made_by, new.made_person, new.created)
        is distinct from (old.town, old.id, old.number, old.made_on, old.made_by, old.made_person, old.created)
        or (old.file_sha256 is not null and (new.file_sha256, new.exported_on) is distinct from (old.file_sha256, old.exported_on))
        or (old.state in ('RECONCILED', 'CANCELLED') and new.state <> old.state)
        or (old.state = 'EXPORTED' and new.state not in ('EXPORTED', 'RECONCILED')) then
        perform refuse('payment_batch_stays', format('batch %s is %s', old.number, old.state));
    end if;
    return new;
end
$$;
create trigger payment_batch_stays before update on payment_batch for each row execute function payment_batch_stays();

-- Lines are resolved as the batch says: none before the file was written, all of them when it is reconciled or cancelled.
create function payment_batch_and_lines() returns trigger language plpgsql as $$
declare
    its_batch uuid;
    stands    record;
    bad       boolean;
begin
    its_batch := case tg_table_name when 'payment_batch' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'batch' end;
    select b.number, b.state into stands from payment_batch b where b.town = new.town and b.id = its_batch;
    select count(*) = 0 or case stands.state
            when 'DRAFT' then bool_or(l.state <> 'PENDING')
            when 'EXPORTED' then bool_or(l.state = 'RELEASED') or not bool_or(l.state = 'PENDING')
            when 'RECONCILED' then bool_or(l.state not in ('PAID', 'FAILED'))
            else bool_or(l.state <> 'RELEASED') end
        into bad from payment_line l where l.town = new.town and l.batch = its_batch;
    if bad then
        perform refuse('payment_lines_as_the_batch_says', format('batch %s is %s', stands.number, stands.state));
    end if;
    return null;
end
$$;
create constraint trigger payment_batch_and_lines after insert or update of state on payment_batch
    deferrable initially deferred for each row execute function payment_batch_and_lines();
create constraint trigger payment_line_and_batch after insert or update on payment_line
    deferrable initially deferred for each row execute function payment_batch_and_lines();

-- An expense is PAYING exactly while a line of it is pending, made by who pays it; a line that is PAID is of a paid expense.
create function expense_pays_by_its_line() returns trigger language plpgsql as $$
declare
    its_expense uuid;
    stands      record;
    live        record;
begin
    its_expense := case tg_table_name when 'expense' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'expense' end;
    select e.number, e.state, e.amount_fen, e.paid_by, e.purpose, e.applied_by, e.reviewed_by, e.approved_by into stands from expense e where e.town = new.town and e.id = its_expense;
    select l.state, l.amount_fen, b.made_by, l.purpose, l.applied_by, l.reviewed_by, l.approved_by into live
        from payment_line l join payment_batch b on b.town = l.town and b.id = l.batch
        where l.town = new.town and l.expense = its_expense and l.state in ('PENDING', 'PAID');
    if (case when stands.state = 'PAYING' then
                live.state is distinct from 'PENDING' or live.made_by <> stands.paid_by
                or (live.amount_fen, live.purpose, live.applied_by, live.reviewed_by, live.approved_by)
                    is distinct from (stands.amount_fen, stands.purpose, stands.applied_by, stands.reviewed_by, stands.approved_by)
            when live.state = 'PENDING' then true
            when live.state = 'PAID' then stands.state not in ('PAID', 'SETTLED', 'DISCLOSED')
            else false end) then
        perform refuse('expense_pays_by_its_line', format('expense %s is %s', stands.number, stands.state));
    end if;
    return null;
end
$$;
create constraint trigger expense_pays_by_its_line after insert or update of state, amount_fen, paid_by, purpose, applied_by, reviewed_by, approved_by on expense
    deferrable initially deferred for each row execute function expense_pays_by_its_line();
create constraint trigger payment_line_pays_its_expense after insert or update on payment_line
    deferrable initially deferred for each row execute function expense_pays_by_its_line();
