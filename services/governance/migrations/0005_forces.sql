-- The forces 力量 gathered in a block (Work points 1.3). As in 0001: rows with two time axes, believed now while
-- upper_inf(recorded).

create table block_force (
    town          text      not null,
    id            uuid      not null,
    block         text      not null,
    kind          text      not null check (kind in ('SOCIAL_ORGANISATION', 'UNIT', 'CAPABLE_RESIDENT', 'GRID_OFFICER',
                                                     'PROPERTY_COMPANY', 'VOLUNTEER_GROUP', 'OTHER')),
    organisation  text,
    person        text,
    contributions text[]    not null,
    valid         daterange not null check (not isempty(valid) and lower_inc(valid) and not upper_inc(valid)),
    recorded      tstzrange not null check (not isempty(recorded)),
    reason        text      not null default '',
    primary key (town, id),
    foreign key (town, block) references block (town, id),
    foreign key (town, organisation) references organisation (town, id),
    foreign key (town, person) references person (town, id),
    constraint block_force_is_one check (num_nonnulls(organisation, person) = 1),
    constraint block_force_fits_its_kind check (case
        when kind in ('CAPABLE_RESIDENT', 'GRID_OFFICER') then person is not null
        when kind = 'OTHER' then true
        else organisation is not null end),
    -- one dimension at least, each once, in this order
    constraint block_force_contributes check (cardinality(contributions) > 0 and contributions = array_remove(array[
        case when 'RESOURCE' = any (contributions) then 'RESOURCE' end,
        case when 'INFORMATION' = any (contributions) then 'INFORMATION' end,
        case when 'SERVICE' = any (contributions) then 'SERVICE' end], null)),
    constraint block_force_organisation_once exclude using gist (town with =, block with =, organisation with =, valid with &&)
        where (upper_inf(recorded)),
    constraint block_force_person_once exclude using gist (town with =, block with =, person with =, valid with &&)
        where (upper_inf(recorded))
);
create index block_force_of on block_force (town, block, id);
create index block_force_organisation on block_force (town, organisation) where organisation is not null;
create index block_force_person on block_force (town, person) where person is not null;

-- A force is gathered on days of its block's life alone. The block's row is locked first, so that no closing comes between.
create function check_forces_within_block() returns trigger language plpgsql as $$
declare
    its_block text;
    its_life  daterange;
begin
    its_block := case tg_table_name when 'block' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'block' end;
    select life into its_life from block where town = new.town and id = its_block for update;
    if exists (
        select from block_force f where f.town = new.town and f.block = its_block and upper_inf(f.recorded)
            and not (f.valid <@ its_life)
    ) then
        raise exception using errcode = 'check_violation', constraint = 'block_force_within_its_block', table = 'block_force',
            message = format('block %s gathers a force on days on which it does not exist', its_block);
    end if;
    return null;
end
$$;
create constraint trigger block_force_within after insert or update on block_force
    deferrable initially deferred for each row execute function check_forces_within_block();
create constraint trigger block_forces after update of life on block
    deferrable initially deferred for each row execute function check_forces_within_block();

create trigger keep_believed before update on block_force for each row execute function keep_what_was_believed();

-- A person's id stands in URLs, logs and events: no identity number is one.
alter table person add constraint person_id_is_no_number
    check (id !~ '[0-9]{6}(18|19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9x]');
