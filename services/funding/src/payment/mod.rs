//! Payment batches 批量付款: approved expenses go to the bank in one file, the return file is matched line by line (Work points 3.3).

mod acts;
mod encode;
mod file;
mod reconcile;
pub(crate) mod rules;
pub(crate) mod store;

use std::sync::Arc;

use chassis::{
    call::Call,
    context::Context,
    governance::Governance,
    identity::Scope,
    listing::{self, Asked},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::{mutate, mutate_given},
};
use contracts::linli::{
    common::v1::Obstacle,
    funding::v1::{self as pb, payment_batch_service_server::PaymentBatchService},
};
use kernel::{
    filter::{FieldSpec, Kind},
    name::PaymentBatchName,
    state::Named,
};
use tonic::{Request, Response, Status};

use self::rules::{State, TABLE, Verb};
use crate::actor::Actor;

const FILTER: &[FieldSpec] = &[
    FieldSpec { name: "state", column: "b.state", kind: Kind::Enum(State::NAMES) },
    FieldSpec { name: "number", column: "b.number", kind: Kind::Text },
    FieldSpec { name: "create_date", column: "b.made_on", kind: Kind::Date },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub(crate) struct PaymentBatches {
    /// What handlers share.
    pub(crate) context: Context,
    /// Who knows the working days.
    pub(crate) governance: Governance,
}

/// What keeps the caller from a batch that state and permission allow.
fn hindrance(town: &str, verb: Verb, who: &Actor, lines: &[store::Line]) -> Option<Hindrance> {
    if verb == Verb::Cancel {
        return None;
    }
    let why = acts::need_another(town, verb, who, lines).err()?;
    Some(Hindrance::of(Obstacle::FourEyes, &why))
}

impl PaymentBatches {
    async fn read(
        &self,
        call: &Call,
        request: &pb::GetPaymentBatchRequest,
    ) -> Result<pb::PaymentBatch, Refusal> {
        let name: PaymentBatchName = wire::name("name", &request.name)?;
        call.whole_town(name.town())?;
        let mut read = self.context.db.read().await?;
        let batch = store::get(read.sql(), &name, false).await?;
        let batch = batch.ok_or_else(|| Refusal::not_found("linli.dev/PaymentBatch", name.to_string()))?;
        let lines = store::lines(read.sql(), name.town(), batch.id).await?;
        let (vault, who) = (self.context.db.vault(), Actor::of(call));
        let hindered = |verb| hindrance(name.town(), verb, &who, &lines);
        Ok(pb::PaymentBatch {
            available_actions: available_unless(
                &TABLE,
                batch.state()?,
                call,
                name.town(),
                Scope::is_town,
                hindered,
            ),
            timeline: timeline::read(read.sql(), name.town(), &batch.name()).await?,
            lines: lines
                .iter()
                .map(|line| encode::line(vault, name.town(), line))
                .collect::<Result<_, _>>()?,
            ..encode::batch(&batch)?
        })
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListPaymentBatchesRequest,
    ) -> Result<pb::ListPaymentBatchesResponse, Refusal> {
        let (asked, paging) = Asked::read(&self.context, call, listing::request_undated!(request), FILTER)?;
        call.whole_town(&asked.town)?;
        let mut batches = store::list(self.context.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut batches, |batch| vec![batch.id.to_string()]);
        let payment_batches = batches.iter().map(encode::batch).collect::<Result<_, _>>()?;
        Ok(pb::ListPaymentBatchesResponse { payment_batches, next_page_token })
    }
}

#[tonic::async_trait]
impl PaymentBatchService for PaymentBatches {
    async fn get_payment_batch(
        &self,
        request: Request<pb::GetPaymentBatchRequest>,
    ) -> Result<Response<pb::PaymentBatch>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_payment_batches(
        &self,
        request: Request<pb::ListPaymentBatchesRequest>,
    ) -> Result<Response<pb::ListPaymentBatchesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_payment_batch(
        &self,
        request: Request<pb::CreatePaymentBatchRequest>,
    ) -> Result<Response<pb::PaymentBatch>, Status> {
        mutate::<acts::Create>(&self.context, request).await
    }

    async fn export_payment_batch(
        &self,
        request: Request<pb::ExportPaymentBatchRequest>,
    ) -> Result<Response<pb::ExportPaymentBatchResponse>, Status> {
        mutate::<acts::Export>(&self.context, request).await
    }

    async fn reconcile_payment_batch(
        &self,
        request: Request<pb::ReconcilePaymentBatchRequest>,
    ) -> Result<Response<pb::ReconcilePaymentBatchResponse>, Status> {
        let days: Arc<_> = self.governance.calendar().await?;
        mutate_given::<reconcile::Reconcile>(&self.context, &days, request).await
    }

    async fn cancel_payment_batch(
        &self,
        request: Request<pb::CancelPaymentBatchRequest>,
    ) -> Result<Response<pb::PaymentBatch>, Status> {
        mutate::<acts::Cancel>(&self.context, request).await
    }
}
