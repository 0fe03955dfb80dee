//! An insurance service with its layers, near, whose town has so many decided claims; a real governance is its peer.

use std::{fmt::Write, sync::Arc, time::Duration};

use chassis::{
    clock::Clock,
    db::Schema,
    governance::{Governance, ServiceToken},
    identity::{CachedDirectory, DevClaims, DevDirectory, DevIssuer, Directory, Verifier},
    layers::{self, Gatekeeper, Layers, Permissions},
    objects::Objects,
    operations::Worker,
    payee::Payee,
    peer::Peer,
    testing::TestDb,
};
use governance::access::BindingDirectory;
use jiff::civil::date;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tonic::Request;

use crate::{
    Done,
    cases::{cases, schemes},
};

/// Cases that claims repeat, with people, households and numbers of their own.
const CASES: u64 = 2_000;
/// Committees that claims are of.
pub(crate) const COMMITTEES: u64 = 40;
/// Rows of one COPY.
const PART: u64 = 20_000;

/// The service, and its database as the owner sees it.
pub(crate) struct Insured {
    pub(crate) db: TestDb,
    pub(crate) peer: Peer,
    pub(crate) owner: PgConnection,
    clock: Clock,
    issuer: DevIssuer,
    objects: Objects,
    _governance: TestDb,
    _keys: tempfile::TempDir,
}

fn layers(
    service: &'static str,
    issuer: &DevIssuer,
    directory: Arc<dyn Directory>,
    clock: &Clock,
) -> Done<Layers> {
    let gatekeeper = Gatekeeper {
        service,
        permissions: Permissions::read(&prost_reflect::DescriptorPool::decode(contracts::DESCRIPTORS)?),
        verifier: Verifier::new(vec![issuer.config()]),
        directory,
        clock: clock.clone(),
    };
    let (in_flight, deadline) = (512, Duration::from_secs(60));
    Ok(Layers { service, gatekeeper: Arc::new(gatekeeper), in_flight, deadline })
}

/// The id of a claim: in the order in which they were reported.
pub(crate) fn id(n: u64) -> String {
    format!("01700000-0000-7000-8000-{n:012x}")
}

impl Insured {
    pub(crate) async fn new() -> Done<Insured> {
        chassis::validate::install();
        let clock = Clock::starting(date(2021, 3, 1));
        let keys = tempfile::tempdir()?;
        let issuer = || DevIssuer::load_or_create(keys.path());
        let governance_db = TestDb::new(&Schema::new("governance", &governance::MIGRATIONS)).await;
        let mut owner = PgConnection::connect(&governance_db.database.owner_url).await?;
        let town = "insert into governance.town (town, display_name) values ('malu', '马陆镇')";
        sqlx::raw_sql(town).execute(&mut owner).await?;
        let bindings: Arc<dyn Directory> =
            Arc::new(BindingDirectory(Arc::new(governance_db.context.db.clone())));
        let directory: Arc<dyn Directory> =
            Arc::new(DevDirectory::new(Arc::new(CachedDirectory::new(bindings)), "malu"));
        let worker = Worker::new(governance_db.context.clone(), clock.clone(), governance::jobs());
        let around = layers("governance", &issuer()?, directory.clone(), &clock)?;
        let routes = governance::routes(&governance_db.context, &worker, directory, None);
        let peer = layers::near(layers::layered(routes, &around));

        let db = TestDb::new(&Schema::new("insurance", &insurance::MIGRATIONS)).await;
        let token = ServiceToken::development(issuer()?, "insurance");
        let governance = Governance::new("insurance", peer, token);
        let directory: Arc<dyn Directory> = Arc::new(CachedDirectory::new(Arc::new(governance.clone())));
        let objects = Objects::local(keys.path().join("objects"))?;
        let worker = Worker::new(db.context.clone(), clock.clone(), insurance::jobs(&objects));
        let around = layers("insurance", &issuer()?, directory, &clock)?;
        let routes = insurance::routes(&db.context, &worker, &governance, &objects, None);
        let peer = layers::near(layers::layered(routes, &around));
        let mut owner = PgConnection::connect(&db.database.owner_url).await?;
        sqlx::raw_sql("set search_path = insurance, public").execute(&mut owner).await?;
        let issuer = issuer()?;
        Ok(Insured { db, peer, owner, clock, issuer, objects, _governance: governance_db, _keys: keys })
    }

    /// A worker, as another replica has one.
    pub(crate) fn worker(&self) -> Worker {
        Worker::new(self.db.context.clone(), self.clock.clone(), insurance::jobs(&self.objects))
    }

    /// A message of an officer of the town.
    pub(crate) fn officer<T>(&self, message: T) -> Done<Request<T>> {
        let claims = DevClaims {
            subject: "officer".to_owned(),
            groups: vec!["town-officer@malu".to_owned()],
            person: Some("towns/malu/people/officer".to_owned()),
            lifetime: Duration::from_secs(7_200),
        };
        let token = self.issuer.token(&claims).map_err(|error| error.to_string())?;
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
        Ok(request)
    }

    /// The two schemes, and `claims` decided claims of 2020 with beneficiaries, decisions and lines.
    pub(crate) async fn fill(&mut self, claims: u64) -> Done<()> {
        let sql = format!("{TEMPLATES} {SCHEMES}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.owner).await?;
        let schemes = schemes();
        let all = cases(&schemes, CASES);
        let (rows, lines): (Vec<Value>, Vec<Vec<Value>>) =
            all.iter().enumerate().map(|(k, case)| case.rows(k)).unzip();
        for (table, rows) in [("template", rows), ("template_line", lines.concat())] {
            let sql =
                format!("insert into {table} select * from jsonb_populate_recordset(null::{table}, $1)");
            sqlx::query(AssertSqlSafe(sql)).bind(Value::Array(rows)).execute(&mut self.owner).await?;
        }
        self.payees(claims).await?;
        let sql = CLAIMS.replace("{claims}", &claims.to_string());
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.owner).await?;
        Ok(())
    }

    /// What the single read of a claim looks at beside: its payments and its history.
    pub(crate) async fn fill_behind(&mut self) -> Done<()> {
        sqlx::raw_sql(BEHIND).execute(&mut self.owner).await?;
        Ok(())
    }

    /// Who is paid, sealed for each claim as the service does it.
    async fn payees(&mut self, claims: u64) -> Done<()> {
        let vault = self.db.context.db.vault().clone();
        let payee = Payee {
            display_name: "钱甲子".to_owned(),
            bank: "示例银行".to_owned(),
            account_number: "6222021001123456789".to_owned(),
        };
        for first in (0..claims).step_by(usize::try_from(PART)?) {
            let mut rows = String::new();
            for n in first..claims.min(first + PART) {
                write!(rows, "{n}\t\\\\x")?;
                for byte in payee.seal(&vault, &format!("towns/malu/claims/{}", id(n)))? {
                    write!(rows, "{byte:02x}")?;
                }
                rows.push('\n');
            }
            let mut copy = self.owner.copy_in_raw("copy payee (n, sealed) from stdin").await?;
            copy.send(rows.as_bytes()).await?;
            copy.finish().await?;
        }
        Ok(())
    }
}

const SCHEMES: &str = include_str!("../../../services/insurance/tests/data/schemes.sql");

const TEMPLATES: &str = "
    create unlogged table template (k integer primary key, peril text, object text, in_place boolean, event_on date, reported_on date,
        assessed bigint, grade integer, complete boolean, insurers text[], outcome text, rule text, approved bigint, facts jsonb);
    create unlogged table template_line (k integer, n integer, programme text, policy text, insurer text, outcome text, rule text, loss boolean,
        seen bigint, covered bigint, approved bigint, trace jsonb);
    create unlogged table payee (n bigint primary key, sealed bytea);";

/// Claims of all cases, the year's events in their order. What pays is closed and paid, or one in 20 each in notice and adjudicated; what is rejected is closed. Triggers and
/// foreign keys rest, checks don't.
const CLAIMS: &str = "
    set session_replication_role = replica;
    insert into claim (town, id, number, state, incident, event, peril, object, happened_on, reported_on, place_kind, place, insured, claimant,
            household, committee, insurers, claimed_fen, payee_sealed, data_key, assessed_fen, grade, decision, outcome, rule, approved_fen,
            paid_fen, notice_from, notice_days, notice_ends, since, term_from, term_days, due, papers, reported_by, reported_person, surveyed_by,
            surveyed_person, assessed_by, assessed_person, adjudicated_by, adjudicated_person)
        select 'malu', ('01700000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
            '民-' || 2020 + n / 900000 || '-' || lpad((1 + n % 900000)::text, 6, '0'), s.state, gen_random_uuid(), gen_random_uuid(), t.peril, t.object,
            e.day, e.day + (t.reported_on - t.event_on), case when t.in_place then 'ESTATE' else 'HOUSEHOLD' end, case when t.in_place then 'towns/malu/estates/e-1'
            else 'towns/malu/households/h' || n end, 'p' || n, 'p' || n, 'h' || n, 'c' || lpad((n % 40)::text, 3, '0'), t.insurers, t.assessed,
            p.sealed, 1, t.assessed, t.grade, 1, t.outcome, t.rule, t.approved, case s.state when 'CLOSED' then t.approved else 0 end,
            case when s.state = 'NOTICE' then date '2021-02-20' end, case when s.state = 'NOTICE' then 10 end,
            case when s.state = 'NOTICE' then date '2021-03-10' end, date '2021-02-20', case when s.state <> 'CLOSED' then date '2021-02-20' end,
            case when s.state <> 'CLOSED' then 10 end, case when s.state <> 'CLOSED' then date '2021-03-10' end, 1000,
            'urn:bench|reporter', 'towns/malu/people/reporter', 'urn:bench|surveyor', 'towns/malu/people/surveyor', 'urn:bench|assessor',
            'towns/malu/people/assessor', 'urn:bench|adjudicator', 'towns/malu/people/adjudicator'
        from generate_series(0, {claims}::bigint - 1) n
            join payee p using (n)
            join template t on t.k = n % (select count(*) from template)
            cross join lateral (select case when t.outcome = 'REJECTED' then 'CLOSED' when n / 2000 % 20 = 0 then 'NOTICE'
                when n / 2000 % 20 = 1 then 'ADJUDICATED' else 'CLOSED' end as state) s
            cross join lateral (select date '2020-01-01' + (n * 366 / {claims})::integer as day) e
        order by n;
    insert into claim_beneficiary (town, claim, n, person, share_ppm) select town, id, 1, insured, 1000000 from claim;
    insert into claim_decision (town, claim, n, outcome, rule, assessed_fen, grade, documents_complete, approved_fen, facts, decided_on, decided_by,
            decided_person)
        select 'malu', ('01700000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1, t.outcome, t.rule, t.assessed, t.grade, t.complete,
            t.approved, t.facts || jsonb_build_object('event_on', e.day, 'reported_on', e.day + (t.reported_on - t.event_on)),
            e.day + (t.reported_on - t.event_on) + 5, 'urn:bench|adjudicator', 'towns/malu/people/adjudicator'
        from generate_series(0, {claims}::bigint - 1) n join template t on t.k = n % (select count(*) from template)
            cross join lateral (select date '2020-01-01' + (n * 366 / {claims})::integer as day) e
        order by n;
    insert into claim_line (town, claim, decision, n, programme, policy, version, insurer, outcome, rule, loss, claimed_fen, seen_fen, covered_fen,
            approved_fen, trace)
        select 'malu', ('01700000-0000-7000-8000-' || lpad(to_hex(c.n), 12, '0'))::uuid, 1, l.n, l.programme, l.policy, 1, l.insurer, l.outcome,
            l.rule, l.loss, null, l.seen, l.covered, l.approved, l.trace
        from generate_series(0, {claims}::bigint - 1) c (n) join template_line l on l.k = c.n % (select count(*) from template) order by c.n, l.n;
    drop table payee;
    analyze";

const BEHIND: &str = "
    insert into claim_payment (town, claim, n, programme, decision, insurer, amount_fen, paid_on, reference, recorded_by, recorded_person, confirmed_on,
            confirmed_by, confirmed_person)
        select c.town, c.id, l.n, l.programme, 1, l.insurer, l.approved_fen, c.since - 3, 'r-' || c.number || l.programme, 'urn:bench|payer',
            'towns/malu/people/payer', c.since - 1, 'urn:bench|confirmer', 'towns/malu/people/confirmer'
        from claim c join claim_line l on l.town = c.town and l.claim = c.id and l.approved_fen > 0 where c.state = 'CLOSED';
    insert into history (town, resource, version, principal, verb, from_state, to_state)
        select c.town, 'towns/malu/claims/' || c.id, v.n, 'urn:bench|somebody', v.verb, v.from_state, v.to_state
        from claim c cross join (values (1, 'report', '', 'REPORTED'), (2, 'accept', 'REPORTED', 'ACCEPTED'), (3, 'survey', 'ACCEPTED', 'SURVEYED'),
            (4, 'assess', 'SURVEYED', 'ASSESSED'), (5, 'adjudicate', 'ASSESSED', 'ADJUDICATED')) v (n, verb, from_state, to_state)
        order by c.id, v.n;
    analyze";
