-- Grants to self-governance projects (Work points 2.3): from a committee's service fund or the town's pool, with an account of their own.

create table project_grant (
    town            text        not null,
    id              uuid        not null,
    -- the id of the project in governance, which doesn't keep projects yet
    project         text        not null,
    committee       text        not null,
    source          text        not null check (source in ('SERVICE_FUND', 'PROJECT_POOL')),
    fiscal_year     integer     not null,
    amount_fen      bigint      not null constraint project_grant_amount check (amount_fen > 0),
    purpose         text        not null check (purpose <> ''),
    evidence        text        not null default '',
    state           text        not null default 'PROPOSED' check (state in ('PROPOSED', 'GRANTED', 'CLOSED', 'REJECTED', 'WITHDRAWN')),
    proposed_by     text        not null,
    proposed_person text        not null default '',
    proposed_on     date        not null,
    granted_by      text        not null default '',
    granted_person  text        not null default '',
    decided_on      date,
    closed_by       text        not null default '',
    closed_person   text        not null default '',
    closed_on       date,
    returned_fen    bigint      not null default 0 check (returned_fen >= 0),
    reason          text        not null default '',
    version         bigint      not null default 1,
    created         timestamptz not null default clock_timestamp(),
    updated         timestamptz not null default clock_timestamp(),
    primary key (town, id),
    foreign key (town, fiscal_year) references fiscal_year (town, year),
    constraint project_grant_decided_as_its_state_says check (
        (decided_on is null) = (state = 'PROPOSED') and (granted_by <> '') = (state in ('GRANTED', 'CLOSED'))
        and (closed_on is not null) = (state = 'CLOSED') and (closed_by <> '') = (state = 'CLOSED') and (state = 'CLOSED' or returned_fen = 0)),
    constraint project_grant_granted_by_another check (
        granted_by = ''
        or (granted_by <> proposed_by and (granted_person = '' or proposed_person = '' or granted_person <> proposed_person))),
    constraint project_grant_rejected_with_reason check (state <> 'REJECTED' or reason <> ''),
    constraint project_grant_returns_no_more_than_it_gave check (returned_fen <= amount_fen)
);
-- an account is one grant's, so what is left of it is known
create unique index project_grant_one_open on project_grant (town, committee, project, source) where state in ('PROPOSED', 'GRANTED');
create index project_grant_of_committee on project_grant (town, committee, id);
create index project_grant_of_project on project_grant (town, project);

create function project_grant_keeps_its_proposal() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform refuse('project_grant_keeps_its_proposal', 'a grant is never deleted');
    end if;
    if (new.town, new.id, new.project, new.committee, new.source, new.fiscal_year, new.amount_fen, new.purpose, new.evidence, new.proposed_by,
        new.proposed_person, new.proposed_on, new.created)
        is distinct from (old.town, old.id, old.project, old.committee, old.source, old.fiscal_year, old.amount_fen, old.purpose, old.evidence,
                          old.proposed_by, old.proposed_person, old.proposed_on, old.created)
        or (old.granted_by <> '' and (new.granted_by, new.granted_person) is distinct from (old.granted_by, old.granted_person)) then
        perform refuse('project_grant_keeps_its_proposal', format('grant %s', old.id));
    end if;
    if new.state <> old.state and not (
        (old.state = 'PROPOSED' and new.state in ('GRANTED', 'REJECTED', 'WITHDRAWN')) or (old.state = 'GRANTED' and new.state = 'CLOSED')) then
        perform refuse('project_grant_course', format('grant %s can''t go from %s to %s', old.id, old.state, new.state));
    end if;
    return new;
end
$$;
create trigger project_grant_keeps_its_proposal before update or delete on project_grant
    for each row execute function project_grant_keeps_its_proposal();

-- A grant that is open has exactly its money: what was granted under its name is what it says, and a closed one has nothing left.
create function project_grant_money_matches() returns trigger language plpgsql security definer set search_path from current as $$
declare
    got  bigint;
    left_over bigint;
    its_fund text;
begin
    its_fund := case new.source when 'SERVICE_FUND' then 'SERVICE' else 'PROJECT_POOL' end;
    select coalesce(sum(p.amount_fen), 0) into got from entry e
        join posting p on p.town = e.town and p.entry = e.id join account a on a.town = p.town and a.id = p.account
        where e.town = new.town and e.subject = format('towns/%s/projectGrants/%s', new.town, new.id) and e.kind = 'GRANT'
            and a.kind = 'COMMITTEE' and a.committee = new.committee and a.earmark = 'project:' || new.project and a.fund = its_fund;
    if got <> (case when new.state in ('GRANTED', 'CLOSED') then new.amount_fen else 0 end) then
        perform refuse('project_grant_money_matches', format('grant %s got %s fen', new.id, got));
    end if;
    if new.state = 'CLOSED' then
        if exists (select from expense x where x.town = new.town and x.committee = new.committee and x.fund = its_fund
            and x.earmark = 'project:' || new.project and x.state not in ('SETTLED', 'DISCLOSED', 'REJECTED', 'WITHDRAWN')) then
            perform refuse('project_grant_closes_empty', format('grant %s has an open expense', new.id));
        end if;
        select coalesce(sum(balance_fen), 0) into left_over from account
            where town = new.town and kind = 'COMMITTEE' and committee = new.committee and fund = its_fund and earmark = 'project:' || new.project;
        if left_over <> 0 and not exists (select from project_grant g where g.town = new.town and g.committee = new.committee
            and g.project = new.project and g.source = new.source and g.state = 'GRANTED') then
            perform refuse('project_grant_closes_empty', format('grant %s has %s fen left', new.id, left_over));
        end if;
    end if;
    return null;
end
$$;
create constraint trigger project_grant_money after insert or update on project_grant
    deferrable initially deferred for each row execute function project_grant_money_matches();
