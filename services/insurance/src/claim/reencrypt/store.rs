//! The SQL of what is sealed, table by table.

use chassis::refusal::Refusal;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

/// A table with sealed columns.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// The column of whatever the row belongs to, and the row's own key: an id and a number.
    pub(super) owner: &'static str,
    pub(super) id: &'static str,
    pub(super) n: &'static str,
    /// What is sealed.
    pub(super) columns: &'static [&'static str],
}

/// A row with something that another key sealed, each of its sealed columns as it is.
#[derive(Debug, FromRow)]
pub(super) struct Row {
    pub(super) owner: Uuid,
    pub(super) id: Uuid,
    pub(super) n: i32,
    pub(super) sealed: Vec<Option<Vec<u8>>>,
}

/// Rows of the table with something that another key than `key` sealed, behind `after`, locked in their order. A sealed value says in its
/// second to fifth byte which key sealed it.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn sealed_otherwise(
    sql: &mut PgConnection,
    table: &Table,
    (town, key): (&str, i32),
    after: (Uuid, i32),
    limit: i64,
) -> Result<Vec<Row>, Refusal> {
    let Table { name, owner, id, n, columns } = table;
    let columns = columns.join(", ");
    let mut query = QueryBuilder::<Postgres>::new(format!(
        "select {owner} as owner, {id} as id, {n} as n, array[{columns}] as sealed from {name} where town = "
    ));
    query.push_bind(town).push(format!(" and ({id}, {n}) > (")).push_bind(after.0).push(", ");
    query.push_bind(after.1).push(") and (data_key <> ").push_bind(key);
    query.push(format!(" or exists (select from unnest(array[{columns}]) as one (value) where substring(value from 2 for 4) <> int4send("));
    query.push_bind(key).push("))) order by id, n limit ").push_bind(limit).push(" for update");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// Keeps what the key of now sealed.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn reseal(
    sql: &mut PgConnection,
    table: &Table,
    (town, key): (&str, i32),
    row: &Row,
) -> Result<(), Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(format!("update {} set data_key = ", table.name));
    query.push_bind(key);
    for (column, sealed) in table.columns.iter().zip(&row.sealed) {
        query.push(format!(", {column} = ")).push_bind(sealed.as_deref());
    }
    query.push(" where town = ").push_bind(town);
    query.push(format!(" and ({}, {}) = (", table.id, table.n)).push_bind(row.id);
    query.push(", ").push_bind(row.n).push(")");
    query.build().execute(sql).await?;
    Ok(())
}
