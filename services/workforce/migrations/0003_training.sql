-- Training 培训 (Work points 4.1, 4.2): courses, what a year asks of a role, sessions, learners, exams.

create table course (
    town         text        not null,
    id           text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    kind         text        not null check (kind in ('ONBOARDING', 'MANDATORY', 'CONTINUING', 'MICRO_FORUM', 'MICRO_HALL',
                 'MICRO_CLASS', 'MICRO_LECTURE', 'WORKSHOP', 'SALON', 'COMPANION', 'EXAM_PREPARATION')),
    title        text        not null check (length(title) between 1 and 200),
    minutes      integer     not null check (minutes between 1 and 600000),
    capacity     integer     not null check (capacity between 1 and 10000),
    -- 0 without exam
    pass_mark    integer     not null check (pass_mark between 0 and 100),
    attempts     integer     not null check (attempts between 0 and 10),
    -- 0: the certificate holds for good
    valid_months integer     not null check (valid_months between 0 and 600),
    -- of whom it is asked while it is open
    roles        text[]      not null default '{}' check (roles <@ array['WORKER', 'STEWARD', 'BUILDING_LEADER',
                 'SPECIAL_COMMITTEE_MEMBER', 'BACKBONE', 'SELF_ORGANISATION']),
    -- an organisation of governance
    provider     text        not null default '' check (provider = '' or provider ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    state        text        not null default 'DRAFT' check (state in ('DRAFT', 'OPEN', 'CLOSED')),
    version      bigint      not null default 1,
    created      timestamptz not null default clock_timestamp(),
    updated      timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint course_exam_is_whole check ((pass_mark = 0) = (attempts = 0) and (pass_mark > 0 or valid_months = 0)),
    constraint course_asked_has_exam check (pass_mark > 0 or (kind not in ('ONBOARDING', 'MANDATORY') and roles = '{}')),
    constraint course_companion_has_provider check ((kind = 'COMPANION') = (provider <> ''))
);
create trigger kept before delete on course for each row execute function is_kept();

-- What a year asks of a role 学时要求; of those whose year has come the latest counts.
create table training_target (
    town      text        not null,
    id        text        not null generated always as (lower(replace(role, '_', '-')) || '-' || from_year::text) stored,
    role      text        not null check (role in ('WORKER', 'STEWARD', 'BUILDING_LEADER', 'SPECIAL_COMMITTEE_MEMBER',
              'BACKBONE', 'SELF_ORGANISATION')),
    from_year integer     not null check (from_year between 2000 and 2200),
    minutes   integer     not null check (minutes between 0 and 600000),
    courses   text[]      not null default '{}' check (cardinality(courses) <= 50),
    version   bigint      not null default 1,
    updated   timestamptz not null default clock_timestamp(),
    primary key (town, role, from_year)
);
create function check_training_target() returns trigger language plpgsql as $$
begin
    -- none of them loses its exam meanwhile
    perform from course where town = new.town and id = any(new.courses) order by id for share;
    if exists (select from unnest(new.courses) as asked (id)
               where not exists (select from course c where c.town = new.town and c.id = asked.id and c.pass_mark > 0)) then
        perform refuse('training_target_courses_have_exams', 'a target asks for a course without exam');
    end if;
    return new;
end
$$;
create function keep_asked_exam() returns trigger language plpgsql as $$
begin
    if exists (select from training_target where town = new.town and new.id = any(courses)) then
        perform refuse('training_target_courses_have_exams', 'a target asks for this course');
    end if;
    return new;
end
$$;
create trigger asked_has_exam before update on course for each row
    when (old.pass_mark > 0 and new.pass_mark = 0) execute function keep_asked_exam();
create trigger courses_have_exams before insert or update on training_target for each row execute function check_training_target();
create trigger kept before delete on training_target for each row execute function is_kept();

-- Sessions 班次: what the course said when they were planned goes with them.
create table training_session (
    town         text        not null,
    id           uuid        not null,
    course       text        not null,
    kind         text        not null,
    title        text        not null,
    minutes      integer     not null,
    pass_mark    integer     not null,
    attempts     integer     not null,
    valid_months integer     not null,
    starts       timestamptz not null,
    ends         timestamptz not null,
    -- its civil day
    day          date        not null generated always as ((starts at time zone 'Asia/Shanghai')::date) stored,
    -- the last day on which somebody can be enrolled
    enrol_until  date        not null,
    place        text        not null check (length(place) between 1 and 200),
    capacity     integer     not null check (capacity between 1 and 10000),
    -- whether those who come when it is full wait for a place
    queues       boolean     not null,
    state        text        not null default 'PLANNED' check (state in ('PLANNED', 'HELD', 'CANCELLED')),
    reason       text        not null default '' check (length(reason) <= 2000),
    version      bigint      not null default 1,
    created      timestamptz not null default clock_timestamp(),
    updated      timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, course) references course (town, id),
    constraint training_session_lasts check (ends > starts),
    constraint training_session_enrols_before check (enrol_until <= (starts at time zone 'Asia/Shanghai')::date),
    constraint training_session_cancelled_for_a_reason check ((state = 'CANCELLED') = (reason <> ''))
);
create index training_session_of_course on training_session (town, course, day);
create function keep_promise() returns trigger language plpgsql as $$
declare
    -- the day follows from the beginning, and isn't known yet
    free constant text[] := array['day', 'state', 'reason', 'version', 'updated'];
begin
    if to_jsonb(new) - free is distinct from to_jsonb(old) - free then
        perform refuse('training_session_keeps_its_promise', 'what a session promised is never changed');
    end if;
    if old.state <> 'PLANNED' and new.state <> old.state then
        perform refuse('training_session_is_over', format('a session that is %s stays so', old.state));
    end if;
    return new;
end
$$;
create trigger promise before update on training_session for each row execute function keep_promise();
create trigger kept before delete on training_session for each row execute function is_kept();

-- Learners of a session 报名.
create table enrolment (
    town        text        not null,
    id          uuid        not null,
    session     uuid        not null,
    -- a person of governance; a worker's where it is one
    person      text        not null check (person ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    worker      text,
    role        text        not null check (role in ('WORKER', 'STEWARD', 'BUILDING_LEADER', 'SPECIAL_COMMITTEE_MEMBER',
                'BACKBONE', 'SELF_ORGANISATION')),
    committee   text        not null default '' check (committee = '' or committee ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    basis       text        not null check (basis in ('OBLIGATION', 'CHOICE')),
    state       text        not null check (state in ('ENROLLED', 'WAITING', 'WITHDRAWN', 'ATTENDED', 'ABSENT', 'PASSED', 'FAILED')),
    enrolled_on date        not null,
    -- the order of the waiting list
    n           bigint      not null generated always as identity,
    attended    integer     check (attended >= 0),
    score       integer     check (score between 1 and 5),
    version     bigint      not null default 1,
    created     timestamptz not null default clock_timestamp(),
    updated     timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, session) references training_session (town, id),
    foreign key (town, worker) references worker (town, id),
    constraint enrolment_role_of_a_worker check ((worker is null) = (role not in ('WORKER', 'STEWARD')) and (worker is not null or committee <> '')),
    constraint enrolment_attended_some check (case when state in ('ATTENDED', 'PASSED', 'FAILED') then coalesce(attended, 0) > 0
                                                   when state = 'ABSENT' then attended is not distinct from 0 else attended is null end),
    constraint enrolment_score_after_attendance check (score is null or attended > 0)
);
create unique index enrolment_once on enrolment (town, session, person) where state <> 'WITHDRAWN';
create index enrolment_of_person on enrolment (town, person);
create index enrolment_of_worker on enrolment (town, worker);
create index enrolment_of_committee on enrolment (town, committee);
create index enrolment_that_waits on enrolment (town, session, n) where state = 'WAITING';
create function check_enrolment() returns trigger language plpgsql as $$
declare
    its_session training_session;
begin
    -- who takes the last place waits for who took the one before
    select * into its_session from training_session where town = new.town and id = new.session for no key update;
    if tg_op = 'INSERT' then
        if new.enrolled_on > its_session.enrol_until then
            perform refuse('enrolment_in_time', format('enrolment was over on %s', its_session.enrol_until));
        end if;
        if its_session.state <> 'PLANNED' then
            perform refuse('enrolment_while_planned', format('the session is %s', its_session.state));
        end if;
    end if;
    if new.state not in ('WAITING', 'WITHDRAWN') and its_session.capacity < (select count(*) from enrolment
            where town = new.town and session = new.session and state not in ('WAITING', 'WITHDRAWN')) then
        perform refuse('training_session_capacity', format('the session has %s places', its_session.capacity));
    end if;
    if new.attended is not null and (its_session.state <> 'HELD' or new.attended > its_session.minutes) then
        perform refuse('attendance_within_session', 'minutes of a session that was held, at most its own');
    end if;
    return null;
end
$$;
create trigger places after insert or update on enrolment for each row execute function check_enrolment();
create function keep_enrolment() returns trigger language plpgsql as $$
declare
    free constant text[] := array['state', 'attended', 'score', 'version', 'updated'];
begin
    if to_jsonb(new) - free is distinct from to_jsonb(old) - free
        or (old.attended is not null and new.attended is distinct from old.attended)
        or (old.score is not null and new.score is distinct from old.score) then
        perform refuse('enrolment_is_kept', 'who learned where, how long and how it was found is never rewritten');
    end if;
    return new;
end
$$;
create trigger keeps before update on enrolment for each row execute function keep_enrolment();
create trigger kept before delete on enrolment for each row execute function is_kept();

-- Attempts at an exam 考核; never rewritten.
create table exam_attempt (
    town            text        not null,
    enrolment       uuid        not null,
    n               integer     not null,
    mark            integer     not null check (mark between 0 and 100),
    taken_on        date        not null,
    passed          boolean     not null,
    -- what passing brought
    certificate     uuid,
    recorded_by     text        not null,
    recorded_person text        not null,
    recorded        timestamptz not null default clock_timestamp(),
    primary key (town, enrolment, n),
    foreign key (town, enrolment) references enrolment (town, id),
    foreign key (town, certificate) references certificate (town, id),
    constraint exam_passed_brings_certificate check (passed = (certificate is not null))
);
create unique index exam_attempt_of_certificate on exam_attempt (town, certificate) where certificate is not null;
create function check_exam_attempt() returns trigger language plpgsql as $$
declare
    its    enrolment;
    says   training_session;
    before integer;
begin
    select * into its from enrolment where town = new.town and id = new.enrolment for no key update;
    select * into says from training_session where town = its.town and id = its.session;
    select count(*) into before from exam_attempt where town = new.town and enrolment = new.enrolment;
    if new.n <> before + 1 or new.n > says.attempts then
        perform refuse('exam_attempts_kept', format('%s attempts, one after the other', says.attempts));
    end if;
    if exists (select from exam_attempt where town = new.town and enrolment = new.enrolment and passed) then
        perform refuse('exam_passed_once', 'the exam is passed already');
    end if;
    if new.passed <> (new.mark >= says.pass_mark) then
        perform refuse('exam_pass_mark_kept', format('the pass mark is %s', says.pass_mark));
    end if;
    if new.taken_on < says.day or coalesce(its.attended, 0) = 0 then
        perform refuse('exam_after_attendance', 'an exam is for those who attended, not before the session');
    end if;
    if new.recorded_person in ('', format('towns/%s/people/%s', new.town, its.person)) then
        perform refuse('exam_marked_by_another', 'nobody marks his own exam');
    end if;
    return new;
end
$$;
create trigger marked before insert on exam_attempt for each row execute function check_exam_attempt();
create trigger written_once before update or delete on exam_attempt for each row execute function never_changes();

-- PASSED is who passed, and nobody else.
create function check_passed() returns trigger language plpgsql as $$
begin
    if (select state = 'PASSED' from enrolment where town = new.town and id = new.id)
        <> exists (select from exam_attempt where town = new.town and enrolment = new.id and passed) then
        perform refuse('enrolment_passed_by_exam', 'PASSED is who passed the exam');
    end if;
    return null;
end
$$;
create constraint trigger passed_by_exam after insert or update on enrolment
    deferrable initially deferred for each row execute function check_passed();

-- The professional exam 社会工作者职业资格: one level a year, and a result once.
create table exam_registration (
    town            text        not null,
    id              uuid        not null,
    worker          text        not null,
    level           text        not null check (level in ('ASSISTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'SENIOR_SOCIAL_WORKER')),
    exam_year       integer     not null check (exam_year between 2000 and 2200),
    state           text        not null default 'REGISTERED' check (state in ('REGISTERED', 'WITHDRAWN', 'PASSED', 'FAILED', 'ABSENT')),
    -- what passing brought
    certificate     uuid,
    version         bigint      not null default 1,
    created         timestamptz not null default clock_timestamp(),
    updated         timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, worker) references worker (town, id),
    foreign key (town, certificate) references certificate (town, id),
    constraint exam_registration_passed_brings_certificate check ((state = 'PASSED') = (certificate is not null))
);
create unique index exam_registration_once_a_year on exam_registration (town, worker, exam_year) where state <> 'WITHDRAWN';
create function keep_exam_registration() returns trigger language plpgsql as $$
declare
    free constant text[] := array['state', 'certificate', 'version', 'updated'];
begin
    if old.state <> 'REGISTERED' or to_jsonb(new) - free is distinct from to_jsonb(old) - free then
        perform refuse('exam_registration_is_kept', 'what was registered, and its result, is never rewritten');
    end if;
    return new;
end
$$;
create trigger keeps before update on exam_registration for each row execute function keep_exam_registration();
create trigger kept before delete on exam_registration for each row execute function is_kept();

-- The growth plan 优能: a path of steps for each worker. Steps of courses and certificates are done when the certificate is there.
create table growth_step (
    town             text        not null,
    id               uuid        not null,
    worker           text        not null,
    kind             text        not null check (kind in ('COURSE', 'CERTIFICATE', 'WORK_TARGET')),
    course           text,
    certificate_kind text        check (certificate_kind in
                     ('ONBOARDING', 'ASSISTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'SENIOR_SOCIAL_WORKER', 'COURSE', 'OTHER')),
    title            text        not null default '' check (length(title) <= 200),
    due              date        not null,
    -- of a target of work: when it was reached, and who said so
    done_on          date,
    completed_by     text        not null default '',
    completed_person text        not null default '',
    cancelled        timestamptz,
    reason           text        not null default '' check (length(reason) <= 2000),
    version          bigint      not null default 1,
    created          timestamptz not null default clock_timestamp(),
    updated          timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, worker) references worker (town, id),
    foreign key (town, course) references course (town, id),
    constraint growth_step_asks_one_thing check (
        (kind = 'COURSE') = (course is not null) and (kind = 'CERTIFICATE') = (certificate_kind is not null)
        and (kind = 'WORK_TARGET') = (title <> '')),
    constraint growth_step_done_by_itself check (done_on is null or kind = 'WORK_TARGET'),
    constraint growth_step_completed_by_somebody check ((done_on is null) = (completed_by = '')),
    constraint growth_step_cancelled_for_a_reason check ((cancelled is null) = (reason = ''))
);
create index growth_step_of_worker on growth_step (town, worker, due);
create function keep_growth_step() returns trigger language plpgsql as $$
declare
    free constant text[] := array['done_on', 'completed_by', 'completed_person', 'cancelled', 'reason', 'version', 'updated'];
begin
    if old.done_on is not null or old.cancelled is not null or to_jsonb(new) - free is distinct from to_jsonb(old) - free then
        perform refuse('growth_step_is_kept', 'what a step asks, and how it ended, is never rewritten');
    end if;
    if new.completed_by <> '' and new.completed_person in ('', (select format('towns/%s/people/%s', town, person) from worker
            where town = new.town and id = new.worker)) then
        perform refuse('growth_step_completed_by_another', 'nobody says of himself that a target was reached');
    end if;
    return new;
end
$$;
create trigger keeps before update on growth_step for each row execute function keep_growth_step();
create trigger kept before delete on growth_step for each row execute function is_kept();
