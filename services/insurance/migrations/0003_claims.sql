-- Claims 理赔 (Work points 3.4): reported, accepted, surveyed, assessed, adjudicated, noticed, paid, closed. What pays is held here: limits
-- move by the triggers below alone, a decision within them can't be written otherwise, and no payment is made but for what stands decided.

create table claim_settings (
    town            text        not null primary key,
    accept_days     integer     not null check (accept_days between 1 and 250),
    survey_days     integer     not null check (survey_days between 1 and 250),
    assess_days     integer     not null check (assess_days between 1 and 250),
    adjudicate_days integer     not null check (adjudicate_days between 1 and 250),
    publish_days    integer     not null check (publish_days between 1 and 250),
    notice_days     integer     not null check (notice_days between 1 and 250),
    answer_days     integer     not null check (answer_days between 1 and 250),
    pay_days        integer     not null check (pay_days between 1 and 250),
    close_days      integer     not null check (close_days between 1 and 250),
    appeal_days     integer     not null check (appeal_days between 1 and 250),
    version         bigint      not null default 1,
    updated         timestamptz not null default clock_timestamp()
);
create table claim_required_document (
    town  text not null references claim_settings (town),
    peril text not null check (peril ~ '^[A-Z][A-Z0-9_]{0,39}$'),
    kind  text not null check (kind ~ '^[A-Z][A-Z0-9_]{0,39}$'),
    primary key (town, peril, kind)
);

-- The last number of each year: 民-2020-000123.
create table claim_number (
    town text    not null,
    year integer not null check (year between 1900 and 2200),
    last integer not null check (last between 1 and 999999),
    primary key (town, year)
);

create table claim (
    town               text        not null,
    id                 uuid        not null,
    number             text        not null check (number ~ '^民-[0-9]{4}-[0-9]{6}$'),
    state              text        not null check (state in ('REPORTED', 'ACCEPTED', 'SURVEYED', 'ASSESSED', 'ADJUDICATED', 'NOTICE', 'OBJECTED',
                                                             'PAID', 'CLOSED', 'DOCUMENTS_REQUESTED', 'APPEALED', 'WITHDRAWN', 'DISMISSED')),
    -- the state that documents were asked for in, and the working days that were left of its term
    resumes            text        check (resumes in ('ACCEPTED', 'SURVEYED', 'ASSESSED', 'APPEALED')),
    left_days          integer     check (left_days >= 0),
    incident           uuid        not null,
    event              uuid        not null,
    peril              text        not null check (peril ~ '^[A-Z][A-Z0-9_]{0,39}$'),
    object             text        not null check (object in ('PERSON', 'DWELLING')),
    happened_on        date        not null,
    reported_on        date        not null,
    place_kind         text        not null check (place_kind in ('HOUSEHOLD', 'ESTATE', 'TEXT')),
    place              text        not null check (place <> ''),
    insured            text        not null check (insured <> ''),
    claimant           text        not null check (claimant <> ''),
    household          text        not null default '',
    committee          text        not null default '',
    insurers           text[]      not null default '{}',
    claimed_fen        bigint      check (claimed_fen > 0),
    payee_sealed       bytea       not null,
    data_key           integer     not null check (data_key > 0),
    survey_sealed      bytea,
    appeal_sealed      bytea,
    requested_kinds    text[]      not null default '{}',
    assessed_fen       bigint      check (assessed_fen >= 0),
    grade              integer     check (grade between 1 and 10),
    -- the decision in force
    decision           integer,
    outcome            text        check (outcome in ('APPROVED', 'IN_PART', 'REJECTED')),
    rule               text,
    approved_fen       bigint      not null default 0 check (approved_fen >= 0),
    paid_fen           bigint      not null default 0 check (paid_fen >= 0),
    appealed           boolean     not null default false,
    open_objections    integer     not null default 0 check (open_objections >= 0),
    notice_from        date,
    notice_days        integer     check (notice_days between 1 and 250),
    notice_ends        date,
    appeal_from        date,
    appeal_days        integer     check (appeal_days between 1 and 250),
    appeal_ends        date,
    since              date        not null,
    term_from          date,
    term_days          integer     check (term_days between 0 and 250),
    due                date,
    due_provisional    boolean     not null default false,
    papers             integer     not null default 0,
    reported_by        text        not null,
    reported_person    text        not null default '',
    -- who changed last what is claimed, or who is paid
    changed_by         text,
    changed_person     text        not null default '',
    surveyed_by        text,
    surveyed_person    text        not null default '',
    assessed_by        text,
    assessed_person    text        not null default '',
    adjudicated_by     text,
    adjudicated_person text        not null default '',
    version            bigint      not null default 1,
    created            timestamptz not null default clock_timestamp(),
    updated            timestamptz not null default clock_timestamp(),
    -- who or what suffered the loss: of a dwelling the household, whoever of it claims
    subject            text        not null generated always as (
        case object when 'DWELLING' then 'household/' || household else 'person/' || insured end) stored,
    primary key (town, id),
    constraint claim_number_once unique (town, number),
    constraint claim_reported_after_the_event check (reported_on >= happened_on),
    constraint claim_names_the_dwelling check (object <> 'DWELLING' or household <> ''),
    constraint claim_resumes_where_it_stopped check ((state = 'DOCUMENTS_REQUESTED') = (resumes is not null and left_days is not null)
        and (resumes is null) = (left_days is null)),
    constraint claim_decided_as_its_state_says check (
        (state not in ('ADJUDICATED', 'NOTICE', 'OBJECTED', 'PAID', 'CLOSED') or num_nonnulls(decision, outcome, adjudicated_by) = 3)
        and (outcome is not null or approved_fen = 0)
        and (outcome is distinct from 'REJECTED') = (approved_fen > 0 or outcome is null)),
    constraint claim_noticed_as_its_state_says check (
        state not in ('NOTICE', 'OBJECTED', 'PAID') or (notice_ends is not null and approved_fen > 0)),
    constraint claim_open_objection check ((open_objections > 0) = (state = 'OBJECTED')),
    constraint claim_paid_within_the_decision check (paid_fen <= approved_fen),
    constraint claim_paid_as_its_state_says check (state not in ('PAID') or paid_fen = approved_fen),
    constraint claim_paid_is_not_taken_back check (paid_fen = 0 or state in ('NOTICE', 'OBJECTED', 'PAID', 'CLOSED')),
    constraint claim_assessed_before_it_is_decided check (decision is null or (assessed_fen is not null and assessed_by is not null)),
    -- four eyes: whoever reported, surveyed or assessed doesn't decide
    constraint claim_adjudicated_by_another check (
        (outcome is null or coalesce(are_two(adjudicated_by, adjudicated_person, reported_by, reported_person), true)
            and coalesce(are_two(adjudicated_by, adjudicated_person, changed_by, changed_person), true)
            and coalesce(are_two(adjudicated_by, adjudicated_person, surveyed_by, surveyed_person), true)
            and coalesce(are_two(adjudicated_by, adjudicated_person, assessed_by, assessed_person), true)))
);
-- one loss, one claim: what was reported only, taken back or dismissed doesn't count
create unique index claim_once on claim (town, subject, peril, happened_on, place) where state not in ('REPORTED', 'WITHDRAWN', 'DISMISSED');
create index claim_of_loss on claim (town, subject, peril, happened_on, place);
create index claim_of_committee on claim (town, committee, id);
create index claim_of_state on claim (town, state, id);
create index claim_of_incident on claim (town, incident);
create index claim_of_incident_shown on claim (town, (incident::text), id);
create index claim_of_insured on claim (town, insured, id);
create index claim_of_household on claim (town, household, id) where household <> '';
create index claim_of_peril on claim (town, peril, id);
create index claim_of_insurers on claim using gin (insurers);
create index claim_that_waits on claim (town, due, id) where due is not null;
create index claim_happened on claim (town, happened_on, id);
create index claim_reported on claim (town, reported_on, id);
create trigger claim_is_kept before delete or truncate on claim for each statement execute function is_kept();

-- What was reported stays; what is paid or ended stays as it is.
create function claim_stays() returns trigger language plpgsql as $$
begin
    if (new.town, new.id, new.number, new.incident, new.event, new.peril, new.object, new.happened_on, new.reported_on, new.place_kind, new.place, new.insured,
        new.claimant, new.household, new.reported_by, new.reported_person, new.created)
        is distinct from (old.town, old.id, old.number, old.incident, old.event, old.peril, old.object, old.happened_on, old.reported_on,
                          old.place_kind, old.place, old.insured, old.claimant, old.household, old.reported_by, old.reported_person, old.created) then
        perform refuse('claim_identity_stays', format('claim %s', old.number));
    end if;
    if old.state in ('WITHDRAWN', 'DISMISSED') and new.state <> old.state
        or old.state = 'PAID' and new.state not in ('PAID', 'CLOSED')
        or old.state = 'CLOSED' and old.paid_fen > 0 and new.state <> 'CLOSED' then
        perform refuse('claim_ended_stays', format('claim %s is %s', old.number, old.state));
    end if;
    if old.paid_fen > new.paid_fen or old.appealed and not new.appealed then
        perform refuse('claim_paid_stays', format('claim %s', old.number));
    end if;
    return new;
end
$$;
create trigger claim_stays before update on claim for each row execute function claim_stays();

-- The legs of a claim: in which state it was from when to when.
create table claim_leg (
    town    text    not null,
    claim   uuid    not null,
    n       integer not null check (n > 0),
    state   text    not null,
    entered date    not null,
    left_on date,
    due     date,
    primary key (town, claim, n),
    foreign key (town, claim) references claim (town, id)
);
create index claim_leg_left on claim_leg (town, left_on, state) where left_on is not null;
create function claim_goes_on() returns trigger language plpgsql security definer set search_path from current as $$
declare
    last integer;
begin
    if tg_op = 'UPDATE' and new.state = old.state then
        update claim_leg set due = new.due where town = new.town and claim = new.id and left_on is null;
        return null;
    end if;
    update claim_leg set left_on = greatest(entered, new.since) where town = new.town and claim = new.id and left_on is null;
    select coalesce(max(n), 0) into last from claim_leg where town = new.town and claim = new.id;
    insert into claim_leg (town, claim, n, state, entered, due) values (new.town, new.id, last + 1, new.state, new.since, new.due);
    return null;
end
$$;
create trigger claim_goes_on after insert or update of state, due on claim for each row execute function claim_goes_on();

-- 受益人: the parts of a claim add up to the whole.
create table claim_beneficiary (
    town      text    not null,
    claim     uuid    not null,
    n         integer not null check (n > 0),
    person    text    not null check (person <> ''),
    share_ppm integer not null check (share_ppm between 1 and 1000000),
    relation  text    not null default '' check (relation ~ '^([A-Z][A-Z0-9_]{0,39})?$'),
    primary key (town, claim, n),
    constraint claim_beneficiary_once unique (town, claim, person),
    foreign key (town, claim) references claim (town, id)
);
create index claim_beneficiary_of_person on claim_beneficiary (town, person);
create function beneficiaries_share_the_whole() returns trigger language plpgsql as $$
declare
    its_claim uuid := (case tg_table_name when 'claim' then to_jsonb(coalesce(new, old)) ->> 'id' else to_jsonb(coalesce(new, old)) ->> 'claim' end)::uuid;
    its_town  text := to_jsonb(coalesce(new, old)) ->> 'town';
begin
    if (select coalesce(sum(b.share_ppm), 0) from claim_beneficiary b where b.town = its_town and b.claim = its_claim) <> 1000000 then
        perform refuse('beneficiaries_share_the_whole', format('claim %s', its_claim));
    end if;
    return null;
end
$$;
create constraint trigger beneficiaries_share_the_whole after insert or update or delete on claim_beneficiary
    deferrable initially deferred for each row execute function beneficiaries_share_the_whole();
create constraint trigger claim_has_beneficiaries after insert on claim
    deferrable initially deferred for each row execute function beneficiaries_share_the_whole();

-- 定损: each assessment is kept.
create table claim_assessment (
    town            text    not null,
    claim           uuid    not null,
    n               integer not null check (n > 0),
    assessed_fen    bigint  not null check (assessed_fen >= 0),
    grade           integer check (grade between 1 and 10),
    assessed_on     date    not null,
    assessed_by     text    not null,
    assessed_person text    not null default '',
    primary key (town, claim, n),
    foreign key (town, claim) references claim (town, id)
);
create trigger claim_assessment_never_changes before update or delete or truncate on claim_assessment for each statement execute function never_changes();

-- 核赔决定: what it rests on stands with it; a later one never changes it.
create table claim_decision (
    town               text    not null,
    claim              uuid    not null,
    n                  integer not null check (n > 0),
    outcome            text    not null check (outcome in ('APPROVED', 'IN_PART', 'REJECTED')),
    rule               text,
    assessed_fen       bigint  not null check (assessed_fen >= 0),
    grade              integer check (grade between 1 and 10),
    documents_complete boolean not null,
    approved_fen       bigint  not null check (approved_fen >= 0),
    -- the facts as the rules took them: days, residences, what was drawn on each limit before
    facts              jsonb   not null,
    decided_on         date    not null,
    decided_by         text    not null,
    decided_person     text    not null default '',
    created            timestamptz not null default clock_timestamp(),
    primary key (town, claim, n),
    foreign key (town, claim) references claim (town, id),
    constraint claim_decision_pays_as_it_says check ((outcome = 'REJECTED') = (approved_fen = 0) and (rule is null) = (outcome = 'APPROVED'))
);
create trigger claim_decision_never_changes before update or delete or truncate on claim_decision for each statement execute function never_changes();

create table claim_line (
    town         text    not null,
    claim        uuid    not null,
    decision     integer not null,
    n            integer not null check (n > 0),
    programme    text    not null,
    policy       text    not null,
    version      integer not null,
    insurer      text    not null,
    outcome      text    not null check (outcome in ('APPROVED', 'REJECTED', 'NOT_COVERED')),
    rule         text,
    -- whether the benefit is a part of the loss
    loss         boolean not null,
    claimed_fen  bigint,
    seen_fen     bigint  not null check (seen_fen >= 0),
    -- fixed benefits that were paid before for this person and event
    fixed_before_fen bigint not null default 0 check (fixed_before_fen >= 0),
    covered_fen  bigint  not null check (covered_fen >= 0),
    approved_fen bigint  not null check (approved_fen >= 0),
    trace        jsonb   not null,
    primary key (town, claim, decision, n),
    constraint claim_line_once unique (town, claim, decision, programme),
    constraint claim_line_within_its_benefit check (approved_fen <= covered_fen and (not loss or approved_fen <= seen_fen)),
    constraint claim_line_pays_as_it_says check ((approved_fen > 0) = (outcome = 'APPROVED') and (rule is null) = (outcome = 'APPROVED')),
    foreign key (town, claim, decision) references claim_decision (town, claim, n),
    foreign key (town, policy, version) references policy_version (town, policy, n)
);
create index claim_line_of_policy on claim_line (town, policy);
create trigger claim_line_never_changes before update or delete or truncate on claim_line for each statement execute function never_changes();

-- What was drawn on each limit 限额: moved by the draws below alone. `subject` is a person, a household, an event, or empty for the policy.
create table cap_used (
    town     text    not null,
    policy   text    not null,
    cap      text    not null check (cap in ('BENEFIT_PERSON_YEAR', 'BENEFIT_HOUSEHOLD_YEAR', 'BENEFIT_EVENT', 'PERSON_YEAR', 'HOUSEHOLD_YEAR',
                                             'EVENT', 'YEAR', 'FIXED_EVENT')),
    peril    text    not null default '',
    subject  text    not null default '',
    year     integer not null,
    used_fen bigint  not null default 0,
    primary key (town, policy, cap, peril, subject, year),
    constraint cap_not_below_zero check (used_fen >= 0)
);

-- A decision draws what it approves on every limit of its policy; a reversal gives the same back.
create table claim_draw (
    town       text    not null,
    claim      uuid    not null,
    decision   integer not null,
    policy     text    not null,
    version    integer not null,
    cap        text    not null,
    peril      text    not null default '',
    subject    text    not null default '',
    year       integer not null,
    -- below zero: given back
    amount_fen bigint  not null check (amount_fen <> 0),
    -- of fixed benefits for one person and event the highest; for others the policy says it
    limit_fen  bigint,
    primary key (town, claim, decision, policy, cap, amount_fen),
    foreign key (town, claim, decision) references claim_decision (town, claim, n)
);
-- given once, given back once
create unique index claim_draw_once on claim_draw (town, claim, decision, policy, cap, (amount_fen > 0));
create trigger claim_draw_never_changes before update or delete or truncate on claim_draw for each statement execute function never_changes();

-- Locks limits in one order and says what was drawn on each: nobody else draws on them until the end of the transaction.
create function lock_caps(of_town text, policies text[], caps text[], perils text[], subjects text[], years integer[])
    returns table (n bigint, used_fen bigint) language plpgsql security definer set search_path from current as $$
begin
    insert into cap_used (town, policy, cap, peril, subject, year)
        select distinct of_town, k.policy, k.cap, k.peril, k.subject, k.year
        from unnest(policies, caps, perils, subjects, years) as k (policy, cap, peril, subject, year)
        order by 2, 3, 4, 5, 6
        on conflict do nothing;
    perform from cap_used u
        where u.town = of_town and (u.policy, u.cap, u.peril, u.subject, u.year) in (
            select k.policy, k.cap, k.peril, k.subject, k.year from unnest(policies, caps, perils, subjects, years) as k (policy, cap, peril, subject, year))
        order by u.policy, u.cap, u.peril, u.subject, u.year for update;
    return query select k.n, u.used_fen
        from unnest(policies, caps, perils, subjects, years) with ordinality as k (policy, cap, peril, subject, year, n)
            join cap_used u on u.town = of_town and (u.policy, u.cap, u.peril, u.subject, u.year) = (k.policy, k.cap, k.peril, k.subject, k.year);
end
$$;

create function claim_draw_moves_its_cap() returns trigger language plpgsql security definer set search_path from current as $$
declare
    most bigint;
    used bigint;
    given bigint;
    pool text;
begin
    if new.amount_fen < 0 then
        select d.amount_fen into given from claim_draw d where (d.town, d.claim, d.decision, d.policy, d.cap) =
            (new.town, new.claim, new.decision, new.policy, new.cap) and d.amount_fen > 0
            and (d.peril, d.subject, d.year) = (new.peril, new.subject, new.year);
        if given is distinct from -new.amount_fen then
            perform refuse('claim_draw_gives_back_what_it_took', format('%s of claim %s', new.cap, new.claim));
        end if;
        if exists (select from claim_payment p where (p.town, p.claim) = (new.town, new.claim)) then
            perform refuse('claim_paid_draws_stay', format('%s of claim %s', new.cap, new.claim));
        end if;
    end if;
    most := case new.cap when 'FIXED_EVENT' then new.limit_fen else cap_limit(new.town, new.policy, new.version, new.cap, new.peril) end;
    -- of one person and event the highest fixed benefit is paid, whichever policy pays it
    pool := case new.cap when 'FIXED_EVENT' then '' else new.policy end;
    insert into cap_used (town, policy, cap, peril, subject, year)
        values (new.town, pool, new.cap, new.peril, new.subject, new.year) on conflict do nothing;
    update cap_used u set used_fen = u.used_fen + new.amount_fen
        where (u.town, u.policy, u.cap, u.peril, u.subject, u.year) = (new.town, pool, new.cap, new.peril, new.subject, new.year)
        returning u.used_fen into used;
    if new.amount_fen > 0 and (most is null or used > most) then
        perform refuse('cap_not_exceeded', format('%s of %s: %s of %s', new.cap, new.policy, used, most));
    end if;
    return null;
end
$$;
create trigger claim_draw_moves_its_cap after insert on claim_draw for each row execute function claim_draw_moves_its_cap();

-- A line that pays has drawn it on every limit that its policy sets for the peril, for the right person, household and event; the lines add up
-- to the decision, and those that are parts of the loss never to more than the loss.
create function claim_line_draws_what_it_pays() returns trigger language plpgsql security definer set search_path from current as $$
declare
    its record;
    cap_name text;
    wanted text;
begin
    -- limits are of the policy's own year, which its first day names
    select c.peril, c.insured, c.household, c.event, extract(year from p.starts)::integer as year into its
        from claim c join policy p on p.town = c.town and p.id = new.policy where c.town = new.town and c.id = new.claim;
    if new.approved_fen > 0 then
        foreach cap_name in array array['BENEFIT_PERSON_YEAR', 'BENEFIT_HOUSEHOLD_YEAR', 'BENEFIT_EVENT', 'PERSON_YEAR', 'HOUSEHOLD_YEAR', 'EVENT', 'YEAR'] loop
            continue when cap_limit(new.town, new.policy, new.version, cap_name, its.peril) is null;
            wanted := case when cap_name like '%PERSON_YEAR' then its.insured when cap_name like '%HOUSEHOLD_YEAR' then its.household
                when cap_name like '%EVENT' then its.event::text else '' end;
            if not exists (select from claim_draw d where (d.town, d.claim, d.decision, d.policy, d.version, d.cap) =
                    (new.town, new.claim, new.decision, new.policy, new.version, cap_name)
                    and d.amount_fen = new.approved_fen and d.subject = wanted and d.year = its.year
                    and d.peril = case when cap_name like 'BENEFIT%' then its.peril else '' end) then
                perform refuse('claim_line_draws_what_it_pays', format('%s of claim %s', cap_name, new.claim));
            end if;
        end loop;
        if not new.loss and not exists (select from claim_draw d where (d.town, d.claim, d.decision, d.policy, d.cap) =
                (new.town, new.claim, new.decision, new.policy, 'FIXED_EVENT') and d.amount_fen = new.approved_fen
                and d.subject = its.insured || '/' || its.event and d.limit_fen <= new.covered_fen + new.fixed_before_fen) then
            perform refuse('claim_line_draws_what_it_pays', format('FIXED_EVENT of claim %s', new.claim));
        end if;
    end if;
    if exists (select from claim_decision d where (d.town, d.claim, d.n) = (new.town, new.claim, new.decision) and (
            d.approved_fen <> (select sum(l.approved_fen) from claim_line l where (l.town, l.claim, l.decision) = (d.town, d.claim, d.n))
            or d.assessed_fen < (select coalesce(sum(l.approved_fen) filter (where l.loss), 0) from claim_line l
                                 where (l.town, l.claim, l.decision) = (d.town, d.claim, d.n)))) then
        perform refuse('claim_lines_make_the_decision', format('claim %s', new.claim));
    end if;
    return null;
end
$$;
create constraint trigger claim_line_draws_what_it_pays after insert on claim_line
    deferrable initially deferred for each row execute function claim_line_draws_what_it_pays();

-- The decision in force is the last one, and says what the claim says; one that was taken back has given back what it drew.
create function claim_stands_by_its_decision() returns trigger language plpgsql security definer set search_path from current as $$
declare
    stands record;
begin
    select c.number, c.state, c.decision, c.outcome, c.approved_fen, c.appealed into stands from claim c where c.town = new.town and c.id = new.id;
    if stands.decision is not null and not exists (select from claim_decision d
            where (d.town, d.claim, d.n, d.outcome, d.approved_fen) = (new.town, new.id, stands.decision, stands.outcome, stands.approved_fen)
                and d.n = (select max(l.n) from claim_decision l where l.town = new.town and l.claim = new.id)) then
        perform refuse('claim_stands_by_its_decision', format('claim %s', stands.number));
    end if;
    if exists (select from claim_draw d where d.town = new.town and d.claim = new.id and d.decision is distinct from stands.decision
            group by d.decision, d.policy, d.cap having sum(d.amount_fen) <> 0) then
        perform refuse('claim_gives_back_what_is_reversed', format('claim %s', stands.number));
    end if;
    return null;
end
$$;
create constraint trigger claim_stands_by_its_decision after update of decision, outcome, approved_fen, state on claim
    deferrable initially deferred for each row execute function claim_stands_by_its_decision();

-- 赔付: each line is paid once, what was decided, while nothing is objected and the notice is over, by another than who decided.
create table claim_payment (
    town             text   not null,
    claim            uuid   not null,
    programme        text   not null,
    decision         integer not null,
    insurer          text   not null,
    amount_fen       bigint not null check (amount_fen > 0),
    paid_on          date   not null,
    reference        text   not null check (reference <> ''),
    file             uuid,
    recorded_by      text   not null,
    recorded_person  text   not null default '',
    confirmed_on     date,
    confirmed_by     text,
    confirmed_person text   not null default '',
    created          timestamptz not null default clock_timestamp(),
    primary key (town, claim, programme),
    constraint claim_payment_reference_once unique (town, insurer, reference),
    constraint claim_payment_confirmed_whole check (num_nonnulls(confirmed_on, confirmed_by) in (0, 2) and confirmed_on >= paid_on),
    constraint claim_payment_confirmed_by_another check (coalesce(are_two(recorded_by, recorded_person, confirmed_by, confirmed_person), true)),
    foreign key (town, claim) references claim (town, id)
);
create index claim_payment_of_day on claim_payment (town, paid_on);

create function claim_payment_pays_what_is_decided() returns trigger language plpgsql security definer set search_path from current as $$
declare
    stands record;
begin
    select c.number, c.state, c.decision, c.open_objections, c.notice_ends, c.adjudicated_by, c.adjudicated_person into stands
        from claim c where c.town = new.town and c.id = new.claim for update;
    if stands.open_objections > 0 or stands.state = 'OBJECTED' then
        perform refuse('claim_objected_is_not_paid', format('claim %s', stands.number));
    end if;
    if stands.state <> 'NOTICE' or new.paid_on <= stands.notice_ends
        or new.paid_on < (select max(o.answered_on) from claim_objection o where o.town = new.town and o.claim = new.claim) then
        perform refuse('claim_noticed_before_it_is_paid', format('claim %s is %s', stands.number, stands.state));
    end if;
    if not exists (select from claim_line l where (l.town, l.claim, l.decision, l.programme, l.insurer, l.approved_fen) =
            (new.town, new.claim, stands.decision, new.programme, new.insurer, new.amount_fen) and l.decision = new.decision) then
        perform refuse('claim_payment_pays_what_is_decided', format('claim %s', stands.number));
    end if;
    if not are_two(new.recorded_by, new.recorded_person, stands.adjudicated_by, stands.adjudicated_person) then
        perform refuse('claim_paid_by_another', format('claim %s', stands.number));
    end if;
    return new;
end
$$;
create trigger claim_payment_pays_what_is_decided before insert on claim_payment for each row execute function claim_payment_pays_what_is_decided();
create function claim_payment_stays() returns trigger language plpgsql as $$
begin
    if old.confirmed_on is not null
        or (to_jsonb(new) - array['confirmed_on', 'confirmed_by', 'confirmed_person']) <> (to_jsonb(old) - array['confirmed_on', 'confirmed_by', 'confirmed_person']) then
        perform refuse('claim_payment_stays', format('claim %s', old.claim));
    end if;
    return new;
end
$$;
create trigger claim_payment_stays before update on claim_payment for each row execute function claim_payment_stays();
create trigger claim_payment_is_kept before delete or truncate on claim_payment for each statement execute function is_kept();

-- What a claim says was paid is what was paid.
create function claim_counts_its_payments() returns trigger language plpgsql as $$
declare
    its_claim uuid := (case tg_table_name when 'claim' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'claim' end)::uuid;
    stands    record;
begin
    select c.number, c.state, c.paid_fen into stands from claim c where c.town = new.town and c.id = its_claim;
    if stands.paid_fen <> (select coalesce(sum(p.amount_fen), 0) from claim_payment p where p.town = new.town and p.claim = its_claim) then
        perform refuse('claim_counts_its_payments', format('claim %s', stands.number));
    end if;
    if stands.state = 'CLOSED' and exists (select from claim_payment p where p.town = new.town and p.claim = its_claim and p.confirmed_on is null) then
        perform refuse('claim_confirmed_before_it_is_closed', format('claim %s', stands.number));
    end if;
    return null;
end
$$;
create constraint trigger claim_counts_its_payments after update of paid_fen, state on claim
    deferrable initially deferred for each row execute function claim_counts_its_payments();
create constraint trigger claim_payment_is_counted after insert on claim_payment
    deferrable initially deferred for each row execute function claim_counts_its_payments();

-- 异议: text and answer may name people and are sealed.
create table claim_objection (
    town            text        not null,
    id              uuid        not null,
    claim           uuid        not null,
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
    foreign key (town, claim) references claim (town, id),
    constraint claim_objection_answered_as_its_state_says
        check (num_nonnulls(answer_sealed, answered_on, answered_by) = case when state = 'ANSWERED' then 3 else 0 end),
    constraint claim_objection_answered_by_another
        check (coalesce(are_two(objected_by, objected_person, answered_by, answered_person), true))
);
create index claim_objection_of on claim_objection (town, claim, id);
create trigger claim_objection_is_kept before delete or truncate on claim_objection for each statement execute function is_kept();
create function claim_objection_stays() returns trigger language plpgsql as $$
begin
    if old.state <> 'OPEN' or (to_jsonb(new) - array['state', 'answer_sealed', 'answered_on', 'answered_by', 'answered_person'])
            <> (to_jsonb(old) - array['state', 'answer_sealed', 'answered_on', 'answered_by', 'answered_person']) then
        perform refuse('claim_objection_stays', format('objection %s', old.id));
    end if;
    if new.state = 'ANSWERED' and exists (select from claim c where c.town = new.town and c.id = new.claim
            and not are_two(c.adjudicated_by, c.adjudicated_person, new.answered_by, new.answered_person)) then
        perform refuse('claim_objection_answered_by_no_adjudicator', format('objection %s', old.id));
    end if;
    return new;
end
$$;
create trigger claim_objection_stays before update on claim_objection for each row execute function claim_objection_stays();
create function claim_counts_objections() returns trigger language plpgsql as $$
declare
    its_claim uuid := (case tg_table_name when 'claim' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'claim' end)::uuid;
    stands    record;
begin
    select c.number, c.open_objections into stands from claim c where c.town = new.town and c.id = its_claim for update;
    if stands.open_objections <> (select count(*) from claim_objection o where o.town = new.town and o.claim = its_claim and o.state = 'OPEN') then
        perform refuse('claim_open_objection', format('claim %s', stands.number));
    end if;
    return null;
end
$$;
create constraint trigger claim_counts_objections after update of state, open_objections on claim
    deferrable initially deferred for each row execute function claim_counts_objections();
create constraint trigger claim_objection_is_counted after insert or update on claim_objection
    deferrable initially deferred for each row execute function claim_counts_objections();

-- After an appeal other people decide: who decided before doesn't again.
create function claim_appeal_decided_by_another() returns trigger language plpgsql as $$
begin
    if exists (select from claim c where c.town = new.town and c.id = new.claim and c.appealed)
        and exists (select from claim_decision d where d.town = new.town and d.claim = new.claim and d.n < new.n
                and not are_two(d.decided_by, d.decided_person, new.decided_by, new.decided_person)) then
        perform refuse('claim_appeal_decided_by_another', format('claim %s', new.claim));
    end if;
    if exists (select from claim_assessment a where a.town = new.town and a.claim = new.claim
            and not are_two(a.assessed_by, a.assessed_person, new.decided_by, new.decided_person)) then
        perform refuse('claim_decided_by_no_assessor', format('claim %s', new.claim));
    end if;
    return new;
end
$$;
create trigger claim_appeal_decided_by_another before insert on claim_decision for each row execute function claim_appeal_decided_by_another();

-- 赔付回单: what an insurer's file said, line by line; a file is read once.
create table payment_file (
    town            text        not null,
    id              uuid        not null,
    insurer         text        not null,
    sha256          bytea       not null check (octet_length(sha256) = 32),
    received_on     date        not null,
    received_by     text        not null,
    received_person text        not null default '',
    created         timestamptz not null default clock_timestamp(),
    primary key (town, id)
);
create index payment_file_of_bytes on payment_file (town, insurer, sha256);
create table payment_file_line (
    town         text    not null,
    file         uuid    not null,
    n            integer not null check (n > 0),
    row          integer not null,
    claim        uuid,
    claim_number text    not null,
    programme    text    not null,
    amount_fen   bigint  not null,
    paid_on      date    not null,
    reference    text    not null,
    result       text    not null check (result in ('MATCHED', 'KNOWN', 'REFUSED')),
    reason       text    not null default '',
    said_zh      text    not null default '',
    said_en      text    not null default '',
    primary key (town, file, n),
    constraint payment_file_line_says_why check ((reason <> '') = (result = 'REFUSED')),
    foreign key (town, file) references payment_file (town, id)
);
create trigger payment_file_never_changes before update or delete or truncate on payment_file for each statement execute function never_changes();
create trigger payment_file_line_never_changes before update or delete or truncate on payment_file_line for each statement execute function never_changes();

-- What the service's role must not do, asked for after the general grants.
create function service_grants(service_role name) returns void language plpgsql as $$
begin
    execute format('revoke insert, update, delete, truncate on cap_used, claim_leg from %I', service_role);
    execute format('revoke update, delete, truncate on claim_draw, claim_line, claim_decision, claim_assessment from %I', service_role);
end
$$;
