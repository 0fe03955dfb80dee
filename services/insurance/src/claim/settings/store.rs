//! The SQL of the settings.

use chassis::refusal::Refusal;
use sqlx::PgConnection;

use super::Settings;

/// The settings of a town; the defaults while it has written none.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn read(sql: &mut PgConnection, town: &str) -> Result<Settings, Refusal> {
    let row = sqlx::query!(
        r#"select accept_days, survey_days, assess_days, adjudicate_days, publish_days, notice_days, answer_days, pay_days, close_days, appeal_days,
                  version, (extract(epoch from updated) * 1000000)::bigint as "updated!",
                  array(select peril from claim_required_document d where d.town = s.town order by peril, kind) as "perils!",
                  array(select kind from claim_required_document d where d.town = s.town order by peril, kind) as "kinds!"
           from claim_settings s where town = $1"#,
        town,
    );
    let Some(row) = row.fetch_optional(sql).await? else { return Ok(Settings::default()) };
    Ok(Settings {
        accept: row.accept_days,
        survey: row.survey_days,
        assess: row.assess_days,
        adjudicate: row.adjudicate_days,
        publish: row.publish_days,
        notice: row.notice_days,
        answer: row.answer_days,
        pay: row.pay_days,
        close: row.close_days,
        appeal: row.appeal_days,
        documents: row.perils.into_iter().zip(row.kinds).collect(),
        version: row.version,
        updated: row.updated,
    })
}

/// Lets one writer at a time write the settings of a town, which may have none yet.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn lock(sql: &mut PgConnection, town: &str) -> Result<(), Refusal> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('claim_settings ' || $1))", town)
        .execute(sql)
        .await?;
    Ok(())
}

/// Writes them whole; the version.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn write(sql: &mut PgConnection, town: &str, settings: &Settings) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "insert into claim_settings as s (town, accept_days, survey_days, assess_days, adjudicate_days, publish_days, notice_days, answer_days,
             pay_days, close_days, appeal_days)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (town) do update set accept_days = $2, survey_days = $3, assess_days = $4, adjudicate_days = $5, publish_days = $6,
             notice_days = $7, answer_days = $8, pay_days = $9, close_days = $10, appeal_days = $11, version = s.version + 1,
             updated = clock_timestamp()
         returning version",
        town,
        settings.accept,
        settings.survey,
        settings.assess,
        settings.adjudicate,
        settings.publish,
        settings.notice,
        settings.answer,
        settings.pay,
        settings.close,
        settings.appeal,
    );
    let version = version.fetch_one(&mut *sql).await?;
    sqlx::query!("delete from claim_required_document where town = $1", town).execute(&mut *sql).await?;
    let (perils, kinds): (Vec<String>, Vec<String>) = settings.documents.iter().cloned().unzip();
    sqlx::query!(
        "insert into claim_required_document (town, peril, kind)
         select $1, peril, kind from unnest($2::text[], $3::text[]) as d (peril, kind)",
        town,
        &perils,
        &kinds,
    )
    .execute(sql)
    .await?;
    Ok(version)
}
