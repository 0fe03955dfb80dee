-- The money of a town: fiscal years, accounts, entries, postings, holds (Work points 3.3). Double entry, append-only, whole fen.
-- Balances move by the triggers below alone: whoever writes a posting, the service or a hand at psql, moves the balance with it,
-- under the account's lock, or is refused.

-- A fiscal year 会计年度 is the calendar year; publishing its first policy opens it.
create table fiscal_year (
    town    text        not null,
    year    integer     not null check (year between 2000 and 2200),
    state   text        not null default 'OPEN' check (state in ('OPEN', 'CLOSING', 'CLOSED')),
    version bigint      not null default 1,
    created timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    primary key (town, year)
);

-- What each fund may pay in a year, by the policies published for it.
create table allowed_category (
    town         text    not null,
    fiscal_year  integer not null,
    fund         text    not null check (fund in ('WORK', 'SERVICE', 'DELEGATED', 'PROJECT_POOL')),
    category     text    not null check (category ~ '^[A-Z][A-Z0-9_]{0,62}$'),
    display_name text    not null,
    primary key (town, fiscal_year, fund, category),
    foreign key (town, fiscal_year) references fiscal_year (town, year)
);

create table account (
    town        text        not null,
    id          uuid        not null,
    kind        text        not null
                check (kind in ('APPROPRIATION', 'DEPARTMENT', 'OPENING', 'POOL', 'TASK', 'COMMITTEE', 'EXPENDITURE')),
    fund        text        not null check (fund in ('WORK', 'SERVICE', 'DELEGATED', 'PROJECT_POOL')),
    fiscal_year integer     not null,
    committee   text,
    -- 专款: `carried`, `project:<id>`, `delegation:<id>`; none for what is free within its fund
    earmark     text        check (earmark ~ '^(carried|project:.+|delegation:.+)$'),
    category    text,
    balance_fen bigint      not null default 0,
    held_fen    bigint      not null default 0,
    version     bigint      not null default 1,
    created     timestamptz not null default clock_timestamp(),
    -- all that it is of in one text, so that an index finds it whatever is null
    key         text        not null generated always as (
        kind || '/' || fund || '/' || fiscal_year || '/' || coalesce(committee, '') || '/' || coalesce(earmark, '') || '/'
        || coalesce(category, '')) stored,
    primary key (town, id),
    constraint account_key unique (town, key),
    constraint account_names_what_its_kind_asks check (
        (committee is not null) = (kind in ('COMMITTEE', 'EXPENDITURE'))
        and (category is not null) = (kind = 'EXPENDITURE')
        and (kind not in ('TASK', 'DEPARTMENT') or (fund = 'DELEGATED' and earmark is not null))
        and (kind <> 'POOL' or (fund = 'PROJECT_POOL' and earmark is null))
        and (kind not in ('APPROPRIATION', 'OPENING') or earmark is null)
        and (fund <> 'DELEGATED' or kind not in ('COMMITTEE', 'EXPENDITURE') or earmark like 'delegation:%')),
    -- only where money comes from may be below zero
    constraint account_not_overdrawn
        check (kind in ('APPROPRIATION', 'DEPARTMENT', 'OPENING') or balance_fen - held_fen >= 0),
    constraint account_holds_not_negative check (held_fen >= 0),
    foreign key (town, fiscal_year) references fiscal_year (town, year),
    -- the fund pays only the categories of its list
    constraint account_category_allowed
        foreign key (town, fiscal_year, fund, category) references allowed_category (town, fiscal_year, fund, category)
);
create index account_of_committee on account (town, committee, fiscal_year) where committee is not null;
create index account_of_earmark on account (town, earmark) where earmark is not null;

create table entry (
    town        text        not null,
    id          uuid        not null,
    kind        text        not null check (kind in ('ALLOCATION', 'TRANSFER', 'EXPENSE', 'REFUND', 'DELEGATION', 'GRANT', 'RETURN',
                                                     'CARRY_OVER', 'OPENING')),
    -- what makes it this one and no other: an entry is written once under its key
    key         text        not null check (length(key) between 1 and 300),
    fiscal_year integer     not null,
    booked_on   date        not null,
    subject     text        not null,
    description text        not null,
    evidence    text        not null default '',
    reverses    uuid,
    postings    smallint    not null check (postings >= 2),
    principal   text        not null,
    person      text        not null default '',
    recorded    timestamptz not null default clock_timestamp(),
    ord         bigint      not null generated always as identity,
    primary key (town, id),
    constraint entry_key unique (town, key),
    constraint entry_reversed_once unique (town, reverses),
    foreign key (town, reverses) references entry (town, id),
    foreign key (town, fiscal_year) references fiscal_year (town, year)
);
create index entry_of_subject on entry (town, subject);

create table posting (
    town       text        not null,
    entry      uuid        not null,
    n          smallint    not null check (n > 0),
    account    uuid        not null,
    -- above zero: the account has more
    amount_fen bigint      not null check (amount_fen <> 0),
    booked_on  date        not null,
    recorded   timestamptz not null default clock_timestamp(),
    primary key (town, entry, n),
    foreign key (town, entry) references entry (town, id),
    foreign key (town, account) references account (town, id)
);
create index posting_of_account on posting (town, account, recorded, entry) include (amount_fen, booked_on);

-- Money set aside 冻结: posted in whole or part, voided or expired, once.
create table hold (
    town        text        not null,
    id          uuid        not null,
    account     uuid        not null,
    amount_fen  bigint      not null check (amount_fen > 0),
    -- where it goes when a person posts it; none where a resource of its own decides
    into_account uuid,
    state       text        not null default 'HELD' check (state in ('HELD', 'POSTED', 'VOIDED', 'EXPIRED')),
    posted_fen  bigint      not null default 0,
    entry       uuid,
    key         text        not null,
    subject     text        not null,
    purpose     text        not null,
    expires_on  date,
    held_on     date        not null,
    resolved_on date,
    held_by     text        not null,
    held_person text        not null default '',
    resolved_by text        not null default '',
    resolved_person text    not null default '',
    version     bigint      not null default 1,
    created     timestamptz not null default clock_timestamp(),
    updated     timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint hold_key unique (town, key),
    constraint hold_posts_no_more_than_it_holds check (posted_fen between 0 and amount_fen),
    constraint hold_resolved_as_its_state_says check (
        (state = 'HELD') = (resolved_on is null) and (state = 'POSTED') = (entry is not null) and (state = 'POSTED') = (posted_fen > 0)),
    foreign key (town, account) references account (town, id),
    foreign key (town, into_account) references account (town, id),
    foreign key (town, entry) references entry (town, id) deferrable initially deferred
);
create index hold_open on hold (town, account) where state = 'HELD';
create index hold_of_subject on hold (town, subject);
create index hold_that_expires on hold (town, expires_on) where state = 'HELD' and expires_on is not null;

-- The hash chain over entries with their postings, in the order in which they became visible.
create table entry_pending (
    town  text   not null,
    entry uuid   not null,
    ord   bigint not null,
    primary key (town, entry)
);
create index entry_pending_ord on entry_pending (ord);
create table entry_seal (
    town   text        not null,
    seq    bigint      not null check (seq > 0),
    entry  uuid        not null,
    hash   bytea       not null check (octet_length(hash) = 32),
    sealed timestamptz not null default clock_timestamp(),
    primary key (town, seq),
    unique (town, entry)
);

create function refuse(which text, said text) returns void language plpgsql as $$
begin
    raise exception using errcode = '23514', constraint = which, message = said;
end
$$;

-- What is booked stays booked.
create function never_changes() returns trigger language plpgsql as $$
begin
    perform refuse('ledger_never_changes', format('%s is append-only', tg_table_name));
    return null;
end
$$;
create trigger entry_never_changes before update or delete or truncate on entry for each statement execute function never_changes();
create trigger posting_never_changes before update or delete or truncate on posting for each statement execute function never_changes();
create trigger entry_seal_never_changes before update or delete or truncate on entry_seal for each statement execute function never_changes();
create trigger hold_is_never_deleted before delete or truncate on hold for each statement execute function never_changes();

-- The years of what is written must be open; while one is closing, only what closes it. The lock lasts until the end of the transaction, so
-- no year closes beneath a posting.
create function need_open_years(of_town text, years integer[], closing boolean) returns void language plpgsql as $$
declare
    shut integer;
begin
    select y.year into shut from (select f.year, f.state from fiscal_year f where f.town = of_town and f.year = any (years) order by f.year for share) y
        where not (y.state = 'OPEN' or (closing and y.state = 'CLOSING')) limit 1;
    if found then
        perform refuse('fiscal_year_open', format('%s of %s is not open', shut, of_town));
    end if;
end
$$;

-- Each entry is whole, balanced, within one fund and what its kind allows; then the balances move. The plan of a trigger is kept from when
-- the tables were small: `lateral … offset 0` and the settings below have each row look up its entry and its account by their keys, however
-- large the tables have become.
create function posting_moves_balances() returns trigger language plpgsql security definer as $$
declare
    one   record;
    bad   uuid;
    years integer[];
begin
    for one in
        select each.town, bool_and(each.kind in ('CARRY_OVER', 'RETURN')) as closing, bool_or(each.reversing) as reversing,
               (array_agg(each.which order by each.id) filter (where each.which is not null))[1] as which,
               (array_agg(each.id order by each.id) filter (where each.which is not null))[1] as id
        from (
            select e.town, e.id, max(e.kind) as kind, bool_or(e.reverses is not null) as reversing,
                   case when count(*) <> max(e.postings) then 'entry_whole'
                        when sum(p.amount_fen) <> 0 then 'entry_balanced'
                        when min(a.fund) <> max(a.fund) then 'entry_within_one_fund'
                        when max(e.kind) <> 'CARRY_OVER' and (min(a.fiscal_year) <> max(a.fiscal_year) or min(a.fiscal_year) <> max(e.fiscal_year))
                            then 'entry_within_one_year'
                        when max(e.kind) <> 'TRANSFER' and min(a.committee) <> max(a.committee) then 'entry_within_one_committee'
                        when max(e.kind) not in ('GRANT', 'RETURN', 'CARRY_OVER', 'OPENING') and min(coalesce(a.earmark, '')) <> max(coalesce(a.earmark, ''))
                            then 'entry_within_one_earmark'
                        when bool_or(a.kind = 'EXPENDITURE') <> (max(e.kind) in ('EXPENSE', 'REFUND')) then 'entry_spends_as_an_expense'
                        -- money of a task or a project stays with whom it was given to
                        when max(e.kind) = 'TRANSFER' and bool_or(a.kind <> 'COMMITTEE' or a.earmark like '%:%') then 'entry_transfers_between_committees'
                   end as which
            from added p
            cross join lateral (select * from entry e where e.town = p.town and e.id = p.entry offset 0) e
            cross join lateral (select * from account a where a.town = p.town and a.id = p.account offset 0) a
            group by e.town, e.id) each
        group by each.town
    loop
        if one.which is not null then
            perform refuse(one.which, format('entry %s', one.id));
        end if;
        -- a reversal takes back what its entry moved, account by account
        if one.reversing then
            select e.id into bad from entry e
                where e.town = one.town and e.id in (select entry from added where town = one.town) and e.reverses is not null and exists (
                    select from (select account, amount_fen from posting where town = e.town and entry = e.id
                                 union all select account, amount_fen from posting where town = e.town and entry = e.reverses) both_ways
                    group by account having sum(amount_fen) <> 0)
                limit 1;
            if found then
                perform refuse('entry_reverses_exactly', format('entry %s', bad));
            end if;
        end if;
        select array_agg(distinct a.fiscal_year) into years
            from (select distinct account from added where town = one.town) p
            cross join lateral (select * from account a where a.town = one.town and a.id = p.account offset 0) a;
        perform need_open_years(one.town, years, one.closing);
    end loop;
    perform from (select distinct town, account from added order by town, account offset 0) p
        cross join lateral (select from account a where a.town = p.town and a.id = p.account for no key update) a;
    update account a set balance_fen = a.balance_fen + moved.delta, version = a.version + 1
        from (select town, account, sum(amount_fen)::bigint as delta from added group by town, account) moved
        where a.town = moved.town and a.id = moved.account;
    return null;
end
$$;
create trigger posting_moves_balances after insert on posting referencing new table as added
    for each statement execute function posting_moves_balances();

-- An entry comes with its postings, in one statement, and waits for its seal.
create function entry_comes_whole() returns trigger language plpgsql security definer as $$
declare
    bad uuid;
begin
    select a.id into bad from added a
        where not exists (select from posting p where p.town = a.town and p.entry = a.id) limit 1;
    if found then
        perform refuse('entry_whole', format('entry %s has no postings', bad));
    end if;
    insert into entry_pending (town, entry, ord) select town, id, ord from added;
    return null;
end
$$;
create trigger entry_comes_whole after insert on entry referencing new table as added
    for each statement execute function entry_comes_whole();

create function hold_sets_aside() returns trigger language plpgsql security definer as $$
declare
    one record;
begin
    if exists (select from added where state <> 'HELD') then
        perform refuse('hold_begins_held', 'a hold begins as HELD');
    end if;
    for one in select h.town, array_agg(distinct a.fiscal_year) as years
               from added h cross join lateral (select * from account a where a.town = h.town and a.id = h.account offset 0) a group by h.town
    loop
        perform need_open_years(one.town, one.years, false);
    end loop;
    perform from (select distinct town, account from added order by town, account offset 0) h
        cross join lateral (select from account a where a.town = h.town and a.id = h.account for no key update) a;
    update account a set held_fen = a.held_fen + held.total, version = a.version + 1
        from (select town, account, sum(amount_fen)::bigint as total from added group by town, account) held
        where a.town = held.town and a.id = held.account;
    return null;
end
$$;
create trigger hold_sets_aside after insert on hold referencing new table as added
    for each statement execute function hold_sets_aside();

-- A hold is resolved once, and what it said stays.
create function hold_resolves_once() returns trigger language plpgsql as $$
begin
    if old.state <> 'HELD' or new.state = 'HELD' then
        perform refuse('hold_resolved_once', format('hold %s is %s', old.id, old.state));
    end if;
    if (new.town, new.id, new.account, new.amount_fen, new.into_account, new.key, new.subject, new.purpose, new.expires_on, new.held_on,
        new.held_by, new.held_person, new.created)
        is distinct from (old.town, old.id, old.account, old.amount_fen, old.into_account, old.key, old.subject, old.purpose, old.expires_on,
                          old.held_on, old.held_by, old.held_person, old.created) then
        perform refuse('ledger_never_changes', format('hold %s', old.id));
    end if;
    return new;
end
$$;
create trigger hold_resolves_once before update on hold for each row execute function hold_resolves_once();

create function hold_lets_go() returns trigger language plpgsql security definer as $$
begin
    perform from (select distinct town, account from former order by town, account offset 0) h
        cross join lateral (select from account a where a.town = h.town and a.id = h.account for no key update) a;
    update account a set held_fen = a.held_fen - freed.total, version = a.version + 1
        from (select town, account, sum(amount_fen)::bigint as total from former group by town, account) freed
        where a.town = freed.town and a.id = freed.account;
    return null;
end
$$;
create trigger hold_lets_go after update on hold referencing old table as former
    for each statement execute function hold_lets_go();

-- A year may close when nothing is left in it: what a committee has is spent, returned or carried over.
create function fiscal_year_closes_empty() returns trigger language plpgsql security definer as $$
begin
    if new.state = 'CLOSED' and exists (
        select from account where town = new.town and fiscal_year = new.year and kind in ('COMMITTEE', 'POOL', 'TASK')
            and (balance_fen <> 0 or held_fen <> 0)) then
        perform refuse('fiscal_year_closes_empty', format('%s of %s has money left', new.year, new.town));
    end if;
    if old.state = 'CLOSED' then
        perform refuse('fiscal_year_stays_closed', format('%s of %s is closed', new.year, new.town));
    end if;
    return new;
end
$$;
create trigger fiscal_year_closes_empty before update on fiscal_year for each row execute function fiscal_year_closes_empty();

do $$
declare
    its text;
begin
    foreach its in array array['posting_moves_balances()', 'entry_comes_whole()', 'hold_sets_aside()', 'hold_lets_go()']
    loop
        execute format('alter function %s set enable_seqscan = off', its);
        execute format('alter function %s set enable_hashjoin = off', its);
        execute format('alter function %s set enable_mergejoin = off', its);
    end loop;
end
$$;

-- What the service's role must not do, asked for after the general grants: balances and entries are the triggers' affair.
create function service_grants(service_role name) returns void language plpgsql as $$
begin
    execute format('revoke update, delete, truncate on entry, posting, entry_seal from %I', service_role);
    execute format('revoke insert, update, delete, truncate on account from %I', service_role);
    execute format('grant insert (town, id, kind, fund, fiscal_year, committee, earmark, category) on account to %I', service_role);
    execute format('revoke update, delete, truncate on hold from %I', service_role);
    execute format('grant update (state, posted_fen, entry, resolved_on, resolved_by, resolved_person, version, updated) on hold to %I', service_role);
    execute format('revoke insert, update on entry_pending from %I', service_role);
end
$$;
