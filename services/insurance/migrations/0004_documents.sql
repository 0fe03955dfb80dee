-- Documents 材料 (Work points 3.4): what is known of a file and of its parts. The parts themselves lie sealed in the object store, under
-- `{town}/{document}/{n}-{object}`.

create table document (
    town             text        not null,
    id               uuid        not null,
    owner_kind       text        not null check (owner_kind in ('CLAIM', 'CAMPAIGN', 'INCIDENT')),
    owner            uuid        not null,
    -- as it is shown and asked for
    owner_name       text        not null generated always as (
        'towns/' || town || case owner_kind when 'CLAIM' then '/claims/' when 'CAMPAIGN' then '/campaigns/' else '/incidents/' end || owner::text) stored,
    kind             text        not null check (kind ~ '^[A-Z][A-Z0-9_]{0,62}$'),
    state            text        not null default 'PENDING' check (state in ('PENDING', 'STORED', 'VOID', 'DELETED')),
    media_type       text        not null check (media_type in ('PDF', 'JPEG', 'PNG')),
    size_bytes       bigint      not null check (size_bytes between 1 and 20971520),
    sha256           bytea       not null check (length(sha256) = 32),
    written_bytes    bigint      not null default 0,
    parts            integer     not null default 0 check (parts >= 0),
    -- sealed; gone with an upload that was given up
    file_name_sealed bytea,
    data_key         integer     not null check (data_key > 0),
    -- who sees it: the committees of its owner, and the insurers of the claim's policies
    committees       text[]      not null,
    insurers         text[]      not null,
    -- whether nothing of an upload that was given up lies in the object store any more
    cleared          boolean     not null default false check (not cleared or state = 'DELETED'),
    created_by       text        not null,
    created_person   text        not null,
    version          bigint      not null default 1,
    created          timestamptz not null default clock_timestamp(),
    updated          timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint document_within_its_size check (written_bytes between 0 and size_bytes),
    constraint document_stored_whole check (state not in ('STORED', 'VOID') or written_bytes = size_bytes),
    constraint document_deleted_is_gone check (
        (state = 'DELETED') = (file_name_sealed is null) and (state <> 'DELETED' or (parts = 0 and written_bytes = 0)))
);
create index document_of_owner on document (town, owner_name, id) where state <> 'DELETED';
create index document_kinds on document (town, owner, kind) where state = 'STORED';
create index document_to_sweep on document (town, id) where state = 'PENDING' or (state = 'DELETED' and not cleared);
create index document_of_committees on document using gin (committees);
create index document_of_insurers on document using gin (insurers);

create table document_part (
    town      text    not null,
    document  uuid    not null,
    n         integer not null check (n >= 0),
    -- what tells two uploads of one part apart in the object store
    object    uuid    not null,
    from_byte bigint  not null check (from_byte >= 0),
    bytes     integer not null check (bytes between 1 and 1048576),
    sha256    bytea   not null check (length(sha256) = 32),
    primary key (town, document, n),
    foreign key (town, document) references document (town, id),
    constraint document_part_place unique (town, document, from_byte)
);

-- Who read a document on which day: the first reading of a day is kept in the audit.
create table document_reading (
    town      text not null,
    document  uuid not null,
    principal text not null,
    read_on   date not null,
    primary key (town, document, principal, read_on),
    foreign key (town, document) references document (town, id)
);

-- An owner has 50 documents at most, beside those that are void or were given up. Two creations at once wait for each other.
create function documents_of_an_owner() returns trigger language plpgsql security definer set search_path from current as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('document ' || new.owner_name, 0));
    if (select count(*) from document d where d.town = new.town and d.owner_name = new.owner_name and d.state in ('PENDING', 'STORED')) > 50 then
        perform refuse('documents_of_an_owner', 'more than 50 documents of one owner');
    end if;
    return null;
end
$$;
create trigger documents_of_an_owner after insert on document for each row execute function documents_of_an_owner();

-- What was declared stays as it was; what is stored is evidence: it may become void, and nothing else. Who sees it follows its owner, and
-- its name may be sealed anew.
create function document_keeps_its_word() returns trigger language plpgsql as $$
begin
    if (new.town, new.id, new.owner_kind, new.owner, new.kind, new.media_type, new.size_bytes, new.sha256, new.created_by, new.created_person)
            is distinct from
       (old.town, old.id, old.owner_kind, old.owner, old.kind, old.media_type, old.size_bytes, old.sha256, old.created_by, old.created_person) then
        perform refuse('document_keeps_its_word', format('document %s was declared otherwise', old.id));
    end if;
    if not (old.state = new.state or (old.state, new.state) in (('PENDING', 'STORED'), ('PENDING', 'DELETED'), ('STORED', 'VOID'))) then
        perform refuse('document_keeps_its_word', format('document %s is %s', old.id, old.state));
    end if;
    if old.state <> 'PENDING' and (new.written_bytes, new.parts) is distinct from (old.written_bytes, old.parts) then
        perform refuse('document_keeps_its_word', format('document %s is %s', old.id, old.state));
    end if;
    return new;
end
$$;
create trigger document_keeps_its_word before update on document for each row execute function document_keeps_its_word();
create trigger document_is_kept before delete on document for each row execute function is_kept();
create trigger document_is_kept_whole before truncate on document for each statement execute function is_kept();

-- A part is written once, behind the one before, into an upload that is open; it goes with an upload that was given up.
create function document_part_keeps_its_place() returns trigger language plpgsql as $$
declare
    its_state text;
begin
    select d.state into its_state from document d where d.town = coalesce(new.town, old.town) and d.id = coalesce(new.document, old.document);
    if tg_op = 'UPDATE' or (tg_op = 'INSERT' and its_state <> 'PENDING') or (tg_op = 'DELETE' and its_state <> 'DELETED') then
        perform refuse('document_part_never_changes', format('a part of a document that is %s', its_state));
    end if;
    if tg_op = 'INSERT' and (new.n, new.from_byte) <> (
            select count(*)::integer, coalesce(sum(p.bytes), 0)::bigint from document_part p where p.town = new.town and p.document = new.document) then
        perform refuse('document_part_in_order', format('part %s', new.n));
    end if;
    return coalesce(new, old);
end
$$;
create trigger document_part_keeps_its_place before insert or update or delete on document_part
    for each row execute function document_part_keeps_its_place();
create trigger document_part_is_kept before truncate on document_part for each statement execute function is_kept();

-- What a document says of its parts is what they are.
create function document_counts_its_parts() returns trigger language plpgsql as $$
declare
    its uuid := case tg_table_name when 'document' then to_jsonb(coalesce(new, old)) ->> 'id' else to_jsonb(coalesce(new, old)) ->> 'document' end;
begin
    if exists (select from document d where d.town = coalesce(new.town, old.town) and d.id = its and (d.parts, d.written_bytes) <> (
            select count(*)::integer, coalesce(sum(p.bytes), 0)::bigint from document_part p where p.town = d.town and p.document = d.id)) then
        perform refuse('document_counts_its_parts', format('document %s', its));
    end if;
    return null;
end
$$;
create constraint trigger document_counts_its_parts after insert or update of parts, written_bytes on document
    deferrable initially deferred for each row execute function document_counts_its_parts();
create constraint trigger document_part_is_counted after insert or delete on document_part
    deferrable initially deferred for each row execute function document_counts_its_parts();

-- A reading is kept.
create trigger document_reading_never_changes before update or delete on document_reading
    for each row execute function never_changes();
