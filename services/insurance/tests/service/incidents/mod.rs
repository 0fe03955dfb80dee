//! Incidents: their life, their scope, what is refused, what the database keeps, and who visits families without a claim.

mod behind;
mod life;
mod plans;
mod refused;
mod scope;
mod unclaimed;

use chassis::peer::Peer;
use contracts::linli::insurance::v1::{
    self as pb, incident::Place, incident_service_client::IncidentServiceClient,
};
use jiff::civil::{Date, date};
use tonic::{Response, Status};

use crate::harness::{self, Service, service, uuid};

/// The town with its two schemes signed.
pub(crate) async fn insured(today: Date) -> Service {
    let service = service(today).await;
    service.schemes().await;
    service
}

pub(crate) fn client(service: &Service) -> IncidentServiceClient<Peer> {
    IncidentServiceClient::new(service.peer.clone())
}

/// A fire in the first household, of which the fire service told.
pub(crate) fn fire() -> pb::Incident {
    pb::Incident {
        peril: "FIRE".to_owned(),
        happen_date: Some(harness::date(date(2020, 2, 14))),
        place: Some(Place::PlaceHousehold("towns/malu/households/h-1".to_owned())),
        description: "厨房起火".to_owned(),
        source: pb::IncidentSource::FireService.into(),
        person: "towns/malu/people/r-1".to_owned(),
        estimated_loss: Some(harness::fen(8_000_000)),
        ..Default::default()
    }
}

pub(crate) fn creation(incident: pb::Incident) -> pb::CreateIncidentRequest {
    pb::CreateIncidentRequest {
        parent: "towns/malu".to_owned(),
        incident: Some(incident),
        request_id: uuid(),
        ..Default::default()
    }
}

pub(crate) async fn try_report(service: &Service, incident: pb::Incident) -> Result<pb::Incident, Status> {
    let request = service.of_committee("reporter", "c1", creation(incident));
    client(service).create_incident(request).await.map(Response::into_inner)
}

pub(crate) async fn report(service: &Service, incident: pb::Incident) -> pb::Incident {
    try_report(service, incident).await.unwrap()
}

pub(crate) async fn try_verify(service: &Service, incident: &pb::Incident) -> Result<pb::Incident, Status> {
    let request = pb::VerifyIncidentRequest {
        name: incident.name.clone(),
        etag: incident.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    client(service)
        .verify_incident(service.of_committee("verifier", "c1", request))
        .await
        .map(Response::into_inner)
}

pub(crate) async fn verify(service: &Service, incident: &pb::Incident) -> pb::Incident {
    try_verify(service, incident).await.unwrap()
}

pub(crate) async fn try_close(
    service: &Service,
    incident: &pb::Incident,
    why: &str,
) -> Result<pb::Incident, Status> {
    let request = pb::CloseIncidentRequest {
        name: incident.name.clone(),
        etag: incident.etag.clone(),
        request_id: uuid(),
        comment: why.to_owned(),
        ..Default::default()
    };
    client(service)
        .close_incident(service.of_committee("closer", "c1", request))
        .await
        .map(Response::into_inner)
}

pub(crate) async fn try_reopen(
    service: &Service,
    incident: &pb::Incident,
    why: &str,
) -> Result<pb::Incident, Status> {
    let request = pb::ReopenIncidentRequest {
        name: incident.name.clone(),
        etag: incident.etag.clone(),
        request_id: uuid(),
        comment: why.to_owned(),
        ..Default::default()
    };
    client(service)
        .reopen_incident(service.of_committee("closer", "c1", request))
        .await
        .map(Response::into_inner)
}

pub(crate) fn visit(incident: &pb::Incident, result: pb::VisitResult, text: &str) -> pb::RecordVisitRequest {
    pb::RecordVisitRequest {
        name: incident.name.clone(),
        etag: incident.etag.clone(),
        request_id: uuid(),
        result: result.into(),
        text: text.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn assignment(incident: &pb::Incident, visitor: &str) -> pb::AssignVisitRequest {
    pb::AssignVisitRequest {
        name: incident.name.clone(),
        etag: incident.etag.clone(),
        request_id: uuid(),
        visitor: visitor.to_owned(),
        ..Default::default()
    }
}

pub(crate) async fn get(service: &Service, name: &str) -> pb::Incident {
    let request = pb::GetIncidentRequest { name: name.to_owned() };
    client(service).get_incident(service.officer("reader", request)).await.unwrap().into_inner()
}
