//! The SQL of claims.

mod children;
mod decisions;
mod list;
mod payments;
mod relation;
mod terms;

pub(crate) use children::{
    Beneficiary, Objection, add_assessment, add_objection, answer_objection, assessors, beneficiaries,
    objections, overtake_objections, set_beneficiaries,
};
pub(crate) use decisions::{
    CapKey, Decision, Line, NewDraw, NewLine, Rested, add_decision, add_draws, add_lines, claims_after,
    decisions, decisions_of, lines, lock_caps, own_draws, release_draws, reverse_draws,
};
pub(crate) use list::{FILTER, list, list_query};
pub(crate) use payments::{Payment, add_payment, by_number, confirm, known_reference, payments};
pub(crate) use relation::Relation;
pub(crate) use terms::{counted_before, lock_counted_before, recounted};

use chassis::{actor::Actor, identity::Scope, payee::Payee, refusal::Refusal, vault::Vault};
use jiff::civil::Date;
use kernel::{calendar::Calendar, name::ClaimName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{Facts, Running, State};
use crate::{adjudication::Outcome, cover::Subject};

/// A claim as the table keeps it.
#[derive(Clone, Debug, Default, FromRow)]
pub(crate) struct Row {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) number: String,
    pub(crate) state: String,
    pub(crate) resumes: Option<String>,
    pub(crate) left_days: Option<i32>,
    pub(crate) incident: Uuid,
    pub(crate) event: Uuid,
    pub(crate) peril: String,
    pub(crate) object: String,
    pub(crate) happened_on: String,
    pub(crate) reported_on: String,
    pub(crate) place_kind: String,
    pub(crate) place: String,
    pub(crate) insured: String,
    pub(crate) claimant: String,
    pub(crate) household: String,
    pub(crate) committee: String,
    pub(crate) insurers: Vec<String>,
    pub(crate) claimed_fen: Option<i64>,
    pub(crate) payee_sealed: Vec<u8>,
    pub(crate) data_key: i32,
    pub(crate) survey_sealed: Option<Vec<u8>>,
    pub(crate) appeal_sealed: Option<Vec<u8>>,
    pub(crate) requested_kinds: Vec<String>,
    pub(crate) assessed_fen: Option<i64>,
    pub(crate) grade: Option<i32>,
    pub(crate) decision: Option<i32>,
    pub(crate) outcome: Option<String>,
    pub(crate) rule: Option<String>,
    pub(crate) approved_fen: i64,
    pub(crate) paid_fen: i64,
    pub(crate) appealed: bool,
    pub(crate) open_objections: i32,
    pub(crate) notice_from: Option<String>,
    pub(crate) notice_days: Option<i32>,
    pub(crate) notice_ends: Option<String>,
    pub(crate) appeal_from: Option<String>,
    pub(crate) appeal_days: Option<i32>,
    pub(crate) appeal_ends: Option<String>,
    pub(crate) since: String,
    pub(crate) term_from: Option<String>,
    pub(crate) term_days: Option<i32>,
    pub(crate) due: Option<String>,
    pub(crate) due_provisional: bool,
    pub(crate) papers: i32,
    pub(crate) reported_by: String,
    pub(crate) reported_person: String,
    pub(crate) changed_by: Option<String>,
    pub(crate) changed_person: String,
    pub(crate) surveyed_by: Option<String>,
    pub(crate) surveyed_person: String,
    pub(crate) assessed_by: Option<String>,
    pub(crate) assessed_person: String,
    pub(crate) adjudicated_by: Option<String>,
    pub(crate) adjudicated_person: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// The columns of a [`Row`] of `claim x` that say what was decided and paid.
pub(super) const DECIDED: &str = "x.outcome, x.rule, x.approved_fen, x.paid_fen";

/// The columns of a [`Row`] of `claim x`.
pub(crate) const COLUMNS: &str = "x.town, x.id, x.number, x.state, x.resumes, x.left_days, x.incident, x.event, x.peril, x.object,
    x.happened_on::text as happened_on, x.reported_on::text as reported_on, x.place_kind, x.place, x.insured, x.claimant, x.household, x.committee, x.insurers,
    x.claimed_fen, x.payee_sealed, x.data_key, x.survey_sealed, x.appeal_sealed, x.requested_kinds, x.assessed_fen, x.grade, x.decision,
    x.outcome, x.rule, x.approved_fen, x.paid_fen, x.appealed, x.open_objections, x.notice_from::text as notice_from, x.notice_days,
    x.notice_ends::text as notice_ends, x.appeal_from::text as appeal_from, x.appeal_days, x.appeal_ends::text as appeal_ends,
    x.since::text as since, x.term_from::text as term_from, x.term_days, x.due::text as due, x.due_provisional, x.papers,
    x.reported_by, x.reported_person, x.changed_by, x.changed_person, x.surveyed_by, x.surveyed_person, x.assessed_by, x.assessed_person, x.adjudicated_by,
    x.adjudicated_person, x.version, (extract(epoch from x.created) * 1000000)::bigint as created,
    (extract(epoch from x.updated) * 1000000)::bigint as updated";

/// A day of a column.
pub(crate) fn day(text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(Refusal::internal)
}

fn optional_day(text: Option<&str>) -> Result<Option<Date>, Refusal> {
    text.map(day).transpose()
}

impl Row {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/claims/{}", self.town, self.id)
    }

    /// Where it stands; the table's check holds the text there.
    pub(crate) fn state(&self) -> Result<State, Refusal> {
        State::from_name(&self.state).ok_or_else(|| Refusal::internal(format!("state {}", self.state)))
    }

    /// The name of a person of the town.
    pub(crate) fn person(&self, id: &str) -> String {
        format!("towns/{}/people/{id}", self.town)
    }

    /// Whom and what it met: the dwelling that it happened in, else the household; the estate in whose public area it happened.
    ///
    /// # Errors
    /// INTERNAL when an id of the row is none.
    pub(crate) fn subject(&self) -> Result<Subject, Refusal> {
        let of = |kind: &str| if self.place_kind == kind { self.place.as_str() } else { "" };
        let dwelling = if of("HOUSEHOLD").is_empty() { self.household.as_str() } else { of("HOUSEHOLD") };
        Subject::named(&self.town, &self.insured, dwelling, of("ESTATE"))
    }

    /// The day of the event.
    pub(crate) fn happened(&self) -> Result<Date, Refusal> {
        day(&self.happened_on)
    }

    /// What its steps rest on. `beneficiaries` and `unconfirmed` stand in other tables.
    pub(crate) fn facts(&self, beneficiaries: &[Beneficiary], unconfirmed: bool) -> Result<Facts, Refusal> {
        let signed = |by: &Option<String>, person: &str| by.as_ref().map(|by| Actor::new(by, person));
        let others = beneficiaries.iter().map(|one| one.person.as_str());
        let parties = [self.insured.as_str(), &self.claimant].into_iter().chain(others);
        Ok(Facts {
            state: self.state()?,
            outcome: self.outcome.as_deref().and_then(Outcome::from_name),
            reporter: Actor::new(&self.reported_by, &self.reported_person),
            changer: signed(&self.changed_by, &self.changed_person),
            surveyor: signed(&self.surveyed_by, &self.surveyed_person),
            assessor: signed(&self.assessed_by, &self.assessed_person),
            earlier: Vec::new(),
            adjudicator: signed(&self.adjudicated_by, &self.adjudicated_person),
            parties: parties.map(|id| self.person(id)).collect(),
            paid: self.paid_fen > 0,
            paid_whole: self.paid_fen > 0 && self.paid_fen == self.approved_fen,
            unconfirmed,
            appealed: self.appealed,
            notice_ends: optional_day(self.notice_ends.as_deref())?,
            appeal_ends: optional_day(self.appeal_ends.as_deref())?,
            open_objections: self.open_objections,
        })
    }

    /// The account that is paid to, in clear.
    pub(crate) fn payee(&self, vault: &Vault) -> Result<Payee, Refusal> {
        Payee::open(vault, &self.name(), &self.payee_sealed)
    }

    /// Seals an account.
    pub(crate) fn set_payee(&mut self, vault: &Vault, payee: &Payee) -> Result<(), Refusal> {
        self.payee_sealed = payee.seal(vault, &self.name())?;
        self.data_key = vault.sealing_column()?;
        Ok(())
    }

    /// Enters a state: whose turn it is since when, and how many working days he has.
    ///
    /// # Errors
    /// INTERNAL when a day of the row is none.
    pub(crate) fn enter(
        &mut self,
        state: State,
        since: Date,
        term_days: Option<i32>,
        days: &Calendar,
    ) -> Result<(), Refusal> {
        self.state = state.name().to_owned();
        self.since = since.to_string();
        self.term_days = term_days;
        self.term_from = term_days.map(|_| since.to_string());
        (self.due, self.due_provisional) = (None, false);
        self.count(days)
    }

    /// What the days of its open steps are counted from.
    pub(crate) fn running(&self) -> Result<Running, Refusal> {
        let counted = |from: Option<&str>, days: Option<i32>| {
            Ok::<_, Refusal>(optional_day(from)?.zip(days.and_then(|days| u32::try_from(days).ok())))
        };
        Ok(Running {
            state: self.state()?,
            term: counted(self.term_from.as_deref(), self.term_days)?,
            notice: counted(self.notice_from.as_deref(), self.notice_days)?,
            appeal: counted(self.appeal_from.as_deref(), self.appeal_days)?,
        })
    }

    /// Counts the days of its open steps; what is over keeps its own.
    ///
    /// # Errors
    /// INTERNAL when a day of the row is none.
    pub(crate) fn count(&mut self, days: &Calendar) -> Result<(), Refusal> {
        let running = self.running()?;
        if let Some(notice) = running.notice_term(days) {
            self.notice_ends = Some(notice.due.to_string());
        }
        if let Some(appeal) = running.appeal_term(days) {
            self.appeal_ends = Some(appeal.due.to_string());
        }
        if let Some(term) = running.term(days) {
            self.due = Some(term.due.to_string());
            self.due_provisional = term.provisional;
        }
        self.papers = i32::try_from(days.papers()).map_err(Refusal::internal)?;
        Ok(())
    }

    /// Takes back what was decided: of a decision that doesn't hold any more.
    pub(crate) fn undecide(&mut self) {
        (self.decision, self.outcome, self.rule) = (None, None, None);
        self.approved_fen = 0;
        self.adjudicated_by = None;
        self.adjudicated_person.clear();
        self.lay_aside();
        self.open_objections = 0;
    }

    /// Nothing is paid by the decision in force any more, nor can it be appealed; it stands until the next one.
    pub(crate) fn lay_aside(&mut self) {
        (self.notice_from, self.notice_days, self.notice_ends) = (None, None, None);
        (self.appeal_from, self.appeal_days, self.appeal_ends) = (None, None, None);
    }
}

/// Appends that a row lies in the caller's areas, or under his insurer's policies.
pub(crate) fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if scope.is_town() {
        return;
    }
    query.push(" and (x.committee = any(").push_bind(scope.ids().1.to_vec());
    query.push(") or x.insurers && ").push_bind(scope.organisations().to_vec()).push(")");
}

/// A claim that the caller may see; locked until the end of the transaction when `lock`.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &ClaimName,
    scope: &Scope,
    lock: bool,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.claim()) else { return Ok(None) };
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from claim x where x.town = ").push_bind(name.town());
    query.push(" and x.id = ").push_bind(id);
    push_scope(&mut query, scope);
    if lock {
        query.push(" for update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The next number of a year.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn next_number(sql: &mut PgConnection, town: &str, year: i16) -> Result<i32, Refusal> {
    let next = sqlx::query_scalar!(
        "insert into claim_number as n (town, year, last) values ($1, $2, 1)
         on conflict (town, year) do update set last = n.last + 1 returning last",
        town,
        i32::from(year),
    );
    Ok(next.fetch_one(sql).await?)
}

/// Another claim of the same loss that counts, when there is one.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn twin(sql: &mut PgConnection, row: &Row) -> Result<Option<Uuid>, Refusal> {
    let found = sqlx::query_scalar!(
        "select o.id from claim c join claim o on (o.town, o.subject, o.peril, o.loss) = (c.town, c.subject, c.peril, c.loss) and o.id <> c.id
         where c.town = $1 and c.id = $2 and o.state not in ('REPORTED', 'WITHDRAWN', 'DISMISSED') limit 1",
        row.town,
        row.id,
    );
    Ok(found.fetch_optional(sql).await?)
}

/// Whether an incident has another claim that counts, or waits to be accepted.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn has_other(sql: &mut PgConnection, row: &Row) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from claim where town = $1 and incident = $2 and id <> $3 and state not in ('WITHDRAWN', 'DISMISSED')) as "found!""#,
        row.town,
        row.incident,
        row.id,
    );
    Ok(found.fetch_one(sql).await?)
}

/// Keeps a new claim.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn create(sql: &mut PgConnection, row: &Row) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into claim (town, id, number, state, incident, event, peril, object, happened_on, reported_on, place, insured, claimant, household,
             committee, insurers, claimed_fen, payee_sealed, data_key, since, term_from, term_days, due, due_provisional, papers, reported_by,
             reported_person, place_kind)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::date, $10::text::date, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20::text::date,
             $21::text::date, $22, $23::text::date, $24, $25, $26, $27, $28)",
        row.town,
        row.id,
        row.number,
        row.state,
        row.incident,
        row.event,
        row.peril,
        row.object,
        row.happened_on,
        row.reported_on,
        row.place,
        row.insured,
        row.claimant,
        row.household,
        row.committee,
        &row.insurers,
        row.claimed_fen,
        row.payee_sealed,
        row.data_key,
        row.since,
        row.term_from,
        row.term_days,
        row.due,
        row.due_provisional,
        row.papers,
        row.reported_by,
        row.reported_person,
        row.place_kind,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Keeps a claim as it is now, as its next version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn save(sql: &mut PgConnection, row: &mut Row) -> Result<(), Refusal> {
    row.version = sqlx::query_scalar!(
        "update claim set state = $3, resumes = $4, left_days = $5, insurers = $6, claimed_fen = $7, payee_sealed = $8, data_key = $9,
             survey_sealed = $10, appeal_sealed = $11, requested_kinds = $12, assessed_fen = $13, grade = $14, decision = $15, outcome = $16,
             rule = $17, approved_fen = $18, paid_fen = $19, appealed = $20, open_objections = $21, notice_from = $22::text::date,
             notice_days = $23, notice_ends = $24::text::date, appeal_from = $25::text::date, appeal_days = $26, appeal_ends = $27::text::date,
             since = $28::text::date, term_from = $29::text::date, term_days = $30, due = $31::text::date, due_provisional = $32, papers = $33,
             surveyed_by = $34, surveyed_person = $35, assessed_by = $36, assessed_person = $37, adjudicated_by = $38, adjudicated_person = $39,
             changed_by = $40, changed_person = $41,
             version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        row.town,
        row.id,
        row.state,
        row.resumes,
        row.left_days,
        &row.insurers,
        row.claimed_fen,
        row.payee_sealed,
        row.data_key,
        row.survey_sealed,
        row.appeal_sealed,
        &row.requested_kinds,
        row.assessed_fen,
        row.grade,
        row.decision,
        row.outcome,
        row.rule,
        row.approved_fen,
        row.paid_fen,
        row.appealed,
        row.open_objections,
        row.notice_from,
        row.notice_days,
        row.notice_ends,
        row.appeal_from,
        row.appeal_days,
        row.appeal_ends,
        row.since,
        row.term_from,
        row.term_days,
        row.due,
        row.due_provisional,
        row.papers,
        row.surveyed_by,
        row.surveyed_person,
        row.assessed_by,
        row.assessed_person,
        row.adjudicated_by,
        row.adjudicated_person,
        row.changed_by,
        row.changed_person,
    )
    .fetch_one(sql)
    .await?;
    Ok(())
}
