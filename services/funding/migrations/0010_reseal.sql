-- A new key seals payees and objections anew: what was said stays, whatever key seals it.

create or replace function objection_stays() returns trigger language plpgsql as $$
begin
    -- of a row that gets another key, the sealed columns alone change; that they say the same, only who has the keys can tell
    if new.data_key <> old.data_key
        and (to_jsonb(new) - array['text_sealed', 'answer_sealed', 'data_key']) = (to_jsonb(old) - array['text_sealed', 'answer_sealed', 'data_key'])
        and (new.answer_sealed is null) = (old.answer_sealed is null) then
        return new;
    end if;
    if old.state <> 'OPEN' and new is distinct from old
        or (new.town, new.id, new.expense, new.revision, new.text_sealed, new.objected_on, new.objected_by, new.objected_person, new.created)
            is distinct from (old.town, old.id, old.expense, old.revision, old.text_sealed, old.objected_on, old.objected_by, old.objected_person, old.created) then
        perform refuse('objection_stays', format('objection %s', old.id));
    end if;
    if new.state = 'ANSWERED' and exists (select from expense e where e.town = new.town and e.id = new.expense
            and not are_two(e.applied_by, e.applied_person, new.answered_by, new.answered_person)) then
        perform refuse('objection_answered_by_no_applicant', format('objection %s', old.id));
    end if;
    return new;
end
$$;
create index expense_sealed_with on expense (town, data_key, id);
create index expense_objection_sealed_with on expense_objection (town, data_key, id);
