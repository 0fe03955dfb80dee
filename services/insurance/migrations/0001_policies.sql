-- Programmes 险种 and their policies 保单 (Work points 3.4): who insures whom, against what, for how much, from when until when. Benefit tables
-- are data. What was signed never changes: an endorsement 批单 is another version from a day on.

-- Whether a step was done by somebody who did none of those before: two humans each time.
create function is_another(one text, one_person text, others text[], other_persons text[]) returns boolean language sql immutable as $$
    select one <> all (others) and (one_person = '' or one_person <> all (other_persons))
$$;

-- Whether a principal, as this person, is among those who wrote something.
create function wrote(one text, one_person text, others text[], other_persons text[]) returns boolean language sql immutable as $$
    select exists (select from unnest(others, other_persons) as w (principal, person) where w.principal = one and w.person = one_person)
$$;

create table programme (
    town         text        not null,
    id           text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    display_name text        not null check (length(display_name) between 1 and 200),
    -- the lower pays first; the next one sees what is left of a loss
    rank         integer     not null check (rank between 1 and 1000000),
    deleted      timestamptz,
    version      bigint      not null default 1,
    created      timestamptz not null default clock_timestamp(),
    updated      timestamptz not null default clock_timestamp(),
    primary key (town, id)
);
create unique index programme_rank_once on programme (town, rank) where deleted is null;

create table policy (
    town                  text        not null,
    id                    text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    programme             text        not null,
    -- the insurer's number of the contract 保单号
    number                text        not null check (length(number) between 1 and 64),
    -- an organisation of governance, and its unified social credit code 统一社会信用代码
    insurer               text        not null check (insurer ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    insurer_credit_code   text        not null check (insurer_credit_code ~ '^[0-9A-Z]{18}$'),
    -- as agreed: the first day, and the first day no longer
    starts                date        not null,
    ends                  date        not null,
    -- the days on which it is in force: termination cuts them, to none when it comes before the first
    valid                 daterange   not null generated always as (daterange(starts, coalesce(terminated_on, ends))) stored,
    state                 text        not null default 'DRAFT' check (state in ('DRAFT', 'SIGNED', 'TERMINATED', 'DELETED')),
    signed_on             date,
    -- the first day no longer in force, and who decided so on which day
    terminated_on         date,
    termination_reason    text        not null default '',
    termination_on        date,
    terminated_by         text        not null default '',
    terminated_person     text        not null default '',
    version               bigint      not null default 1,
    created               timestamptz not null default clock_timestamp(),
    updated               timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, programme) references programme (town, id),
    constraint policy_lasts_a_year_at_most check (starts < ends and ends <= starts + interval '1 year'),
    constraint policy_signed_as_its_state_says check ((state in ('SIGNED', 'TERMINATED')) = (signed_on is not null)),
    constraint policy_terminated_as_its_state_says check (
        num_nonnulls(terminated_on, termination_on) = case when state = 'TERMINATED' then 2 else 0 end
        and (state = 'TERMINATED') = (terminated_by <> '') and (state = 'TERMINATED') = (termination_reason <> '')),
    -- a day that has passed keeps its cover
    constraint policy_keeps_the_days_passed check (terminated_on >= starts and terminated_on < ends and terminated_on >= termination_on),
    constraint policies_of_a_programme_never_overlap exclude using gist (town with =, programme with =, valid with &&)
        where (state in ('SIGNED', 'TERMINATED'))
);
create unique index policy_number_once on policy (town, insurer, number) where state <> 'DELETED';
create index policy_of_programme on policy (town, programme, id);
create index policy_of_insurer on policy (town, insurer, id);

-- What a policy promises, from a day on. Of the signed ones whose day has come, the greatest n is in force.
create table policy_version (
    town                      text        not null,
    policy                    text        not null,
    n                         integer     not null check (n between 1 and 1000),
    from_day                  date        not null,
    state                     text        not null default 'DRAFT' check (state in ('DRAFT', 'SIGNED')),
    -- who is insured 被保险人, in the words of the contract
    insured                   text        not null check (length(insured) between 1 and 2000),
    -- on what grounds residents are
    grounds                   text[]      not null check (grounds <@ array['REGISTERED', 'RESIDENCE_PERMIT']),
    -- days after the event 报案期限
    report_within_days        integer     not null check (report_within_days between 1 and 3650),
    limit_person_year_fen     bigint      check (limit_person_year_fen between 1 and 10000000000000),
    limit_household_year_fen  bigint      check (limit_household_year_fen between 1 and 10000000000000),
    limit_event_fen           bigint      check (limit_event_fen between 1 and 10000000000000),
    limit_year_fen            bigint      check (limit_year_fen between 1 and 10000000000000),
    -- the premium 保费: a sum, and so much for each household and person of the numbers agreed
    premium_fixed_fen         bigint      not null default 0 check (premium_fixed_fen between 0 and 10000000000000),
    premium_per_household_fen bigint      not null default 0 check (premium_per_household_fen between 0 and 100000000),
    premium_per_person_fen    bigint      not null default 0 check (premium_per_person_fen between 0 and 100000000),
    insured_households        integer     not null default 0 check (insured_households between 0 and 100000000),
    insured_persons           integer     not null default 0 check (insured_persons between 0 and 100000000),
    premium_fen               bigint      not null generated always as
                              (premium_fixed_fen + premium_per_household_fen * insured_households + premium_per_person_fen * insured_persons) stored,
    -- why there is an endorsement
    reason                    text        not null default '' check (length(reason) <= 500),
    -- everybody who wrote some of it: principals, and their persons
    written_by                text[]      not null check (cardinality(written_by) > 0),
    written_person            text[]      not null,
    signed_by                 text        not null default '',
    signed_person             text        not null default '',
    signed_on                 date,
    created                   timestamptz not null default clock_timestamp(),
    updated                   timestamptz not null default clock_timestamp(),
    primary key (town, policy, n),
    foreign key (town, policy) references policy (town, id),
    -- of each principal his person; nothing where it isn't known
    constraint policy_version_writers_in_pairs check (cardinality(written_by) = cardinality(written_person)),
    constraint policy_version_signed_as_its_state_says check (
        (state = 'SIGNED') = (signed_on is not null) and (state = 'SIGNED') = (signed_by <> '')),
    constraint policy_signed_by_another check (is_another(signed_by, signed_person, written_by, written_person))
);
-- one draft at a time
create unique index policy_one_draft on policy_version (town, policy) where state = 'DRAFT';

-- The benefit table 保障责任: what one version promises for each peril.
create table policy_benefit (
    town                     text     not null,
    policy                   text     not null,
    version                  integer  not null,
    -- its place in the table
    n                        integer  not null check (n > 0),
    peril                    text     not null check (peril ~ '^[A-Z][A-Z0-9_]{0,39}$'),
    object                   text     not null check (object in ('PERSON', 'DWELLING')),
    insured_by               text     not null check (insured_by in ('RESIDENCE', 'PLACE')),
    form                     text     not null check (form in ('FIXED', 'BY_GRADE', 'LOSS')),
    fixed_fen                bigint   check (fixed_fen between 1 and 10000000000000),
    sum_fen                  bigint   check (sum_fen between 1 and 10000000000000),
    -- parts per million of the sum by grade of disability, the gravest first
    parts_ppm                integer[],
    deductible_fen           bigint   check (deductible_fen between 0 and 10000000000000),
    share_ppm                integer  check (share_ppm between 1 and 1000000),
    -- 保险金额: what one loss may be claimed at, at most
    sum_insured_fen          bigint   check (sum_insured_fen between 1 and 10000000000000),
    waiting_days             integer  not null default 0 check (waiting_days between 0 and 3650),
    limit_person_year_fen    bigint   check (limit_person_year_fen between 1 and 10000000000000),
    limit_household_year_fen bigint   check (limit_household_year_fen between 1 and 10000000000000),
    limit_event_fen          bigint   check (limit_event_fen between 1 and 10000000000000),
    note                     text     not null default '' check (length(note) <= 500),
    primary key (town, policy, version, peril),
    constraint policy_benefit_place_once unique (town, policy, version, n),
    foreign key (town, policy, version) references policy_version (town, policy, n),
    constraint policy_benefit_as_its_form_says check (
        (form = 'FIXED') = (fixed_fen is not null)
        and (form = 'BY_GRADE') = (sum_fen is not null) and (form = 'BY_GRADE') = (parts_ppm is not null)
        and (form = 'LOSS') = (deductible_fen is not null) and (form = 'LOSS') = (share_ppm is not null)
        and (sum_insured_fen is null or form = 'LOSS')),
    constraint policy_benefit_by_grade_is_of_a_person check (form <> 'BY_GRADE' or object = 'PERSON'),
    constraint policy_benefit_has_ten_grades check (
        parts_ppm is null or (cardinality(parts_ppm) = 10 and array_position(parts_ppm, null) is null
                              and 0 <= all (parts_ppm) and 1000000 >= all (parts_ppm)))
);

-- Who bears which part of the premium 保费分担.
create table policy_premium_share (
    town      text    not null,
    policy    text    not null,
    version   integer not null,
    n         integer not null check (n > 0),
    bearer    text    not null check (bearer ~ '^[A-Z][A-Z0-9_]{0,39}$'),
    share_ppm integer not null check (share_ppm between 1 and 1000000),
    primary key (town, policy, version, bearer),
    constraint policy_premium_share_place_once unique (town, policy, version, n),
    foreign key (town, policy, version) references policy_version (town, policy, n)
);

-- When which part of the premium is due 分期, and when it was paid. The first version's add up to its premium; an endorsement's are what it adds.
create table policy_instalment (
    town        text    not null,
    policy      text    not null,
    version     integer not null,
    n           integer not null check (n between 1 and 60),
    due_on      date    not null,
    amount_fen  bigint  not null check (amount_fen between 1 and 10000000000000),
    paid_on     date,
    reference   text    not null default '' check (length(reference) <= 100),
    paid_by     text    not null default '',
    paid_person text    not null default '',
    primary key (town, policy, version, n),
    foreign key (town, policy, version) references policy_version (town, policy, n),
    constraint policy_instalment_paid_by_somebody check ((paid_on is not null) = (paid_by <> ''))
);
create index policy_instalment_open on policy_instalment (town, due_on) where paid_on is null;

-- A limit of a version by the name of its kind; null where there is none.
create function cap_limit(of_town text, which_policy text, which_version integer, cap text, its_peril text) returns bigint language sql stable as $$
    select case cap
        when 'BENEFIT_PERSON_YEAR' then b.limit_person_year_fen
        when 'BENEFIT_HOUSEHOLD_YEAR' then b.limit_household_year_fen
        when 'BENEFIT_EVENT' then b.limit_event_fen
        when 'PERSON_YEAR' then v.limit_person_year_fen
        when 'HOUSEHOLD_YEAR' then v.limit_household_year_fen
        when 'EVENT' then v.limit_event_fen
        when 'YEAR' then v.limit_year_fen
        end
    from policy_version v
    left join policy_benefit b on b.town = v.town and b.policy = v.policy and b.version = v.n and b.peril = its_peril
    where v.town = of_town and v.policy = which_policy and v.n = which_version
$$;

-- What a policy costs: the premium of its first version, and what signed endorsements added.
create function policy_premium(of_town text, which_policy text) returns bigint language sql stable as $$
    select v.premium_fen + coalesce((
        select sum(i.amount_fen) from policy_instalment i
        join policy_version e on e.town = i.town and e.policy = i.policy and e.n = i.version
        where i.town = v.town and i.policy = v.policy and e.n > 1 and e.state = 'SIGNED'), 0)::bigint
    from policy_version v where v.town = of_town and v.policy = which_policy and v.n = 1
$$;

-- A programme that has policies is there; its rank stays once one was signed, for decisions rest on the order.
create function programme_keeps_its_word() returns trigger language plpgsql as $$
begin
    if (new.town, new.id) is distinct from (old.town, old.id) then
        perform refuse('programme_keeps_its_name', format('programme %s keeps its name', old.id));
    end if;
    if new.deleted is not null and old.deleted is null
        and exists (select from policy p where p.town = old.town and p.programme = old.id and p.state <> 'DELETED') then
        perform refuse('programme_in_use', format('programme %s has policies', old.id));
    end if;
    if new.rank <> old.rank
        and exists (select from policy p where p.town = old.town and p.programme = old.id and p.state in ('SIGNED', 'TERMINATED')) then
        perform refuse('programme_rank_stays', format('programme %s has signed policies', old.id));
    end if;
    return new;
end
$$;
create trigger programme_keeps_its_word before update on programme for each row execute function programme_keeps_its_word();
create trigger programme_is_kept before delete on programme for each row execute function is_kept();
create trigger programme_is_kept_whole before truncate on programme for each statement execute function is_kept();

-- A draft may change; of what was signed, only that it was terminated is ever added.
create function policy_keeps_its_word() returns trigger language plpgsql as $$
declare
    free text[] := array['version', 'updated', 'valid'];
begin
    if tg_op = 'UPDATE' then
        if (new.town, new.id, new.programme) is distinct from (old.town, old.id, old.programme) then
            perform refuse('policy_never_changes', format('policy %s keeps its programme', old.id));
        end if;
        if (old.state, new.state) not in (('DRAFT', 'DRAFT'), ('DRAFT', 'SIGNED'), ('DRAFT', 'DELETED'), ('DELETED', 'DRAFT'),
                                          ('SIGNED', 'SIGNED'), ('SIGNED', 'TERMINATED'), ('TERMINATED', 'TERMINATED')) then
            perform refuse('policy_never_changes', format('policy %s is %s', old.id, old.state));
        end if;
        if (old.state, new.state) = ('SIGNED', 'TERMINATED') then
            free := free || array['state', 'terminated_on', 'termination_reason', 'termination_on', 'terminated_by', 'terminated_person'];
        end if;
        if old.state in ('SIGNED', 'TERMINATED') and to_jsonb(new) - free is distinct from to_jsonb(old) - free then
            perform refuse('policy_never_changes', format('policy %s is %s', old.id, old.state));
        end if;
    end if;
    -- the programme is locked, so that it isn't deleted or moved in rank meanwhile
    if tg_op = 'INSERT' or new.state is distinct from old.state then
        perform from programme g where g.town = new.town and g.id = new.programme and g.deleted is null for share;
        if not found and new.state <> 'DELETED' then
            perform refuse('policy_of_a_living_programme', format('programme %s is deleted', new.programme));
        end if;
    end if;
    return new;
end
$$;
create trigger policy_keeps_its_word before insert or update on policy for each row execute function policy_keeps_its_word();
create trigger policy_is_kept before delete on policy for each row execute function is_kept();
create trigger policy_is_kept_whole before truncate on policy for each statement execute function is_kept();

-- A draft version may change or be thrown away; a signed one never.
create function policy_version_keeps_its_word() returns trigger language plpgsql as $$
begin
    if old.state = 'SIGNED' then
        perform refuse('policy_version_never_changes', format('version %s of policy %s is signed', old.n, old.policy));
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    if (new.town, new.policy, new.n) is distinct from (old.town, old.policy, old.n)
        or not (old.written_by <@ new.written_by and old.written_person <@ new.written_person) then
        perform refuse('policy_version_never_changes', format('version %s of policy %s keeps its writers', old.n, old.policy));
    end if;
    return new;
end
$$;
create trigger policy_version_keeps_its_word before update or delete on policy_version
    for each row execute function policy_version_keeps_its_word();
create trigger policy_version_is_kept_whole before truncate on policy_version for each statement execute function is_kept();

-- The same for its rows; the version is locked, so that none is written while it is being signed.
create function policy_rows_keep_their_word() returns trigger language plpgsql as $$
declare
    one record;
begin
    for one in select distinct r.town, r.policy, r.version from (
            select old.town, old.policy, old.version union all select new.town, new.policy, new.version) r where r.policy is not null loop
        perform from policy_version v where v.town = one.town and v.policy = one.policy and v.n = one.version for share;
        if found and exists (select from policy_version v where v.town = one.town and v.policy = one.policy and v.n = one.version
                             and v.state = 'SIGNED') then
            perform refuse('policy_version_never_changes', format('version %s of policy %s is signed', one.version, one.policy));
        end if;
    end loop;
    return coalesce(new, old);
end
$$;
create trigger policy_rows_keep_their_word before insert or update or delete on policy_benefit
    for each row execute function policy_rows_keep_their_word();
create trigger policy_rows_keep_their_word before insert or update or delete on policy_premium_share
    for each row execute function policy_rows_keep_their_word();
create trigger policy_rows_keep_their_word before insert or delete on policy_instalment
    for each row execute function policy_rows_keep_their_word();
create trigger policy_rows_are_kept before truncate on policy_benefit for each statement execute function is_kept();
create trigger policy_rows_are_kept before truncate on policy_premium_share for each statement execute function is_kept();
create trigger policy_rows_are_kept before truncate on policy_instalment for each statement execute function is_kept();

-- An instalment is paid once, and of a signed version; nothing else of it changes.
create function policy_instalment_is_paid_once() returns trigger language plpgsql as $$
declare
    free text[] := array['paid_on', 'reference', 'paid_by', 'paid_person'];
begin
    if old.paid_on is not null or to_jsonb(new) - free is distinct from to_jsonb(old) - free
        or not exists (select from policy_version v where v.town = old.town and v.policy = old.policy and v.n = old.version and v.state = 'SIGNED') then
        perform refuse('policy_instalment_paid_once', format('instalment %s of policy %s', old.n, old.policy));
    end if;
    return new;
end
$$;
create trigger policy_instalment_is_paid_once before update on policy_instalment for each row execute function policy_instalment_is_paid_once();

-- At the end of each transaction: a policy has a first version from its first day, signed when the policy is; versions follow on one
-- another and begin within the period; each has benefits, and shares of the premium that make a whole; grounds where residents are insured.
create function check_policy_whole(of_town text, which_policy text) returns void language plpgsql as $$
declare
    its   record;
    one   record;
    count integer := 0;
begin
    -- locked, so that two transactions can't each leave half
    select p.starts, p.ends, p.state in ('SIGNED', 'TERMINATED') as signed into its
    from policy p where p.town = of_town and p.id = which_policy for no key update;
    if not found then
        return;
    end if;
    for one in
        select v.n, v.from_day, v.state, v.grounds, v.premium_fen,
            (select coalesce(sum(s.share_ppm), 0) from policy_premium_share s
             where s.town = v.town and s.policy = v.policy and s.version = v.n) as shares,
            (select sum(i.amount_fen) from policy_instalment i
             where i.town = v.town and i.policy = v.policy and i.version = v.n) as instalments,
            (select count(*) from policy_benefit b where b.town = v.town and b.policy = v.policy and b.version = v.n) as benefits,
            exists (select from policy_benefit b
                    where b.town = v.town and b.policy = v.policy and b.version = v.n and b.insured_by = 'RESIDENCE') as residents
        from policy_version v where v.town = of_town and v.policy = which_policy order by v.n loop
        count := count + 1;
        if one.n <> count or (one.n = 1 and (one.from_day <> its.starts or (one.state = 'SIGNED') <> its.signed))
            or (one.n > 1 and not its.signed) then
            perform refuse('policy_versions_follow', format('version %s of policy %s', one.n, which_policy));
        end if;
        if one.from_day < its.starts or one.from_day >= its.ends then
            perform refuse('policy_version_within_period', format('version %s of policy %s begins on %s', one.n, which_policy, one.from_day));
        end if;
        if one.shares <> 1000000 then
            perform refuse('policy_premium_shares_make_a_whole', format('version %s of policy %s: %s', one.n, which_policy, one.shares));
        end if;
        if one.n = 1 and one.instalments <> one.premium_fen then
            perform refuse('policy_instalments_make_the_premium', format('policy %s: %s of %s', which_policy, one.instalments, one.premium_fen));
        end if;
        if one.benefits = 0 or (one.residents and cardinality(one.grounds) = 0) then
            perform refuse('policy_version_promises_something', format('version %s of policy %s', one.n, which_policy));
        end if;
    end loop;
    if count = 0 then
        perform refuse('policy_versions_follow', format('policy %s promises nothing', which_policy));
    end if;
end
$$;

create function policy_is_whole() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'policy' then
        perform check_policy_whole(new.town, new.id);
    else
        perform check_policy_whole(coalesce(new.town, old.town), coalesce(new.policy, old.policy));
    end if;
    return null;
end
$$;
create constraint trigger policy_is_whole after insert or update on policy
    deferrable initially deferred for each row execute function policy_is_whole();
create constraint trigger policy_is_whole after insert or update or delete on policy_version
    deferrable initially deferred for each row execute function policy_is_whole();
create constraint trigger policy_is_whole after insert or update or delete on policy_benefit
    deferrable initially deferred for each row execute function policy_is_whole();
create constraint trigger policy_is_whole after insert or update or delete on policy_premium_share
    deferrable initially deferred for each row execute function policy_is_whole();
create constraint trigger policy_is_whole after insert or delete on policy_instalment
    deferrable initially deferred for each row execute function policy_is_whole();
