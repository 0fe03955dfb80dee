//! The SQL of towns.

use chassis::refusal::Refusal;
use sqlx::PgConnection;

/// A town.
#[derive(Clone, Debug)]
pub(crate) struct Town {
    pub(crate) town: String,
    pub(crate) display_name: String,
    pub(crate) district: String,
    pub(crate) administrative_code: String,
    pub(crate) demonstration: bool,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// A town.
pub(crate) async fn get(sql: &mut PgConnection, town: &str) -> Result<Option<Town>, Refusal> {
    let row = sqlx::query_as!(
        Town,
        r#"select town, display_name, district, administrative_code, demonstration, version,
                  (extract(epoch from created) * 1000000)::bigint as "created!", (extract(epoch from updated) * 1000000)::bigint as "updated!"
           from town where town = $1"#,
        town,
    );
    Ok(row.fetch_optional(sql).await?)
}

/// A page of towns: all of them, or those in `towns`.
pub(crate) async fn list(
    sql: &mut PgConnection,
    towns: Option<&[String]>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Town>, Refusal> {
    let rows = sqlx::query_as!(
        Town,
        r#"select town, display_name, district, administrative_code, demonstration, version,
                  (extract(epoch from created) * 1000000)::bigint as "created!", (extract(epoch from updated) * 1000000)::bigint as "updated!"
           from town where ($1::text[] is null or town = any($1)) and ($2::text is null or town > $2) order by town limit $3"#,
        towns,
        after,
        limit,
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Creates a town; `false` when the id is taken.
pub(crate) async fn create(sql: &mut PgConnection, town: &Town) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into town (town, display_name, district, administrative_code, demonstration) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        town.town,
        town.display_name,
        town.district,
        town.administrative_code,
        town.demonstration,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Locks a town and yields it.
pub(crate) async fn lock(sql: &mut PgConnection, town: &str) -> Result<Option<Town>, Refusal> {
    sqlx::query!("select version from town where town = $1 for update", town)
        .fetch_optional(&mut *sql)
        .await?;
    get(sql, town).await
}

/// Writes the names of a locked town; the next version.
pub(crate) async fn update(sql: &mut PgConnection, town: &Town) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update town set display_name = $2, district = $3, administrative_code = $4, version = version + 1, updated = clock_timestamp()
         where town = $1 returning version",
        town.town,
        town.display_name,
        town.district,
        town.administrative_code,
    );
    Ok(version.fetch_one(sql).await?)
}
