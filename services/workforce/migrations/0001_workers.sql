-- Community workers 社区工作者 (Work points 4.1): employment, posts, leave, certificates. Governance has the persons; an identity number is
-- never stored here.

create table worker (
    town             text        not null,
    id               text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    -- a person of governance
    person           text        not null check (person ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    -- as on the duty board
    display_name     text        not null check (length(display_name) between 1 and 200),
    -- as in the identity number
    birth            date        not null,
    sex              text        not null check (sex in ('F', 'M')),
    schooling        text        not null check (schooling in ('JUNIOR_HIGH', 'HIGH_SCHOOL', 'COLLEGE', 'BACHELOR', 'MASTER', 'DOCTOR')),
    hired_on         date        not null,
    -- the first day after the probation 试用期 as agreed
    probation_ends   date,
    -- from when on the worker is confirmed 转正
    confirmed_on     date,
    -- the first day no longer employed
    left_on          date,
    recorded_by      text        not null,
    recorded_person  text        not null default '',
    confirmed_by     text        not null default '',
    confirmed_person text        not null default '',
    -- why the days were changed the last time
    reason           text        not null default '' check (length(reason) <= 2000),
    employed         daterange   not null generated always as (daterange(hired_on, left_on)) stored,
    -- the days that posts and gaps cover, as a line has them
    life             daterange   not null generated always as (daterange(hired_on, left_on)) stored,
    version          bigint      not null default 1,
    created          timestamptz not null default clock_timestamp(),
    updated          timestamptz not null default clock_timestamp(),
    primary key (town, id),
    -- the Labour Law 劳动法, article 15: nobody under 16
    constraint worker_is_of_age check (hired_on >= (birth + interval '16 years')::date),
    constraint worker_probation_lasts check (probation_ends > hired_on),
    constraint worker_confirmed_while_employed check (confirmed_on >= hired_on and (left_on is null or confirmed_on <= left_on)),
    constraint worker_without_probation_is_confirmed check (probation_ends is not null or confirmed_on is not distinct from hired_on),
    constraint worker_leaves_after_a_day check (left_on > hired_on),
    constraint worker_confirmed_by_another check (
        probation_ends is null or confirmed_on is null or are_two(recorded_by, recorded_person, confirmed_by, confirmed_person)),
    -- one person is employed once at a time
    constraint worker_employed_once exclude using gist (town with =, person with =, employed with &&)
);

-- What was believed of the days of an employment, from which instant on; the last one is believed now.
create table employment (
    town           text        not null,
    worker         text        not null,
    n              bigint      not null,
    hired_on       date        not null,
    probation_ends date,
    confirmed_on   date,
    left_on        date,
    reason         text        not null,
    recorded       timestamptz not null default clock_timestamp(),
    primary key (town, worker, n),
    foreign key (town, worker) references worker (town, id)
);
create function keep_employment() returns trigger language plpgsql as $$
begin
    insert into employment (town, worker, n, hired_on, probation_ends, confirmed_on, left_on, reason)
    values (new.town, new.id, (select coalesce(max(n), 0) + 1 from employment where town = new.town and worker = new.id), new.hired_on, new.probation_ends, new.confirmed_on, new.left_on, new.reason);
    return null;
end
$$;
create trigger keep_first_employment after insert on worker for each row execute function keep_employment();
create trigger keep_employment after update of hired_on, probation_ends, confirmed_on, left_on on worker for each row
    when ((old.hired_on, old.probation_ends, old.confirmed_on, old.left_on) is distinct from (new.hired_on, new.probation_ends, new.confirmed_on, new.left_on))
    execute function keep_employment();
create trigger kept before delete on worker for each row execute function is_kept();
create trigger written_once before update or delete on employment for each row execute function never_changes();

-- Posts 任职: for every day of an employment one entry, a post or a gap with its reason.
create table posting (
    town      text      not null,
    id        uuid      not null,
    worker    text      not null,
    kind      text      not null check (kind in ('POST', 'GAP')),
    committee text      not null default '' check (committee = '' or committee ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    post      text      not null default '' check (post in ('', 'WORKER', 'STEWARD', 'DIRECTOR', 'SECRETARY')),
    valid     daterange not null check (not isempty(valid)),
    recorded  tstzrange not null,
    reason    text      not null default '' check (length(reason) <= 2000),
    primary key (town, id),
    foreign key (town, worker) references worker (town, id),
    constraint posting_is_a_post_or_a_gap check (
        (kind = 'POST') = (committee <> '') and (kind = 'POST') = (post <> '') and (kind = 'POST' or reason <> '')),
    constraint postings_never_overlap exclude using gist (town with =, worker with =, valid with &&) where (upper_inf(recorded))
);
create index posting_of_committee on posting (town, committee, post) where upper_inf(recorded);
create index posting_of_worker on posting (town, worker);
create trigger keep_believed before update on posting for each row execute function keep_what_was_believed();
create trigger kept before delete on posting for each row execute function is_kept();

-- A worker has an entry for every day of the employment, and none outside it.
create function check_worker_posted() returns trigger language plpgsql as $$
declare
    its_worker text := case when tg_table_name = 'worker' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'worker' end;
    its_days   daterange;
    believed   datemultirange;
begin
    select employed into its_days from worker where town = new.town and id = its_worker for update;
    select coalesce(range_agg(valid), '{}') into believed from posting
        where town = new.town and worker = its_worker and upper_inf(recorded);
    if believed is distinct from datemultirange(its_days) then
        perform refuse('worker_posted_every_day', format('worker %s has days without a post or gap, or ones outside the employment', its_worker));
    end if;
    return null;
end
$$;
create constraint trigger worker_posted after insert or update on worker
    deferrable initially deferred for each row execute function check_worker_posted();
create constraint trigger posting_covers after insert or update on posting
    deferrable initially deferred for each row execute function check_worker_posted();

-- How many may hold a post of a committee 岗位职数; of those whose day has come the latest counts.
create table post_quota (
    town      text        not null,
    committee text        not null check (committee ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    post      text        not null check (post in ('WORKER', 'STEWARD', 'DIRECTOR', 'SECRETARY')),
    from_day  date        not null,
    persons   integer     not null check (persons between 0 and 1000),
    version   bigint      not null default 1,
    updated   timestamptz not null default clock_timestamp(),
    primary key (town, committee, post, from_day)
);

-- The first day on or after `since` on which more hold a post than its quota allows; null when there is none.
create function over_quota_on(its_town text, its_committee text, its_post text, since date) returns date language sql stable as $$
    with held as (
        select valid from posting
        where town = its_town and committee = its_committee and post = its_post and upper_inf(recorded)),
    quota as (
        select daterange(from_day, lead(from_day) over (order by from_day)) as days, persons from post_quota
        where town = its_town and committee = its_committee and post = its_post),
    -- numbers change on first days alone
    day as (
        select since as day union select lower(valid) from held union select lower(days) from quota)
    select min(d.day) from day d join quota q on q.days @> d.day
    where d.day >= since and (select count(*) from held h where h.valid @> d.day) > q.persons
$$;
create function check_post_quota() returns trigger language plpgsql as $$
declare
    its_committee text := to_jsonb(new) ->> 'committee';
    its_post      text := to_jsonb(new) ->> 'post';
    since         date := case when tg_table_name = 'post_quota' then (to_jsonb(new) ->> 'from_day')::date
                               else lower((to_jsonb(new) ->> 'valid')::daterange) end;
    day           date;
begin
    if its_committee = '' then
        return null;
    end if;
    -- two who take the last place wait for each other
    perform pg_advisory_xact_lock(hashtextextended(format('post %s %s %s', new.town, its_committee, its_post), 0));
    day := over_quota_on(new.town, its_committee, its_post, since);
    if day is not null then
        perform refuse('post_quota_kept', format('more hold the post %s of %s on %s than its quota allows', its_post, its_committee, day));
    end if;
    return null;
end
$$;
create constraint trigger post_quota_kept after insert on posting
    deferrable initially deferred for each row execute function check_post_quota();
create constraint trigger post_quota_kept after insert or update on post_quota
    deferrable initially deferred for each row execute function check_post_quota();
create trigger kept before delete on post_quota for each row execute function is_kept();

-- Leave 请假: days on which a worker is away. What was taken back stays.
create table absence (
    town       text        not null,
    id         uuid        not null,
    worker     text        not null,
    kind       text        not null check (kind in
               ('ANNUAL_LEAVE', 'SICK_LEAVE', 'MATERNITY_LEAVE', 'PERSONAL_LEAVE', 'EXAM', 'TRAINING', 'OTHER')),
    valid      daterange   not null check (not isempty(valid)),
    note       text        not null default '' check (length(note) <= 500),
    cancelled  timestamptz,
    version    bigint      not null default 1,
    created    timestamptz not null default clock_timestamp(),
    updated    timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, worker) references worker (town, id),
    constraint absences_never_overlap exclude using gist (town with =, worker with =, valid with &&) where (cancelled is null)
);
create index absence_of_worker on absence (town, worker);
create trigger kept before delete on absence for each row execute function is_kept();

-- Certificates 证书: brought from elsewhere, or given here for a course that was passed. What was declared void stays.
create table certificate (
    town       text        not null,
    id         uuid        not null,
    -- a person of governance; a worker's where it is one
    person     text        not null check (person ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    worker     text,
    kind       text        not null check (kind in
               ('ONBOARDING', 'ASSISTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'SENIOR_SOCIAL_WORKER', 'COURSE', 'OTHER')),
    title      text        not null default '' check (length(title) <= 200),
    -- the course whose exam was passed
    course     text        check (course ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    number     text        not null default '' check (length(number) <= 64),
    valid      daterange   not null check (not isempty(valid)),
    voided     timestamptz,
    reason     text        not null default '' check (length(reason) <= 2000),
    version    bigint      not null default 1,
    created    timestamptz not null default clock_timestamp(),
    updated    timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, worker) references worker (town, id),
    constraint certificate_says_what check (kind not in ('COURSE', 'OTHER') or title <> ''),
    constraint certificate_void_for_a_reason check ((voided is null) = (reason = ''))
);
create unique index certificate_number_once on certificate (town, kind, number) where number <> '' and voided is null;
create index certificate_of_worker on certificate (town, worker, kind) where voided is null;
create index certificate_of_person on certificate (town, person, kind) where voided is null;
create index certificate_that_ends on certificate (town, (upper(valid))) where voided is null;
create trigger kept before delete on certificate for each row execute function is_kept();

-- Posts that ended before their blocks were handed over: governance is told, so that the committee's director covers.
create table post_end (
    town       text        not null,
    worker     text        not null,
    committee  text        not null,
    -- the first day without the post
    day        date        not null,
    state      text        not null default 'PENDING' check (state in ('PENDING', 'TOLD', 'NO_DIRECTOR')),
    -- blocks that the director covers since
    covers     integer     not null default 0 check (covers >= 0),
    -- repeated with every try: governance does it once
    request_id uuid        not null,
    version    bigint      not null default 1,
    created    timestamptz not null default clock_timestamp(),
    updated    timestamptz not null default clock_timestamp(),
    primary key (town, worker, committee, day),
    foreign key (town, worker) references worker (town, id)
);
create index post_end_open on post_end (town, created) where state <> 'TOLD';
create trigger kept before delete on post_end for each row execute function is_kept();
