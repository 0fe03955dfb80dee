//! Incidents that are covered and have no claim 应赔未报, with who is to visit the family.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{call::Call, governance::Governance, listing, refusal::Refusal};
use contracts::linli::{governance::v1 as governance, insurance::v1 as pb};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::civil::Date;
use kernel::name::HouseholdName;

use super::{
    Incidents, encode,
    rules::{self, PlaceKind},
    store::{self, Row, Visit, day},
};

/// Governance is asked for each row: a page is smaller than elsewhere.
const PAGE: i32 = 200;
/// Households that governance is asked for at once.
const AT_ONCE: usize = 16;

/// The places of households today, by name.
type Places = BTreeMap<String, governance::HouseholdPlace>;

/// The household of the family, else the dwelling that it happened in.
fn household(row: &Row) -> Result<Option<HouseholdName>, Refusal> {
    let id = match (row.household.as_str(), row.place_kind()?) {
        ("", PlaceKind::Household) => row.place.as_str(),
        (id, PlaceKind::Household | PlaceKind::Estate | PlaceKind::Text) => id,
    };
    if id.is_empty() {
        return Ok(None);
    }
    HouseholdName::new(&row.town, id).map(Some).map_err(Refusal::internal)
}

/// Where the households of a page lie today, and with which steward; each is asked for once.
async fn places(governance: &Governance, rows: &[Row], today: Date) -> Result<Places, Refusal> {
    let mut names = BTreeSet::new();
    for row in rows {
        names.extend(household(row)?);
    }
    let asked = names.into_iter().map(|name| async move {
        let place = governance.household(&name, today).await?;
        Ok::<_, Refusal>(place.map(|place| (name.to_string(), place)))
    });
    let found: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// An incident with who is to visit its family.
fn shown(
    row: &Row,
    places: &Places,
    visits: &[Visit],
    today: Date,
) -> Result<pb::UnclaimedIncident, Refusal> {
    let place = household(row)?.and_then(|name| places.get(&name.to_string()).cloned()).unwrap_or_default();
    let steward = place.steward.unwrap_or_default();
    let visits = encode::visits_of(row.id, visits)?;
    let since = row.verified_on.as_deref().map(day).transpose()?;
    let due = row.visit_due.as_deref().map(day).transpose()?;
    let by_steward = if steward.person.is_empty() { &steward.worker } else { &steward.person };
    Ok(pb::UnclaimedIncident {
        incident: Some(encode::incident(row)?),
        waiting_days: since.map_or(0, |since| (today - since).get_days()),
        block: place.household.unwrap_or_default().block,
        block_title: place.block_name,
        visitor: if row.visitor.is_empty() { by_steward.clone() } else { row.visitor.clone() },
        visit_overdue: due.is_some_and(|due| due < today) && visits.is_empty(),
        stewardship: steward.name,
        steward_person: steward.person,
        steward_worker: steward.worker,
        visits,
    })
}

impl Incidents {
    /// A page of them: read first, then governance is asked, with no connection held meanwhile.
    pub(super) async fn page_unclaimed(
        &self,
        call: &Call,
        request: &pb::ListUnclaimedIncidentsRequest,
    ) -> Result<pb::ListUnclaimedIncidentsResponse, Refusal> {
        let min_days = request.min_days.unwrap_or(rules::UNCLAIMED_AFTER);
        let bound = format!("{} {min_days}", request.filter);
        let asked = listing::Request {
            parent: &request.parent,
            page_size: request.page_size.min(PAGE),
            page_token: &request.page_token,
            filter: &request.filter,
            order_by: "",
            as_of_date: None,
            read_time: None,
        };
        let (page, paging) = listing::Asked::read_bound(&self.context, call, asked, store::FILTER, &bound)?;
        let (town, today) = (page.town.clone(), page.today);
        let asked = store::Unclaimed { page, until: rules::verified_until(today, min_days) };
        let (mut rows, visits, next_page_token) = {
            let mut read = self.context.db.read().await?;
            let mut rows = store::unclaimed(read.sql(), &asked).await?;
            let token = paging.next(&mut rows, |row| vec![row.id.to_string()]);
            let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
            let visits = store::visits_of(read.sql(), &town, &ids).await?;
            (rows, visits, token)
        };
        let places = places(&self.governance, &rows, today).await?;
        let shown = rows.drain(..).map(|row| shown(&row, &places, &visits, today));
        let unclaimed_incidents = shown.collect::<Result<_, _>>()?;
        Ok(pb::ListUnclaimedIncidentsResponse { unclaimed_incidents, next_page_token })
    }
}
