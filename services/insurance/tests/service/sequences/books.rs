//! What must be true of the tables whatever was done, in SQL that knows nothing of the code.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::harness::Service;

/// The lines of the decisions in force with what their limits are of, each limit of its version beside; of a claim that is closed
/// the lines that are paid.
const STANDING: &str = "
    create temporary view standing as
    select c.id as claim, c.insured, c.household, c.event, c.peril, l.policy, l.version, l.loss, l.approved_fen as fen,
           b.limit_person_year_fen as b_person, b.limit_household_year_fen as b_household, b.limit_event_fen as b_event,
           v.limit_person_year_fen as p_person, v.limit_household_year_fen as p_household, v.limit_event_fen as p_event, v.limit_year_fen as p_year,
           case b.form when 'FIXED' then b.fixed_fen when 'BY_GRADE' then round(b.sum_fen::numeric * b.parts_ppm[c.grade] / 1000000)::bigint end as fixed
    from insurance.claim c
    join insurance.claim_line l on l.town = c.town and l.claim = c.id and l.decision = c.decision
    join insurance.policy_version v on v.town = l.town and v.policy = l.policy and v.n = l.version
    join insurance.policy_benefit b on b.town = l.town and b.policy = l.policy and b.version = l.version and b.peril = c.peril
    where l.approved_fen > 0 and (c.state <> 'CLOSED' or (
        select coalesce(sum(p.amount_fen), 0) from insurance.claim_payment p where p.claim = c.id and p.programme = l.programme) > 0)";

/// A limit, the columns that it is of, and the benefits that it is of alone. Of each version what stands under it is within its limit; all
/// that stands under versions with such a limit is within the highest of them.
const LIMITS: [(&str, &str); 7] = [
    ("b_person", "policy, peril, insured"),
    ("b_household", "policy, peril, household"),
    ("b_event", "policy, peril, event"),
    ("p_person", "policy, insured"),
    ("p_household", "policy, household"),
    ("p_event", "policy, event"),
    ("p_year", "policy"),
];

/// What must find nothing.
const NOTHING: [(&str, &str); 18] = [
    (
        "of fixed benefits more than the highest stands for a person and event",
        "select insured, event from standing where not loss group by insured, event having sum(fen) > max(fixed)",
    ),
    (
        "what is drawn isn't what stands drawn",
        "select from cap_used u full join (
             select town, case cap when 'FIXED_EVENT' then '' else policy end as policy, cap, peril, subject, year, sum(amount_fen) as fen
             from claim_draw group by 1, 2, 3, 4, 5, 6) d using (town, policy, cap, peril, subject, year)
         where coalesce(u.used_fen, 0) <> coalesce(d.fen, 0)",
    ),
    (
        "what stands isn't drawn",
        "select s.claim from standing s where s.p_year is not null and s.fen is distinct from (
             select sum(d.amount_fen) from claim_draw d join claim c on c.id = d.claim and c.decision = d.decision
             where d.claim = s.claim and d.policy = s.policy and d.cap = 'YEAR')",
    ),
    (
        "something is drawn that doesn't stand",
        "select from claim_draw d join claim c on c.id = d.claim where d.decision is distinct from c.decision
         group by d.claim, d.decision, d.policy, d.cap having sum(d.amount_fen) <> 0",
    ),
    (
        "more than the loss is approved, or more than was claimed",
        "select c.id from claim c join standing s on s.claim = c.id where s.loss
         group by c.id, c.assessed_fen, c.claimed_fen having sum(s.fen) > c.assessed_fen or c.assessed_fen > coalesce(c.claimed_fen, 0)",
    ),
    (
        "a loss is decided twice",
        "select subject, peril, happened_on from claim where state not in ('REPORTED', 'WITHDRAWN', 'DISMISSED')
         group by subject, peril, happened_on, case object when 'DWELLING' then '' else place end having count(*) > 1",
    ),
    (
        "a loss is paid twice by a programme",
        "select from claim_payment p join claim c on c.id = p.claim where p.reverses is null
             and not exists (select from claim_payment r where r.claim = p.claim and r.reverses = p.n)
         group by c.subject, c.peril, c.happened_on, case c.object when 'DWELLING' then '' else c.place end, p.programme
         having count(distinct p.claim) > 1",
    ),
    (
        "a claim is paid by other than its decision",
        "select c.id from claim c where c.paid_fen > c.approved_fen
            or c.paid_fen <> (select coalesce(sum(p.amount_fen), 0) from claim_payment p where p.claim = c.id)
            or exists (select from claim_payment p where p.claim = c.id group by p.programme, p.insurer having sum(p.amount_fen) < 0
                or sum(p.amount_fen) > coalesce((select l.approved_fen from claim_line l where l.claim = c.id and l.decision = c.decision
                    and (l.programme, l.insurer) = (p.programme, p.insurer)), 0))",
    ),
    (
        "a payment is dated while an objection was open",
        "select from claim_payment p join claim_objection o on o.claim = p.claim
         where p.reverses is null and o.objected_on <= p.paid_on and (o.state = 'OPEN' or o.state = 'ANSWERED' and p.paid_on < o.answered_on)",
    ),
    (
        "a payment is dated within the notice or before the decision",
        "select from claim_payment p join claim c on c.id = p.claim join claim_decision d on d.claim = p.claim and d.n = p.decision
         where p.reverses is null and (p.decision = c.decision and p.paid_on <= c.notice_ends or p.paid_on < d.decided_on)",
    ),
    (
        "a claim counts other objections than are open",
        "select from claim c where c.open_objections <> (select count(*) from claim_objection o where o.claim = c.id and o.state = 'OPEN')",
    ),
    (
        "a claim is decided by its reporter, surveyor, an assessor or a party",
        "select from claim c join claim_decision d on d.claim = c.id
         where d.decided_person in (c.reported_person, c.surveyed_person, 'towns/malu/people/' || c.insured, 'towns/malu/people/' || c.claimant)
            or exists (select from claim_assessment a where a.claim = c.id and a.assessed_person = d.decided_person)
            or exists (select from claim_beneficiary b where b.claim = c.id and 'towns/malu/people/' || b.person = d.decided_person)",
    ),
    (
        "an appeal is decided by who decided before",
        "select from claim c join claim_decision d on d.claim = c.id join claim_decision e on e.claim = c.id and e.n < d.n
         where c.appealed and c.state in ('ADJUDICATED', 'NOTICE', 'OBJECTED', 'PAID', 'CLOSED') and d.n = c.decision and d.decided_person = e.decided_person",
    ),
    (
        "somebody pays what he decided, or confirms what he paid",
        "select from claim_payment p join claim_decision d on d.claim = p.claim and d.n = p.decision
         where p.reverses is null and p.recorded_person in (d.decided_person, coalesce(p.confirmed_person, '?'))",
    ),
    (
        "a payment is taken back by who recorded or confirmed it, by another sum, or twice",
        "select from claim_payment r left join claim_payment p on p.claim = r.claim and p.n = r.reverses
         where r.reverses is not null and (p.n is null or p.amount_fen + r.amount_fen <> 0 or p.reverses is not null
             or r.recorded_person in (p.recorded_person, coalesce(p.confirmed_person, '?'))
             or exists (select from claim_payment o where o.claim = r.claim and o.reverses = r.reverses and o.n <> r.n))",
    ),
    (
        "an objection is answered by who raised it or who decided",
        "select from claim_objection o join claim c on c.id = o.claim where o.state = 'ANSWERED' and o.answered_person = o.objected_person",
    ),
    (
        "a claim is closed with a payment that nobody confirmed, or before its appeal is over",
        "select from claim c where c.state = 'CLOSED' and (
             exists (select from claim_payment p where p.claim = c.id and p.confirmed_on is null and p.reverses is null
                 and not exists (select from claim_payment r where r.claim = p.claim and r.reverses = p.n))
             or not c.appealed and c.outcome = 'REJECTED' and c.appeal_ends >= c.since)",
    ),
    (
        "an incident and its claims disagree",
        "select from incident i where (i.claim <> '' ) <> exists (
             select from claim c where c.incident = i.id and c.state not in ('WITHDRAWN', 'DISMISSED'))",
    ),
];

/// Connections to the tables of both services.
pub(super) struct Books {
    insurance: PgConnection,
    governance: PgConnection,
}

/// All of it as one query, which finds what is broken.
fn all_checks() -> String {
    let mut checks: Vec<(String, String)> =
        NOTHING.iter().map(|(what, sql)| ((*what).to_owned(), (*sql).to_owned())).collect();
    for (limit, of) in LIMITS {
        let each = format!(
            "select {of}, version from standing group by {of}, version, {limit} having sum(fen) > {limit}"
        );
        let all = format!(
            "select {of} from standing where {limit} is not null group by {of} having sum(fen) > max({limit})"
        );
        checks
            .extend([(format!("{limit} of a version is passed"), each), (format!("{limit} is passed"), all)]);
    }
    let found = checks.iter().map(|(what, sql)| {
        let what = what.replace('\'', "''");
        format!("select '{what}', jsonb_agg(to_jsonb(x))::text from ({sql}) x having count(*) > 0")
    });
    found.collect::<Vec<_>>().join(" union all ")
}

async fn opened(url: &str, schema: &str) -> PgConnection {
    let mut sql = PgConnection::connect(url).await.unwrap();
    let path = format!("set search_path = {schema}, public");
    sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut sql).await.unwrap();
    sql
}

impl Books {
    pub(super) async fn open(service: &Service) -> Books {
        let mut insurance = opened(&service.db.database.owner_url, "insurance").await;
        sqlx::raw_sql(STANDING).execute(&mut insurance).await.unwrap();
        Books { insurance, governance: opened(&service.governance_db.database.owner_url, "governance").await }
    }

    /// Everything that is true at all times.
    pub(super) async fn check(&mut self, when: &str) {
        let broken = sqlx::query(AssertSqlSafe(all_checks())).fetch_all(&mut self.insurance).await;
        let broken = broken.unwrap_or_else(|error| panic!("{error}: {}", all_checks()));
        if let Some(row) = broken.first() {
            panic!("{when}: {}: {}", row.get::<String, _>(0), row.get::<String, _>(1));
        }
    }

    /// A digest of every row of every table: two are equal when no byte of state has changed.
    pub(super) async fn digest(&mut self) -> Vec<(String, String)> {
        let tables = "select string_agg(format('select %L, md5(coalesce(string_agg(t::text, chr(10) order by t::text), '''')) from %I t', tablename, tablename),
            ' union all ' order by tablename) from pg_tables where schemaname = 'insurance' and tablename not like '%\\_migrations'";
        let all: String = sqlx::query_scalar(tables).fetch_one(&mut self.insurance).await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(all)).fetch_all(&mut self.insurance).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// The payments that are there: claim and programme.
    pub(super) async fn paid(&mut self) -> Vec<(String, String)> {
        let rows = sqlx::query("select claim::text, programme from claim_payment where reverses is null")
            .fetch_all(&mut self.insurance)
            .await;
        rows.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// What was paid just now was covered on its day, by the register as it is now.
    pub(super) async fn check_what_was_paid(&mut self, before: &[(String, String)], when: &str) {
        for (claim, programme) in self.paid().await {
            if !before.contains(&(claim.clone(), programme.clone())) {
                self.covered(&claim, &programme, when).await;
            }
        }
    }

    async fn covered(&mut self, claim: &str, programme: &str, when: &str) {
        let row = sqlx::query(
            "select c.insured, c.happened_on::text, c.peril, b.insured_by, v.grounds, c.place_kind,
                 case when not p.valid @> c.happened_on then 'its policy'
                     when c.reported_on - c.happened_on > v.report_within_days then 'the term of the report'
                     when not exists (select from policy_benefit n where n.policy = l.policy and n.peril = c.peril and n.version = (
                         select max(w.n) from policy_version w where w.policy = l.policy and w.state = 'SIGNED' and w.from_day <= c.happened_on))
                         then 'the benefits of its day' else '' end
             from claim c
             join claim_line l on l.claim = c.id and l.decision = c.decision and l.programme = $2
             join policy p on p.id = l.policy
             join policy_version v on v.policy = l.policy and v.n = l.version
             join policy_benefit b on b.policy = l.policy and b.version = l.version and b.peril = c.peril
             where c.id = $1::text::uuid",
        )
        .bind(claim)
        .bind(programme)
        .fetch_one(&mut self.insurance)
        .await
        .unwrap();
        let (insured, day, peril): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let outside: String = row.get(6);
        assert!(outside.is_empty(), "{when}: {claim} is outside {outside}");
        assert!(peril != "BURST_PIPE", "{when}: {claim} is paid without its documents");
        if row.get::<String, _>(3) == "PLACE" {
            assert_eq!(row.get::<String, _>(5), "ESTATE", "{when}: {claim}");
            return;
        }
        let lived: bool = sqlx::query_scalar(
            "select exists (select from residence where town = 'malu' and person = $1 and valid @> $2::text::date and upper_inf(recorded) and ground = any($3))",
        )
        .bind(&insured)
        .bind(&day)
        .bind(row.get::<Vec<String>, _>(4))
        .fetch_one(&mut self.governance)
        .await
        .unwrap();
        assert!(lived, "{when}: {insured} didn't live here on {day}, and {claim} is paid");
    }
}
