-- The end of a fiscal year 年终结转: proposed by one person, approved by another, worked off account by account. That a closed year has nothing
-- left in it stands in 0001 (fiscal_year_closes_empty).

alter table fiscal_year
    add column proposed_by     text not null default '',
    add column proposed_person text not null default '',
    add column proposed_on     date,
    add column approved_by     text not null default '',
    add column approved_person text not null default '',
    add column approved_on     date,
    add column operation       uuid,
    add constraint fiscal_year_ends_as_its_state_says check (
        (proposed_by <> '') = (state <> 'OPEN') and (proposed_on is not null) = (proposed_by <> '')
        and (approved_on is not null) = (approved_by <> '') and (operation is not null) = (approved_by <> '')
        and (state <> 'OPEN' or approved_by = '') and (state <> 'CLOSED' or approved_by <> '')),
    add constraint fiscal_year_approved_by_another check (
        approved_by = ''
        or (approved_by <> proposed_by and (approved_person = '' or proposed_person = '' or approved_person <> proposed_person)));

-- An end that is approved isn't given up, and what was approved stays. Where its operation ended without success another one takes its place.
create function fiscal_year_end_goes_on() returns trigger language plpgsql as $$
begin
    if old.approved_by <> '' and (
        new.state = 'OPEN' or (new.proposed_by, new.proposed_person, new.proposed_on, new.approved_by, new.approved_person, new.approved_on)
            is distinct from (old.proposed_by, old.proposed_person, old.proposed_on, old.approved_by, old.approved_person, old.approved_on)) then
        perform refuse('fiscal_year_end_goes_on', format('the end of %s is approved', old.year));
    end if;
    if old.operation is not null and new.operation is distinct from old.operation and exists (
        select from operation o where o.id = old.operation and o.state not in ('FAILED', 'CANCELLED')) then
        perform refuse('fiscal_year_end_goes_on', format('the operation that ends %s has not failed', old.year));
    end if;
    -- years end in their order: one that isn't closed may carry money into the next
    if old.state = 'OPEN' and new.state = 'CLOSING' and exists (
        select from fiscal_year where town = new.town and year < new.year and state <> 'CLOSED') then
        perform refuse('fiscal_year_ends_in_order', format('a year before %s is not closed', old.year));
    end if;
    -- nothing is set aside in a year whose end is proposed: no new hold comes in (need_open_years), and none was left
    if old.state = 'OPEN' and new.state = 'CLOSING' and exists (
        select from account where town = new.town and fiscal_year = new.year and held_fen <> 0) then
        perform refuse('fiscal_year_ends_without_holds', format('%s has open holds', old.year));
    end if;
    -- what is paid and not settled may still come back
    if old.state = 'OPEN' and new.state = 'CLOSING' and exists (
        select from expense where town = new.town and fiscal_year = new.year and state not in ('SETTLED', 'DISCLOSED', 'REJECTED', 'WITHDRAWN')) then
        perform refuse('fiscal_year_ends_without_expenses', format('%s has open expenses', old.year));
    end if;
    return new;
end
$$;
create trigger fiscal_year_end_goes_on before update on fiscal_year for each row execute function fiscal_year_end_goes_on();

-- the accounts that an end works through, in their order
create index account_of_year on account (town, fiscal_year, id);
