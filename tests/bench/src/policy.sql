-- The policy of a year, published, as the demonstration's.
set session_replication_role = replica;
insert into fiscal_year (town, year) values ('malu', 2020);
insert into policy (town, id, display_name, fiscal_year, number, state, effective_from, households_as_of, work_floor_fen, service_floor_fen,
                    household_threshold, supplement_fen, growth_ppm, growth_of_floor, growth_of_uplift, eligible_kinds, month_counts_until,
                    notice_above_fen, notice_always_for, notice_days, project_pool_fen, days, written_by, written_person, published_by, published)
values ('malu', '2020-v1', '2020', 2020, 1, 'PUBLISHED', '2020-01-01', '2019-12-31', 10000000, 15000000, 2000, 10000, 1000000, true, true,
        array['RESIDENTS_COMMITTEE'], 15, 2000000, '{}', 5, 0, array[5, 5, 5, 20, 10], array['a'], '{}', 'b', now());
insert into policy_category (town, policy, n, fund, category, display_name, allowed) values
    ('malu', '2020-v1', 1, 'WORK', 'OFFICE', '办公', true), ('malu', '2020-v1', 2, 'SERVICE', 'ACTIVITY', '活动', true);
insert into allowed_category (town, fiscal_year, fund, category, display_name) values
    ('malu', 2020, 'WORK', 'OFFICE', '办公'), ('malu', 2020, 'SERVICE', 'ACTIVITY', '活动');
set session_replication_role = origin;
