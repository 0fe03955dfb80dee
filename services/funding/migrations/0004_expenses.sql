-- Spending 经费支出 (Work points 3.3): an expense with its revisions, objections and vouchers. The money is held from the application on, so an
-- approval can't overdraw; who applies, reviews, approves and pays are four different people.

-- The last number of each year: 支-2020-000001.
create table expense_number (
    town text    not null,
    year integer not null check (year between 1900 and 2200),
    last integer not null check (last between 1 and 999999),
    primary key (town, year)
);

-- Whether two signatures are those of two people: another principal, and another person where both are known. What isn't there
-- yet stands in nobody's way.
create function are_two(one text, one_person text, other text, other_person text) returns boolean language sql immutable as $$
    select one <> other and (one_person = '' or other_person = '' or one_person <> other_person)
$$;

create table expense (
    town             text        not null,
    id               uuid        not null,
    number           text        not null check (number ~ '^支-[0-9]{4}-[0-9]{6}$'),
    number_year      integer     not null,
    state            text        not null check (state in ('APPLIED', 'REVIEWED', 'NOTICE', 'OBJECTED', 'APPROVED', 'PAYING', 'PAID', 'SETTLED',
                                                           'DISCLOSED', 'REVISION_REQUESTED', 'REJECTED', 'WITHDRAWN')),
    revision         integer     not null default 1 check (revision > 0),
    committee        text        not null,
    fund             text        not null check (fund in ('WORK', 'SERVICE', 'DELEGATED', 'PROJECT_POOL')),
    fiscal_year      integer     not null,
    earmark          text,
    category         text        not null,
    amount_fen       bigint      not null check (amount_fen > 0),
    purpose          text        not null check (length(purpose) between 1 and 400),
    applied_on       date        not null,
    account          uuid        not null,
    hold             uuid        not null,
    -- 收款人: sealed
    payee_sealed     bytea       not null,
    data_key         integer     not null check (data_key > 0),
    -- what the decision rests on, as the policy in force had it
    policy           text        not null,
    notice_required  boolean     not null,
    notice_days      integer     not null check (notice_days >= 0),
    notice_ends      date,
    open_objections  integer     not null default 0 check (open_objections >= 0),
    -- whose turn it is, by the state; since when, until when
    since            date        not null,
    due              date,
    due_provisional  boolean     not null default false,
    applied_by       text        not null,
    applied_person   text        not null default '',
    reviewed_by      text,
    reviewed_person  text        not null default '',
    approved_by      text,
    approved_person  text        not null default '',
    -- who pays: of a batch, who made it
    paid_by          text,
    paid_person      text        not null default '',
    paid_on          date,
    paid_fen         bigint,
    entry            uuid,
    bank_reference   text        not null default '',
    payment_failure  text        not null default '',
    settled_fen      bigint,
    refund_entry     uuid,
    refund_reference text        not null default '',
    disclosure       text        not null default '',
    version          bigint      not null default 1,
    created          timestamptz not null default clock_timestamp(),
    updated          timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint expense_number_once unique (town, number),
    constraint expense_number_is_of_its_year check (substring(number from 3 for 4)::integer = number_year),
    constraint expense_four_people check (
        coalesce(are_two(applied_by, applied_person, reviewed_by, reviewed_person), true)
        and coalesce(are_two(applied_by, applied_person, approved_by, approved_person), true)
        and coalesce(are_two(applied_by, applied_person, paid_by, paid_person), true)
        and coalesce(are_two(reviewed_by, reviewed_person, approved_by, approved_person), true)
        and coalesce(are_two(reviewed_by, reviewed_person, paid_by, paid_person), true)
        and coalesce(are_two(approved_by, approved_person, paid_by, paid_person), true)),
    constraint expense_reviewed_as_its_state_says check (case
        when state in ('APPLIED', 'REVISION_REQUESTED') then reviewed_by is null
        when state in ('REJECTED', 'WITHDRAWN') then true
        else reviewed_by is not null end),
    constraint expense_approved_as_its_state_says check (case
        when state in ('APPROVED', 'PAYING', 'PAID', 'SETTLED', 'DISCLOSED') then approved_by is not null
        when state in ('REJECTED', 'WITHDRAWN') then true
        else approved_by is null end),
    constraint expense_payer_as_its_state_says check ((paid_by is not null) = (state in ('PAYING', 'PAID', 'SETTLED', 'DISCLOSED'))),
    constraint expense_paid_as_its_state_says check (
        num_nonnulls(paid_on, paid_fen, entry) = case when state in ('PAID', 'SETTLED', 'DISCLOSED') then 3 else 0 end
        and (state not in ('PAID', 'SETTLED', 'DISCLOSED') or (paid_fen = amount_fen and bank_reference <> ''))),
    constraint expense_settled_as_its_state_says check (
        (settled_fen is not null) = (state in ('SETTLED', 'DISCLOSED'))
        and (settled_fen between 0 and paid_fen)
        and (refund_entry is not null) = (settled_fen < paid_fen) is not false),
    constraint expense_disclosed_as_its_state_says check ((disclosure <> '') = (state = 'DISCLOSED')),
    constraint expense_notice_as_its_state_says check (case
        when state in ('NOTICE', 'OBJECTED') then notice_ends is not null
        when state in ('APPROVED', 'PAYING', 'PAID', 'SETTLED', 'DISCLOSED') then notice_ends is not null or not notice_required
        else true end),
    constraint expense_objected_as_its_state_says check (case
        when state = 'OBJECTED' then open_objections > 0
        else open_objections = 0 end),
    foreign key (town, account) references account (town, id),
    foreign key (town, hold) references hold (town, id) deferrable initially deferred,
    foreign key (town, entry) references entry (town, id) deferrable initially deferred,
    foreign key (town, refund_entry) references entry (town, id) deferrable initially deferred,
    constraint expense_category_allowed foreign key (town, fiscal_year, fund, category)
        references allowed_category (town, fiscal_year, fund, category)
);
create unique index expense_of_hold on expense (town, hold);
create index expense_of_committee on expense (town, committee, id);
create index expense_of_state on expense (town, state, id);
create index expense_of_year on expense (town, fiscal_year, fund, category, id);
create index expense_of_earmark on expense (town, earmark, id) where earmark is not null;
-- as a List shows and takes it
create index expense_of_earmark_shown on expense (town, (coalesce(replace(replace(earmark, 'project:', 'towns/' || town || '/projects/'),
    'delegation:', 'towns/' || town || '/delegations/'), '')), id);
create index expense_that_waits on expense (town, due, id) where due is not null;
create index expense_applied_on on expense (town, applied_on, id);
create index expense_of_applicant on expense (town, applied_by, id);

-- 异议: text and answer may name people and are sealed.
create table expense_objection (
    town            text        not null,
    id              uuid        not null,
    expense         uuid        not null,
    revision        integer     not null check (revision > 0),
    state           text        not null default 'OPEN' check (state in ('OPEN', 'ANSWERED', 'OVERTAKEN')),
    text_sealed     bytea       not null,
    answer_sealed   bytea,
    data_key        integer     not null check (data_key > 0),
    objected_on     date        not null,
    objected_by     text        not null,
    objected_person text        not null default '',
    answered_on     date,
    answered_by     text,
    answered_person text        not null default '',
    created         timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, expense) references expense (town, id),
    constraint objection_answered_as_its_state_says
        check (num_nonnulls(answer_sealed, answered_on, answered_by) = case when state = 'ANSWERED' then 3 else 0 end),
    constraint objection_answered_by_another
        check (coalesce(are_two(objected_by, objected_person, answered_by, answered_person), true))
);
create index expense_objection_of on expense_objection (town, expense, id);

-- 票据: each number of an issuer is used once in a town, and so is its scan.
create table expense_voucher (
    town       text    not null,
    expense    uuid    not null,
    n          integer not null check (n > 0),
    number     text    not null check (length(number) between 1 and 64),
    issuer     text    not null check (length(issuer) between 1 and 200),
    issued_on  date    not null,
    amount_fen bigint  not null check (amount_fen > 0),
    sha256     bytea   check (octet_length(sha256) = 32),
    primary key (town, expense, n),
    constraint voucher_used_once unique (town, number, issuer),
    constraint voucher_scan_used_once unique (town, sha256),
    foreign key (town, expense) references expense (town, id)
);

-- What is decided stays: after the payment nothing of what was paid for changes, and no way leads back.
create function expense_decided_stays() returns trigger language plpgsql as $$
begin
    if (new.town, new.id, new.number, new.number_year, new.committee, new.fund, new.fiscal_year, new.earmark, new.account, new.applied_by,
        new.applied_person, new.created)
        is distinct from (old.town, old.id, old.number, old.number_year, old.committee, old.fund, old.fiscal_year, old.earmark, old.account,
                          old.applied_by, old.applied_person, old.created) then
        perform refuse('expense_identity_stays', format('expense %s', old.number));
    end if;
    if old.state in ('PAID', 'SETTLED', 'DISCLOSED') then
        if (new.revision, new.category, new.amount_fen, new.purpose, new.applied_on, new.hold, new.policy, new.notice_required, new.notice_days,
            new.notice_ends, new.reviewed_by, new.reviewed_person, new.approved_by, new.approved_person, new.paid_by, new.paid_person, new.paid_on,
            new.paid_fen, new.entry, new.bank_reference)
            is distinct from (old.revision, old.category, old.amount_fen, old.purpose, old.applied_on, old.hold, old.policy, old.notice_required,
                              old.notice_days, old.notice_ends, old.reviewed_by, old.reviewed_person, old.approved_by, old.approved_person,
                              old.paid_by, old.paid_person, old.paid_on, old.paid_fen, old.entry, old.bank_reference) then
            perform refuse('expense_decided_stays', format('expense %s is %s', old.number, old.state));
        end if;
        if not (new.state = old.state or (old.state, new.state) in (('PAID', 'SETTLED'), ('SETTLED', 'DISCLOSED'))) then
            perform refuse('expense_decided_stays', format('expense %s is %s', old.number, old.state));
        end if;
        if old.settled_fen is not null and (new.settled_fen, new.refund_entry, new.refund_reference)
            is distinct from (old.settled_fen, old.refund_entry, old.refund_reference) then
            perform refuse('expense_decided_stays', format('expense %s is %s', old.number, old.state));
        end if;
    end if;
    if old.state in ('REJECTED', 'WITHDRAWN') and new.state <> old.state then
        perform refuse('expense_decided_stays', format('expense %s is %s', old.number, old.state));
    end if;
    return new;
end
$$;
create trigger expense_decided_stays before update on expense for each row execute function expense_decided_stays();

create function expense_is_kept() returns trigger language plpgsql as $$
begin
    perform refuse('expense_is_kept', format('%s is never deleted', tg_table_name));
    return null;
end
$$;
create trigger expense_is_kept before delete or truncate on expense for each statement execute function expense_is_kept();
create trigger expense_objection_is_kept before delete or truncate on expense_objection for each statement execute function expense_is_kept();
create trigger expense_voucher_is_kept before update or delete or truncate on expense_voucher for each statement execute function expense_is_kept();

-- An objection is answered, or overtaken, once; what was said stays.
create function objection_stays() returns trigger language plpgsql as $$
begin
    -- of a row that gets another key, the sealed columns alone change; that they say the same, only who has the keys can tell
    if new.data_key <> old.data_key
        and (to_jsonb(new) - array['text_sealed', 'answer_sealed', 'data_key']) = (to_jsonb(old) - array['text_sealed', 'answer_sealed', 'data_key'])
        and (new.answer_sealed is null) = (old.answer_sealed is null) then
        return new;
    end if;
    if old.state <> 'OPEN' and new is distinct from old
        or (new.town, new.id, new.expense, new.revision, new.text_sealed, new.objected_on, new.objected_by, new.objected_person, new.created)
            is distinct from (old.town, old.id, old.expense, old.revision, old.text_sealed, old.objected_on, old.objected_by, old.objected_person, old.created) then
        perform refuse('objection_stays', format('objection %s', old.id));
    end if;
    if new.state = 'ANSWERED' and exists (select from expense e where e.town = new.town and e.id = new.expense
            and not are_two(e.applied_by, e.applied_person, new.answered_by, new.answered_person)) then
        perform refuse('objection_answered_by_no_applicant', format('objection %s', old.id));
    end if;
    return new;
end
$$;
create trigger objection_stays before update on expense_objection for each row execute function objection_stays();

-- The count that the state goes by is that of the objections. Both sides lock the expense, so that nothing is approved past one.
create function expense_counts_objections() returns trigger language plpgsql as $$
declare
    its_expense uuid;
    counted     integer;
    stands      record;
begin
    its_expense := case tg_table_name when 'expense' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'expense' end;
    select e.number, e.open_objections into stands from expense e where e.town = new.town and e.id = its_expense for update;
    select count(*) into counted from expense_objection o where o.town = new.town and o.expense = its_expense and o.state = 'OPEN';
    if counted <> stands.open_objections then
        perform refuse('expense_open_objection', format('expense %s has %s open objections, not %s', stands.number, counted, stands.open_objections));
    end if;
    return null;
end
$$;
create constraint trigger expense_counts_objections after insert or update of state, open_objections on expense
    deferrable initially deferred for each row execute function expense_counts_objections();
create constraint trigger objection_is_counted after insert or update on expense_objection
    deferrable initially deferred for each row execute function expense_counts_objections();

-- Until it is paid, rejected or withdrawn an expense has its amount held on its account; paid, its hold is what its entry posted.
create function expense_holds_its_money() returns trigger language plpgsql as $$
declare
    one record;
    its_expense uuid := new.id;
begin
    if tg_table_name = 'hold' then
        select e.id into its_expense from expense e where e.town = new.town and e.hold = new.id;
    end if;
    select e.number, e.state, e.amount_fen, e.account, e.entry, h.state as held, h.amount_fen as held_fen, h.account as held_on, h.posted_fen, h.entry as posted
        into one
        from expense e join hold h on h.town = e.town and h.id = e.hold
        where e.town = new.town and e.id = its_expense;
    if found and not (one.account = one.held_on and one.amount_fen = one.held_fen and case
            when one.state in ('REJECTED', 'WITHDRAWN') then one.held in ('VOIDED', 'EXPIRED')
            when one.state in ('PAID', 'SETTLED', 'DISCLOSED') then one.held = 'POSTED' and one.posted_fen = one.amount_fen and one.posted = one.entry
            else one.held = 'HELD' end) then
        perform refuse('expense_holds_its_money', format('expense %s is %s, its hold %s', one.number, one.state, one.held));
    end if;
    return null;
end
$$;
create constraint trigger expense_holds_its_money after insert or update on expense
    deferrable initially deferred for each row execute function expense_holds_its_money();
create constraint trigger hold_is_of_its_expense after update on hold
    deferrable initially deferred for each row execute function expense_holds_its_money();

-- An expense pays from an account of its own committee, fund, year and earmark; none of these changes afterwards.
create function expense_has_its_account() returns trigger language plpgsql security definer set search_path from current as $$
begin
    if not exists (select from account a where a.town = new.town and a.id = new.account and a.kind = 'COMMITTEE' and a.committee = new.committee
            and a.fund = new.fund and a.fiscal_year = new.fiscal_year and a.earmark is not distinct from new.earmark) then
        perform refuse('expense_has_its_account', format('expense %s', new.number));
    end if;
    return new;
end
$$;
create trigger expense_has_its_account before insert on expense for each row execute function expense_has_its_account();

-- Whether an entry moves so much from an account of a committee to what was spent of it on a category, and nothing else; below zero it is the
-- way back.
create function entry_spends(of_town text, which uuid, source uuid, its_category text, fen bigint) returns boolean language sql stable as $$
    select count(*) = 2 and bool_and(case
            when p.account = source then p.amount_fen = -fen
            else p.amount_fen = fen and spent.kind = 'EXPENDITURE' and spent.category = its_category
                and (spent.committee, spent.fund, spent.fiscal_year) = (own.committee, own.fund, own.fiscal_year)
                and spent.earmark is not distinct from own.earmark end)
        from posting p join account spent on spent.town = p.town and spent.id = p.account
            join account own on own.town = p.town and own.id = source
        where p.town = of_town and p.entry = which
$$;

-- What was paid, and what came back of it, is what the entries of an expense moved.
create function expense_books_what_it_pays() returns trigger language plpgsql security definer set search_path from current as $$
begin
    if new.entry is not null and not entry_spends(new.town, new.entry, new.account, new.category, new.paid_fen)
        or new.refund_entry is not null
            and not entry_spends(new.town, new.refund_entry, new.account, new.category, new.settled_fen - new.paid_fen) then
        perform refuse('expense_books_what_it_pays', format('expense %s is %s', new.number, new.state));
    end if;
    return null;
end
$$;
create constraint trigger expense_books_what_it_pays after insert or update of entry, paid_fen, refund_entry, settled_fen on expense
    deferrable initially deferred for each row execute function expense_books_what_it_pays();

-- A hold is posted by an entry that takes as much from its account.
create function hold_is_what_its_entry_takes() returns trigger language plpgsql security definer set search_path from current as $$
begin
    if new.state = 'POSTED' and new.posted_fen is distinct from
            (select -sum(p.amount_fen) from posting p where p.town = new.town and p.entry = new.entry and p.account = new.account) then
        perform refuse('hold_is_what_its_entry_takes', format('hold %s', new.id));
    end if;
    return null;
end
$$;
create constraint trigger hold_is_what_its_entry_takes after insert or update on hold
    deferrable initially deferred for each row execute function hold_is_what_its_entry_takes();

-- The vouchers add up to what was settled, and that is no more than what was paid.
create function vouchers_within_payment() returns trigger language plpgsql as $$
declare
    its_expense uuid;
    total       bigint;
    stands      record;
begin
    its_expense := case tg_table_name when 'expense' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'expense' end;
    select e.number, e.paid_fen, e.settled_fen into stands from expense e where e.town = new.town and e.id = its_expense for update;
    select coalesce(sum(v.amount_fen), 0) into total from expense_voucher v where v.town = new.town and v.expense = its_expense;
    if total > coalesce(stands.paid_fen, 0) or total <> coalesce(stands.settled_fen, 0) then
        perform refuse('vouchers_within_payment', format('the vouchers of expense %s', stands.number));
    end if;
    return null;
end
$$;
create constraint trigger vouchers_within_payment after insert on expense_voucher
    deferrable initially deferred for each row execute function vouchers_within_payment();
create constraint trigger expense_settles_by_vouchers after insert or update of settled_fen, paid_fen on expense
    deferrable initially deferred for each row execute function vouchers_within_payment();
