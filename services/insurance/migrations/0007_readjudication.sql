-- What is read of a million claims: whether a term of the town waits to be counted by a newer paper is asked before every claim and list that
-- is shown, and answered without looking at the claims.
create index claim_counted_by on claim (town, papers, id) where term_days is not null;
