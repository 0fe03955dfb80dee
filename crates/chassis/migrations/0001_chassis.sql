-- What every service keeps beside its own tables. Runs in the service's schema (search_path), so nothing here names one.

-- The first answer to a mutation, by (principal, method, request id); written in the transaction of the mutation,
-- so it is there exactly when the mutation is. Kept 30 days.
create table idempotency (
    principal    text        not null,
    method       text        not null,
    request_id   uuid        not null,
    request_hash bytea       not null check (octet_length(request_hash) = 32),
    response     bytea,
    created      timestamptz not null default now(),
    primary key (principal, method, request_id)
);
create index idempotency_created on idempotency (created);

-- The transitions of each resource; a version occurs once.
create table history (
    town       text        not null,
    resource   text        not null,
    version    bigint      not null check (version > 0),
    recorded   timestamptz not null default clock_timestamp(),
    principal  text        not null,
    person     text        not null default '',
    verb       text        not null,
    from_state text        not null default '',
    to_state   text        not null default '',
    comment    text        not null default '',
    primary key (town, resource, version)
);

-- Outgoing events. `ord` is drawn while the resource's row is locked, so it follows the order of the resource's
-- versions; `seq` is given later by one sealer at a time, so it never skips what is committed late.
create table event (
    town        text        not null,
    id          uuid        not null,
    ord         bigint      not null generated always as identity,
    seq         bigint,
    resource    text        not null,
    type        text        not null,
    recorded    timestamptz not null default clock_timestamp(),
    traceparent text        not null default '',
    data        jsonb       not null,
    primary key (town, id)
);
create index event_pending on event (ord) where seq is null;
create unique index event_seq on event (town, seq) where seq is not null;

-- Who did what. Never updated, never deleted: the service's role may only insert and select.
create table audit (
    town       text        not null,
    id         uuid        not null,
    recorded   timestamptz not null default clock_timestamp(),
    principal  text        not null,
    person     text        not null default '',
    method     text        not null,
    resource   text        not null,
    trace_id   text        not null default '',
    request_id uuid,
    summary    text        not null,
    primary key (town, id)
);
-- The records that no seal covers yet; the sealer takes rows away.
create table audit_pending (
    town text   not null,
    id   uuid   not null,
    ord  bigint not null generated always as identity,
    primary key (town, id)
);
create index audit_pending_ord on audit_pending (ord);
-- The hash chain: hash(n) = SHA-256(hash(n-1) || canonical record n), one chain a town.
create table audit_seal (
    town   text   not null,
    seq    bigint not null check (seq > 0),
    id     uuid   not null,
    hash   bytea  not null check (octet_length(hash) = 32),
    sealed timestamptz not null default clock_timestamp(),
    primary key (town, seq),
    unique (town, id)
);

-- Long-running operations: any replica takes one up under a lease.
create table operation (
    town          text        not null,
    id            uuid        not null,
    kind          text        not null,
    state         text        not null default 'PENDING'
                  check (state in ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    principal     text        not null,
    caller        jsonb       not null,
    traceparent   text        not null default '',
    input         bytea       not null,
    cursor        jsonb       not null default '{}',
    done_units    bigint      not null default 0,
    total_units   bigint      not null default 0,
    cancel        boolean     not null default false,
    response      bytea,
    error         bytea,
    attempts      integer     not null default 0,
    lease_until   timestamptz,
    lease_owner   uuid,
    created       timestamptz not null default clock_timestamp(),
    updated       timestamptz not null default clock_timestamp(),
    version       bigint      not null default 1,
    primary key (town, id)
);
create unique index operation_id on operation (id);
create index operation_open on operation (created) where state in ('PENDING', 'RUNNING');
create index operation_newest on operation (town, created desc, id);

-- What became of single rows of an operation's input.
create table operation_row (
    town      text    not null,
    operation uuid    not null,
    n         bigint  not null,
    file      text    not null,
    row       bigint  not null,
    col       text    not null default '',
    value     text    not null default '',
    reason    text    not null,
    fault     boolean not null,
    zh        text    not null,
    en        text    not null,
    primary key (town, operation, n),
    foreign key (town, operation) references operation (town, id) on delete cascade
);
