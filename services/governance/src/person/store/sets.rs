//! Many people at once, for imports. Each statement finds its rows by one probe of an index for each id, whatever the
//! planner thinks of a table that grew since it was looked at.

use std::collections::HashMap;

use chassis::refusal::Refusal;
use sqlx::PgConnection;

use super::{Person, Sealed};

/// A person as a set stores it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) sex: String,
    pub(crate) sealed: Sealed,
    pub(crate) version: i64,
}

/// Which of `ids` are people of the town.
pub(crate) async fn recorded(
    sql: &mut PgConnection,
    town: &str,
    ids: &[String],
) -> Result<Vec<Person>, Refusal> {
    let rows = sqlx::query_as!(
        Person,
        r#"select $1 as "town!", x.id as "id!", x.sex as "sex!", x.name_sealed as "name_sealed!",
                  x.citizen_sealed as "citizen_sealed!", x.version as "version!",
                  (extract(epoch from x.created) * 1000000)::bigint as "created!",
                  (extract(epoch from x.updated) * 1000000)::bigint as "updated!"
           from unnest($2::text[]) as asked (id) cross join lateral (
               select x.id, x.sex, x.name_sealed, x.citizen_sealed, x.version, x.created, x.updated from person x
               where x.town = $1 and x.id = asked.id limit 1) as x"#,
        town,
        ids,
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Whose identity numbers these are, by their blind indexes.
pub(crate) async fn bearers(
    sql: &mut PgConnection,
    town: &str,
    indexes: &[Vec<u8>],
) -> Result<HashMap<Vec<u8>, String>, Refusal> {
    let rows = sqlx::query!(
        r#"select x.citizen_index as "citizen_index!", x.id as "id!"
           from unnest($2::bytea[]) as asked (citizen_index) cross join lateral (
               select x.citizen_index, x.id from person x
               where x.town = $1 and x.citizen_index = asked.citizen_index limit 1) as x"#,
        town,
        indexes,
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.citizen_index, row.id)).collect())
}

/// Columns of many rows, as Postgres takes them.
struct Columns {
    ids: Vec<String>,
    sexes: Vec<String>,
    names: Vec<Vec<u8>>,
    citizens: Vec<Vec<u8>>,
    births: Vec<Vec<u8>>,
    name_indexes: Vec<Vec<u8>>,
    citizen_indexes: Vec<Vec<u8>>,
    keys: Vec<i32>,
    versions: Vec<i64>,
}

impl Columns {
    fn of(rows: Vec<Row>) -> Columns {
        let bytes = |of: fn(&Sealed) -> &Vec<u8>| rows.iter().map(|row| of(&row.sealed).clone()).collect();
        Columns {
            sexes: rows.iter().map(|row| row.sex.clone()).collect(),
            names: bytes(|sealed| &sealed.name),
            citizens: bytes(|sealed| &sealed.citizen),
            births: bytes(|sealed| &sealed.birth),
            name_indexes: bytes(|sealed| &sealed.name_index),
            citizen_indexes: bytes(|sealed| &sealed.citizen_index),
            keys: rows.iter().map(|row| row.sealed.key).collect(),
            versions: rows.iter().map(|row| row.version).collect(),
            ids: rows.into_iter().map(|row| row.id).collect(),
        }
    }
}

/// Creates people; how many there are of them that nobody had created.
pub(crate) async fn create(sql: &mut PgConnection, town: &str, new: Vec<Row>) -> Result<usize, Refusal> {
    let new = Columns::of(new);
    let done = sqlx::query!(
        "insert into person (town, id, sex, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key, version)
         select $1, id, sex, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key, version
         from unnest($2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[], $9::int[], $10::bigint[])
             as new (id, sex, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key, version)
         on conflict do nothing",
        town,
        &new.ids,
        &new.sexes,
        &new.names,
        &new.citizens,
        &new.births,
        &new.name_indexes,
        &new.citizen_indexes,
        &new.keys,
        &new.versions,
    );
    Ok(usize::try_from(done.execute(sql).await?.rows_affected()).unwrap_or_default())
}

/// Locks people in the order of `ids` until the end of the transaction; their versions.
pub(crate) async fn lock(
    sql: &mut PgConnection,
    town: &str,
    ids: &[String],
) -> Result<HashMap<String, i64>, Refusal> {
    let rows = sqlx::query!(
        r#"select x.id as "id!", x.version as "version!" from unnest($2::text[]) as asked (id) cross join lateral (
               select x.id, x.version from person x where x.town = $1 and x.id = asked.id limit 1 for update) as x"#,
        town,
        ids,
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.id, row.version)).collect())
}

/// Seals names and sexes of locked people anew.
pub(crate) async fn update(sql: &mut PgConnection, town: &str, changed: Vec<Row>) -> Result<(), Refusal> {
    let new = Columns::of(changed);
    sqlx::query!(
        "update person x set sex = new.sex, name_sealed = new.name_sealed, citizen_sealed = new.citizen_sealed,
             birth_sealed = new.birth_sealed, name_index = new.name_index, key = new.key, version = new.version,
             updated = clock_timestamp()
         from unnest($2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::int[], $9::bigint[])
             as new (id, sex, name_sealed, citizen_sealed, birth_sealed, name_index, key, version)
         where x.town = $1 and x.id = new.id",
        town,
        &new.ids,
        &new.sexes,
        &new.names,
        &new.citizens,
        &new.births,
        &new.name_indexes,
        &new.keys,
        &new.versions,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Versions of locked people, when something of them changed elsewhere.
pub(crate) async fn set_versions(
    sql: &mut PgConnection,
    town: &str,
    changed: &[(String, i64)],
) -> Result<(), Refusal> {
    let (ids, versions): (Vec<String>, Vec<i64>) = changed.iter().cloned().unzip();
    sqlx::query!(
        "update person x set version = new.version, updated = clock_timestamp()
         from unnest($2::text[], $3::bigint[]) as new (id, version) where x.town = $1 and x.id = new.id",
        town,
        &ids,
        &versions,
    )
    .execute(sql)
    .await?;
    Ok(())
}
