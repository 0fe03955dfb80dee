-- A new key seals payees and objections anew; what another key sealed is found by its number.
create index expense_sealed_with on expense (town, data_key, id);
create index expense_objection_sealed_with on expense_objection (town, data_key, id);
