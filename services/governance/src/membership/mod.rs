//! Memberships: who sits on a body between two dates.

pub(crate) mod acts;
pub mod rules;
pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    paging::{self, Paging},
    refusal::Refusal,
    wire,
    work::mutate,
};
use contracts::linli::governance::v1::{self as pb, membership_service_server::MembershipService};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    name::TownName,
};
use store::View;
use tonic::{Request, Response, Status};

use crate::{as_of::AsOf, store::day};

const FILTER: &[FieldSpec] = &[
    FieldSpec { name: "body", column: "m.body", kind: Kind::Name { collection: "bodies", town: "m.town" } },
    FieldSpec {
        name: "person",
        column: "m.person",
        kind: Kind::Name { collection: "people", town: "m.town" },
    },
    FieldSpec { name: "role", column: "m.role", kind: Kind::Enum(rules::ROLES) },
    FieldSpec { name: "seat", column: "m.seat", kind: Kind::Integer },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Memberships(pub Context);

/// A membership on the wire.
pub(crate) fn encode(view: &View) -> Result<pb::Membership, Refusal> {
    let of = |kind: &str, id: &str| format!("towns/{}/{kind}/{id}", view.town);
    let role = pb::MembershipRole::from_str_name(&format!("MEMBERSHIP_ROLE_{}", view.role));
    Ok(pb::Membership {
        name: of("memberships", &view.id.to_string()),
        body: of("bodies", &view.body),
        seat: view.seat,
        person: of("people", &view.person),
        role: role.unwrap_or_default().into(),
        start_date: Some(wire::to_date(day(&view.starts)?)),
        end_date: view.ends.as_deref().map(day).transpose()?.map(wire::to_date),
        record_time: Some(wire::to_timestamp(view.recorded)),
        supersede_time: view.superseded.map(wire::to_timestamp),
        reason: view.reason.clone(),
        body_etag: Etag::of(view.body_version).to_string(),
    })
}

impl Memberships {
    async fn page(
        &self,
        call: &Call,
        request: &pb::ListMembershipsRequest,
    ) -> Result<pb::ListMembershipsResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let filter = paging::filter(&request.filter, FILTER)?;
        let bound = [town.town(), &request.filter, &as_of.key()];
        let paging = Paging::open(&self.0, call, &bound, request.page_size, &request.page_token)?;
        let after = paging.after_first().and_then(|key| key.split_once(' '));
        let asked = store::Asked {
            town: town.town(),
            scope: &scope,
            today: call.today(),
            as_of: &as_of,
            filter: &filter,
            after: after.and_then(|(body, seat)| Some((body.to_owned(), seat.parse().ok()?))),
            limit: paging.limit(),
        };
        let mut views = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut views, |view| vec![format!("{} {}", view.body, view.seat)]);
        let memberships = views.iter().map(encode).collect::<Result<_, _>>()?;
        Ok(pb::ListMembershipsResponse { memberships, next_page_token })
    }
}

#[tonic::async_trait]
impl MembershipService for Memberships {
    async fn list_memberships(
        &self,
        request: Request<pb::ListMembershipsRequest>,
    ) -> Result<Response<pb::ListMembershipsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn seat_member(
        &self,
        request: Request<pb::SeatMemberRequest>,
    ) -> Result<Response<pb::Membership>, Status> {
        mutate::<acts::Seat>(&self.0, request).await
    }

    async fn end_membership(
        &self,
        request: Request<pb::EndMembershipRequest>,
    ) -> Result<Response<pb::Membership>, Status> {
        mutate::<acts::End>(&self.0, request).await
    }

    async fn correct_membership(
        &self,
        request: Request<pb::CorrectMembershipRequest>,
    ) -> Result<Response<pb::Membership>, Status> {
        mutate::<acts::Correct>(&self.0, request).await
    }
}
