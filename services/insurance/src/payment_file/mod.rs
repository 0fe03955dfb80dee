//! Files in which insurers say what they have paid 赔付回单 (Work points 3.4).

mod acts;
mod encode;
mod file;
pub(crate) mod store;

use std::collections::HashMap;

use chassis::{
    call::Call,
    context::Context,
    governance::Governance,
    listing::{self, Asked},
    refusal::Refusal,
    wire,
    work::mutate_given,
};
use contracts::linli::insurance::v1::{self as pb, payment_file_service_server::PaymentFileService};
use kernel::{
    filter::{FieldSpec, Kind},
    name::{PaymentFileName, TownName},
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::claim::{self, store::by_number};

const FILTER: &[FieldSpec] = &[
    FieldSpec {
        name: "insurer",
        column: "f.insurer",
        kind: Kind::Name { collection: "organisations", town: "f.town" },
    },
    FieldSpec { name: "receive_date", column: "f.received_on", kind: Kind::Date },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub(crate) struct PaymentFiles {
    /// What handlers share.
    pub(crate) context: Context,
    /// Who knows residences and working days.
    pub(crate) governance: Governance,
}

impl PaymentFiles {
    /// Reads the file, and what its claims rest on.
    async fn known(
        &self,
        call: &Call,
        request: &pb::CreatePaymentFileRequest,
    ) -> Result<acts::Known, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let lines = file::read(&request.content, call.today())?;
        let days = self.governance.calendar().await?;
        claim::recount::recount(&self.context, call, town.town(), &days).await?;
        let numbers = acts::numbers(&lines);
        let mut read = self.context.db.read().await?;
        let rows = by_number(read.sql(), town.town(), &scope, &numbers, false).await?;
        drop(read);
        let mut met = HashMap::new();
        for row in rows {
            let known = claim::Known::of(&self.governance, Some(&row)).await?;
            met.insert(row.id, known.met);
        }
        Ok(acts::Known { days, met, lines })
    }

    async fn read(
        &self,
        call: &Call,
        request: &pb::GetPaymentFileRequest,
    ) -> Result<pb::PaymentFile, Refusal> {
        let name: PaymentFileName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        let file = match Uuid::parse_str(name.payment_file()) {
            Ok(id) => store::get(read.sql(), name.town(), id, &scope).await?,
            Err(_) => None,
        };
        let file = file.ok_or_else(|| call.missing(&scope, "linli.dev/PaymentFile", name.to_string()))?;
        let lines = store::lines(read.sql(), name.town(), file.id).await?;
        encode::file(&file, &lines)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListPaymentFilesRequest,
    ) -> Result<pb::ListPaymentFilesResponse, Refusal> {
        let (page, paging) = Asked::read(&self.context, call, listing::request_undated!(request), FILTER)?;
        let mut files = store::list(self.context.db.read().await?.sql(), &page).await?;
        let next_page_token = paging.next(&mut files, |file| vec![file.id.to_string()]);
        let payment_files = files.iter().map(|file| encode::file(file, &[])).collect::<Result<_, _>>()?;
        Ok(pb::ListPaymentFilesResponse { payment_files, next_page_token })
    }
}

#[tonic::async_trait]
impl PaymentFileService for PaymentFiles {
    async fn create_payment_file(
        &self,
        request: Request<pb::CreatePaymentFileRequest>,
    ) -> Result<Response<pb::PaymentFile>, Status> {
        let call = Call::of(&request)?;
        let known = self.known(&call, request.get_ref()).await?;
        mutate_given::<acts::Create>(&self.context, &known, request).await
    }

    async fn get_payment_file(
        &self,
        request: Request<pb::GetPaymentFileRequest>,
    ) -> Result<Response<pb::PaymentFile>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_payment_files(
        &self,
        request: Request<pb::ListPaymentFilesRequest>,
    ) -> Result<Response<pb::ListPaymentFilesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }
}
