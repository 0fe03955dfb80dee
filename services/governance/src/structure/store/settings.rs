//! The SQL of what a town asks of its structure.

use chassis::refusal::Refusal;
use sqlx::PgConnection;

use crate::structure::rules::Settings;

/// The settings of a town with their version: 0 while it has none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) settings: Settings,
    pub(crate) version: i64,
}

const USUAL: Kept = Kept { settings: Settings { term_notice_days: 90, block_forces: 1 }, version: 0 };

/// The settings of a town, or the usual ones.
pub(crate) async fn kept(sql: &mut PgConnection, town: &str) -> Result<Kept, Refusal> {
    let row = sqlx::query!(
        "select term_notice_days, block_forces, version from structure_settings where town = $1",
        town
    );
    let row = row.fetch_optional(sql).await?;
    Ok(row.map_or(USUAL, |row| Kept {
        settings: Settings { term_notice_days: row.term_notice_days, block_forces: row.block_forces },
        version: row.version,
    }))
}

/// The same, with the town locked until the end of the transaction; nothing when there is no such town.
pub(crate) async fn lock_settings(sql: &mut PgConnection, town: &str) -> Result<Option<Kept>, Refusal> {
    match crate::town::store::lock(&mut *sql, town).await? {
        Some(_) => Ok(Some(kept(sql, town).await?)),
        None => Ok(None),
    }
}

/// Saves settings; the next version.
pub(crate) async fn save_settings(
    sql: &mut PgConnection,
    town: &str,
    settings: Settings,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "insert into structure_settings (town, term_notice_days, block_forces) values ($1, $2, $3)
         on conflict (town) do update set term_notice_days = excluded.term_notice_days, block_forces = excluded.block_forces,
             version = structure_settings.version + 1, updated = clock_timestamp()
         returning version",
        town,
        settings.term_notice_days,
        settings.block_forces,
    );
    Ok(version.fetch_one(sql).await?)
}
