//! The SQL of incidents.

mod children;
mod list;

pub(crate) use children::{Visit, add_cover, add_visit, cover, visits, visits_of};
pub(crate) use list::{FILTER, Unclaimed, list, list_query, unclaimed, unclaimed_query};

use chassis::{identity::Scope, refusal::Refusal};
use jiff::civil::Date;
use kernel::{name::IncidentName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{PlaceKind, State};

/// An incident as the table keeps it.
#[derive(Clone, Debug, Default, FromRow)]
pub(crate) struct Row {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) number: String,
    pub(crate) state: String,
    pub(crate) peril: String,
    pub(crate) happened_on: String,
    pub(crate) place_kind: String,
    /// The id of a household or estate, or words.
    pub(crate) place: String,
    /// What happened, sealed.
    pub(crate) description: Vec<u8>,
    pub(crate) data_key: i32,
    pub(crate) source: String,
    pub(crate) source_reference: String,
    /// The id of a person; empty when nobody is named.
    pub(crate) person: String,
    /// The id of the family's household; empty when none is named.
    pub(crate) household: String,
    /// The id of the committee; empty when unknown.
    pub(crate) committee: String,
    /// The id of the block; empty when unknown.
    pub(crate) block: String,
    /// The incident that stands for the event.
    pub(crate) event: Uuid,
    pub(crate) loss_fen: Option<i64>,
    pub(crate) reported_on: String,
    pub(crate) reported_by: String,
    pub(crate) reported_person: String,
    pub(crate) verified_on: Option<String>,
    pub(crate) verified_by: Option<String>,
    pub(crate) verified_person: String,
    pub(crate) covered: Option<bool>,
    pub(crate) verification: i32,
    /// The name of the claim that was opened first; empty while there is none.
    pub(crate) claim: String,
    pub(crate) visitor: String,
    pub(crate) visit_due: Option<String>,
    pub(crate) visits: i32,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// The columns of a [`Row`] of `incident x`.
pub(crate) const COLUMNS: &str = "x.town, x.id, x.number, x.state, x.peril, x.happened_on::text as happened_on, x.place_kind, x.place, x.description,
    x.data_key, x.source, x.source_reference, x.person, x.household, x.committee, x.block, x.event, x.loss_fen,
    x.reported_on::text as reported_on, x.reported_by, x.reported_person, x.verified_on::text as verified_on, x.verified_by, x.verified_person,
    x.covered, x.verification, x.claim, x.visitor, x.visit_due::text as visit_due, x.visits, x.version,
    (extract(epoch from x.created) * 1000000)::bigint as created, (extract(epoch from x.updated) * 1000000)::bigint as updated";

/// A day of a column.
///
/// # Errors
/// INTERNAL for text that is none.
pub(crate) fn day(text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(Refusal::internal)
}

impl Row {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        name_of(&self.town, self.id)
    }

    /// Where it stands; the table's check holds the text there.
    ///
    /// # Errors
    /// INTERNAL for text that stands for nothing.
    pub(crate) fn state(&self) -> Result<State, Refusal> {
        State::from_name(&self.state).ok_or_else(|| Refusal::internal(format!("state {}", self.state)))
    }

    /// What kind of place it happened in.
    ///
    /// # Errors
    /// INTERNAL for text that stands for nothing.
    pub(crate) fn place_kind(&self) -> Result<PlaceKind, Refusal> {
        PlaceKind::from_name(&self.place_kind)
            .ok_or_else(|| Refusal::internal(format!("place {}", self.place_kind)))
    }

    /// The day of the event.
    ///
    /// # Errors
    /// INTERNAL for text that is none.
    pub(crate) fn happened_on(&self) -> Result<Date, Refusal> {
        day(&self.happened_on)
    }
}

/// The name of an incident.
pub(crate) fn name_of(town: &str, id: Uuid) -> String {
    format!("towns/{town}/incidents/{id}")
}

/// Appends that a row lies in the caller's areas: his committees, or as a steward his blocks.
pub(crate) fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        let (_, committees, blocks) = scope.ids();
        query.push(" and (x.committee = any(").push_bind(committees.to_vec()).push(")");
        query.push(" or x.block = any(").push_bind(blocks.to_vec()).push("))");
    }
}

/// An incident that the caller may see; locked until the end of the transaction when `lock`.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &IncidentName,
    scope: &Scope,
    lock: bool,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.incident()) else { return Ok(None) };
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from incident x where x.town = ").push_bind(name.town());
    query.push(" and x.id = ").push_bind(id);
    push_scope(&mut query, scope);
    if lock {
        query.push(" for update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The incident that was reported before of the same person, peril, day and place, and is not closed: its name and number.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn same(sql: &mut PgConnection, row: &Row) -> Result<Option<(String, String)>, Refusal> {
    let found = sqlx::query!(
        "select id, number from incident
         where town = $1 and peril = $2 and happened_on = $3::text::date and place_kind = $4 and place_key = place_key($5) and person = $6
           and state <> 'CLOSED' and (person <> '' or place_kind = 'HOUSEHOLD') and id <> $7",
        row.town,
        row.peril,
        row.happened_on,
        row.place_kind,
        row.place,
        row.person,
        row.id,
    );
    let found = found.fetch_optional(sql).await?;
    Ok(found.map(|found| (name_of(&row.town, found.id), found.number)))
}

/// Whoever reports what the same place met on the same day waits here until the end of the transaction, so that what is known of it stays
/// true.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn lock_event(sql: &mut PgConnection, row: &Row) -> Result<(), Refusal> {
    let locked = sqlx::query!(
        "select lock_event($1, $2::text::date, $3, $4)",
        row.town,
        row.happened_on,
        row.place_kind,
        row.place,
    );
    locked.fetch_one(sql).await?;
    Ok(())
}

/// The event that the same place met on the same day, when one is known.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn event_of(sql: &mut PgConnection, row: &Row) -> Result<Option<Uuid>, Refusal> {
    let found = sqlx::query_scalar!(
        "select event from incident
         where town = $1 and happened_on = $2::text::date and place_kind = $3 and place_key = place_key($4) limit 1",
        row.town,
        row.happened_on,
        row.place_kind,
        row.place,
    );
    Ok(found.fetch_optional(sql).await?)
}

/// The next number of a year.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn next_number(sql: &mut PgConnection, town: &str, year: i16) -> Result<i32, Refusal> {
    let next = sqlx::query_scalar!(
        "insert into incident_number as n (town, year, last) values ($1, $2, 1)
         on conflict (town, year) do update set last = n.last + 1 returning last",
        town,
        i32::from(year),
    );
    Ok(next.fetch_one(sql).await?)
}

/// Keeps a new incident.
///
/// # Errors
/// CONFLICT when the same was reported at the same time; what Postgres answered.
pub(crate) async fn create(sql: &mut PgConnection, row: &Row, year: i16) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into incident (town, id, number, number_year, state, peril, happened_on, place_kind, place, description, data_key, source,
                               source_reference, person, household, committee, block, event, loss_fen, reported_on, reported_by, reported_person)
         values ($1, $2, $3, $4, $5, $6, $7::text::date, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20::text::date, $21, $22)",
        row.town,
        row.id,
        row.number,
        i32::from(year),
        row.state,
        row.peril,
        row.happened_on,
        row.place_kind,
        row.place,
        row.description,
        row.data_key,
        row.source,
        row.source_reference,
        row.person,
        row.household,
        row.committee,
        row.block,
        row.event,
        row.loss_fen,
        row.reported_on,
        row.reported_by,
        row.reported_person,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Writes what changed; its next version stands in the row.
///
/// # Errors
/// CONFLICT when the same was reported at the same time; what Postgres answered.
pub(crate) async fn save(sql: &mut PgConnection, row: &mut Row) -> Result<(), Refusal> {
    row.version = sqlx::query_scalar!(
        "update incident set state = $3, verified_on = $4::text::date, verified_by = $5, verified_person = $6, covered = $7, verification = $8,
                claim = $9, visitor = $10, visit_due = $11::text::date, visits = $12, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        row.town,
        row.id,
        row.state,
        row.verified_on,
        row.verified_by,
        row.verified_person,
        row.covered,
        row.verification,
        row.claim,
        row.visitor,
        row.visit_due,
        row.visits,
    )
    .fetch_one(sql)
    .await?;
    Ok(())
}

/// Notes the claim of an incident whose state says nothing of it: no transition, and so no version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn note_claim(sql: &mut PgConnection, row: &Row) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update incident set claim = $3 where town = $1 and id = $2",
        row.town,
        row.id,
        row.claim
    );
    done.execute(sql).await?;
    Ok(())
}
