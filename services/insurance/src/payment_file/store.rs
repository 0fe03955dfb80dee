//! The SQL of payment files.

use chassis::{actor::Actor, identity::Scope, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

/// A payment file as the table keeps it, with the sums of its lines.
#[derive(Clone, Debug, FromRow)]
pub(super) struct File {
    pub(super) town: String,
    pub(super) id: Uuid,
    pub(super) insurer: String,
    pub(super) sha256: Vec<u8>,
    pub(super) received_on: String,
    pub(super) received_by: String,
    pub(super) created: i64,
    pub(super) matched: i64,
    pub(super) known: i64,
    pub(super) refused: i64,
    pub(super) matched_fen: i64,
}

/// A line as the table keeps it.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Line {
    pub(super) row: i32,
    pub(super) claim: Option<Uuid>,
    pub(super) claim_number: String,
    pub(super) programme: String,
    pub(super) amount_fen: i64,
    pub(super) paid_on: String,
    pub(super) reference: String,
    pub(super) result: String,
    pub(super) reason: String,
    pub(super) said_zh: String,
    pub(super) said_en: String,
}

/// The file with these bytes that an insurer brought before, unless some of its lines were refused: those may be tried again.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn known(
    sql: &mut PgConnection,
    town: &str,
    insurer: &str,
    sha256: &[u8],
) -> Result<Option<Uuid>, Refusal> {
    let found = sqlx::query_scalar!(
        "select id from payment_file f where town = $1 and insurer = $2 and sha256 = $3
             and not exists (select from payment_file_line l where l.town = f.town and l.file = f.id and l.result = 'REFUSED') limit 1",
        town,
        insurer,
        sha256
    );
    Ok(found.fetch_optional(sql).await?)
}

/// Keeps a file.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn create(
    sql: &mut PgConnection,
    (town, id, insurer): (&str, Uuid, &str),
    sha256: &[u8],
    (by, on): (&Actor, Date),
) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into payment_file (town, id, insurer, sha256, received_on, received_by, received_person)
         values ($1, $2, $3, $4, $5::text::date, $6, $7)",
        town,
        id,
        insurer,
        sha256,
        on.to_string(),
        by.principal,
        by.person,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Keeps its lines.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn add_lines(
    sql: &mut PgConnection,
    town: &str,
    file: Uuid,
    lines: &[Line],
) -> Result<(), Refusal> {
    let text = |of: fn(&Line) -> &String| lines.iter().map(|line| of(line).clone()).collect::<Vec<_>>();
    sqlx::query!(
        "insert into payment_file_line (town, file, n, row, claim, claim_number, programme, amount_fen, paid_on, reference, result, reason,
             said_zh, said_en)
         select $1, $2, n::integer, row, claim, claim_number, programme, amount_fen, paid_on::date, reference, result, reason, said_zh, said_en
         from unnest($3::integer[], $4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[],
                     $12::text[], $13::text[]) with ordinality
              as l (row, claim, claim_number, programme, amount_fen, paid_on, reference, result, reason, said_zh, said_en, n)",
        town,
        file,
        &lines.iter().map(|line| line.row).collect::<Vec<_>>(),
        &lines.iter().map(|line| line.claim).collect::<Vec<_>>() as &[Option<Uuid>],
        &text(|line| &line.claim_number),
        &text(|line| &line.programme),
        &lines.iter().map(|line| line.amount_fen).collect::<Vec<_>>(),
        &text(|line| &line.paid_on),
        &text(|line| &line.reference),
        &text(|line| &line.result),
        &text(|line| &line.reason),
        &text(|line| &line.said_zh),
        &text(|line| &line.said_en),
    )
    .execute(sql)
    .await?;
    Ok(())
}

fn select() -> QueryBuilder<Postgres> {
    QueryBuilder::new(
        "select f.town, f.id, f.insurer, f.sha256, f.received_on::text as received_on, f.received_by,
                (extract(epoch from f.created) * 1000000)::bigint as created, s.matched, s.known, s.refused, s.matched_fen
         from payment_file f cross join lateral (
             select count(*) filter (where l.result = 'MATCHED') as matched, count(*) filter (where l.result = 'KNOWN') as known,
                    count(*) filter (where l.result = 'REFUSED') as refused,
                    coalesce(sum(l.amount_fen) filter (where l.result = 'MATCHED'), 0)::bigint as matched_fen
             from payment_file_line l where l.town = f.town and l.file = f.id) s
         where f.town = ",
    )
}

fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and f.insurer = any(").push_bind(scope.organisations().to_vec()).push(")");
    }
}

/// A file that the caller may see.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn get(
    sql: &mut PgConnection,
    town: &str,
    id: Uuid,
    scope: &Scope,
) -> Result<Option<File>, Refusal> {
    let mut query = select();
    query.push_bind(town).push(" and f.id = ").push_bind(id);
    push_scope(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of files, by id: in the order in which they came.
pub(crate) fn list_query(page: &Asked) -> QueryBuilder<Postgres> {
    let mut query = select();
    query.push_bind(page.town.clone());
    push_scope(&mut query, &page.scope);
    page.push_uuid_page(&mut query, "f.id");
    query
}

/// A page of files.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn list(sql: &mut PgConnection, page: &Asked) -> Result<Vec<File>, Refusal> {
    Ok(list_query(page).build_query_as().fetch_all(sql).await?)
}

/// The lines of a file.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn lines(sql: &mut PgConnection, town: &str, file: Uuid) -> Result<Vec<Line>, Refusal> {
    let all = sqlx::query_as!(
        Line,
        r#"select row, claim, claim_number, programme, amount_fen, paid_on::text as "paid_on!", reference, result, reason, said_zh, said_en
           from payment_file_line where town = $1 and file = $2 order by n"#,
        town,
        file,
    );
    Ok(all.fetch_all(sql).await?)
}
