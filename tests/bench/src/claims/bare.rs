//! The statements of GetClaim and ListClaims on a held connection behind a tonic service without layers, whose answers are the same
//! messages, filled from the rows: no permission, no validation, no snapshot, no words, nothing opened.

use std::{convert::Infallible, str::FromStr, sync::Arc};

use chassis::{amount::to_money, peer::Peer, wire};
use contracts::{
    google::r#type::{Date, Money},
    linli::{
        common::v1::{Payee, TimelineEntry},
        insurance::v1 as pb,
    },
};
use jiff::civil::date;
use kernel::money::Fen;
use sqlx::{
    AssertSqlSafe, ColumnIndex, Connection, Decode, Error, PgConnection, Postgres, Row, Type, postgres::PgRow,
};
use tokio::sync::Mutex;
use tonic::{Request, Response, Status, body::Body, server::Grpc};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use crate::Done;

/// More papers than there are: what the service asks of the town's terms.
const PAPERS: i32 = 500;
const COUNTED: &str =
    "select exists (select from claim where town = $1 and term_days is not null and papers < $2)";
const BENEFICIARIES: &str =
    "select person, share_ppm, relation from claim_beneficiary where town = $1 and claim = $2 order by n";
const PAYMENTS: &str = "select programme, insurer, amount_fen, paid_on::text, reference, recorded_by, recorded_person, confirmed_on::text
    from claim_payment where town = $1 and claim = $2 order by programme";
const OBJECTIONS: &str =
    "select id, state, text_sealed, answer_sealed, objected_on::text, objected_by, objected_person, answered_on::text, answered_by
    from claim_objection where town = $1 and claim = $2 order by id";
const DECISIONS: &str = "select n, outcome, rule, assessed_fen, grade, documents_complete, approved_fen, decided_on::text, decided_by, decided_person
    from claim_decision where town = $1 and claim = $2 order by n";
const LINES: &str = "select decision, programme, policy, version, insurer, outcome, rule, claimed_fen, seen_fen, covered_fen, approved_fen, trace
    from claim_line where town = $1 and claim = $2 order by decision, n";
const SETTINGS: &str = "select accept_days, survey_days, assess_days, adjudicate_days, publish_days, notice_days, answer_days, pay_days, close_days,
        appeal_days, version, (extract(epoch from updated) * 1000000)::bigint,
        array(select peril from claim_required_document d where d.town = s.town order by peril, kind),
        array(select kind from claim_required_document d where d.town = s.town order by peril, kind)
    from claim_settings s where town = $1";
const DOCUMENTS: &str = "select distinct kind from document where town = $1 and owner_kind = 'CLAIM' and owner = $2 and state = 'STORED' order by kind";
const TIMELINE: &str = "select (extract(epoch from recorded) * 1000000)::bigint as at, principal, verb, from_state, to_state, comment, version
    from history where town = $1 and resource = $2 order by version desc limit 200";

/// A connection, and the texts of the statements that the service composes.
struct Bare {
    connection: Mutex<PgConnection>,
    claim: String,
    /// By filter and whether it is the first page.
    pages: Vec<(&'static str, bool, String)>,
}

/// The fields that lists are filtered by here.
const FILTERS: [(&str, &str); 3] =
    [("", ""), ("state", "state = NOTICE"), ("committee", "committee = \"towns/malu/committees/c000\"")];

/// The bare service, near.
pub(super) async fn peer(url: &str) -> Done<Peer> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql("set search_path = insurance, public").execute(&mut connection).await?;
    let mut pages = Vec::new();
    for (field, filter) in FILTERS {
        for first in [true, false] {
            let sql = insurance::plans::claims_page("malu", date(2021, 3, 1), filter, first)?;
            pages.push((field, first, sql));
        }
    }
    let bare = Arc::new(Bare { connection: Mutex::new(connection), claim: insurance::plans::claim(), pages });
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let bare = bare.clone();
        async move { Ok::<_, Infallible>(answer(bare, request).await) }
    });
    Ok(chassis::peer::near(service))
}

async fn answer(bare: Arc<Bare>, request: http::Request<Body>) -> http::Response<Body> {
    if request.uri().path().ends_with("/GetClaim") {
        let get = tower::service_fn(move |request: Request<pb::GetClaimRequest>| {
            let bare = bare.clone();
            async move {
                bare.get(request.get_ref())
                    .await
                    .map(Response::new)
                    .map_err(|e| Status::internal(e.to_string()))
            }
        });
        Grpc::new(ProstCodec::default()).unary(get, request).await
    } else {
        let list = tower::service_fn(move |request: Request<pb::ListClaimsRequest>| {
            let bare = bare.clone();
            async move {
                bare.list(request.get_ref())
                    .await
                    .map(Response::new)
                    .map_err(|e| Status::internal(e.to_string()))
            }
        });
        Grpc::new(ProstCodec::default()).unary(list, request).await
    }
}

impl Bare {
    async fn list(&self, request: &pb::ListClaimsRequest) -> Result<pb::ListClaimsResponse, Error> {
        let mut sql = self.connection.lock().await;
        sqlx::query(COUNTED).bind("malu").bind(PAPERS).fetch_one(&mut *sql).await?;
        let field = request.filter.split(' ').next().unwrap_or_default();
        let first = request.page_token.is_empty();
        let of = self.pages.iter().find(|page| (page.0, page.1) == (field, first));
        let text = of.map(|page| page.2.clone()).unwrap_or_default();
        let mut page = sqlx::query(AssertSqlSafe(text)).bind("2021-03-01").bind("malu");
        page = match field {
            "state" => page.bind("NOTICE"),
            "committee" => page.bind("malu").bind(request.filter.trim_end_matches('"').rsplit('/').next()),
            _ => page,
        };
        if !first {
            page = page.bind(Uuid::from_str(&request.page_token).unwrap_or_default());
        }
        let rows = page.bind(51i64).fetch_all(&mut *sql).await?;
        drop(sql);
        let shown = usize::try_from(request.page_size).unwrap_or_default();
        let claims = rows.iter().take(shown).map(claim).collect::<Result<Vec<_>, _>>()?;
        let next_page_token = claims.last().map(|claim| claim.name.clone()).unwrap_or_default();
        Ok(pb::ListClaimsResponse { claims, next_page_token })
    }

    async fn get(&self, request: &pb::GetClaimRequest) -> Result<pb::Claim, Error> {
        let id = request.name.rsplit('/').next().and_then(|id| Uuid::from_str(id).ok()).unwrap_or_default();
        let mut sql = self.connection.lock().await;
        sqlx::query(COUNTED).bind("malu").bind(PAPERS).fetch_one(&mut *sql).await?;
        let text = AssertSqlSafe(self.claim.clone());
        let mut whole = claim(&sqlx::query(text).bind("malu").bind(id).fetch_one(&mut *sql).await?)?;
        let mut of =
            async |text: &'static str| sqlx::query(text).bind("malu").bind(id).fetch_all(&mut *sql).await;
        whole.beneficiaries = of(BENEFICIARIES).await?.iter().map(beneficiary).collect::<Result<_, _>>()?;
        let payments = of(PAYMENTS).await?;
        of(OBJECTIONS).await?;
        let decisions = of(DECISIONS).await?;
        let lines = of(LINES).await?;
        sqlx::query(SETTINGS).bind("malu").fetch_optional(&mut *sql).await?;
        sqlx::query(DOCUMENTS).bind("malu").bind(id).fetch_all(&mut *sql).await?;
        let timeline = sqlx::query(TIMELINE).bind("malu").bind(&request.name).fetch_all(&mut *sql).await?;
        drop(sql);
        let lines = lines.iter().map(|row| line(row, &payments)).collect::<Result<Vec<_>, Error>>()?;
        whole.decisions = decisions.iter().map(|row| decision(row, &lines)).collect::<Result<_, _>>()?;
        whole.timeline = timeline.iter().rev().map(step).collect::<Result<_, _>>()?;
        Ok(whole)
    }
}

fn get<'r, T: Decode<'r, Postgres> + Type<Postgres>, I: ColumnIndex<PgRow>>(
    row: &'r PgRow,
    column: I,
) -> Result<T, Error> {
    row.try_get(column)
}

fn money(fen: Option<i64>) -> Option<Money> {
    fen.map(|fen| to_money(Fen::of(fen)))
}

fn day(text: Option<&str>) -> Option<Date> {
    text.and_then(|text| text.parse().ok()).map(wire::to_date)
}

fn named(kind: &str, id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("towns/malu/{kind}/{id}") }
}

fn outcome(text: Option<&str>) -> i32 {
    let outcome = text.and_then(|text| pb::ClaimOutcome::from_str_name(&format!("CLAIM_OUTCOME_{text}")));
    outcome.unwrap_or_default().into()
}

fn claim(row: &PgRow) -> Result<pb::Claim, Error> {
    let signed = |column| Ok::<_, Error>(get::<Option<String>, &str>(row, column)?.unwrap_or_default());
    let (decision, fen): (Option<i32>, i64) = (get(row, "decision")?, get(row, "approved_fen")?);
    let insurers: Vec<String> = get(row, "insurers")?;
    let state = pb::ClaimState::from_str_name(&format!("CLAIM_STATE_{}", get::<&str, _>(row, "state")?));
    Ok(pb::Claim {
        name: named("claims", &get::<Uuid, _>(row, "id")?.to_string()),
        number: get(row, "number")?,
        incident: named("incidents", &get::<Uuid, _>(row, "incident")?.to_string()),
        insured: named("people", get(row, "insured")?),
        claimant: named("people", get(row, "claimant")?),
        household: named("households", get(row, "household")?),
        claimed_amount: money(get(row, "claimed_fen")?),
        report_date: day(get(row, "reported_on")?),
        payee: Some(Payee {
            masked: !get::<&[u8], _>(row, "payee_sealed")?.is_empty(),
            ..Default::default()
        }),
        state: state.unwrap_or_default().into(),
        peril: get(row, "peril")?,
        happen_date: day(get(row, "happened_on")?),
        place: get(row, "place")?,
        committee: named("committees", get(row, "committee")?),
        insurers: insurers.iter().map(|id| named("organisations", id)).collect(),
        assessed_amount: money(get(row, "assessed_fen")?),
        disability_grade: get::<Option<i32>, _>(row, "grade")?.unwrap_or_default(),
        outcome: outcome(get(row, "outcome")?),
        rule: signed("rule")?,
        approved_amount: money(decision.map(|_| fen)),
        paid_amount: money(Some(get(row, "paid_fen")?)),
        notice_end_date: day(get(row, "notice_ends")?),
        appeal_end_date: day(get(row, "appeal_ends")?),
        appealed: get(row, "appealed")?,
        open_objections: get(row, "open_objections")?,
        requested_documents: get(row, "requested_kinds")?,
        reporter: get(row, "reported_by")?,
        surveyor: signed("surveyed_by")?,
        assessor: signed("assessed_by")?,
        adjudicator: signed("adjudicated_by")?,
        etag: get::<i64, _>(row, "version")?.to_string(),
        create_time: Some(wire::to_timestamp(get(row, "created")?)),
        update_time: Some(wire::to_timestamp(get(row, "updated")?)),
        ..Default::default()
    })
}

fn beneficiary(row: &PgRow) -> Result<pb::Beneficiary, Error> {
    Ok(pb::Beneficiary {
        person: named("people", get(row, 0)?),
        share_ppm: get(row, 1)?,
        relation: get(row, 2)?,
    })
}

fn line(row: &PgRow, payments: &[PgRow]) -> Result<(i32, pb::ClaimLine), Error> {
    let programme: &str = get(row, "programme")?;
    let paid = payments.iter().find(|paid| get::<&str, _>(paid, 0).is_ok_and(|its| its == programme));
    let trace: serde_json::Value = get(row, "trace")?;
    let number = |step: &serde_json::Value, at: usize| step.get(at).and_then(serde_json::Value::as_i64);
    let steps = trace.as_array().into_iter().flatten().map(|step| pb::TraceStep {
        rule: step.get(0).and_then(|rule| rule.as_str()).unwrap_or_default().to_owned(),
        input: number(step, 1).unwrap_or_default(),
        effect: number(step, 2).unwrap_or_default(),
        ..Default::default()
    });
    let line = pb::ClaimLine {
        programme: named("programmes", programme),
        policy: named("policies", get(row, "policy")?),
        policy_version: get(row, "version")?,
        insurer: named("organisations", get(row, "insurer")?),
        outcome: outcome(get(row, "outcome")?),
        rule: get::<Option<String>, _>(row, "rule")?.unwrap_or_default(),
        claimed_amount: money(get(row, "claimed_fen")?),
        assessed_amount: money(get(row, "seen_fen")?),
        covered_amount: money(get(row, "covered_fen")?),
        approved_amount: money(get(row, "approved_fen")?),
        paid_amount: money(Some(paid.map_or(Ok(0), |paid| get(paid, 2))?)),
        pay_date: day(paid.map(|paid| get(paid, 3)).transpose()?),
        payment_reference: paid.map_or(Ok(String::new()), |paid| get(paid, 4))?,
        confirm_date: day(paid.map(|paid| get(paid, 7)).transpose()?.flatten()),
        trace: steps.collect(),
    };
    Ok((get(row, "decision")?, line))
}

fn decision(row: &PgRow, lines: &[(i32, pb::ClaimLine)]) -> Result<pb::ClaimDecision, Error> {
    let n: i32 = get(row, "n")?;
    Ok(pb::ClaimDecision {
        number: n,
        outcome: outcome(get(row, "outcome")?),
        rule: get::<Option<String>, _>(row, "rule")?.unwrap_or_default(),
        approved_amount: money(get(row, "approved_fen")?),
        assessed_amount: money(get(row, "assessed_fen")?),
        disability_grade: get::<Option<i32>, _>(row, "grade")?.unwrap_or_default(),
        documents_complete: get(row, "documents_complete")?,
        decide_date: day(get(row, "decided_on")?),
        adjudicator: get(row, "decided_by")?,
        in_force: true,
        lines: lines.iter().filter(|line| line.0 == n).map(|line| line.1.clone()).collect(),
    })
}

fn step(row: &PgRow) -> Result<TimelineEntry, Error> {
    Ok(TimelineEntry {
        record_time: Some(wire::to_timestamp(get(row, "at")?)),
        principal: get(row, "principal")?,
        verb: get(row, "verb")?,
        from_state: get(row, "from_state")?,
        to_state: get(row, "to_state")?,
        comment: get(row, "comment")?,
        version: get(row, "version")?,
    })
}
