-- Incidents 出险 (Work points 3.4): what happened is known before the family asks. What was reported stays as it was; verification, claim and
-- visits are added to it.

-- The last number of each year: 险-2020-000001.
create table incident_number (
    town text    not null,
    year integer not null check (year between 1900 and 2200),
    last integer not null check (last between 1 and 999999),
    primary key (town, year)
);

create table incident (
    town             text        not null,
    id               uuid        not null,
    number           text        not null check (number ~ '^险-[0-9]{4}-[0-9]{6}$'),
    number_year      integer     not null,
    state            text        not null check (state in ('REPORTED', 'VERIFIED', 'NOT_COVERED', 'CLAIMED', 'CLOSED')),
    peril            text        not null check (length(peril) between 1 and 63),
    happened_on      date        not null,
    place_kind       text        not null check (place_kind in ('HOUSEHOLD', 'ESTATE', 'TEXT')),
    -- the id of a household or estate, or words
    place            text        not null check (length(place) between 1 and 200),
    -- what happened: sealed
    description      bytea       not null,
    data_key         integer     not null check (data_key > 0),
    source           text        not null check (source in ('FINDING', 'POLICE', 'FIRE_SERVICE', 'STEWARD', 'FAMILY')),
    source_reference text        not null default '',
    -- ids of governance; empty where nobody or nothing is named
    person           text        not null default '',
    household        text        not null default '',
    committee        text        not null default '',
    block            text        not null default '',
    -- the incident that stands for the event: its own id, or that of another one
    event            uuid        not null,
    loss_fen         bigint      check (loss_fen > 0),
    reported_on      date        not null,
    reported_by      text        not null,
    reported_person  text        not null default '',
    verified_on      date,
    verified_by      text,
    verified_person  text        not null default '',
    covered          boolean,
    -- how often it was verified: the rows of incident_cover that count
    verification     integer     not null default 0 check (verification >= 0),
    -- the claim that was opened first, by its name
    claim            text        not null default '',
    visitor          text        not null default '',
    visit_due        date,
    visits           integer     not null default 0 check (visits >= 0),
    version          bigint      not null default 1,
    created          timestamptz not null default clock_timestamp(),
    updated          timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint incident_number_once unique (town, number),
    constraint incident_number_is_of_its_year check (substring(number from 3 for 4)::integer = number_year),
    constraint incident_reported_after_it_happened check (reported_on >= happened_on),
    constraint incident_verified_as_its_state_says check (case state
        when 'REPORTED' then num_nonnulls(verified_on, verified_by, covered) = 0
        when 'CLOSED' then num_nonnulls(verified_on, verified_by, covered) in (0, 3)
        else num_nonnulls(verified_on, verified_by, covered) = 3 and covered = (state <> 'NOT_COVERED') and verification > 0 end),
    constraint incident_claimed_as_its_state_says check (case state
        when 'VERIFIED' then claim = ''
        when 'CLAIMED' then claim <> ''
        else true end),
    constraint incident_of_event foreign key (town, event) references incident (town, id) deferrable initially deferred
);
-- the same person, peril, day and place once; of a dwelling also where nobody is named
create unique index incident_known on incident (town, peril, happened_on, place_kind, place, person)
    where state <> 'CLOSED' and (person <> '' or place_kind = 'HOUSEHOLD');
create index incident_of_committee on incident (town, committee, id);
create index incident_of_block on incident (town, block, id) where block <> '';
create index incident_of_state on incident (town, state, id);
create index incident_of_peril on incident (town, peril, id);
create index incident_of_day on incident (town, happened_on, id);
create index incident_of_person on incident (town, person, id);
create index incident_of_household on incident (town, household, id);
create index incident_by_event on incident (town, event, id);
create index incident_unclaimed on incident (town, id) where state = 'VERIFIED';

-- What each programme said of it when it was verified: codes and numbers, rendered in words when they are read.
create table incident_cover (
    town           text    not null,
    incident       uuid    not null,
    verification   integer not null check (verification > 0),
    n              integer not null check (n > 0),
    programme      text    not null,
    title          text    not null,
    policy         text    not null,
    policy_version integer not null check (policy_version > 0),
    rank           integer not null,
    -- the rule that says no; empty when it is covered
    rule           text    not null default '',
    -- [rule, input, effect], in their order
    trace          jsonb   not null check (jsonb_typeof(trace) = 'array'),
    primary key (town, incident, verification, n),
    foreign key (town, incident) references incident (town, id)
);

-- 走访: what was said may name people and is sealed.
create table incident_visit (
    town            text        not null,
    incident        uuid        not null,
    n               integer     not null check (n > 0),
    visited_on      date        not null,
    visitor         text        not null check (visitor <> ''),
    result          text        not null check (result in ('WILL_CLAIM', 'DECLINES', 'NOT_AT_HOME', 'OTHER')),
    text_sealed     bytea,
    data_key        integer     not null check (data_key > 0),
    recorded_by     text        not null,
    recorded_person text        not null default '',
    created         timestamptz not null default clock_timestamp(),
    primary key (town, incident, n),
    constraint visit_of_another_kind_says_what check (result <> 'OTHER' or text_sealed is not null),
    foreign key (town, incident) references incident (town, id)
);

-- What was reported stays; states go the ways of the table; what a new key seals anew says the same.
create function incident_stays() returns trigger language plpgsql as $$
begin
    if (new.town, new.id, new.number, new.number_year, new.peril, new.happened_on, new.place_kind, new.place, new.source, new.source_reference,
        new.person, new.household, new.committee, new.block, new.event, new.loss_fen, new.reported_on, new.reported_by, new.reported_person,
        new.created)
        is distinct from (old.town, old.id, old.number, old.number_year, old.peril, old.happened_on, old.place_kind, old.place, old.source,
                          old.source_reference, old.person, old.household, old.committee, old.block, old.event, old.loss_fen, old.reported_on,
                          old.reported_by, old.reported_person, old.created)
        or (new.description is distinct from old.description and new.data_key = old.data_key) then
        perform refuse('incident_identity_stays', format('incident %s', old.number));
    end if;
    if not (new.state = old.state or (old.state, new.state) in (
        ('REPORTED', 'VERIFIED'), ('REPORTED', 'NOT_COVERED'), ('REPORTED', 'CLOSED'), ('VERIFIED', 'CLAIMED'), ('VERIFIED', 'CLOSED'),
        ('NOT_COVERED', 'CLOSED'), ('CLAIMED', 'VERIFIED'), ('CLAIMED', 'CLOSED'), ('CLOSED', 'REPORTED'))) then
        perform refuse('incident_state_goes_its_way', format('incident %s from %s to %s', old.number, old.state, new.state));
    end if;
    if new.verification < old.verification or new.visits < old.visits then
        perform refuse('incident_counts_never_fall', format('incident %s', old.number));
    end if;
    return new;
end
$$;
create trigger incident_stays before update on incident for each row execute function incident_stays();

-- An event is an incident that stands for itself, so that limits of an event are those of one.
create function incident_event_stands_for_itself() returns trigger language plpgsql as $$
begin
    if new.event <> new.id and not exists (select from incident e where e.town = new.town and e.id = new.event and e.event = e.id) then
        perform refuse('incident_event_stands_for_itself', format('incident %s', new.number));
    end if;
    return new;
end
$$;
create trigger incident_event_stands_for_itself before insert on incident for each row execute function incident_event_stands_for_itself();

create function incident_visit_stays() returns trigger language plpgsql as $$
begin
    -- of a row that gets another key, the sealed column alone changes
    if new.data_key = old.data_key or (new.text_sealed is null) <> (old.text_sealed is null)
        or (to_jsonb(new) - array['text_sealed', 'data_key']) <> (to_jsonb(old) - array['text_sealed', 'data_key']) then
        perform refuse('incident_visit_never_changes', format('visit %s of %s', old.n, old.incident));
    end if;
    return new;
end
$$;
create trigger incident_visit_stays before update on incident_visit for each row execute function incident_visit_stays();

create trigger incident_is_kept before delete or truncate on incident for each statement execute function is_kept();
create trigger incident_visit_is_kept before delete or truncate on incident_visit for each statement execute function is_kept();
create trigger incident_cover_never_changes before update or delete or truncate on incident_cover for each statement execute function never_changes();
