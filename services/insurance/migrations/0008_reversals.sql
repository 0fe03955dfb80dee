-- A payment 赔付 is taken back 冲正 by a row of its own that points at it. So a programme pays a claim more than once: again after a reversal, and
-- the difference after a later decision. What was paid stays within the decision in force, and stays drawn on the limits.

alter table claim_payment add column n integer, add column reverses integer;
alter table claim_payment disable trigger claim_payment_stays;
update claim_payment p set n = r.n
    from (select town, claim, programme, row_number() over (partition by town, claim order by created, programme) as n from claim_payment) r
    where (p.town, p.claim, p.programme) = (r.town, r.claim, r.programme);
alter table claim_payment enable trigger claim_payment_stays;
alter table claim_payment
    alter column n set not null,
    drop constraint claim_payment_pkey,
    add primary key (town, claim, n),
    drop constraint claim_payment_reference_once,
    drop constraint claim_payment_amount_fen_check,
    drop constraint claim_payment_reference_check,
    add constraint claim_payment_counted_from_one check (n > 0),
    add constraint claim_payment_pays_or_reverses check (case when reverses is null then amount_fen > 0 and reference <> ''
        else amount_fen < 0 and reference = '' and reverses < n and confirmed_on is null end),
    add foreign key (town, claim, reverses) references claim_payment (town, claim, n);
create unique index claim_payment_reference_once on claim_payment (town, insurer, reference) where reverses is null;
create unique index claim_payment_reversed_once on claim_payment (town, claim, reverses) where reverses is not null;
create index claim_payment_of_line on claim_payment (town, claim, programme);

-- What some programme has paid of a claim, less what was taken back.
create function claim_paid_by(of_town text, of_claim uuid, of_programme text) returns bigint language sql stable as $$
    select coalesce(sum(p.amount_fen), 0)::bigint from claim_payment p where (p.town, p.claim, p.programme) = (of_town, of_claim, of_programme)
$$;

create or replace function claim_payment_pays_what_is_decided() returns trigger language plpgsql security definer set search_path from current as $$
declare
    stands record;
    former record;
begin
    select c.number, c.state, c.decision, c.open_objections, c.notice_ends, c.adjudicated_by, c.adjudicated_person into stands
        from claim c where c.town = new.town and c.id = new.claim for update;
    select coalesce(max(p.n), 0) + 1 into new.n from claim_payment p where p.town = new.town and p.claim = new.claim;
    if new.reverses is not null then
        -- 冲正: all of a payment, once, by another than who recorded and who confirmed it
        select p.* into former from claim_payment p where (p.town, p.claim, p.n) = (new.town, new.claim, new.reverses);
        if former.reverses is not null or new.paid_on < former.paid_on
            or (former.programme, former.insurer, former.decision, former.amount_fen)
                is distinct from (new.programme, new.insurer, new.decision, -new.amount_fen) then
            perform refuse('claim_reversal_takes_back_what_was_paid', format('claim %s', stands.number));
        end if;
        if not are_two(new.recorded_by, new.recorded_person, former.recorded_by, former.recorded_person)
            or not coalesce(are_two(new.recorded_by, new.recorded_person, former.confirmed_by, former.confirmed_person), true) then
            perform refuse('claim_payment_reversed_by_another', format('claim %s', stands.number));
        end if;
        return new;
    end if;
    if stands.open_objections > 0 or stands.state = 'OBJECTED' then
        perform refuse('claim_objected_is_not_paid', format('claim %s', stands.number));
    end if;
    if stands.state <> 'NOTICE' or new.paid_on <= stands.notice_ends
        or new.paid_on < (select max(o.answered_on) from claim_objection o where o.town = new.town and o.claim = new.claim) then
        perform refuse('claim_noticed_before_it_is_paid', format('claim %s is %s', stands.number, stands.state));
    end if;
    -- what the line lacks, no more and no less
    if not exists (select from claim_line l where (l.town, l.claim, l.decision, l.programme, l.insurer) =
            (new.town, new.claim, stands.decision, new.programme, new.insurer) and l.decision = new.decision
            and l.approved_fen = claim_paid_by(new.town, new.claim, new.programme) + new.amount_fen) then
        perform refuse('claim_payment_pays_what_is_decided', format('claim %s', stands.number));
    end if;
    if not are_two(new.recorded_by, new.recorded_person, stands.adjudicated_by, stands.adjudicated_person) then
        perform refuse('claim_paid_by_another', format('claim %s', stands.number));
    end if;
    return new;
end
$$;

create or replace function claim_payment_stays() returns trigger language plpgsql as $$
begin
    if old.confirmed_on is not null
        or exists (select from claim_payment p where (p.town, p.claim, p.reverses) = (old.town, old.claim, old.n))
        or (to_jsonb(new) - array['confirmed_on', 'confirmed_by', 'confirmed_person']) <> (to_jsonb(old) - array['confirmed_on', 'confirmed_by', 'confirmed_person']) then
        perform refuse('claim_payment_stays', format('claim %s', old.claim));
    end if;
    return new;
end
$$;

create or replace function claim_counts_its_payments() returns trigger language plpgsql as $$
declare
    its_claim uuid := (case tg_table_name when 'claim' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'claim' end)::uuid;
    stands    record;
begin
    select c.number, c.state, c.paid_fen into stands from claim c where c.town = new.town and c.id = its_claim;
    if stands.paid_fen <> (select coalesce(sum(p.amount_fen), 0) from claim_payment p where p.town = new.town and p.claim = its_claim) then
        perform refuse('claim_counts_its_payments', format('claim %s', stands.number));
    end if;
    if stands.state = 'CLOSED' and exists (select from claim_payment p where p.town = new.town and p.claim = its_claim
            and p.reverses is null and p.confirmed_on is null
            and not exists (select from claim_payment r where (r.town, r.claim, r.reverses) = (p.town, p.claim, p.n))) then
        perform refuse('claim_confirmed_before_it_is_closed', format('claim %s', stands.number));
    end if;
    return null;
end
$$;

-- What was paid waits for a later decision with the one that it was paid by.
alter table claim drop constraint claim_paid_is_not_taken_back;
alter table claim add constraint claim_paid_is_not_taken_back check (paid_fen = 0 or (decision is not null
    and state in ('ASSESSED', 'DOCUMENTS_REQUESTED', 'APPEALED', 'ADJUDICATED', 'NOTICE', 'OBJECTED', 'PAID', 'CLOSED')));

-- What was reported stays; what is paid or ended goes on by an appeal or a reversal alone. The sum that is paid follows the payments.
create or replace function claim_stays() returns trigger language plpgsql as $$
begin
    if (new.town, new.id, new.number, new.incident, new.event, new.peril, new.object, new.happened_on, new.reported_on, new.place_kind, new.place, new.insured,
        new.claimant, new.household, new.reported_by, new.reported_person, new.created)
        is distinct from (old.town, old.id, old.number, old.incident, old.event, old.peril, old.object, old.happened_on, old.reported_on,
                          old.place_kind, old.place, old.insured, old.claimant, old.household, old.reported_by, old.reported_person, old.created) then
        perform refuse('claim_identity_stays', format('claim %s', old.number));
    end if;
    if old.state in ('WITHDRAWN', 'DISMISSED') and new.state <> old.state
        or old.state = 'PAID' and new.state not in ('PAID', 'CLOSED', 'NOTICE', 'APPEALED')
        or old.state = 'PAID' and new.state = 'NOTICE' and new.paid_fen >= old.paid_fen
        or old.state = 'PAID' and new.state = 'APPEALED' and (old.appealed or not new.appealed)
        or old.state = 'CLOSED' and old.paid_fen > 0 and new.state <> 'CLOSED' then
        perform refuse('claim_ended_stays', format('claim %s is %s', old.number, old.state));
    end if;
    if old.appealed and not new.appealed then
        perform refuse('claim_appealed_stays', format('claim %s', old.number));
    end if;
    return new;
end
$$;

-- Draws are given back with the decision that they are of; how what was paid stays drawn is looked at when all is written.
create or replace function claim_draw_moves_its_cap() returns trigger language plpgsql security definer set search_path from current as $$
declare
    most bigint;
    used bigint;
    given bigint;
    pool text;
begin
    if new.amount_fen < 0 then
        select d.amount_fen into given from claim_draw d where (d.town, d.claim, d.decision, d.policy, d.cap) =
            (new.town, new.claim, new.decision, new.policy, new.cap) and d.amount_fen > 0
            and (d.peril, d.subject, d.year) = (new.peril, new.subject, new.year);
        if given is distinct from -new.amount_fen then
            perform refuse('claim_draw_gives_back_what_it_took', format('%s of claim %s', new.cap, new.claim));
        end if;
    end if;
    most := case new.cap when 'FIXED_EVENT' then new.limit_fen else cap_limit(new.town, new.policy, new.version, new.cap, new.peril) end;
    -- of one person and event the highest fixed benefit is paid, whichever policy pays it
    pool := case new.cap when 'FIXED_EVENT' then '' else new.policy end;
    insert into cap_used (town, policy, cap, peril, subject, year)
        values (new.town, pool, new.cap, new.peril, new.subject, new.year) on conflict do nothing;
    update cap_used u set used_fen = u.used_fen + new.amount_fen
        where (u.town, u.policy, u.cap, u.peril, u.subject, u.year) = (new.town, pool, new.cap, new.peril, new.subject, new.year)
        returning u.used_fen into used;
    if new.amount_fen > 0 and (most is null or used > most) then
        perform refuse('cap_not_exceeded', format('%s of %s: %s of %s', new.cap, new.policy, used, most));
    end if;
    return null;
end
$$;

-- Each programme has paid at most what the decision in force approves of it, and what a line has drawn stays drawn while the decision is in
-- force: a claim that is closed alone gives back what its unpaid lines have drawn.
create function claim_paid_stays_drawn() returns trigger language plpgsql security definer set search_path from current as $$
declare
    its_claim uuid := (case tg_table_name when 'claim' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'claim' end)::uuid;
    stands    record;
begin
    select c.number, c.state, c.decision into stands from claim c where c.town = new.town and c.id = its_claim;
    if exists (select from claim_payment p where p.town = new.town and p.claim = its_claim group by p.programme
            having sum(p.amount_fen) < 0 or sum(p.amount_fen) > coalesce((select l.approved_fen from claim_line l
                where (l.town, l.claim, l.decision, l.programme) = (new.town, its_claim, stands.decision, p.programme)), 0)) then
        perform refuse('claim_paid_within_its_line', format('claim %s', stands.number));
    end if;
    if exists (select from claim_line l where (l.town, l.claim, l.decision) = (new.town, its_claim, stands.decision)
            and (stands.state <> 'CLOSED' or claim_paid_by(l.town, l.claim, l.programme) > 0)
            and exists (select from claim_draw d where (d.town, d.claim, d.decision, d.policy) = (l.town, l.claim, l.decision, l.policy)
                        group by d.cap having sum(d.amount_fen) = 0)) then
        perform refuse('claim_paid_draws_stay', format('claim %s', stands.number));
    end if;
    return null;
end
$$;
create constraint trigger claim_paid_stays_drawn after update of decision, state, paid_fen on claim
    deferrable initially deferred for each row execute function claim_paid_stays_drawn();
create constraint trigger claim_payment_stays_drawn after insert on claim_payment
    deferrable initially deferred for each row execute function claim_paid_stays_drawn();
create constraint trigger claim_draw_stays_drawn after insert on claim_draw
    deferrable initially deferred for each row when (new.amount_fen < 0) execute function claim_paid_stays_drawn();

-- A line of a payment file keeps what is a number, a code or a reference, and no words that somebody may have written there.
alter table payment_file_line
    add constraint payment_file_line_keeps_no_words check (claim_number ~ '^民-[0-9]{4}-[0-9]{6}$' and programme ~ '^[a-z0-9][a-z0-9-]{0,62}$'
        and reference ~ '^[A-Za-z0-9民._/:#-]{1,64}$');
