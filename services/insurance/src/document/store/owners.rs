//! Who sees the owners of documents: what the tables of claims, campaigns and incidents say. Nothing else here knows those tables.

use chassis::refusal::Refusal;
use kernel::state::Named;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::document::owner::Kind;

/// Who sees an owner, and so its documents, beside the town.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub(crate) struct Owner {
    /// Ids of committees.
    pub(crate) committees: Vec<String>,
    /// Ids of insurers.
    pub(crate) insurers: Vec<String>,
}

/// What says who sees an owner of a kind: its committees and insurers.
fn select(kind: Kind) -> &'static str {
    match kind {
        Kind::Claim => {
            "select array_remove(array[c.committee], '') as committees, c.insurers
             from claim c where c.town = $1 and c.id = $2"
        }
        Kind::Campaign => {
            "select array(select m.committee from campaign_committee m where m.town = c.town and m.campaign = c.id order by m.committee)
                    as committees, array[]::text[] as insurers
             from campaign c where c.town = $1 and c.id = $2"
        }
        Kind::Incident => {
            "select array_remove(array[i.committee], '') as committees, array[]::text[] as insurers
             from incident i where i.town = $1 and i.id = $2"
        }
    }
}

/// Who sees a claim, a campaign or an incident.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn owner(
    sql: &mut PgConnection,
    town: &str,
    kind: Kind,
    id: Uuid,
) -> Result<Option<Owner>, Refusal> {
    Ok(sqlx::query_as(select(kind)).bind(town).bind(id).fetch_optional(sql).await?)
}

/// Holds a claim as it is, and says whether a decision on it is in force.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn hold_decided(sql: &mut PgConnection, town: &str, claim: Uuid) -> Result<bool, Refusal> {
    let decided = sqlx::query_scalar!(
        r#"select decision is not null as "decided!" from claim where town = $1 and id = $2 for share"#,
        town,
        claim,
    );
    Ok(decided.fetch_optional(sql).await?.unwrap_or(false))
}

/// Lets the documents of an owner be seen by whoever sees it now: called when the insurers of a claim change, or the committees of a campaign.
///
/// # Errors
/// What Postgres answered.
pub async fn follow(sql: &mut PgConnection, town: &str, kind: Kind, id: Uuid) -> Result<(), Refusal> {
    let Some(Owner { committees, insurers }) = owner(&mut *sql, town, kind, id).await? else { return Ok(()) };
    sqlx::query!(
        "update document set committees = $4, insurers = $5 where town = $1 and owner_kind = $2 and owner = $3",
        town,
        kind.name(),
        id,
        &committees,
        &insurers,
    )
    .execute(sql)
    .await?;
    Ok(())
}
