//! The SQL of placements.

use chassis::{actor::Actor, identity::Scope, listing::Asked, paging::push_predicate, refusal::Refusal};
use jiff::civil::Date;
use kernel::state::Named;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Campaign, push_page};
use crate::campaign::rules::Channel;

/// A placement as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Placement {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) campaign: Uuid,
    pub(crate) committee: String,
    pub(crate) channel: String,
    pub(crate) place: String,
    pub(crate) estate: String,
    pub(crate) shown_from: String,
    pub(crate) shown_to: String,
    pub(crate) copies: i32,
    pub(crate) households_reached: i32,
    pub(crate) people_reached: i32,
    pub(crate) recorded_by: String,
    pub(crate) recorded_on: String,
    pub(crate) created: i64,
    pub(crate) documents: Vec<String>,
    pub(crate) removed_by: Option<String>,
    pub(crate) removed_on: Option<String>,
    pub(crate) removal_reason: Option<String>,
}

impl Placement {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/placements/{}", self.town, self.id)
    }

    /// Whether it was taken back.
    pub(crate) fn is_removed(&self) -> bool {
        self.removed_on.is_some()
    }

    /// The version: the second is that without it.
    pub(crate) fn version(&self) -> i64 {
        1 + i64::from(self.is_removed())
    }
}

/// What is recorded of a placement.
#[derive(Clone, Debug)]
pub(crate) struct Placing {
    pub(crate) committee: String,
    pub(crate) channel: Channel,
    pub(crate) place: String,
    /// The id of the estate; empty when there is none.
    pub(crate) estate: String,
    pub(crate) shown_from: Date,
    pub(crate) shown_to: Date,
    pub(crate) copies: i32,
    pub(crate) households_reached: i32,
    pub(crate) people_reached: i32,
    /// Ids of documents.
    pub(crate) documents: Vec<Uuid>,
}

const COLUMNS: &str = "select p.town, p.id, p.campaign, p.committee, p.channel, p.place, p.estate, p.shown_from::text as shown_from,
    p.shown_to::text as shown_to, p.copies, p.households_reached, p.people_reached, p.recorded_by, p.recorded_on::text as recorded_on,
    (extract(epoch from p.created) * 1000000)::bigint as created,
    array(select d.document::text from placement_document d where d.town = p.town and d.placement = p.id order by d.n) as documents,
    r.removed_by, r.removed_on::text as removed_on, r.reason as removal_reason
    from placement p left join placement_removal r on r.town = p.town and r.placement = p.id where p.town = ";

fn push_within(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and p.committee = any(").push_bind(scope.ids().1.to_vec()).push(")");
    }
}

/// A placement in the caller's areas.
pub(crate) async fn get(
    sql: &mut PgConnection,
    (town, id): (&str, Uuid),
    scope: &Scope,
) -> Result<Option<Placement>, Refusal> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(town).push(" and p.id = ").push_bind(id);
    push_within(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of placements, by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(asked.town.clone());
    push_within(&mut query, &asked.scope);
    query.push(" and ");
    push_predicate(&mut query, &asked.filter);
    push_page(&mut query, asked, "p.id");
    query
}

/// The files of `ids` that are stored for a campaign.
pub(crate) async fn stored(
    sql: &mut PgConnection,
    campaign: &Campaign,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, Refusal> {
    let rows = sqlx::query_scalar!(
        "select id from document where town = $1 and id = any($3) and owner_kind = 'CAMPAIGN' and owner = $2 and state = 'STORED'",
        campaign.town,
        campaign.id,
        ids,
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Records a placement of a campaign.
pub(crate) async fn record(
    sql: &mut PgConnection,
    campaign: &Campaign,
    id: Uuid,
    placing: &Placing,
    (by, on): (&Actor, Date),
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into placement (town, id, campaign, committee, channel, place, estate, shown_from, shown_to, copies, households_reached,
                                people_reached, recorded_by, recorded_person, recorded_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8::text::date, $9::text::date, $10, $11, $12, $13, $14, $15::text::date)",
        campaign.town,
        id,
        campaign.id,
        placing.committee,
        placing.channel.name(),
        placing.place,
        placing.estate,
        placing.shown_from.to_string(),
        placing.shown_to.to_string(),
        placing.copies,
        placing.households_reached,
        placing.people_reached,
        by.principal,
        by.person,
        on.to_string(),
    );
    done.execute(&mut *sql).await?;
    let documents = sqlx::query!(
        "insert into placement_document (town, placement, n, document)
         select $1, $2, n, document from unnest($3::uuid[]) with ordinality as given (document, n)",
        campaign.town,
        id,
        &placing.documents,
    );
    documents.execute(sql).await?;
    Ok(())
}

/// Takes a placement back; `false` when it was before.
pub(crate) async fn remove(
    sql: &mut PgConnection,
    placement: &Placement,
    reason: &str,
    (by, on): (&Actor, Date),
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into placement_removal (town, placement, reason, removed_by, removed_person, removed_on)
         values ($1, $2, $3, $4, $5, $6::text::date) on conflict do nothing",
        placement.town,
        placement.id,
        reason,
        by.principal,
        by.person,
        on.to_string(),
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}
