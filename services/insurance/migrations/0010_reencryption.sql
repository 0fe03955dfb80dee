-- What a new data key seals anew says the same, and what is assessed stays within what is claimed.

alter table claim add constraint claim_assessed_within_what_is_claimed check (assessed_fen <= coalesce(claimed_fen, 0));

-- An objection that gets another key keeps its words; with the key it has, it may be answered or overtaken once.
create or replace function claim_objection_stays() returns trigger language plpgsql as $$
begin
    if new.data_key <> old.data_key then
        if (new.answer_sealed is null) <> (old.answer_sealed is null)
            or (to_jsonb(new) - array['text_sealed', 'answer_sealed', 'data_key']) <> (to_jsonb(old) - array['text_sealed', 'answer_sealed', 'data_key']) then
            perform refuse('claim_objection_stays', format('objection %s', old.id));
        end if;
        return new;
    end if;
    if old.state <> 'OPEN' or (to_jsonb(new) - array['state', 'answer_sealed', 'answered_on', 'answered_by', 'answered_person'])
            <> (to_jsonb(old) - array['state', 'answer_sealed', 'answered_on', 'answered_by', 'answered_person']) then
        perform refuse('claim_objection_stays', format('objection %s', old.id));
    end if;
    if new.state = 'ANSWERED' and exists (select from claim c where c.town = new.town and c.id = new.claim
            and not are_two(c.adjudicated_by, c.adjudicated_person, new.answered_by, new.answered_person)) then
        perform refuse('claim_objection_answered_by_no_adjudicator', format('objection %s', old.id));
    end if;
    return new;
end
$$;

-- A part may lie elsewhere, sealed with another key: what it holds stays. 0: the key isn't known.
alter table document_part add column data_key integer not null default 0 check (data_key >= 0);
create index document_part_by_key on document_part (town, data_key, document, n);
create or replace function document_part_keeps_its_place() returns trigger language plpgsql as $$
declare
    its_state text;
begin
    if tg_op = 'UPDATE' then
        if new.object = old.object or new.data_key = old.data_key
            or (to_jsonb(new) - array['object', 'data_key']) <> (to_jsonb(old) - array['object', 'data_key']) then
            perform refuse('document_part_never_changes', format('part %s of document %s', old.n, old.document));
        end if;
        return new;
    end if;
    select d.state into its_state from document d where d.town = coalesce(new.town, old.town) and d.id = coalesce(new.document, old.document);
    if (tg_op = 'INSERT' and its_state <> 'PENDING') or (tg_op = 'DELETE' and its_state <> 'DELETED') then
        perform refuse('document_part_never_changes', format('a part of a document that is %s', its_state));
    end if;
    if tg_op = 'INSERT' and (new.n, new.from_byte) <> (
            select count(*)::integer, coalesce(sum(p.bytes), 0)::bigint from document_part p where p.town = new.town and p.document = new.document) then
        perform refuse('document_part_in_order', format('part %s', new.n));
    end if;
    return coalesce(new, old);
end
$$;
