//! Events after a cursor: listed, or streamed as they come.

use std::{pin::Pin, time::Duration};

use contracts::linli::platform::v1::{self as pb, event_service_server::EventService};
use futures_util::{Stream, StreamExt, stream};
use kernel::name::TownName;
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{call::Call, context::Context, paging::Paging, refusal::Refusal, wire};

/// How often a stream looks for more.
const PAUSE: Duration = Duration::from_millis(300);
/// Events that a stream reads at once.
const BATCH: i64 = 200;

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Events(pub Context);

#[derive(FromRow)]
struct Stored {
    town: String,
    id: Uuid,
    seq: i64,
    resource: String,
    r#type: String,
    recorded: i64,
    traceparent: String,
    data: Value,
}

async fn after(
    sql: &mut PgConnection,
    town: &str,
    seq: i64,
    types: &str,
    limit: i64,
) -> Result<Vec<Stored>, Refusal> {
    let rows = sqlx::query_as(
        "select town, id, seq, resource, type, (extract(epoch from recorded) * 1000000)::bigint as recorded, traceparent, data
         from event where town = $1 and seq > $2 and starts_with(type, $3) order by seq limit $4",
    );
    Ok(rows.bind(town).bind(seq).bind(types).bind(limit).fetch_all(sql).await?)
}

fn encode(service: &str, stored: Stored) -> pb::Event {
    pb::Event {
        id: stored.id.to_string(),
        source: format!("//linli/services/{service}"),
        spec_version: "1.0".to_owned(),
        r#type: stored.r#type,
        subject: stored.resource,
        time: Some(wire::to_timestamp(stored.recorded)),
        data_content_type: "application/json".to_owned(),
        data: structure(stored.data),
        sequence: stored.seq.to_string(),
        traceparent: stored.traceparent,
        town: format!("towns/{}", stored.town),
    }
}

fn structure(json: Value) -> Option<prost_types::Struct> {
    match value(json).kind {
        Some(prost_types::value::Kind::StructValue(structure)) => Some(structure),
        _ => None,
    }
}

fn value(json: Value) -> prost_types::Value {
    use prost_types::{ListValue, Struct, value::Kind};
    let kind = match json {
        Value::Null => Kind::NullValue(0),
        Value::Bool(truth) => Kind::BoolValue(truth),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text),
        Value::Array(list) => Kind::ListValue(ListValue { values: list.into_iter().map(value).collect() }),
        Value::Object(map) => Kind::StructValue(Struct {
            fields: map.into_iter().map(|(key, inner)| (key, value(inner))).collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}

fn cursor(text: &str) -> i64 {
    text.parse().unwrap_or(0) // the contract has seen to its form
}

impl Events {
    async fn page(
        &self,
        call: &Call,
        request: &pb::ListEventsRequest,
    ) -> Result<pb::ListEventsResponse, Refusal> {
        let town: TownName = wire::name("town", &request.town)?;
        call.whole_town(town.town())?;
        let bound = [town.town(), &request.after, &request.types];
        let paging = Paging::open(&self.0, call, &bound, request.page_size, &request.page_token)?;
        let from = paging.after_first().map_or_else(|| cursor(&request.after), cursor);
        let mut found =
            after(self.0.db.read().await?.sql(), town.town(), from, &request.types, paging.limit()).await?;
        let next_page_token = paging.next(&mut found, |event| vec![event.seq.to_string()]);
        let next_after = found.last().map_or_else(|| from.to_string(), |event| event.seq.to_string());
        Ok(pb::ListEventsResponse {
            events: found.into_iter().map(|event| encode(self.0.service, event)).collect(),
            next_after,
            next_page_token,
        })
    }
}

type Watched = Pin<Box<dyn Stream<Item = Result<pb::WatchEventsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl EventService for Events {
    async fn list_events(
        &self,
        request: Request<pb::ListEventsRequest>,
    ) -> Result<Response<pb::ListEventsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    type WatchEventsStream = Watched;

    async fn watch_events(
        &self,
        request: Request<pb::WatchEventsRequest>,
    ) -> Result<Response<Watched>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let town: TownName = wire::name("town", &request.town)?;
        call.whole_town(town.town())?;
        let context = self.0.clone();
        let state = (context, town, cursor(&request.after), request.types);
        let batches = stream::unfold(Some(state), async |state| {
            let (context, town, seq, types) = state?;
            let found =
                async { after(context.db.read().await?.sql(), town.town(), seq, &types, BATCH).await }.await;
            match found {
                Ok(found) => {
                    let seq = found.last().map_or(seq, |event| event.seq);
                    if found.is_empty() {
                        tokio::time::sleep(PAUSE).await;
                    }
                    let service = context.service;
                    let events = found
                        .into_iter()
                        .map(|event| Ok(pb::WatchEventsResponse { event: Some(encode(service, event)) }));
                    Some((events.collect::<Vec<_>>(), Some((context, town, seq, types))))
                }
                // the caller goes on from his cursor
                Err(refusal) => Some((vec![Err(Status::from(refusal))], None)),
            }
        });
        Ok(Response::new(Box::pin(batches.flat_map(stream::iter))))
    }
}
