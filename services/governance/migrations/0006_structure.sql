-- What became of committees, and what a town asks of its structure.

-- How many of a kind a level can have; any number where there is none.
alter table body_kind add column maximum integer check (maximum >= 1 and maximum >= minimum);
update body_kind set maximum = 1 where kind <> 'PROJECT_GROUP';

alter table town_body_kind add column updated timestamptz not null default clock_timestamp();

create table structure_settings (
    town             text        primary key references town,
    term_notice_days integer     not null default 90 check (term_notice_days between 1 and 3660),
    block_forces     integer     not null default 1 check (block_forces between 0 and 100),
    version          bigint      not null default 1,
    updated          timestamptz not null default clock_timestamp()
);

-- 分设: what was split off to which committee, and when. What was merged stands in committee_period.merged_into.
create table committee_split (
    town       text        not null,
    id         uuid        not null,
    committee  text        not null,
    successor  text        not null,
    day        date        not null,
    recorded   tstzrange   not null check (not isempty(recorded)),
    households integer     not null check (households between 0 and 1000000),
    reason     text        not null default '',
    primary key (town, id),
    foreign key (town, committee) references committee (town, id),
    foreign key (town, successor) references committee (town, id),
    check (committee <> successor)
);
create index committee_split_of on committee_split (town, committee);
create index committee_split_to on committee_split (town, successor);
create trigger keep_believed before update on committee_split for each row execute function keep_what_was_believed();
create index committee_period_merged on committee_period (town, committee) where merged_into is not null;
