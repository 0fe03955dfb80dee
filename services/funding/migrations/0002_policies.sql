-- What a year's formula, rules of use and terms are (Work points 3.3). A policy and what belongs to it change while it is a draft; afterwards
-- never, whoever asks.

create table policy (
    town                 text        not null,
    id                   text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    display_name         text        not null,
    fiscal_year          integer     not null check (fiscal_year between 2000 and 2200),
    -- its number among the published ones of the year
    number               integer     not null default 0 check (number >= 0),
    state                text        not null default 'DRAFT' check (state in ('DRAFT', 'PUBLISHED', 'SUPERSEDED', 'DELETED')),
    effective_from       date        not null,
    households_as_of     date        not null,
    work_floor_fen       bigint      not null check (work_floor_fen >= 0),
    service_floor_fen    bigint      not null check (service_floor_fen >= 0),
    household_threshold  integer     not null check (household_threshold >= 0),
    supplement_fen       bigint      not null check (supplement_fen >= 0),
    growth_ppm           bigint      not null check (growth_ppm > 0),
    growth_of_floor      boolean     not null,
    growth_of_uplift     boolean     not null,
    eligible_kinds       text[]      not null
                         check (cardinality(eligible_kinds) > 0 and eligible_kinds <@ array['RESIDENTS_COMMITTEE', 'VILLAGERS_COMMITTEE']),
    month_counts_until   integer     not null check (month_counts_until between 1 and 31),
    notice_above_fen     bigint      check (notice_above_fen >= 0),
    notice_always_for    text[]      not null,
    notice_days          integer     not null check (notice_days >= 0),
    project_pool_fen     bigint      not null check (project_pool_fen >= 0),
    -- working days for review, approval, payment, settlement, disclosure
    days                 integer[]   not null check (cardinality(days) = 5 and 0 < all (days)),
    supersedes           text,
    -- everybody who wrote some of it: the principals, and the persons where they are known
    written_by           text[]      not null check (cardinality(written_by) > 0),
    written_person       text[]      not null,
    published_by         text        not null default '',
    published_person     text        not null default '',
    published            timestamptz,
    version              bigint      not null default 1,
    created              timestamptz not null default clock_timestamp(),
    updated              timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, supersedes) references policy (town, id),
    constraint policy_superseded_once unique (town, supersedes),
    constraint policy_within_its_year check (
        extract(year from effective_from) = fiscal_year
        and extract(year from households_as_of) in (fiscal_year - 1, fiscal_year)),
    constraint policy_published_as_its_state_says check (
        (state in ('PUBLISHED', 'SUPERSEDED')) = (published is not null)
        and (published is not null) = (number > 0) and (published is not null) = (published_by <> '')),
    -- four eyes: it is published by nobody who wrote any of it
    constraint policy_published_by_another check (
        published_by <> all (written_by) and (published_person = '' or published_person <> all (written_person)))
);
create unique index policy_one_in_force on policy (town, fiscal_year) where state = 'PUBLISHED';
create unique index policy_number on policy (town, fiscal_year, number) where number > 0;

-- What large or difficult committees get more 适当增加. Null: whatever it is.
create table policy_uplift (
    town             text     not null,
    policy           text     not null,
    n                smallint not null check (n > 0),
    difficulty       text     check (difficulty in ('NORMAL', 'HARD')),
    management_class text     check (management_class in ('A', 'B', 'C')),
    kind             text     check (kind in ('RESIDENTS_COMMITTEE', 'VILLAGERS_COMMITTEE')),
    work_fen         bigint   not null check (work_fen >= 0),
    service_fen      bigint   not null check (service_fen >= 0),
    primary key (town, policy, n),
    foreign key (town, policy) references policy (town, id),
    constraint policy_uplift_has_a_condition check (num_nonnulls(difficulty, management_class, kind) > 0),
    constraint policy_uplift_adds_something check (work_fen + service_fen > 0),
    constraint policy_uplift_once unique nulls not distinct (town, policy, difficulty, management_class, kind)
);

create table policy_category (
    town         text     not null,
    policy       text     not null,
    n            smallint not null check (n > 0),
    fund         text     not null check (fund in ('WORK', 'SERVICE', 'DELEGATED', 'PROJECT_POOL')),
    category     text     not null check (category ~ '^[A-Z][A-Z0-9_]{0,62}$'),
    display_name text     not null,
    allowed      boolean  not null,
    primary key (town, policy, n),
    foreign key (town, policy) references policy (town, id),
    constraint policy_category_once unique (town, policy, fund, category)
);

create table policy_carry_over (
    town       text not null,
    policy     text not null,
    fund       text not null check (fund in ('WORK', 'SERVICE', 'PROJECT_POOL', 'DELEGATED')),
    carry_over text not null check (carry_over in ('RETURN', 'ONE_YEAR')),
    primary key (town, policy, fund),
    foreign key (town, policy) references policy (town, id),
    constraint policy_carries_no_delegated_money check (fund <> 'DELEGATED' or carry_over = 'RETURN')
);

-- A draft may change; what was published may be superseded, and nothing else. No policy is deleted.
create function policy_keeps_its_word() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform refuse('policy_never_changes', format('policy %s is kept', old.id));
    end if;
    if old.state in ('PUBLISHED', 'SUPERSEDED') and (
        (old.state, new.state) is distinct from ('PUBLISHED', 'SUPERSEDED')
        or to_jsonb(new) - array['state', 'version', 'updated'] is distinct from to_jsonb(old) - array['state', 'version', 'updated']) then
        perform refuse('policy_never_changes', format('policy %s is %s', old.id, old.state));
    end if;
    -- who wrote some of it stays its writer, and its year its year
    if (new.town, new.id, new.fiscal_year) is distinct from (old.town, old.id, old.fiscal_year)
        or not (old.written_by <@ new.written_by and old.written_person <@ new.written_person) then
        perform refuse('policy_never_changes', format('policy %s keeps its writers and its year', old.id));
    end if;
    return new;
end
$$;
create trigger policy_keeps_its_word before update or delete on policy for each row execute function policy_keeps_its_word();

-- The same for its rows; the policy is locked, so that none is written while it is being published.
create function policy_rows_keep_their_word() returns trigger language plpgsql as $$
declare
    its_state text;
    one       record;
begin
    for one in select distinct r.town, r.policy from (select old.town, old.policy union all select new.town, new.policy) r where r.policy is not null loop
        select state into its_state from policy where town = one.town and id = one.policy for share;
        if found and its_state <> 'DRAFT' then
            perform refuse('policy_never_changes', format('policy %s is %s', one.policy, its_state));
        end if;
    end loop;
    return coalesce(new, old);
end
$$;
create trigger policy_rows_keep_their_word before insert or update or delete on policy_uplift
    for each row execute function policy_rows_keep_their_word();
create trigger policy_rows_keep_their_word before insert or update or delete on policy_category
    for each row execute function policy_rows_keep_their_word();
create trigger policy_rows_keep_their_word before insert or update or delete on policy_carry_over
    for each row execute function policy_rows_keep_their_word();

create function policy_is_not_emptied() returns trigger language plpgsql as $$
begin
    perform refuse('policy_never_changes', format('%s is kept', tg_table_name));
    return null;
end
$$;
create trigger policy_is_not_emptied before truncate on policy for each statement execute function policy_is_not_emptied();
create trigger policy_is_not_emptied before truncate on policy_uplift for each statement execute function policy_is_not_emptied();
create trigger policy_is_not_emptied before truncate on policy_category for each statement execute function policy_is_not_emptied();
create trigger policy_is_not_emptied before truncate on policy_carry_over for each statement execute function policy_is_not_emptied();
