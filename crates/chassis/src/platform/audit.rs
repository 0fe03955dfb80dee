//! The audit record: listed in the order of the chain, and verified.

use contracts::linli::platform::v1::{self as pb, audit_service_server::AuditService};
use kernel::name::TownName;
use sqlx::{FromRow, PgConnection};
use tonic::{Request, Response, Status};

use crate::{call::Call, context::Context, paging::Paging, refusal::Refusal, seal, wire};

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Audit(pub Context);

#[derive(FromRow)]
struct Stored {
    seq: i64,
    recorded: i64,
    principal: String,
    person: String,
    method: String,
    resource: String,
    trace_id: String,
    summary: String,
    hash: Vec<u8>,
}

async fn after(sql: &mut PgConnection, town: &str, seq: i64, limit: i64) -> Result<Vec<Stored>, Refusal> {
    let rows = sqlx::query_as(
        "select s.seq, (extract(epoch from a.recorded) * 1000000)::bigint as recorded, a.principal, a.person, a.method, a.resource,
                a.trace_id, a.summary, s.hash
         from audit_seal s join audit a using (town, id) where s.town = $1 and s.seq > $2 order by s.seq limit $3",
    );
    Ok(rows.bind(town).bind(seq).bind(limit).fetch_all(sql).await?)
}

impl Audit {
    async fn page(
        &self,
        call: &Call,
        request: &pb::ListAuditRecordsRequest,
    ) -> Result<pb::ListAuditRecordsResponse, Refusal> {
        let town: TownName = wire::name("town", &request.town)?;
        call.whole_town(town.town())?;
        let paging = Paging::open(&self.0, call, &[town.town()], request.page_size, &request.page_token)?;
        let from = paging.after_first().and_then(|seq| seq.parse().ok()).unwrap_or(0);
        let mut found = after(self.0.db.read().await?.sql(), town.town(), from, paging.limit()).await?;
        let next_page_token = paging.next(&mut found, |record| vec![record.seq.to_string()]);
        let records = found.into_iter().map(|stored| pb::AuditRecord {
            sequence: stored.seq,
            record_time: Some(wire::to_timestamp(stored.recorded)),
            principal: stored.principal,
            person: stored.person,
            method: stored.method,
            resource: stored.resource,
            trace_id: stored.trace_id,
            summary: stored.summary,
            chain_hash: hex::encode(stored.hash),
        });
        Ok(pb::ListAuditRecordsResponse { audit_records: records.collect(), next_page_token })
    }

    async fn check(
        &self,
        call: &Call,
        request: &pb::VerifyAuditRequest,
    ) -> Result<pb::VerifyAuditResponse, Refusal> {
        let town: TownName = wire::name("town", &request.town)?;
        call.whole_town(town.town())?;
        let found = seal::verify(self.0.db.read().await?.sql(), town.town()).await?;
        let (first_bad_sequence, fault) =
            found.fault.map_or((0, String::new()), |(seq, fault)| (seq, fault.to_owned()));
        Ok(pb::VerifyAuditResponse {
            intact: found.fault.is_none(),
            records: found.records,
            unsealed: found.unsealed,
            first_bad_sequence,
            fault,
            head_hash: found.head,
        })
    }
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_records(
        &self,
        request: Request<pb::ListAuditRecordsRequest>,
    ) -> Result<Response<pb::ListAuditRecordsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn verify_audit(
        &self,
        request: Request<pb::VerifyAuditRequest>,
    ) -> Result<Response<pb::VerifyAuditResponse>, Status> {
        Ok(Response::new(self.check(&Call::of(&request)?, request.get_ref()).await?))
    }
}
