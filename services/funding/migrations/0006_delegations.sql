-- Tasks that departments hand down 费随事转 (Work points 3.3): an offer, and a share of it for each committee, with its money or without.

create table delegation (
    town            text        not null,
    id              text        not null,
    department      text        not null check (department <> ''),
    -- the department in governance's register, where it stands there
    organisation    text,
    title           text        not null check (title <> ''),
    description     text        not null default '',
    fiscal_year     integer     not null,
    offered_on      date        not null,
    reply_days      integer     not null check (reply_days between 0 and 250),
    reply_due       date        not null,
    due_provisional boolean     not null,
    evidence        text        not null default '',
    offered_by      text        not null,
    offered_person  text        not null default '',
    version         bigint      not null default 1,
    created         timestamptz not null default clock_timestamp(),
    primary key (town, id),
    constraint delegation_offered_once unique (town, id, offered_by, offered_person),
    constraint delegation_due_after_offer check (reply_due >= offered_on),
    foreign key (town, fiscal_year) references fiscal_year (town, year)
);

create table delegation_share (
    town            text        not null,
    id              uuid        not null,
    delegation      text        not null,
    committee       text        not null,
    amount_fen      bigint      not null check (amount_fen >= 0),
    -- what proves the money of a share that was funded after its offer
    evidence        text        not null default '',
    state           text        not null default 'OFFERED' check (state in ('OFFERED', 'ACCEPTED', 'DECLINED', 'WITHDRAWN', 'SETTLED')),
    -- of its delegation
    offered_by      text        not null,
    offered_person  text        not null default '',
    accepted_by     text        not null default '',
    accepted_person text        not null default '',
    decided_on      date,
    settled_by      text        not null default '',
    settled_person  text        not null default '',
    settled_on      date,
    reason          text        not null default '',
    version         bigint      not null default 1,
    created         timestamptz not null default clock_timestamp(),
    updated         timestamptz not null default clock_timestamp(),
    primary key (town, id),
    -- a committee has one share of a delegation, so the task's account is its own
    constraint delegation_share_once unique (town, delegation, committee),
    constraint delegation_share_offered_with_it
        foreign key (town, delegation, offered_by, offered_person) references delegation (town, id, offered_by, offered_person),
    constraint delegation_share_accepted_by_another
        check (accepted_by = '' or are_two(offered_by, offered_person, accepted_by, accepted_person)),
    -- a task that comes down without its money can't be taken on
    constraint delegation_share_accepted_is_funded check (amount_fen > 0 or state not in ('ACCEPTED', 'SETTLED')),
    constraint delegation_share_declined_with_reason check (state not in ('DECLINED', 'WITHDRAWN') or reason <> ''),
    constraint delegation_share_decided_as_its_state_says check (
        (decided_on is null) = (state = 'OFFERED') and (accepted_by <> '') = (state in ('ACCEPTED', 'SETTLED'))
        and (settled_on is not null) = (state = 'SETTLED') and (settled_by <> '') = (state = 'SETTLED')),
    constraint delegation_share_settled_by_another check (
        state <> 'SETTLED'
        or (settled_by <> accepted_by and (settled_person = '' or accepted_person = '' or settled_person <> accepted_person)))
);
create index delegation_share_of_committee on delegation_share (town, committee, id);
create index delegation_share_state on delegation_share (town, state, id);
create index delegation_of_year on delegation (town, fiscal_year, id);

-- What was offered stays as it was offered; of a share only its course changes, and its money once, from nothing.
create function delegation_keeps_its_offer() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform refuse('delegation_keeps_its_offer', format('%s is never deleted', tg_table_name));
    end if;
    if tg_table_name = 'delegation' then
        if (to_jsonb(new) - 'version') is distinct from (to_jsonb(old) - 'version') then
            perform refuse('delegation_keeps_its_offer', format('delegation %s', old.id));
        end if;
        return new;
    end if;
    if (new.town, new.id, new.delegation, new.committee, new.offered_by, new.offered_person, new.created)
        is distinct from (old.town, old.id, old.delegation, old.committee, old.offered_by, old.offered_person, old.created)
        or (new.amount_fen <> old.amount_fen and not (old.amount_fen = 0 and old.state = 'OFFERED' and new.state = 'OFFERED' and new.evidence <> '')) then
        perform refuse('delegation_keeps_its_offer', format('share %s', old.id));
    end if;
    if new.state <> old.state and not (
        (old.state = 'OFFERED' and new.state in ('ACCEPTED', 'DECLINED', 'WITHDRAWN')) or (old.state = 'ACCEPTED' and new.state = 'SETTLED')) then
        perform refuse('delegation_share_course', format('share %s can''t go from %s to %s', old.id, old.state, new.state));
    end if;
    return new;
end
$$;
create trigger delegation_keeps_its_offer before update or delete on delegation for each row execute function delegation_keeps_its_offer();
create trigger delegation_share_keeps_its_offer before update or delete on delegation_share for each row execute function delegation_keeps_its_offer();

-- The state of the shares and the money of the task say the same at every commit: what waits is what funded offers ask for, and what came
-- down to a committee is what it accepted.
create function delegation_money_matches() returns trigger language plpgsql security definer set search_path from current as $$
declare
    waiting bigint;
    offered bigint;
    came    bigint;
begin
    select coalesce(sum(balance_fen), 0) into waiting from account
        where town = new.town and kind = 'TASK' and earmark = 'delegation:' || new.delegation;
    select coalesce(sum(amount_fen), 0) into offered from delegation_share
        where town = new.town and delegation = new.delegation and state = 'OFFERED';
    if waiting <> offered then
        perform refuse('delegation_money_matches', format('delegation %s: %s fen wait, %s are offered', new.delegation, waiting, offered));
    end if;
    select coalesce(sum(p.amount_fen), 0) into came from account a
        join posting p on p.town = a.town and p.account = a.id join entry e on e.town = p.town and e.id = p.entry
        where a.town = new.town and a.kind = 'COMMITTEE' and a.committee = new.committee and a.earmark = 'delegation:' || new.delegation
            and e.kind = 'DELEGATION';
    if came <> (case when new.state in ('ACCEPTED', 'SETTLED') then new.amount_fen else 0 end) then
        perform refuse('delegation_money_matches', format('share %s: %s fen came down', new.id, came));
    end if;
    if new.state = 'SETTLED' and (
        exists (select from account a where a.town = new.town and a.kind = 'COMMITTEE' and a.committee = new.committee
            and a.earmark = 'delegation:' || new.delegation and a.balance_fen <> 0)
        or exists (select from expense x where x.town = new.town and x.committee = new.committee and x.earmark = 'delegation:' || new.delegation
            and x.state not in ('SETTLED', 'DISCLOSED', 'REJECTED', 'WITHDRAWN'))) then
        perform refuse('delegation_settles_empty', format('share %s has money left or an open expense', new.id));
    end if;
    return null;
end
$$;
create constraint trigger delegation_share_money after insert or update on delegation_share
    deferrable initially deferred for each row execute function delegation_money_matches();
