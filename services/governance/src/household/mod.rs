//! Households 户, and where an address was on a day.

pub(crate) mod acts;
pub(crate) mod store;

use chassis::{call::Call, context::Context, identity::Scope, refusal::Refusal, wire, work::mutate};
use contracts::linli::governance::v1::{self as pb, household_service_server::HouseholdService};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    name::{BlockName, BuildingName, CommitteeName, HouseholdName},
};
use sqlx::PgConnection;
use store::View;
use tonic::{Request, Response, Status};

use crate::{
    as_of::AsOf,
    block, committee,
    listing::{self, Asked},
    stewardship,
};

const FILTER: &[FieldSpec] = &[
    FieldSpec {
        name: "building",
        column: "h.building",
        kind: Kind::Name { collection: "buildings", town: "h.town" },
    },
    FieldSpec {
        name: "estate",
        column: "b.estate",
        kind: Kind::Name { collection: "estates", town: "h.town" },
    },
    FieldSpec {
        name: "committee",
        column: "p.committee",
        kind: Kind::Name { collection: "committees", town: "h.town" },
    },
    FieldSpec { name: "block", column: "p.block", kind: Kind::Name { collection: "blocks", town: "h.town" } },
    FieldSpec { name: "occupancy", column: "h.occupancy", kind: Kind::Enum(acts::OCCUPANCIES) },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Households(pub Context);

/// A household on the wire.
pub(crate) fn encode(view: &View) -> pb::Household {
    let of = |kind: &str, id: &str| format!("towns/{}/{kind}/{id}", view.town);
    let occupancy = pb::Occupancy::from_str_name(&format!("OCCUPANCY_{}", view.occupancy));
    pb::Household {
        name: of("households", &view.id),
        building: of("buildings", &view.building),
        door: view.door.clone(),
        occupancy: occupancy.unwrap_or_default().into(),
        estate: of("estates", &view.estate),
        committee: of("committees", &view.committee),
        block: view.block.as_ref().map(|id| of("blocks", id)).unwrap_or_default(),
        etag: Etag::of(view.version).to_string(),
        create_time: Some(wire::to_timestamp(view.created)),
        update_time: Some(wire::to_timestamp(view.updated)),
    }
}

/// Committee, block and steward of a household that the caller may see.
async fn place(
    sql: &mut PgConnection,
    call: &Call,
    view: &View,
    as_of: &AsOf,
) -> Result<pb::HouseholdPlace, Refusal> {
    let committee = CommitteeName::new(&view.town, &view.committee).map_err(Refusal::internal)?;
    let its = committee::store::get(&mut *sql, &committee, &Scope::Town, as_of).await?;
    let community = its.map(|its| format!("towns/{}/communities/{}", view.town, its.community));
    let (mut block_name, mut steward) = (String::new(), None);
    if let Some(id) = &view.block {
        let block = BlockName::new(&view.town, id).map_err(Refusal::internal)?;
        let its = block::store::get(&mut *sql, &block, &Scope::Town, as_of, call.today()).await?;
        block_name = its.map(|its| its.display_name).unwrap_or_default();
        let its = stewardship::store::on(sql, &block, &Scope::Town, as_of, call.today()).await?;
        steward = its.map(|its| stewardship::encode::stewardship(&its)).transpose()?;
    }
    let community = community.unwrap_or_default();
    Ok(pb::HouseholdPlace { household: Some(encode(view)), community, block_name, steward })
}

impl Households {
    async fn read(&self, call: &Call, request: &pb::GetHouseholdRequest) -> Result<pb::Household, Refusal> {
        let name: HouseholdName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let view = store::get(self.0.db.read().await?.sql(), &name, &scope, &as_of, call.today()).await?;
        Ok(encode(&view.ok_or_else(|| call.missing(&scope, "linli.dev/Household", name.to_string()))?))
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListHouseholdsRequest,
    ) -> Result<pb::ListHouseholdsResponse, Refusal> {
        let (asked, paging) = Asked::read(&self.0, call, listing::request!(request), FILTER)?;
        let mut views = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut views, |view| vec![view.id.clone()]);
        Ok(pb::ListHouseholdsResponse { households: views.iter().map(encode).collect(), next_page_token })
    }

    async fn by_name(
        &self,
        call: &Call,
        request: &pb::LookUpHouseholdRequest,
    ) -> Result<pb::HouseholdPlace, Refusal> {
        let name: HouseholdName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let view = store::get(read.sql(), &name, &scope, &as_of, call.today()).await?;
        let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Household", name.to_string()))?;
        place(read.sql(), call, &view, &as_of).await
    }

    async fn by_door(
        &self,
        call: &Call,
        request: &pb::LookUpAddressRequest,
    ) -> Result<pb::HouseholdPlace, Refusal> {
        let name: BuildingName = wire::name("building", &request.building)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let view = store::behind(read.sql(), (&name, &request.door), &scope, &as_of, call.today()).await?;
        let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Household", name.to_string()))?;
        place(read.sql(), call, &view, &as_of).await
    }
}

#[tonic::async_trait]
impl HouseholdService for Households {
    async fn get_household(
        &self,
        request: Request<pb::GetHouseholdRequest>,
    ) -> Result<Response<pb::Household>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_households(
        &self,
        request: Request<pb::ListHouseholdsRequest>,
    ) -> Result<Response<pb::ListHouseholdsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_household(
        &self,
        request: Request<pb::CreateHouseholdRequest>,
    ) -> Result<Response<pb::Household>, Status> {
        mutate::<acts::Create>(&self.0, request).await
    }

    async fn update_household(
        &self,
        request: Request<pb::UpdateHouseholdRequest>,
    ) -> Result<Response<pb::Household>, Status> {
        mutate::<acts::Update>(&self.0, request).await
    }

    async fn look_up_household(
        &self,
        request: Request<pb::LookUpHouseholdRequest>,
    ) -> Result<Response<pb::HouseholdPlace>, Status> {
        Ok(Response::new(self.by_name(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn look_up_address(
        &self,
        request: Request<pb::LookUpAddressRequest>,
    ) -> Result<Response<pb::HouseholdPlace>, Status> {
        Ok(Response::new(self.by_door(&Call::of(&request)?, request.get_ref()).await?))
    }
}
