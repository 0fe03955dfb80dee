-- The two schemes of Work points 3.4 with their benefit tables, signed for 2020.
insert into programme (town, id, display_name, rank) values ('malu', 'cci', '社区综合保险', 1), ('malu', 'li', '民生综合保险', 2);
insert into policy (town, id, programme, number, insurer, insurer_credit_code, starts, ends) values
    ('malu', 'cci-2020', 'cci', 'CCI-2020', 'o-insurer-0', '91310199MA9002009K', '2020-01-01', '2021-01-01'),
    ('malu', 'li-2020', 'li', 'LI-2020', 'o-insurer-1', '91310199MA9002017E', '2020-01-01', '2021-01-01');
insert into policy_version (town, policy, n, from_day, insured, grounds, report_within_days, limit_person_year_fen, limit_year_fen,
                            premium_per_household_fen, premium_per_person_fen, insured_households, insured_persons, written_by, written_person) values
    ('malu', 'cci-2020', 1, '2020-01-01', '本镇户籍或持居住证的居民及其房屋', '{REGISTERED,RESIDENCE_PERMIT}', 30, null, 300000000,
     900, 0, 60000, 0, '{urn:drafter|drafter}', '{towns/malu/people/drafter}'),
    ('malu', 'li-2020', 1, '2020-01-01', '出险日户籍在本镇或持居住证的居民', '{REGISTERED,RESIDENCE_PERMIT}', 60, 25000000, 500000000,
     1600, 400, 60000, 150000, '{urn:drafter|drafter}', '{towns/malu/people/drafter}');
insert into policy_benefit (town, policy, version, n, peril, object, insured_by, form, fixed_fen, sum_fen, parts_ppm, deductible_fen, share_ppm,
                            limit_person_year_fen, limit_household_year_fen, limit_event_fen, note) values
    ('malu', 'cci-2020', 1, 1, 'FIRE', 'DWELLING', 'RESIDENCE', 'LOSS', null, null, null, 50000, 600000, null, 3000000, null, ''),
    ('malu', 'cci-2020', 1, 2, 'BURST_PIPE', 'DWELLING', 'RESIDENCE', 'LOSS', null, null, null, 20000, 800000, null, 1000000, null, ''),
    ('malu', 'cci-2020', 1, 3, 'TYPHOON', 'DWELLING', 'RESIDENCE', 'LOSS', null, null, null, 50000, 600000, null, 3000000, null, ''),
    ('malu', 'cci-2020', 1, 4, 'PUBLIC_AREA_INJURY', 'PERSON', 'PLACE', 'LOSS', null, null, null, 0, 1000000, 2000000, null, 20000000, ''),
    ('malu', 'li-2020', 1, 1, 'DEATH', 'PERSON', 'RESIDENCE', 'FIXED', 20000000, null, null, null, null, null, null, null, ''),
    ('malu', 'li-2020', 1, 2, 'DISABILITY', 'PERSON', 'RESIDENCE', 'BY_GRADE', null, 20000000,
     '{1000000,900000,800000,700000,600000,500000,400000,300000,200000,100000}', null, null, null, null, null, ''),
    ('malu', 'li-2020', 1, 3, 'HIT_AND_RUN', 'PERSON', 'RESIDENCE', 'LOSS', null, null, null, 0, 1000000, 10000000, null, null, ''),
    ('malu', 'li-2020', 1, 4, 'DROWNING', 'PERSON', 'RESIDENCE', 'FIXED', 3000000, null, null, null, null, null, null, null, ''),
    ('malu', 'li-2020', 1, 5, 'PUBLIC_AREA_INJURY', 'PERSON', 'RESIDENCE', 'LOSS', null, null, null, 0, 800000, 3000000, null, null, ''),
    ('malu', 'li-2020', 1, 6, 'RESCUE', 'PERSON', 'RESIDENCE', 'FIXED', 25000000, null, null, null, null, null, null, null, '见义勇为'),
    ('malu', 'li-2020', 1, 7, 'FIRE', 'DWELLING', 'RESIDENCE', 'LOSS', null, null, null, 0, 800000, null, 6000000, null, ''),
    ('malu', 'li-2020', 1, 8, 'TYPHOON', 'DWELLING', 'RESIDENCE', 'LOSS', null, null, null, 0, 800000, null, 6000000, null, '');
insert into policy_premium_share (town, policy, version, n, bearer, share_ppm) values
    ('malu', 'cci-2020', 1, 1, 'DISTRICT', 500000), ('malu', 'cci-2020', 1, 2, 'TOWN', 500000),
    ('malu', 'li-2020', 1, 1, 'DISTRICT', 500000), ('malu', 'li-2020', 1, 2, 'TOWN', 400000), ('malu', 'li-2020', 1, 3, 'INSURED_BODY', 100000);
update policy_version set state = 'SIGNED', signed_by = 'urn:signer|signer', signed_person = 'towns/malu/people/signer', signed_on = '2020-01-01';
update policy set state = 'SIGNED', signed_on = '2020-01-01';
