-- Bodies and who sits on them.

-- What each level can have, and must: data. `minimum` is that of a founded one; a town may set its own.
create table body_kind (
    kind    text    not null check (kind ~ '^[A-Z][A-Z_]{0,62}$'),
    level   text    not null check (level in ('TOWN', 'COMMUNITY', 'COMMITTEE', 'ESTATE')),
    minimum integer not null check (minimum between 0 and 100),
    clause  text    not null,
    zh      text    not null,
    en      text    not null,
    primary key (kind, level)
);
insert into body_kind (kind, level, minimum, clause, zh, en) values
    ('JOINT_CONFERENCE', 'TOWN', 1, 'Work points 1.1', '镇联席会议', 'joint conference of the town'),
    ('JOINT_CONFERENCE', 'COMMUNITY', 1, 'Work points 1.1', '社区联席会议', 'joint conference of the community'),
    ('JOINT_CONFERENCE', 'COMMITTEE', 0, 'Work points 1.1', '居民区联席会议', 'joint conference of the residential area'),
    ('PROJECT_COUNCIL', 'TOWN', 1, 'Work points 2.3', 'We家社区共营自治项目理事会', 'project council'),
    ('OFFICE', 'TOWN', 1, 'Work points 2.3', '一办三团·办公室', 'office of the project council'),
    ('LEADING_GROUP', 'TOWN', 1, 'Work points 2.3', '一办三团·领导团', 'leading group'),
    ('ADVISORY_GROUP', 'TOWN', 1, 'Work points 2.3', '一办三团·顾问团', 'advisory group'),
    ('DELIBERATION_GROUP', 'TOWN', 1, 'Work points 2.3', '一办三团·议事团', 'deliberation group'),
    ('COMMUNITY_REPRESENTATIVES', 'COMMUNITY', 1, 'Work points 1.2', '社区代表会议', 'assembly of community representatives'),
    ('COMMUNITY_COMMITTEE', 'COMMUNITY', 1, 'Work points 1.2', '社区委员会', 'community committee'),
    ('SUPERVISION_COMMITTEE', 'COMMUNITY', 1, 'Work points 2.1', '社区监督委员会', 'supervision committee of the community'),
    ('SUPERVISION_COMMITTEE', 'COMMITTEE', 0, 'Work points 2.1', '居务监督委员会', 'supervision committee of the residential area'),
    ('TASK_FORCE_LIAISON', 'COMMUNITY', 1, 'Work points 1.2', '专项工作组·工作共联', 'task force: liaison'),
    ('TASK_FORCE_ASSISTANCE', 'COMMUNITY', 1, 'Work points 1.2', '专项工作组·管理共助', 'task force: mutual assistance'),
    ('TASK_FORCE_ENVIRONMENT', 'COMMUNITY', 1, 'Work points 1.2', '专项工作组·环境共治', 'task force: environment'),
    ('TASK_FORCE_SAFETY', 'COMMUNITY', 1, 'Work points 1.2', '专项工作组·安全共管', 'task force: safety'),
    ('TASK_FORCE_CIVILITY', 'COMMUNITY', 1, 'Work points 1.2', '专项工作组·文明共创', 'task force: civility'),
    ('PARTY_BRANCH', 'COMMITTEE', 1, 'Work points 1.3', '居民区党支部', 'party branch'),
    ('RESIDENTS_COMMITTEE', 'COMMITTEE', 1, 'Work points 1.3', '居委会', 'residents'' committee'),
    ('STEWARD_COUNCIL', 'COMMITTEE', 1, 'Work points 2.1', '管家议事会', 'council of stewards'),
    ('SELF_GOVERNANCE_FEDERATION', 'COMMITTEE', 1, 'Work points 2.3', '一会一组·社区自治联合会', 'federation for self-governance'),
    ('PROJECT_GROUP', 'COMMITTEE', 1, 'Work points 2.3', '一会一组·自治项目小组', 'project group'),
    ('SPECIAL_COMMITTEE_MEDIATION', 'COMMITTEE', 1, 'Work points 2.1', '专业工作委员会·人民调解', 'special committee: mediation'),
    ('SPECIAL_COMMITTEE_SECURITY', 'COMMITTEE', 1, 'Work points 2.1', '专业工作委员会·治安保卫', 'special committee: security'),
    ('SPECIAL_COMMITTEE_PUBLIC_HEALTH', 'COMMITTEE', 1, 'Work points 2.1', '专业工作委员会·公共卫生', 'special committee: public health'),
    ('SPECIAL_COMMITTEE_WELFARE', 'COMMITTEE', 1, 'Work points 2.1', '专业工作委员会·民政福利', 'special committee: welfare'),
    ('SPECIAL_COMMITTEE_CULTURE', 'COMMITTEE', 1, 'Work points 2.1', '专业工作委员会·文化教育', 'special committee: culture and education'),
    ('OWNERS_COMMITTEE', 'ESTATE', 0, 'Work points 1.3', '业委会', 'owners'' committee');
create table town_body_kind (
    town    text    not null references town,
    kind    text    not null,
    level   text    not null,
    minimum integer not null check (minimum between 0 and 100),
    version bigint  not null default 1,
    primary key (town, kind, level),
    foreign key (kind, level) references body_kind (kind, level)
);

create table body (
    town    text        not null references town,
    id      text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    level   text        not null,
    kind    text        not null,
    life    daterange   not null check (not isempty(life) and lower_inc(life) and not upper_inc(life)),
    version bigint      not null default 1,
    created timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    primary key (town, id),
    -- an owners' committee belongs to an estate: the kind says at which levels it can be
    constraint body_kind_at_its_level foreign key (kind, level) references body_kind (kind, level)
);
create table body_period (
    town         text      not null,
    id           uuid      not null,
    body         text      not null,
    valid        daterange not null check (not isempty(valid) and lower_inc(valid) and not upper_inc(valid)),
    recorded     tstzrange not null check (not isempty(recorded)),
    display_name text      not null,
    seats        integer   not null check (seats between 1 and 1000),
    quorum       integer   not null check (quorum between 1 and 1000),
    community    text,
    committee    text,
    estate       text,
    reason       text      not null default '',
    primary key (town, id),
    foreign key (town, body) references body (town, id),
    foreign key (town, community) references community (town, id),
    foreign key (town, committee) references committee (town, id),
    foreign key (town, estate) references estate (town, id),
    check (num_nonnulls(community, committee, estate) <= 1),
    constraint body_quorum_within_seats check (quorum <= seats),
    constraint body_one_truth_per_day exclude using gist (town with =, body with =, valid with &&) where (upper_inf(recorded))
);
create index body_period_of on body_period (town, body);
create index body_period_community on body_period (town, community) where upper_inf(recorded);
create index body_period_committee on body_period (town, committee) where upper_inf(recorded);
create index body_period_estate on body_period (town, estate) where upper_inf(recorded);
create constraint trigger body_covered after insert or update on body
    deferrable initially deferred for each row execute function check_line_covered('body');
create constraint trigger body_period_covered after insert or update or delete on body_period
    deferrable initially deferred for each row execute function check_line_covered('body');

create function check_body_owner() returns trigger language plpgsql as $$
declare
    its_level text;
begin
    select level into its_level from body where town = new.town and id = new.body;
    if (its_level = 'COMMUNITY') is distinct from (new.community is not null)
        or (its_level = 'COMMITTEE') is distinct from (new.committee is not null)
        or (its_level = 'ESTATE') is distinct from (new.estate is not null) then
        raise exception using errcode = 'check_violation', constraint = 'body_owner_of_its_level', table = 'body_period',
            message = format('body %s belongs to a %s', new.body, its_level);
    end if;
    return new;
end
$$;
create trigger body_owner before insert on body_period for each row execute function check_body_owner();

create table membership (
    town     text      not null,
    id       uuid      not null,
    body     text      not null,
    seat     integer   not null check (seat > 0),
    person   text      not null,
    role     text      not null check (role in ('CHAIR', 'VICE_CHAIR', 'MEMBER', 'SECRETARY')),
    valid    daterange not null check (not isempty(valid) and lower_inc(valid) and not upper_inc(valid)),
    recorded tstzrange not null check (not isempty(recorded)),
    reason   text      not null default '',
    primary key (town, id),
    foreign key (town, body) references body (town, id),
    foreign key (town, person) references person (town, id),
    constraint membership_one_per_seat exclude using gist (town with =, body with =, seat with =, valid with &&)
        where (upper_inf(recorded)),
    constraint membership_person_once exclude using gist (town with =, body with =, person with =, valid with &&)
        where (upper_inf(recorded)),
    constraint membership_one_chair exclude using gist (town with =, body with =, valid with &&)
        where (upper_inf(recorded) and role = 'CHAIR')
);
create index membership_of on membership (town, body);
create index membership_by on membership (town, person);

-- A seat is one of those that the body has, on days on which it has it.
create function check_seats() returns trigger language plpgsql as $$
declare
    its_town text := coalesce(new.town, old.town);
    its_body text := coalesce(new.body, old.body);
begin
    perform from body where town = its_town and id = its_body for update;
    if exists (
        select from membership m where m.town = its_town and m.body = its_body and upper_inf(m.recorded)
            and not (datemultirange(m.valid) <@ coalesce((select range_agg(p.valid) from body_period p
                where p.town = m.town and p.body = m.body and p.seats >= m.seat and upper_inf(p.recorded)), '{}'))
    ) then
        raise exception using errcode = 'check_violation', constraint = 'membership_seat_exists', table = 'membership',
            message = format('body %s does not have a seat that is held', its_body);
    end if;
    return null;
end
$$;
create constraint trigger membership_seat after insert or update on membership
    deferrable initially deferred for each row execute function check_seats();
create constraint trigger body_period_seats after insert or update or delete on body_period
    deferrable initially deferred for each row execute function check_seats();

create trigger keep_believed before update on body_period for each row execute function keep_what_was_believed();
create trigger keep_believed before update on membership for each row execute function keep_what_was_believed();
