//! Posts held by community workers 任职, their quotas, and the stewards of governance held against them (Work points 4.1).

pub(crate) mod acts;
pub(crate) mod encode;
mod reconcile;
pub(crate) mod rules;
pub(crate) mod store;
mod tell;

pub(crate) use tell::{TELL, Tell};

use chassis::{
    as_of::AsOf,
    call::Call,
    context::Context,
    fields::number,
    governance::Governance,
    history,
    listing::{self, Asked},
    operations::{Worker as Jobs, encode as operation, name as operation_name, store as operations},
    refusal::Refusal,
    wire,
    work::{Record, Verb, Work, mutate},
};
use contracts::{
    google::longrunning as lro,
    linli::workforce::v1::{self as pb, posting_service_server::PostingService},
};
use kernel::name::{PostingName, TownName, WorkerName};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use self::{
    reconcile::Block,
    store::{Quota, View},
};
use crate::known;

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Postings {
    /// What handlers share.
    pub(crate) context: Context,
    /// Whom it asks for committees and stewards.
    pub(crate) governance: Governance,
    /// What works in the background, to be woken.
    pub(crate) jobs: Jobs,
}

/// TellPostEnds.
struct Begin;

#[tonic::async_trait]
impl Verb for Begin {
    type Request = pb::TellPostEndsRequest;
    type Answer = lro::Operation;

    fn intent(request: &Self::Request) -> (&str, bool) {
        (&request.request_id, false)
    }

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<lro::Operation>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        call.whole_town(town.town())?;
        let id = Uuid::now_v7();
        let stored = operations::begin(work, town.town(), id, TELL, town.town().as_bytes()).await?;
        Ok(Record {
            town: town.town().to_owned(),
            resource: operation_name(call.service(), id),
            summary: format!("begin to tell governance of posts of {town} that ended"),
            changes: Vec::new(),
            answer: operation(call.service(), &stored)?,
        })
    }
}

impl Postings {
    async fn read(&self, call: &Call, request: &pb::GetPostingRequest) -> Result<pb::Posting, Refusal> {
        let name: PostingName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let found = store::get(self.context.db.read().await?.sql(), &name, &scope).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Posting", name.to_string()))?;
        encode::posting(&found)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListPostingsRequest,
    ) -> Result<pb::ListPostingsResponse, Refusal> {
        let day = wire::date("as_of_date", request.as_of_date.as_ref()).map_err(Refusal::one)?;
        let (asked, paging) = Asked::read(&self.context, call, listing::request!(request), encode::FILTER)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<View> =
            store::list_query(&asked, day).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |view| vec![view.id.to_string()]);
        let postings = found.iter().map(encode::posting).collect::<Result<_, _>>()?;
        Ok(pb::ListPostingsResponse { postings, next_page_token })
    }

    async fn quotas(
        &self,
        call: &Call,
        request: &pb::ListPostQuotasRequest,
    ) -> Result<pb::ListPostQuotasResponse, Refusal> {
        let asked = listing::Request {
            as_of_date: request.as_of_date.as_ref(),
            ..listing::request_undated!(request)
        };
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::QUOTAS)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Quota> =
            store::quotas_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |quota| vec![quota.key.clone()]);
        let quota = |quota: &Quota| {
            Ok(pb::PostQuota {
                committee: encode::committee(&quota.town, &quota.committee),
                post: encode::post(&quota.post).into(),
                persons: quota.persons,
                start_date: Some(wire::to_date(history::day(&quota.since)?)),
                holders: number(quota.holders),
                vacancies: quota.persons.saturating_sub(number(quota.holders)).max(0),
            })
        };
        let post_quotas = found.iter().map(quota).collect::<Result<_, Refusal>>()?;
        Ok(pb::ListPostQuotasResponse { post_quotas, next_page_token })
    }

    async fn reconcile(
        &self,
        call: &Call,
        request: &pb::ReconcileStewardshipsRequest,
    ) -> Result<pb::ReconcileStewardshipsResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        call.whole_town(town.town())?;
        let day = AsOf::of(call, request.as_of_date.as_ref(), None)?.day;
        let found = self.governance.blocks(&town, day).await?;
        let blocks: Vec<Block<'_>> = found
            .iter()
            .filter_map(|block| {
                let stewardship = block.steward.as_ref()?;
                Some(Block { name: &block.name, committee: &block.committee, stewardship })
            })
            .collect();
        let workers = blocks.iter().filter_map(|block| WorkerName::parse(&block.stewardship.worker).ok());
        let workers: Vec<String> = workers.map(|name| name.worker().to_owned()).collect();
        let mut read = self.context.db.read().await?;
        let standings = store::standings(read.sql(), town.town(), &workers, day).await?;
        let open = store::open_ends(read.sql(), town.town()).await?;
        Ok(pb::ReconcileStewardshipsResponse {
            mismatches: reconcile::mismatches(town.town(), &blocks, &standings, &open),
            stewardships: number(blocks.len()),
        })
    }
}

#[tonic::async_trait]
impl PostingService for Postings {
    async fn get_posting(
        &self,
        request: Request<pb::GetPostingRequest>,
    ) -> Result<Response<pb::Posting>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_postings(
        &self,
        request: Request<pb::ListPostingsRequest>,
    ) -> Result<Response<pb::ListPostingsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn assign_post(
        &self,
        request: Request<pb::AssignPostRequest>,
    ) -> Result<Response<pb::Posting>, Status> {
        known::need_committee(&self.governance, &request.get_ref().committee).await?;
        mutate::<acts::Assign>(&self.context, request).await
    }

    async fn transfer_worker(
        &self,
        request: Request<pb::TransferWorkerRequest>,
    ) -> Result<Response<pb::Posting>, Status> {
        known::need_committee(&self.governance, &request.get_ref().committee).await?;
        let answer = mutate::<acts::Transfer>(&self.context, request).await;
        self.jobs.wake();
        answer
    }

    async fn end_posting(
        &self,
        request: Request<pb::EndPostingRequest>,
    ) -> Result<Response<pb::Posting>, Status> {
        let answer = mutate::<acts::End>(&self.context, request).await;
        self.jobs.wake();
        answer
    }

    async fn correct_posting(
        &self,
        request: Request<pb::CorrectPostingRequest>,
    ) -> Result<Response<pb::Posting>, Status> {
        known::need_committee(&self.governance, &request.get_ref().committee).await?;
        let answer = mutate::<acts::Correct>(&self.context, request).await;
        self.jobs.wake();
        answer
    }

    async fn set_post_quota(
        &self,
        request: Request<pb::SetPostQuotaRequest>,
    ) -> Result<Response<pb::PostQuota>, Status> {
        known::need_committee(&self.governance, &request.get_ref().committee).await?;
        mutate::<acts::SetQuota>(&self.context, request).await
    }

    async fn list_post_quotas(
        &self,
        request: Request<pb::ListPostQuotasRequest>,
    ) -> Result<Response<pb::ListPostQuotasResponse>, Status> {
        Ok(Response::new(self.quotas(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn reconcile_stewardships(
        &self,
        request: Request<pb::ReconcileStewardshipsRequest>,
    ) -> Result<Response<pb::ReconcileStewardshipsResponse>, Status> {
        Ok(Response::new(self.reconcile(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn tell_post_ends(
        &self,
        request: Request<pb::TellPostEndsRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let begun = mutate::<Begin>(&self.context, request).await?;
        self.jobs.wake();
        Ok(begun)
    }
}
