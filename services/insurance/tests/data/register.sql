-- Insurers, and who lives where, in governance.
insert into organisation (town, id, display_name, kind, credit_code) values
    ('malu', 'o-insurer-0', '示例财产保险甲股份有限公司', 'INSURER', '91310199MA9002009K'),
    ('malu', 'o-insurer-1', '示例财产保险乙股份有限公司', 'INSURER', '91310199MA9002017E'),
    ('malu', 'o-property-1', '示例物业1号有限公司', 'PROPERTY_COMPANY', '91310199MA9001014X');
insert into estate (town, id, life) values ('malu', 'e-1', '[2010-01-01,)'), ('malu', 'e-2', '[2010-01-01,)');
insert into estate_period (town, id, estate, valid, recorded, display_name, committee) values
    ('malu', gen_random_uuid(), 'e-1', '[2010-01-01,)', tstzrange(now(), null), '一小区', 'c1'),
    ('malu', gen_random_uuid(), 'e-2', '[2010-01-01,)', tstzrange(now(), null), '二小区', 'c2');
insert into block (town, id, life) values ('malu', 'b-1', '[2010-01-01,)');
insert into stewardship (town, id, block, valid, recorded, person, worker, kind) values
    ('malu', gen_random_uuid(), 'b-1', '[2010-01-01,)', tstzrange(now(), null), 'towns/malu/people/steward', 'towns/malu/workers/w-1', 'REGULAR');
insert into block_period (town, id, block, valid, recorded, committee, display_name) values
    ('malu', gen_random_uuid(), 'b-1', '[2010-01-01,)', tstzrange(now(), null), 'c1', '一区块');
insert into building (town, id, estate, life) values ('malu', 'u-1', 'e-1', '[2010-01-01,)'), ('malu', 'u-2', 'e-2', '[2010-01-01,)');
insert into building_period (town, id, building, valid, recorded, display_name, committee, block) values
    ('malu', gen_random_uuid(), 'u-1', '[2010-01-01,)', tstzrange(now(), null), '1号楼', 'c1', 'b-1'),
    ('malu', gen_random_uuid(), 'u-2', '[2010-01-01,)', tstzrange(now(), null), '2号楼', 'c2', null);
insert into household (town, id, building, door, occupancy) values
    ('malu', 'h-1', 'u-1', '0101', 'OWNED'), ('malu', 'h-2', 'u-1', '0102', 'RENTED'), ('malu', 'h-3', 'u-2', '0101', 'OWNED');
insert into person (town, id, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key)
    select 'malu', id, '', '', '', sha256(id::bytea), sha256(('c' || id)::bytea), 1
    from unnest(array['steward', 'r-1', 'r-2', 'r-3', 'r-4', 'r-5', 'r-6']) id;
insert into residence (town, id, person, household, ground, valid, recorded) values
    ('malu', gen_random_uuid(), 'steward', 'h-1', 'REGISTERED', '[2012-01-01,)', tstzrange(now(), null)),
    ('malu', gen_random_uuid(), 'r-1', 'h-1', 'REGISTERED', '[2013-08-12,)', tstzrange(now(), null)),
    ('malu', gen_random_uuid(), 'r-2', 'h-1', 'REGISTERED', '[2019-12-08,)', tstzrange(now(), null)),
    ('malu', gen_random_uuid(), 'r-3', 'h-2', 'RESIDENCE_PERMIT', '[2017-03-29,)', tstzrange(now(), null)),
    ('malu', gen_random_uuid(), 'r-4', 'h-2', 'RESIDENCE_PERMIT', '[2013-05-13,2020-03-03)', tstzrange(now(), null)),
    ('malu', gen_random_uuid(), 'r-5', 'h-3', 'REGISTERED', '[2020-06-01,)', tstzrange(now(), null));
