//! The SQL of expenses.

mod children;
mod list;
mod provenance;
mod reseal;
mod states;
mod terms;

pub(crate) use children::{
    Objection, Voucher, add_objection, add_vouchers, answer_objection, objections, open_of_others,
    overtake_objections, used_voucher, vouchers,
};
pub(crate) use list::{Asked, EARMARK_SHOWN, FILTER, Relation, Steps, list, list_query};
pub(crate) use provenance::steps;
pub(crate) use reseal::{
    objections_sealed_otherwise, payees_sealed_otherwise, reseal_objection, reseal_payee,
};
pub(crate) use states::in_states;
pub(crate) use terms::{counted_before, lock_counted_before, recounted};

use chassis::{identity::Scope, payee::Payee, refusal::Refusal, vault::Vault};
use jiff::civil::Date;
use kernel::{calendar::Calendar, money::Fen, name::ExpenseName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    rules::{Facts, State},
    running::Running,
};
use crate::{
    actor::Actor,
    ledger::rules::{Earmark, Fund, Key},
};

/// An expense as the table keeps it.
#[derive(Clone, Debug, Default, FromRow)]
pub(crate) struct Row {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) number: String,
    pub(crate) state: String,
    pub(crate) revision: i32,
    pub(crate) committee: String,
    pub(crate) fund: String,
    pub(crate) fiscal_year: i32,
    pub(crate) earmark: Option<String>,
    pub(crate) category: String,
    pub(crate) amount_fen: i64,
    pub(crate) purpose: String,
    pub(crate) applied_on: String,
    pub(crate) account: Uuid,
    pub(crate) hold: Uuid,
    pub(crate) payee_sealed: Vec<u8>,
    pub(crate) data_key: i32,
    pub(crate) policy: String,
    pub(crate) notice_required: bool,
    pub(crate) notice_days: i32,
    pub(crate) notice_from: Option<String>,
    pub(crate) notice_ends: Option<String>,
    pub(crate) open_objections: i32,
    pub(crate) since: String,
    pub(crate) term_from: Option<String>,
    pub(crate) term_days: Option<i32>,
    pub(crate) due: Option<String>,
    pub(crate) due_provisional: bool,
    pub(crate) papers: i32,
    pub(crate) applied_by: String,
    pub(crate) applied_person: String,
    pub(crate) reviewed_by: Option<String>,
    pub(crate) reviewed_person: String,
    pub(crate) approved_by: Option<String>,
    pub(crate) approved_person: String,
    pub(crate) paid_by: Option<String>,
    pub(crate) paid_person: String,
    pub(crate) paid_on: Option<String>,
    pub(crate) paid_fen: Option<i64>,
    pub(crate) entry: Option<Uuid>,
    pub(crate) bank_reference: String,
    pub(crate) payment_failure: String,
    pub(crate) settled_fen: Option<i64>,
    pub(crate) refund_entry: Option<Uuid>,
    pub(crate) refund_reference: String,
    pub(crate) disclosure: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// The columns of a [`Row`] of `expense x`.
pub(crate) const COLUMNS: &str = "x.town, x.id, x.number, x.state, x.revision, x.committee, x.fund, x.fiscal_year, x.earmark, x.category,
    x.amount_fen, x.purpose, x.applied_on::text as applied_on, x.account, x.hold, x.payee_sealed, x.data_key, x.policy, x.notice_required,
    x.notice_days, x.notice_from::text as notice_from, x.notice_ends::text as notice_ends, x.open_objections, x.since::text as since,
    x.term_from::text as term_from, x.term_days, x.due::text as due, x.due_provisional, x.papers,
    x.applied_by, x.applied_person, x.reviewed_by, x.reviewed_person, x.approved_by, x.approved_person, x.paid_by, x.paid_person,
    x.paid_on::text as paid_on, x.paid_fen, x.entry, x.bank_reference, x.payment_failure, x.settled_fen, x.refund_entry, x.refund_reference,
    x.disclosure, x.version, (extract(epoch from x.created) * 1000000)::bigint as created,
    (extract(epoch from x.updated) * 1000000)::bigint as updated";

/// A day of a column.
pub(crate) fn day(text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(Refusal::internal)
}

impl Row {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/expenses/{}", self.town, self.id)
    }

    /// Where it stands; the table's check holds the text there.
    pub(crate) fn state(&self) -> Result<State, Refusal> {
        State::from_name(&self.state).ok_or_else(|| Refusal::internal(format!("state {}", self.state)))
    }

    /// Its amount.
    pub(crate) fn amount(&self) -> Fen {
        Fen::of(self.amount_fen)
    }

    /// What its steps rest on.
    pub(crate) fn facts(&self) -> Result<Facts, Refusal> {
        let signed = |by: &Option<String>, person: &str| by.as_ref().map(|by| Actor::new(by, person));
        Ok(Facts {
            state: self.state()?,
            applicant: Actor::new(&self.applied_by, &self.applied_person),
            reviewer: signed(&self.reviewed_by, &self.reviewed_person),
            approver: signed(&self.approved_by, &self.approved_person),
            notice_required: self.notice_required,
            notice_ends: self.notice_ends.as_deref().map(day).transpose()?,
            open_objections: self.open_objections,
        })
    }

    /// The key of the account that pays.
    pub(crate) fn key(&self) -> Result<Key, Refusal> {
        let fund =
            Fund::from_name(&self.fund).ok_or_else(|| Refusal::internal(format!("fund {}", self.fund)))?;
        let earmark =
            self.earmark.as_deref().map(str::parse::<Earmark>).transpose().map_err(Refusal::internal)?;
        Ok(Key::committee(fund, self.fiscal_year, &self.committee, earmark))
    }

    /// Who is paid, in clear.
    pub(crate) fn payee(&self, vault: &Vault) -> Result<Payee, Refusal> {
        Payee::open(vault, &self.name(), &self.payee_sealed)
    }

    /// Seals another payee.
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
        self.leave(state, since);
        self.term_days = term_days;
        self.term_from = term_days.map(|_| since.to_string());
        self.count(days)
    }

    /// Enters a state in which nobody is waited for.
    pub(crate) fn leave(&mut self, state: State, since: Date) {
        self.state = state.name().to_owned();
        self.since = since.to_string();
        (self.term_from, self.term_days, self.due, self.due_provisional) = (None, None, None, false);
    }

    /// What the days of its open steps are counted from.
    fn running(&self) -> Result<Running, Refusal> {
        let counted = |from: Option<&str>, days: Option<i32>| {
            let from = from.map(day).transpose()?;
            Ok::<_, Refusal>(from.zip(days.and_then(|days| u32::try_from(days).ok())))
        };
        Ok(Running {
            state: self.state()?,
            term: counted(self.term_from.as_deref(), self.term_days)?,
            notice: counted(self.notice_from.as_deref(), Some(self.notice_days))?,
        })
    }

    /// Counts the days of its open steps; what was decided keeps its own.
    ///
    /// # Errors
    /// INTERNAL when a day of the row is none.
    pub(crate) fn count(&mut self, days: &Calendar) -> Result<(), Refusal> {
        let running = self.running()?;
        if let Some(notice) = running.notice_term(days) {
            self.notice_ends = Some(notice.due.to_string());
        }
        if let Some(term) = running.term(days) {
            self.due = Some(term.due.to_string());
            self.due_provisional = term.provisional;
        }
        self.papers = i32::try_from(days.papers()).map_err(Refusal::internal)?;
        Ok(())
    }

    /// Takes back what was decided before it goes to its applicant.
    pub(crate) fn undecide(&mut self) {
        (self.reviewed_by, self.approved_by) = (None, None);
        (self.notice_from, self.notice_ends) = (None, None);
        self.reviewed_person.clear();
        self.approved_person.clear();
        self.open_objections = 0;
    }
}

/// Appends that a row lies in the caller's areas.
pub(crate) fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and x.committee = any(").push_bind(scope.ids().1.to_vec()).push(")");
    }
}

/// An expense that the caller may see; locked until the end of the transaction when `lock`.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &ExpenseName,
    scope: &Scope,
    lock: bool,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.expense()) else { return Ok(None) };
    let mut query = QueryBuilder::new("select ");
    query
        .push(COLUMNS)
        .push(" from expense x where x.town = ")
        .push_bind(name.town())
        .push(" and x.id = ")
        .push_bind(id);
    push_scope(&mut query, scope);
    if lock {
        query.push(" for update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Several, locked in the order of their ids, so that two batches never wait for each other.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn lock_all(sql: &mut PgConnection, town: &str, ids: &[Uuid]) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from expense x where x.town = ").push_bind(town);
    query.push(" and x.id = any(").push_bind(ids).push(") order by x.id for update");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// The next number of a year.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn next_number(sql: &mut PgConnection, town: &str, year: i16) -> Result<i32, Refusal> {
    let next = sqlx::query_scalar!(
        "insert into expense_number as n (town, year, last) values ($1, $2, 1)
         on conflict (town, year) do update set last = n.last + 1 returning last",
        town,
        i32::from(year),
    );
    Ok(next.fetch_one(sql).await?)
}

/// Keeps a new expense.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn create(sql: &mut PgConnection, row: &Row, year: i16) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into expense (town, id, number, number_year, state, committee, fund, fiscal_year, earmark, category, amount_fen, purpose,
                              applied_on, account, hold, payee_sealed, data_key, policy, notice_required, notice_days, since, due,
                              due_provisional, applied_by, applied_person, term_from, term_days, papers)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::text::date, $14, $15, $16, $17, $18, $19, $20, $21::text::date,
                 $22::text::date, $23, $24, $25, $26::text::date, $27, $28)",
        row.town,
        row.id,
        row.number,
        i32::from(year),
        row.state,
        row.committee,
        row.fund,
        row.fiscal_year,
        row.earmark,
        row.category,
        row.amount_fen,
        row.purpose,
        row.applied_on,
        row.account,
        row.hold,
        row.payee_sealed,
        row.data_key,
        row.policy,
        row.notice_required,
        row.notice_days,
        row.since,
        row.due,
        row.due_provisional,
        row.applied_by,
        row.applied_person,
        row.term_from,
        row.term_days,
        row.papers,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Writes what changed; its next version stands in the row.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn save(sql: &mut PgConnection, row: &mut Row) -> Result<(), Refusal> {
    row.version = sqlx::query_scalar!(
        "update expense set state = $3, revision = $4, category = $5, amount_fen = $6, purpose = $7, hold = $8, payee_sealed = $9, data_key = $10,
                policy = $11, notice_required = $12, notice_days = $13, notice_ends = $14::text::date, open_objections = $15,
                since = $16::text::date, due = $17::text::date, due_provisional = $18, reviewed_by = $19, reviewed_person = $20,
                approved_by = $21, approved_person = $22, paid_by = $23, paid_person = $24, paid_on = $25::text::date, paid_fen = $26,
                entry = $27, bank_reference = $28, payment_failure = $29, settled_fen = $30, refund_entry = $31, refund_reference = $32,
                disclosure = $33, notice_from = $34::text::date, term_from = $35::text::date, term_days = $36, papers = $37,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        row.town,
        row.id,
        row.state,
        row.revision,
        row.category,
        row.amount_fen,
        row.purpose,
        row.hold,
        row.payee_sealed,
        row.data_key,
        row.policy,
        row.notice_required,
        row.notice_days,
        row.notice_ends,
        row.open_objections,
        row.since,
        row.due,
        row.due_provisional,
        row.reviewed_by,
        row.reviewed_person,
        row.approved_by,
        row.approved_person,
        row.paid_by,
        row.paid_person,
        row.paid_on,
        row.paid_fen,
        row.entry,
        row.bank_reference,
        row.payment_failure,
        row.settled_fen,
        row.refund_entry,
        row.refund_reference,
        row.disclosure,
        row.notice_from,
        row.term_from,
        row.term_days,
        row.papers,
    )
    .fetch_one(sql)
    .await?;
    Ok(())
}

/// The batch that an expense is or was last in.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn last_batch(
    sql: &mut PgConnection,
    town: &str,
    expense: Uuid,
) -> Result<Option<Uuid>, Refusal> {
    let batch = sqlx::query_scalar!(
        "select batch from payment_line where town = $1 and expense = $2 order by batch desc limit 1",
        town,
        expense
    );
    Ok(batch.fetch_optional(sql).await?)
}
