-- Outreach 宣传 (Work points 3.4): campaigns, what was placed where, and what people know.

create table campaign (
    town            text        not null,
    id              uuid        not null,
    -- the committee when it is for one alone, else ''
    committee       text        not null,
    title           text        not null check (title <> ''),
    starts_on       date        not null,
    ends_on         date        not null,
    state           text        not null default 'PLANNED' check (state in ('PLANNED', 'RUNNING', 'COMPLETED', 'CANCELLED')),
    planned_by      text        not null,
    planned_person  text        not null default '',
    begun_on        date,
    closed_on       date,
    reason          text        not null default '',
    version         bigint      not null default 1,
    created         timestamptz not null default clock_timestamp(),
    updated         timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint campaign_ends_after_it_starts check (starts_on < ends_on),
    constraint campaign_dated_as_its_state_says check (
        (closed_on is not null) = (state in ('COMPLETED', 'CANCELLED'))
        and (state = 'CANCELLED' or (begun_on is not null) = (state in ('RUNNING', 'COMPLETED')))),
    constraint campaign_begins_within_its_days check (begun_on is null or begun_on >= starts_on),
    constraint campaign_cancelled_with_reason check ((state = 'CANCELLED') = (reason <> ''))
);

create table campaign_committee (
    town      text not null,
    campaign  uuid not null,
    committee text not null check (committee <> ''),
    primary key (town, campaign, committee),
    foreign key (town, campaign) references campaign (town, id)
);
create index campaign_committee_of on campaign_committee (town, committee, campaign);

create table campaign_channel (
    town     text not null,
    campaign uuid not null,
    channel  text not null check (channel in ('BULLETIN_BOARD', 'SCREEN', 'BLACKBOARD', 'LEAFLET', 'POSTER', 'WECHAT', 'VISIT', 'OTHER')),
    primary key (town, campaign, channel),
    foreign key (town, campaign) references campaign (town, id)
);

create table campaign_programme (
    town      text not null,
    campaign  uuid not null,
    programme text not null,
    primary key (town, campaign, programme),
    foreign key (town, campaign) references campaign (town, id),
    foreign key (town, programme) references programme (town, id)
);
create index campaign_programme_of on campaign_programme (town, programme, campaign);

create function campaign_course() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform refuse('campaign_is_kept', format('campaign %s is never deleted', old.id));
    end if;
    if (new.town, new.id, new.planned_by, new.planned_person, new.created)
        is distinct from (old.town, old.id, old.planned_by, old.planned_person, old.created)
        or (old.begun_on is not null and new.begun_on is distinct from old.begun_on) then
        perform refuse('campaign_keeps_its_beginning', format('campaign %s', old.id));
    end if;
    if (new.committee, new.title, new.starts_on, new.ends_on) is distinct from (old.committee, old.title, old.starts_on, old.ends_on)
        and old.state <> 'PLANNED' then
        perform refuse('campaign_plan_is_fixed', format('campaign %s is %s', old.id, old.state));
    end if;
    if old.state in ('COMPLETED', 'CANCELLED') or (new.state <> old.state and not (
        (old.state = 'PLANNED' and new.state in ('RUNNING', 'CANCELLED'))
        or (old.state = 'RUNNING' and new.state in ('COMPLETED', 'CANCELLED')))) then
        perform refuse('campaign_course', format('campaign %s can''t go from %s to %s', old.id, old.state, new.state));
    end if;
    return new;
end
$$;
create trigger campaign_course before update or delete on campaign for each row execute function campaign_course();

-- What a campaign is for changes while it is planned alone. The lock keeps it from beginning meanwhile.
create function campaign_part_is_planned() returns trigger language plpgsql as $$
declare
    its_town     text;
    its_campaign uuid;
    stage        text;
begin
    if tg_op = 'DELETE' then
        its_town := old.town;
        its_campaign := old.campaign;
    else
        its_town := new.town;
        its_campaign := new.campaign;
    end if;
    select c.state into stage from campaign c where c.town = its_town and c.id = its_campaign for share;
    if tg_op = 'UPDATE' or stage <> 'PLANNED' then
        perform refuse('campaign_plan_is_fixed', format('campaign %s is %s', its_campaign, stage));
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    return new;
end
$$;
create trigger campaign_part_is_planned before insert or update or delete on campaign_committee
    for each row execute function campaign_part_is_planned();
create trigger campaign_part_is_planned before insert or update or delete on campaign_channel
    for each row execute function campaign_part_is_planned();
create trigger campaign_part_is_planned before insert or update or delete on campaign_programme
    for each row execute function campaign_part_is_planned();

-- A campaign is for some committees, by some channels, about some programmes, and tells its committee when it is for one alone.
create function campaign_parts_match(its_town text, its_id uuid) returns void language plpgsql as $$
declare
    told  text;
    many  bigint;
    alone text;
begin
    select c.committee into told from campaign c where c.town = its_town and c.id = its_id;
    select count(*), min(m.committee) into many, alone from campaign_committee m where m.town = its_town and m.campaign = its_id;
    if many = 0
        or not exists (select from campaign_channel h where h.town = its_town and h.campaign = its_id)
        or not exists (select from campaign_programme p where p.town = its_town and p.campaign = its_id) then
        perform refuse('campaign_is_whole', format('campaign %s lacks committees, channels or programmes', its_id));
    end if;
    if told <> (case when many = 1 then alone else '' end) then
        perform refuse('campaign_tells_its_committee', format('campaign %s', its_id));
    end if;
end
$$;
create function campaign_is_whole() returns trigger language plpgsql as $$
begin
    perform campaign_parts_match(new.town, new.id);
    return null;
end
$$;
create function campaign_stays_whole() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform campaign_parts_match(old.town, old.campaign);
    else
        perform campaign_parts_match(new.town, new.campaign);
    end if;
    return null;
end
$$;
create constraint trigger campaign_is_whole after insert or update of committee on campaign
    deferrable initially deferred for each row execute function campaign_is_whole();
create constraint trigger campaign_stays_whole after insert or delete on campaign_committee
    deferrable initially deferred for each row execute function campaign_stays_whole();
create constraint trigger campaign_stays_whole after delete on campaign_channel
    deferrable initially deferred for each row execute function campaign_stays_whole();
create constraint trigger campaign_stays_whole after delete on campaign_programme
    deferrable initially deferred for each row execute function campaign_stays_whole();

-- A placement 点位. Never rewritten: what was recorded wrongly is taken back by a row of `placement_removal`.
create table placement (
    town               text        not null,
    id                 uuid        not null,
    campaign           uuid        not null,
    committee          text        not null,
    channel            text        not null,
    -- in words; '' when the estate says enough
    place              text        not null default '',
    -- the id of the estate in governance; '' when it is in none
    estate             text        not null default '',
    shown_from         date        not null,
    shown_to           date        not null,
    copies             integer     not null default 0 check (copies >= 0),
    households_reached integer     not null default 0 check (households_reached >= 0),
    people_reached     integer     not null default 0 check (people_reached >= 0),
    recorded_by        text        not null,
    recorded_person    text        not null default '',
    recorded_on        date        not null,
    created            timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, campaign) references campaign (town, id),
    constraint placement_in_a_committee_of_the_campaign
        foreign key (town, campaign, committee) references campaign_committee (town, campaign, committee),
    constraint placement_by_a_channel_of_the_campaign
        foreign key (town, campaign, channel) references campaign_channel (town, campaign, channel),
    constraint placement_ends_after_it_starts check (shown_from < shown_to),
    constraint placement_was_there check (shown_from <= recorded_on),
    constraint placement_says_where check (place <> '' or estate <> '')
);
create index placement_of_committee on placement (town, committee, id);
create index placement_of_campaign on placement (town, campaign, id);

create function placement_fits_its_campaign() returns trigger language plpgsql as $$
declare
    its campaign%rowtype;
begin
    select * into its from campaign c where c.town = new.town and c.id = new.campaign for share;
    if its.state <> 'RUNNING' then
        perform refuse('placement_of_a_running_campaign', format('campaign %s is %s', its.id, its.state));
    end if;
    if new.shown_from < its.starts_on or new.shown_to > its.ends_on then
        perform refuse('placement_within_the_campaign', format('campaign %s lasts from %s until %s', its.id, its.starts_on, its.ends_on));
    end if;
    return new;
end
$$;
create trigger placement_fits_its_campaign before insert on placement for each row execute function placement_fits_its_campaign();
create trigger placement_never_changes before update or delete on placement for each row execute function never_changes();

-- What shows a placement: files that were stored for its campaign.
create table placement_document (
    town      text    not null,
    placement uuid    not null,
    n         integer not null check (n > 0),
    document  uuid    not null,
    primary key (town, placement, n),
    constraint placement_document_once unique (town, placement, document),
    foreign key (town, placement) references placement (town, id),
    foreign key (town, document) references document (town, id)
);
create function placement_document_is_of_its_campaign() returns trigger language plpgsql as $$
begin
    if not exists (
            select from document d join placement p on p.town = new.town and p.id = new.placement
            where d.town = new.town and d.id = new.document and d.owner_kind = 'CAMPAIGN' and d.owner = p.campaign and d.state = 'STORED') then
        perform refuse('placement_document_is_of_its_campaign', format('document %s', new.document));
    end if;
    return new;
end
$$;
create trigger placement_document_is_of_its_campaign before insert on placement_document
    for each row execute function placement_document_is_of_its_campaign();
create trigger placement_document_never_changes before update or delete on placement_document
    for each row execute function never_changes();

-- A placement that was recorded wrongly is taken back, once.
create table placement_removal (
    town           text        not null,
    placement      uuid        not null,
    reason         text        not null constraint placement_removal_says_why check (reason <> ''),
    removed_by     text        not null,
    removed_person text        not null default '',
    removed_on     date        not null,
    created        timestamptz not null default clock_timestamp(),
    constraint placement_removed_once primary key (town, placement),
    foreign key (town, placement) references placement (town, id)
);
create trigger placement_removal_never_changes before update or delete on placement_removal
    for each row execute function never_changes();

-- How many of those asked knew of the insurance 知晓率.
create table awareness_sample (
    town            text        not null,
    id              uuid        not null,
    campaign        uuid        not null,
    committee       text        not null,
    surveyed_on     date        not null,
    asked           integer     not null constraint awareness_sample_asked_somebody check (asked > 0),
    aware           integer     not null,
    recorded_by     text        not null,
    recorded_person text        not null default '',
    recorded_on     date        not null,
    created         timestamptz not null default clock_timestamp(),
    primary key (town, id),
    unique (town, id, aware),
    foreign key (town, campaign) references campaign (town, id),
    constraint awareness_sample_in_a_committee_of_the_campaign
        foreign key (town, campaign, committee) references campaign_committee (town, campaign, committee),
    constraint awareness_sample_aware_are_among_the_asked check (aware between 0 and asked),
    constraint awareness_sample_was_taken check (surveyed_on <= recorded_on)
);
create index awareness_sample_of_committee on awareness_sample (town, committee, surveyed_on, id);
create index awareness_sample_of_campaign on awareness_sample (town, campaign, id);

create function awareness_sample_fits_its_campaign() returns trigger language plpgsql as $$
declare
    its campaign%rowtype;
begin
    select * into its from campaign c where c.town = new.town and c.id = new.campaign for share;
    if its.state not in ('RUNNING', 'COMPLETED') then
        perform refuse('awareness_sample_of_a_campaign_that_began', format('campaign %s is %s', its.id, its.state));
    end if;
    if new.surveyed_on < its.starts_on then
        perform refuse('awareness_sample_after_the_campaign_began', format('campaign %s starts on %s', its.id, its.starts_on));
    end if;
    return new;
end
$$;
create trigger awareness_sample_fits_its_campaign before insert on awareness_sample
    for each row execute function awareness_sample_fits_its_campaign();
create trigger awareness_sample_never_changes before update or delete on awareness_sample
    for each row execute function never_changes();

-- How those who knew had learned of it; nobody learned who didn't know.
create table awareness_channel (
    town    text    not null,
    sample  uuid    not null,
    aware   integer not null,
    channel text    not null check (channel in ('BULLETIN_BOARD', 'SCREEN', 'BLACKBOARD', 'LEAFLET', 'POSTER', 'WECHAT', 'VISIT', 'OTHER')),
    people  integer not null,
    primary key (town, sample, channel),
    foreign key (town, sample, aware) references awareness_sample (town, id, aware),
    constraint awareness_channel_people_are_among_the_aware check (people between 1 and aware)
);
create trigger awareness_channel_never_changes before update or delete on awareness_channel
    for each row execute function never_changes();
