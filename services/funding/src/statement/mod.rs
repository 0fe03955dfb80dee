//! Statements of income and expenditure 收支情况表 of a committee (Work points 3.3).

mod encode;
mod export;
pub(crate) mod rules;
mod store;

use std::collections::BTreeMap;

use chassis::{call::Call, clock, context::Context, governance::Governance, refusal::Refusal, wire};
use contracts::linli::funding::v1::{self as pb, statement_service_server::StatementService};
use kernel::{
    name::{CommitteeName, StatementName},
    state::Named,
};
use tonic::{Request, Response, Status};

use self::{
    encode::About,
    export::WriteError,
    rules::{Period, Sections, compose},
};
use crate::{ledger::rules::Fund, policy::store::category_names};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const HTML: &str = "text/html; charset=utf-8";

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Statements {
    /// What handlers share.
    pub context: Context,
    /// Whom it asks for the committee's name.
    pub governance: Governance,
    /// What exported files say of a demonstration.
    pub mark: Option<&'static str>,
}

/// What is asked: which committee, which year and quarter.
struct Asked<'a> {
    name: &'a str,
    year: i32,
    quarter: i32,
}

impl Statements {
    /// The name of a committee within the caller's areas; empty while governance can't be asked, which then stands in nobody's way.
    async fn display_name(&self, call: &Call, name: &CommitteeName) -> Result<String, Refusal> {
        let scope = call.scope(name.town())?;
        if !scope.is_town() && !scope.ids().1.iter().any(|id| id == name.committee()) {
            return Err(call.denied());
        }
        match self.governance.committee(name).await {
            Ok(Some(committee)) => Ok(committee.display_name),
            Ok(None) => Err(call.missing(&scope, "linli.dev/Committee", name.to_string())),
            Err(refusal) => {
                tracing::warn!(error = %refusal, "a statement goes without the committee's name");
                Ok(String::new())
            }
        }
    }

    async fn draw_up(&self, call: &Call, asked: Asked<'_>) -> Result<(About, Sections), Refusal> {
        let name: StatementName = wire::name("name", asked.name)?;
        let name = CommitteeName::new(name.town(), name.committee()).map_err(Refusal::internal)?;
        let display_name = self.display_name(call, &name).await?;
        let period = Period::of(asked.year, asked.quarter).ok_or_else(|| {
            Refusal::field(
                "quarter",
                "RANGE",
                "季度为 1 至 4，全年不填",
                "a quarter is 1 to 4; none for the year",
            )
        })?;
        let today = call.today();
        let mut read = self.context.db.read().await?;
        let sums = store::sums(read.sql(), &name, asked.year, period).await?;
        let held_on = if period.open_ended { today } else { period.to.min(today) };
        let held = store::held(read.sql(), &name, asked.year, held_on).await?;
        let sections = compose(&sums, &held).map_err(Refusal::internal)?;
        let mut categories = BTreeMap::new();
        for fund in Fund::ALL {
            for (id, display_name) in category_names(read.sql(), name.town(), *fund).await? {
                categories.insert((*fund, id), display_name);
            }
        }
        let about = About {
            name,
            display_name,
            year: asked.year,
            quarter: asked.quarter,
            period,
            today,
            read_time: clock::recorded_now(),
            categories,
        };
        Ok((about, sections))
    }

    async fn file(
        &self,
        call: &Call,
        request: &pb::ExportStatementRequest,
    ) -> Result<pb::ExportStatementResponse, Refusal> {
        let asked = Asked { name: &request.name, year: request.fiscal_year, quarter: request.quarter };
        let (about, sections) = self.draw_up(call, asked).await?;
        let (mark, format) = (self.mark, request.format());
        let stem = export::file_name(&about, mark);
        let written = tokio::task::spawn_blocking(move || match format {
            pb::StatementFormat::Unspecified | pb::StatementFormat::Xlsx => {
                Ok::<_, WriteError>(("xlsx", XLSX, export::xlsx(&about, &sections, mark)?))
            }
            pb::StatementFormat::Html => {
                Ok(("html", HTML, export::html(&about, &sections, mark)?.into_bytes()))
            }
        });
        let (ending, content_type, content) =
            written.await.map_err(Refusal::internal)?.map_err(Refusal::internal)?;
        Ok(pb::ExportStatementResponse {
            file_name: format!("{stem}.{ending}"),
            content_type: content_type.to_owned(),
            content: content.into(),
        })
    }
}

#[tonic::async_trait]
impl StatementService for Statements {
    async fn get_statement(
        &self,
        request: Request<pb::GetStatementRequest>,
    ) -> Result<Response<pb::Statement>, Status> {
        let (call, request) = (Call::of(&request)?, request.get_ref());
        let asked = Asked { name: &request.name, year: request.fiscal_year, quarter: request.quarter };
        let (about, sections) = self.draw_up(&call, asked).await?;
        Ok(Response::new(encode::statement(&about, &sections)?))
    }

    async fn export_statement(
        &self,
        request: Request<pb::ExportStatementRequest>,
    ) -> Result<Response<pb::ExportStatementResponse>, Status> {
        Ok(Response::new(self.file(&Call::of(&request)?, request.get_ref()).await?))
    }
}
