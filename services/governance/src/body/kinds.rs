//! What each level can have, and must: the data that the structure check goes by.

use chassis::{
    call::Call,
    context::Context,
    paging::Paging,
    refusal::{FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag, mutate},
};
use contracts::linli::governance::v1::{self as pb, body_kind_service_server::BodyKindService};
use kernel::{
    etag::Etag,
    name::{BodyKindName, TownName},
};
use serde_json::json;
use tonic::{Request, Response, Status};

use super::store::{self, KindRow};

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct BodyKinds(pub Context);

/// The id of a kind at a level: `committee-project-group`.
fn id(kind: &KindRow) -> String {
    format!("{}-{}", kind.level, kind.kind).to_lowercase().replace('_', "-")
}

fn encode(town: &str, kind: &KindRow) -> pb::BodyKind {
    pb::BodyKind {
        name: format!("towns/{town}/bodyKinds/{}", id(kind)),
        kind: kind.kind.clone(),
        level: pb::BodyLevel::from_str_name(&format!("BODY_LEVEL_{}", kind.level)).unwrap_or_default().into(),
        minimum: kind.minimum,
        maximum: kind.maximum.unwrap_or(0),
        clause: kind.clause.clone(),
        display_name_zh: kind.zh.clone(),
        display_name_en: kind.en.clone(),
        town_specific: kind.version > 0,
        etag: Etag::of(kind.version).to_string(),
    }
}

impl BodyKinds {
    async fn page(
        &self,
        call: &Call,
        request: &pb::ListBodyKindsRequest,
    ) -> Result<pb::ListBodyKindsResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        call.scope(town.town())?;
        let paging = Paging::open(&self.0, call, &[town.town()], request.page_size, &request.page_token)?;
        let mut kinds = store::kinds(self.0.db.read().await?.sql(), town.town()).await?;
        kinds.sort_by_key(id);
        kinds.retain(|kind| paging.after_first().is_none_or(|after| id(kind).as_str() > after));
        let next_page_token = paging.next(&mut kinds, |kind| vec![id(kind)]);
        let body_kinds = kinds.iter().map(|kind| encode(town.town(), kind)).collect();
        Ok(pb::ListBodyKindsResponse { body_kinds, next_page_token })
    }
}

struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateBodyKindRequest;
    type Answer = pb::BodyKind;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::BodyKind>, Refusal> {
        let default = pb::BodyKind::default();
        let given = request.body_kind.as_ref().unwrap_or(&default);
        let name: BodyKindName = wire::name("body_kind.name", &given.name)?;
        work.call().whole_town(name.town())?;
        let missing = || Refusal::not_found("linli.dev/BodyKind", name.to_string());
        crate::town::store::lock(work.sql(), name.town()).await?.ok_or_else(missing)?;
        let kinds = store::kinds(work.sql(), name.town()).await?;
        let mut kind = kinds.into_iter().find(|kind| id(kind) == name.body_kind()).ok_or_else(missing)?;
        check_etag(&name.to_string(), &given.etag, kind.version)?;
        wire::mask(request.update_mask.as_ref(), &["minimum"])
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        if let Some(maximum) = kind.maximum.filter(|maximum| given.minimum > *maximum) {
            return Err(Refusal::fields(vec![FieldFault::new(
                "body_kind.minimum",
                "OUT_OF_RANGE",
                format!("最多 {maximum}"),
                format!("{maximum} at most"),
            )]));
        }
        kind.minimum = given.minimum;
        kind.version = store::set_minimum(work.sql(), name.town(), &kind).await?;
        let change = Change {
            resource: name.to_string(),
            version: kind.version,
            verb: "update",
            from_state: "",
            to_state: "",
            comment: String::new(),
            event: "body_kind.updated",
            data: json!({"body_kind": name.to_string(), "minimum": kind.minimum}),
        };
        Ok(Record {
            town: name.town().to_owned(),
            resource: name.to_string(),
            summary: format!("update {name}"),
            changes: vec![change],
            answer: encode(name.town(), &kind),
        })
    }
}

#[tonic::async_trait]
impl BodyKindService for BodyKinds {
    async fn list_body_kinds(
        &self,
        request: Request<pb::ListBodyKindsRequest>,
    ) -> Result<Response<pb::ListBodyKindsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn update_body_kind(
        &self,
        request: Request<pb::UpdateBodyKindRequest>,
    ) -> Result<Response<pb::BodyKind>, Status> {
        mutate::<Update>(&self.0, request).await
    }
}
