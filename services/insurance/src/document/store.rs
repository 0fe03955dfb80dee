//! The SQL of documents.

pub(super) mod owners;
pub(super) mod reseal;

use chassis::{identity::Scope, listing::Asked, paging::push_predicate, refusal::Refusal, vault::Vault};
use jiff::civil::Date;
use kernel::{name::DocumentName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{Declared, Media, State};

/// A document as the table keeps it.
#[derive(Clone, Debug, Default, FromRow)]
pub(super) struct Row {
    pub(super) town: String,
    pub(super) id: Uuid,
    pub(super) owner_kind: String,
    pub(super) owner: Uuid,
    pub(super) owner_name: String,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) media_type: String,
    pub(super) size_bytes: i64,
    pub(super) sha256: Vec<u8>,
    pub(super) written_bytes: i64,
    pub(super) parts: i32,
    pub(super) file_name_sealed: Option<Vec<u8>>,
    pub(super) data_key: i32,
    pub(super) committees: Vec<String>,
    pub(super) insurers: Vec<String>,
    pub(super) created_by: String,
    pub(super) created_person: String,
    pub(super) version: i64,
    pub(super) created: i64,
    pub(super) updated: i64,
}

/// The columns of a [`Row`] of `document x`.
const COLUMNS: &str = "x.town, x.id, x.owner_kind, x.owner, x.owner_name, x.kind, x.state, x.media_type, x.size_bytes, x.sha256, x.written_bytes,
    x.parts, x.file_name_sealed, x.data_key, x.committees, x.insurers, x.created_by, x.created_person, x.version,
    (extract(epoch from x.created) * 1000000)::bigint as created, (extract(epoch from x.updated) * 1000000)::bigint as updated";

/// A part as the table keeps it; its content lies elsewhere.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Part {
    pub(super) n: i32,
    pub(super) object: Uuid,
    pub(super) from_byte: i64,
    pub(super) bytes: i32,
    pub(super) sha256: Vec<u8>,
}

impl Row {
    /// Its name.
    pub(super) fn name(&self) -> String {
        format!("towns/{}/documents/{}", self.town, self.id)
    }

    /// Where it stands; the table's check holds the text there.
    pub(super) fn state(&self) -> Result<State, Refusal> {
        State::from_name(&self.state).ok_or_else(|| Refusal::internal(format!("state {}", self.state)))
    }

    /// Its form; likewise.
    pub(super) fn media(&self) -> Result<Media, Refusal> {
        Media::from_name(&self.media_type)
            .ok_or_else(|| Refusal::internal(format!("form {}", self.media_type)))
    }

    /// Bytes in all.
    pub(super) fn size(&self) -> u64 {
        self.size_bytes.unsigned_abs()
    }

    /// Bytes that are there.
    pub(super) fn written(&self) -> u64 {
        self.written_bytes.unsigned_abs()
    }

    /// What it was declared to be.
    pub(super) fn declared(&self) -> Result<Declared, Refusal> {
        let sha256 = self.sha256.as_slice().try_into().map_err(Refusal::internal)?;
        Ok(Declared { size: self.size(), sha256, media: self.media()? })
    }

    /// Where its file name is sealed for.
    fn place(&self) -> String {
        format!("{} file_name", self.name())
    }

    /// Its file name in clear; empty when it was given up.
    pub(super) fn file_name(&self, vault: &Vault) -> Result<String, Refusal> {
        let sealed = self.file_name_sealed.as_deref();
        sealed.map_or(Ok(String::new()), |sealed| vault.open_text(&self.place(), sealed))
    }

    /// Seals a file name.
    pub(super) fn set_file_name(&mut self, vault: &Vault, file_name: &str) -> Result<(), Refusal> {
        self.file_name_sealed = Some(vault.seal(&self.place(), file_name.as_bytes())?);
        self.data_key = vault.sealing_column()?;
        Ok(())
    }
}

/// Whether a scope holds what these committees and insurers see.
pub(super) fn sees(scope: &Scope, committees: &[String], insurers: &[String]) -> bool {
    let any = |of: &[String], among: &[String]| of.iter().any(|id| among.contains(id));
    scope.is_town() || any(scope.ids().1, committees) || any(scope.organisations(), insurers)
}

/// Appends that a row lies in the caller's areas.
fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and (x.committees && ").push_bind(scope.ids().1.to_vec());
        query.push(" or x.insurers && ").push_bind(scope.organisations().to_vec()).push(")");
    }
}

/// A document that the caller may see; locked until the end of the transaction when `lock`.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn get(
    sql: &mut PgConnection,
    name: &DocumentName,
    scope: &Scope,
    lock: bool,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.document()) else { return Ok(None) };
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from document x where x.town = ").push_bind(name.town());
    query.push(" and x.id = ").push_bind(id);
    push_scope(&mut query, scope);
    if lock {
        query.push(" for update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The fields of a filter.
pub(super) const FILTER: &[kernel::filter::FieldSpec] = {
    use kernel::filter::{FieldSpec, Kind};
    const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
        FieldSpec { name, column, kind }
    }
    &[
        field("owner", "x.owner_name", Kind::Text),
        field("kind", "x.kind", Kind::Text),
        field("state", "x.state", Kind::Enum(State::NAMES)),
        field("media_type", "x.media_type", Kind::Enum(Media::NAMES)),
    ]
};

/// A page of documents by id, in the order in which they were declared, without those that were given up.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn list(sql: &mut PgConnection, page: &Asked) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from document x where x.state <> 'DELETED' and x.town = ");
    query.push_bind(page.town.clone());
    push_scope(&mut query, &page.scope);
    query.push(" and ");
    push_predicate(&mut query, &page.filter);
    if let Some(after) = page.after.as_deref().and_then(|text| Uuid::parse_str(text).ok()) {
        query.push(if page.descending { " and x.id < " } else { " and x.id > " }).push_bind(after);
    }
    query.push(if page.descending { " order by x.id desc limit " } else { " order by x.id limit " });
    query.push_bind(page.limit);
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// Keeps what was declared.
///
/// # Errors
/// What Postgres answered; `documents_of_an_owner` when there are too many.
pub(super) async fn create(sql: &mut PgConnection, row: &Row) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into document (town, id, owner_kind, owner, kind, media_type, size_bytes, sha256, file_name_sealed, data_key, committees,
                               insurers, created_by, created_person)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        row.town,
        row.id,
        row.owner_kind,
        row.owner,
        row.kind,
        row.media_type,
        row.size_bytes,
        row.sha256,
        row.file_name_sealed.as_deref(),
        row.data_key,
        &row.committees,
        &row.insurers,
        row.created_by,
        row.created_person,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Writes what changed; its next version stands in the row.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn save(sql: &mut PgConnection, row: &mut Row) -> Result<(), Refusal> {
    let saved = sqlx::query!(
        r#"update document set state = $3, written_bytes = $4, parts = $5, file_name_sealed = $6, version = version + 1,
                  updated = clock_timestamp()
           where town = $1 and id = $2
           returning version, (extract(epoch from updated) * 1000000)::bigint as "updated!""#,
        row.town,
        row.id,
        row.state,
        row.written_bytes,
        row.parts,
        row.file_name_sealed.as_deref(),
    )
    .fetch_one(sql)
    .await?;
    (row.version, row.updated) = (saved.version, saved.updated);
    Ok(())
}

/// Keeps a part.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn add_part(
    sql: &mut PgConnection,
    (town, document): (&str, Uuid),
    part: &Part,
    key: i32,
) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into document_part (town, document, n, object, from_byte, bytes, sha256, data_key) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        town,
        document,
        part.n,
        part.object,
        part.from_byte,
        part.bytes,
        part.sha256,
        key,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// The parts of an upload that was given up go with it.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn drop_parts(sql: &mut PgConnection, town: &str, document: Uuid) -> Result<(), Refusal> {
    sqlx::query!("delete from document_part where town = $1 and document = $2", town, document)
        .execute(sql)
        .await?;
    Ok(())
}

/// The parts of a document in their order: 320 at most.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn parts(sql: &mut PgConnection, town: &str, document: Uuid) -> Result<Vec<Part>, Refusal> {
    let parts = sqlx::query_as!(
        Part,
        "select n, object, from_byte, bytes, sha256 from document_part where town = $1 and document = $2 order by n",
        town,
        document,
    );
    Ok(parts.fetch_all(sql).await?)
}

/// The part in which a byte lies.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn part_at(
    sql: &mut PgConnection,
    (town, document): (&str, Uuid),
    offset: i64,
) -> Result<Option<Part>, Refusal> {
    let part = sqlx::query_as!(
        Part,
        "select n, object, from_byte, bytes, sha256 from document_part
         where town = $1 and document = $2 and from_byte <= $3 order by from_byte desc limit 1",
        town,
        document,
        offset,
    );
    let part = part.fetch_optional(sql).await?;
    Ok(part.filter(|part| offset < part.from_byte + i64::from(part.bytes)))
}

/// Whether a part lies under this object.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn is_kept(
    sql: &mut PgConnection,
    (town, document): (&str, Uuid),
    object: Uuid,
) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from document_part where town = $1 and document = $2 and object = $3) as "found!""#,
        town,
        document,
        object,
    );
    Ok(found.fetch_one(sql).await?)
}

/// Notes that somebody reads a document today. `true` when he had not yet.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn note_reading(
    sql: &mut PgConnection,
    (town, document): (&str, Uuid),
    principal: &str,
    today: Date,
) -> Result<bool, Refusal> {
    let noted = sqlx::query!(
        "insert into document_reading (town, document, principal, read_on) values ($1, $2, $3, $4::text::date) on conflict do nothing",
        town,
        document,
        principal,
        today.to_string(),
    );
    Ok(noted.execute(sql).await?.rows_affected() == 1)
}

/// Uploads to which nothing was added for a day, locked; those that somebody works on are left out.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn stale(sql: &mut PgConnection, town: &str, limit: i64) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from document x where x.state = 'PENDING' and x.town = ").push_bind(town);
    query.push(" and x.updated < clock_timestamp() - interval '1 day' order by x.id limit ").push_bind(limit);
    query.push(" for update skip locked");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// Uploads that were given up and of which something may lie in the object store, behind `after`.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn uncleared(
    sql: &mut PgConnection,
    (town, after): (&str, Uuid),
    limit: i64,
) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from document x where x.state = 'DELETED' and not x.cleared and x.town = ");
    query
        .push_bind(town)
        .push(" and x.id > ")
        .push_bind(after)
        .push(" order by x.id limit ")
        .push_bind(limit);
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// This one, when it was given up and something of it may lie in the object store.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn uncleared_one(
    sql: &mut PgConnection,
    name: &DocumentName,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.document()) else { return Ok(None) };
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from document x where x.state = 'DELETED' and not x.cleared and x.town = ");
    query.push_bind(name.town()).push(" and x.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Notes that nothing of these lies in the object store any more. Nothing that a reader sees changes, so versions don't either.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn set_cleared(sql: &mut PgConnection, town: &str, ids: &[Uuid]) -> Result<(), Refusal> {
    sqlx::query!("update document set cleared = true where town = $1 and id = any($2)", town, ids)
        .execute(sql)
        .await?;
    Ok(())
}

/// The kinds of the documents of an owner that are stored: what is there of what is required.
///
/// # Errors
/// What Postgres answered.
pub async fn kinds_stored(
    sql: &mut PgConnection,
    town: &str,
    owner_kind: &str,
    owner: Uuid,
) -> Result<Vec<String>, Refusal> {
    let kinds = sqlx::query_scalar!(
        "select distinct kind from document where town = $1 and owner_kind = $2 and owner = $3 and state = 'STORED' order by kind",
        town,
        owner_kind,
        owner,
    );
    Ok(kinds.fetch_all(sql).await?)
}
