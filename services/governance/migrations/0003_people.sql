-- People and where they are registered. Personal columns are sealed (AES-256-GCM, key number in `key`) and found by a keyed
-- hash; who reads them in clear is kept.

create table person (
    town           text        not null references town,
    id             text        not null check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    sex            text        not null default '' check (sex in ('', 'MALE', 'FEMALE')),
    name_sealed    bytea       not null,
    citizen_sealed bytea       not null,
    birth_sealed   bytea       not null,
    name_index     bytea       not null check (octet_length(name_index) = 32),
    citizen_index  bytea       not null check (octet_length(citizen_index) = 32),
    key            integer     not null check (key > 0),
    version        bigint      not null default 1,
    created        timestamptz not null default clock_timestamp(),
    updated        timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint person_once unique (town, citizen_index)
);
create index person_name on person (town, name_index, id);
create index person_key on person (town, key, id);

-- Who read what of a person in clear; insert and select only.
create table person_reading (
    town      text        not null,
    id        uuid        not null,
    person    text        not null,
    at        timestamptz not null default clock_timestamp(),
    principal text        not null,
    method    text        not null,
    purpose   text        not null,
    primary key (town, id)
);
create index person_reading_of on person_reading (town, person, at);

create table residence (
    town      text      not null,
    id        uuid      not null,
    person    text      not null,
    household text      not null,
    ground    text      not null check (ground in ('REGISTERED', 'RESIDENCE_PERMIT')),
    valid     daterange not null check (not isempty(valid) and lower_inc(valid) and not upper_inc(valid)),
    recorded  tstzrange not null check (not isempty(recorded)),
    reason    text      not null default '',
    primary key (town, id),
    foreign key (town, person) references person (town, id),
    foreign key (town, household) references household (town, id),
    -- one registration and one permit at a time
    constraint residence_one_per_ground exclude using gist (town with =, person with =, ground with =, valid with &&)
        where (upper_inf(recorded))
);
create index residence_of on residence (town, person);
create index residence_in on residence (town, household);

create trigger keep_believed before update on residence for each row execute function keep_what_was_believed();

create function keep_readings() returns trigger language plpgsql as $$
begin
    raise exception using errcode = 'check_violation', constraint = 'readings_are_kept', table = tg_table_name,
        message = 'who read personal data is kept';
end
$$;
create trigger keep_readings before update or delete on person_reading for each row execute function keep_readings();
