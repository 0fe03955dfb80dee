-- A dwelling burns once a day: what struck it is one loss, wherever in it or before it that is said to have been. A person's loss is
-- that of an event.
alter table claim add column loss text not null generated always as (
    case object when 'DWELLING' then 'day/' || (happened_on - date '2000-01-01') else 'event/' || event::text end) stored;
drop index claim_once;
drop index claim_of_loss;
create unique index claim_once on claim (town, subject, peril, loss) where state not in ('REPORTED', 'WITHDRAWN', 'DISMISSED');
create index claim_of_loss on claim (town, subject, peril, loss);
