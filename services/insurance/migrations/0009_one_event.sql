-- What is one event, one loss and one claim's evidence, however it was written down (Work points 3.4).

-- A place as it is compared: in one form of its characters, without spaces, in small letters. `胜辛路８８号 门口` is `胜辛路88号门口`.
create function place_key(place text) returns text language sql immutable parallel safe as $$
    select regexp_replace(lower(normalize(place, NFKC)), '\s+', '', 'g')
$$;
alter table incident add column place_key text not null generated always as (place_key(place)) stored check (place_key <> '');

-- the same person, peril, day and place once; of a dwelling also where nobody is named
drop index incident_known;
create unique index incident_known on incident (town, peril, happened_on, place_kind, place_key, person)
    where state <> 'CLOSED' and (person <> '' or place_kind = 'HOUSEHOLD');
create index incident_of_place on incident (town, happened_on, place_kind, place_key, event);

-- Whoever reports what happened at a place on a day waits here for whoever does so too.
create function lock_event(of_town text, of_day date, of_kind text, of_place text) returns void language sql as $$
    select pg_advisory_xact_lock(hashtextextended(format('event %s %s %s %s', of_town, of_day, of_kind, place_key(of_place)), 0))
$$;

-- What happened at one place on one day is one event, whoever it met and by whatever peril; an event that reaches over several places has
-- one day. So limits of an event don't depend on how a report is written.
create function incident_is_one_event() returns trigger language plpgsql as $$
begin
    perform lock_event(new.town, new.happened_on, new.place_kind, new.place);
    if exists (select from incident o where (o.town, o.happened_on, o.place_kind, o.place_key) =
            (new.town, new.happened_on, new.place_kind, new.place_key) and o.event <> new.event) then
        perform refuse('incident_is_one_event', format('incident %s', new.number));
    end if;
    if exists (select from incident e where e.town = new.town and e.id = new.event and e.happened_on <> new.happened_on) then
        perform refuse('incident_is_of_the_day_of_its_event', format('incident %s', new.number));
    end if;
    return null;
end
$$;
create trigger incident_is_one_event after insert on incident for each row execute function incident_is_one_event();

-- One loss, one claim: of whoever or whatever suffered it, by the peril, in the event. What was reported only, taken back or dismissed doesn't
-- count.
drop index claim_once;
drop index claim_of_loss;
create unique index claim_once on claim (town, subject, peril, event) where state not in ('REPORTED', 'WITHDRAWN', 'DISMISSED');
create index claim_of_loss on claim (town, subject, peril, event);

-- The event of a claim is that of its incident: day, place and peril are.
create function claim_is_of_its_incident() returns trigger language plpgsql as $$
begin
    if not exists (select from incident i where (i.town, i.id, i.event, i.peril, i.happened_on, i.place_kind, i.place) =
            (new.town, new.incident, new.event, new.peril, new.happened_on, new.place_kind, new.place)) then
        perform refuse('claim_is_of_its_incident', format('claim %s', new.number));
    end if;
    return new;
end
$$;
create trigger claim_is_of_its_incident before insert on claim for each row execute function claim_is_of_its_incident();

-- What a decision in force rests on stays: its documents count until the claim is opened again.
create function document_stays_while_decided() returns trigger language plpgsql as $$
begin
    if exists (select from claim c where c.town = new.town and c.id = new.owner and c.decision is not null for share) then
        perform refuse('document_stays_while_decided', format('document %s', new.id));
    end if;
    return new;
end
$$;
create trigger document_stays_while_decided before update of state on document for each row
    when (new.owner_kind = 'CLAIM' and old.state = 'STORED' and new.state <> 'STORED') execute function document_stays_while_decided();
