//! Residences: person × household × ground (户籍, 居住证) × days, on two time axes.

pub(crate) mod acts;
pub(crate) mod rules;
pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    identity::Scope,
    paging::{self, Paging},
    refusal::Refusal,
    wire,
    work::mutate,
};
use contracts::linli::governance::v1::{self as pb, residence_service_server::ResidenceService};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    name::{PersonName, TownName},
};
use store::View;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{as_of::AsOf, person, store::day};

const FILTER: &[FieldSpec] = &[
    FieldSpec {
        name: "person",
        column: "r.person",
        kind: Kind::Name { collection: "people", town: "r.town" },
    },
    FieldSpec {
        name: "household",
        column: "r.household",
        kind: Kind::Name { collection: "households", town: "r.town" },
    },
    FieldSpec { name: "ground", column: "r.ground", kind: Kind::Enum(rules::GROUNDS) },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Residences(pub Context);

/// A residence on the wire.
pub(crate) fn encode(view: &View) -> Result<pb::Residence, Refusal> {
    let ground = pb::ResidenceGround::from_str_name(&format!("RESIDENCE_GROUND_{}", view.ground));
    Ok(pb::Residence {
        name: format!("towns/{}/residences/{}", view.town, view.id),
        person: format!("towns/{}/people/{}", view.town, view.person),
        household: format!("towns/{}/households/{}", view.town, view.household),
        ground: ground.unwrap_or_default().into(),
        start_date: Some(wire::to_date(day(&view.starts)?)),
        end_date: view.ends.as_deref().map(day).transpose()?.map(wire::to_date),
        record_time: Some(wire::to_timestamp(view.recorded)),
        supersede_time: view.superseded.map(wire::to_timestamp),
        reason: view.reason.clone(),
        person_etag: Etag::of(view.person_version).to_string(),
    })
}

fn place(view: &View) -> Result<pb::ResidencePlace, Refusal> {
    let of = |kind: &str, id: &Option<String>| {
        id.as_ref().map(|id| format!("towns/{}/{kind}/{id}", view.town)).unwrap_or_default()
    };
    Ok(pb::ResidencePlace {
        residence: Some(encode(view)?),
        building: of("buildings", &view.building),
        block: of("blocks", &view.block),
        committee: of("committees", &view.committee),
        community: of("communities", &view.community),
    })
}

/// Why the answer is what it is, in both languages.
fn explain(views: &[View], as_of: &AsOf) -> String {
    let day = as_of.day;
    if views.is_empty() {
        return format!(
            "{day} 无户籍登记、无居住证 / neither registered nor holding a residence permit on {day}"
        );
    }
    let grounds = |registered: &str, permit: &str, with: &str| {
        let names = views.iter().map(|view| if view.ground == "REGISTERED" { registered } else { permit });
        names.collect::<Vec<_>>().join(with)
    };
    let (zh, en) = (grounds("户籍", "居住证", "、"), grounds("registration", "residence permit", " and "));
    format!("{day} 依据{zh}居住 / resident on {day} by {en}")
}

impl Residences {
    async fn page(
        &self,
        call: &Call,
        request: &pb::ListResidencesRequest,
    ) -> Result<pb::ListResidencesResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let filter = paging::filter(&request.filter, FILTER)?;
        let bound = [town.town(), &request.filter, &as_of.key()];
        let paging = Paging::open(&self.0, call, &bound, request.page_size, &request.page_token)?;
        let asked = store::Asked {
            town: town.town(),
            scope: &scope,
            today: call.today(),
            as_of: &as_of,
            filter: &filter,
            after: paging.after_first().and_then(|id| Uuid::parse_str(id).ok()),
            limit: paging.limit(),
        };
        let mut views = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut views, |view| vec![view.id.to_string()]);
        let residences = views.iter().map(encode).collect::<Result<_, _>>()?;
        Ok(pb::ListResidencesResponse { residences, next_page_token })
    }

    async fn check(
        &self,
        call: &Call,
        request: &pb::CheckResidenceRequest,
    ) -> Result<pb::ResidenceCheck, Refusal> {
        let name: PersonName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let views = store::on(read.sql(), &name, &scope, &as_of, call.today()).await?;
        if views.is_empty() {
            let known = person::store::get(read.sql(), &name, &scope, call.today()).await?;
            known.ok_or_else(|| call.missing(&scope, "linli.dev/Person", name.to_string()))?;
        }
        // whether somebody lived in the town is true of all of it; where is told within the caller's areas alone
        let all = match &scope {
            Scope::Town => views.clone(),
            Scope::None | Scope::Areas { .. } => {
                store::on(read.sql(), &name, &Scope::Town, &as_of, call.today()).await?
            }
        };
        Ok(pb::ResidenceCheck {
            resident: !all.is_empty(),
            residences: views.iter().map(place).collect::<Result<_, _>>()?,
            explanation: explain(&all, &as_of),
        })
    }
}

#[tonic::async_trait]
impl ResidenceService for Residences {
    async fn list_residences(
        &self,
        request: Request<pb::ListResidencesRequest>,
    ) -> Result<Response<pb::ListResidencesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_residence(
        &self,
        request: Request<pb::CreateResidenceRequest>,
    ) -> Result<Response<pb::Residence>, Status> {
        mutate::<acts::Create>(&self.0, request).await
    }

    async fn move_person(
        &self,
        request: Request<pb::MovePersonRequest>,
    ) -> Result<Response<pb::Residence>, Status> {
        mutate::<acts::Move>(&self.0, request).await
    }

    async fn end_residence(
        &self,
        request: Request<pb::EndResidenceRequest>,
    ) -> Result<Response<pb::Residence>, Status> {
        mutate::<acts::End>(&self.0, request).await
    }

    async fn correct_residence(
        &self,
        request: Request<pb::CorrectResidenceRequest>,
    ) -> Result<Response<pb::Residence>, Status> {
        mutate::<acts::Correct>(&self.0, request).await
    }

    async fn check_residence(
        &self,
        request: Request<pb::CheckResidenceRequest>,
    ) -> Result<Response<pb::ResidenceCheck>, Status> {
        Ok(Response::new(self.check(&Call::of(&request)?, request.get_ref()).await?))
    }
}
