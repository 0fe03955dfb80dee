//! The SQL of payment batches.

use chassis::{listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{name::PaymentBatchName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::State;
use crate::actor::Actor;

/// A batch as the table keeps it, with what its lines add up to.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Batch {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) number: String,
    pub(crate) state: String,
    pub(crate) made_on: String,
    pub(crate) made_by: String,
    pub(crate) exported_on: Option<String>,
    pub(crate) file_sha256: Option<Vec<u8>>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) lines: i64,
    pub(crate) total_fen: i64,
    pub(crate) pending: i64,
    pub(crate) paid: i64,
    pub(crate) failed: i64,
}

impl Batch {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/paymentBatches/{}", self.town, self.id)
    }

    /// Where it stands; the table's check holds the text there.
    pub(crate) fn state(&self) -> Result<State, Refusal> {
        State::from_name(&self.state).ok_or_else(|| Refusal::internal(format!("state {}", self.state)))
    }
}

/// A line, with what its expense was when it was gathered.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Line {
    pub(crate) n: i32,
    pub(crate) expense: Uuid,
    pub(crate) number: String,
    pub(crate) amount_fen: i64,
    pub(crate) purpose: String,
    pub(crate) payee_sealed: Vec<u8>,
    pub(crate) state: String,
    pub(crate) bank_reference: String,
    pub(crate) failure: String,
    pub(crate) applied_by: String,
    pub(crate) applied_person: String,
    pub(crate) reviewed_by: String,
    pub(crate) reviewed_person: String,
    pub(crate) approved_by: String,
    pub(crate) approved_person: String,
}

/// The state of a line for which the bank has not answered.
const PENDING: &str = "PENDING";

impl Line {
    /// Who did what before for its expense.
    pub(crate) fn former(&self) -> [(&'static str, Actor); 3] {
        [
            ("apply", Actor::new(&self.applied_by, &self.applied_person)),
            ("review", Actor::new(&self.reviewed_by, &self.reviewed_person)),
            ("approve", Actor::new(&self.approved_by, &self.approved_person)),
        ]
    }

    /// Whether the bank has not answered for it.
    pub(crate) fn is_pending(&self) -> bool {
        self.state == PENDING
    }
}

fn batches(town: &str) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select b.town, b.id, b.number, b.state, b.made_on::text as made_on, b.made_by, b.exported_on::text as exported_on, b.file_sha256,
                b.version, (extract(epoch from b.created) * 1000000)::bigint as created,
                (extract(epoch from b.updated) * 1000000)::bigint as updated, s.lines, s.total_fen, s.pending, s.paid, s.failed
         from payment_batch b
         cross join lateral (
             select count(*) as lines, coalesce(sum(l.amount_fen), 0)::bigint as total_fen, count(*) filter (where l.state = 'PENDING') as pending,
                    count(*) filter (where l.state = 'PAID') as paid, count(*) filter (where l.state = 'FAILED') as failed
             from payment_line l where l.town = b.town and l.batch = b.id) s
         where b.town = ",
    );
    query.push_bind(town.to_owned());
    query
}

/// A batch; locked until the end of the transaction when `lock`.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &PaymentBatchName,
    lock: bool,
) -> Result<Option<Batch>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.payment_batch()) else { return Ok(None) };
    if lock {
        sqlx::query!("select from payment_batch where town = $1 and id = $2 for update", name.town(), id)
            .execute(&mut *sql)
            .await?;
    }
    let mut query = batches(name.town());
    query.push(" and b.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of batches, by id: in the order in which they were made.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = batches(&asked.town);
    asked.push_uuid_page(&mut query, "b.id");
    query
}

/// A page of batches.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<Batch>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// The lines of a batch in their order.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn lines(sql: &mut PgConnection, town: &str, batch: Uuid) -> Result<Vec<Line>, Refusal> {
    let all = sqlx::query_as!(
        Line,
        "select l.n, l.expense, x.number, l.amount_fen, l.purpose, l.payee_sealed, l.state, l.bank_reference, l.failure, l.applied_by,
                l.applied_person, l.reviewed_by, l.reviewed_person, l.approved_by, l.approved_person
         from payment_line l join expense x on x.town = l.town and x.id = l.expense
         where l.town = $1 and l.batch = $2 order by l.n",
        town,
        batch,
    );
    Ok(all.fetch_all(sql).await?)
}

/// The next number of a year.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn next_number(sql: &mut PgConnection, town: &str, year: i16) -> Result<i32, Refusal> {
    let next = sqlx::query_scalar!(
        "insert into payment_number as n (town, year, last) values ($1, $2, 1)
         on conflict (town, year) do update set last = n.last + 1 returning last",
        town,
        i32::from(year),
    );
    Ok(next.fetch_one(sql).await?)
}

/// Keeps a new batch with a line for each of these expenses, in their order, as they are now.
///
/// # Errors
/// CONFLICT when one of the expenses is in another batch; what Postgres answered.
pub(crate) async fn create(
    sql: &mut PgConnection,
    (town, id, number): (&str, Uuid, &str),
    (who, on): (&Actor, Date),
    expenses: &[Uuid],
) -> Result<(), Refusal> {
    sqlx::query!(
        "with made as (insert into payment_batch (town, id, number, state, made_on, made_by, made_person)
                       values ($1, $2, $3, 'DRAFT', $4::text::date, $5, $6) returning town, id)
         insert into payment_line (town, batch, n, expense, amount_fen, purpose, payee_sealed, data_key, applied_by, applied_person,
                                   reviewed_by, reviewed_person, approved_by, approved_person)
         select made.town, made.id, l.n::integer, x.id, x.amount_fen, x.purpose, x.payee_sealed, x.data_key, x.applied_by, x.applied_person,
                x.reviewed_by, x.reviewed_person, x.approved_by, x.approved_person
         from made cross join unnest($7::uuid[]) with ordinality as l (expense, n)
         join expense x on x.town = made.town and x.id = l.expense",
        town,
        id,
        number,
        on.to_string(),
        who.principal,
        who.person,
        expenses,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Enters a state; the next version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn enter(
    sql: &mut PgConnection,
    batch: &Batch,
    state: State,
    file: Option<(Date, &[u8])>,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update payment_batch set state = $3, exported_on = coalesce($4::text::date, exported_on), file_sha256 = coalesce($5, file_sha256),
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        batch.town,
        batch.id,
        state.name(),
        file.map(|(on, _)| on.to_string()),
        file.map(|(_, sha256)| sha256),
    );
    Ok(version.fetch_one(sql).await?)
}

/// What the bank said of a line.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) n: i32,
    pub(crate) state: &'static str,
    pub(crate) bank_reference: String,
    pub(crate) failure: String,
}

/// Resolves lines that are pending, in one statement.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn resolve(
    sql: &mut PgConnection,
    batch: &Batch,
    lines: &[Resolved],
    on: Date,
) -> Result<(), Refusal> {
    sqlx::query!(
        "update payment_line l set state = r.state, bank_reference = r.bank_reference, failure = r.failure, resolved_on = $3::text::date
         from unnest($4::int[], $5::text[], $6::text[], $7::text[]) as r (n, state, bank_reference, failure)
         where l.town = $1 and l.batch = $2 and l.n = r.n and l.state = 'PENDING'",
        batch.town,
        batch.id,
        on.to_string(),
        &lines.iter().map(|line| line.n).collect::<Vec<_>>(),
        &lines.iter().map(|line| line.state.to_owned()).collect::<Vec<_>>(),
        &lines.iter().map(|line| line.bank_reference.clone()).collect::<Vec<_>>(),
        &lines.iter().map(|line| line.failure.clone()).collect::<Vec<_>>(),
    )
    .execute(sql)
    .await?;
    Ok(())
}
