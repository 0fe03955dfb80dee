-- What the questions read: who drew last on a limit, and by which version of its policy.
create index claim_draw_of_cap on claim_draw (town, policy, cap, peril, subject, year, version) where amount_fen > 0;
