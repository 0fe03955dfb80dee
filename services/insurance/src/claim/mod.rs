//! Claims 理赔: reported → accepted → surveyed → assessed → adjudicated → public notice → paid → closed (Work points 3.4).

mod acts;
mod close;
mod decide;
pub(crate) mod edit;
pub(crate) mod encode;
mod open;
mod paid;
pub(crate) mod pay;
mod readjudicate;
pub(crate) mod recount;
pub(crate) mod reencrypt;
mod reverse;
mod review;
pub(crate) mod rules;
pub(crate) mod settings;
mod sight;
pub(crate) mod snapshot;
mod spoken;
pub(crate) mod store;
mod update;

pub(crate) use decide::{Known, lock_limits};
pub(crate) use readjudicate::Readjudicate;

use std::sync::Arc;

use chassis::{
    call::Call,
    context::Context,
    governance::Governance,
    listing,
    operations::Worker,
    refusal::Refusal,
    timeline, wire,
    work::{Record, VerbGiven, Work, mutate, mutate_given},
};
use contracts::{
    google::longrunning as lro,
    linli::insurance::v1::{self as pb, claim_service_server::ClaimService},
};
use kernel::{name::ClaimName, text::one_line};
use tonic::{Request, Response, Status};

use self::edit::Days;

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Claims {
    /// What handlers share.
    pub(crate) context: Context,
    /// Who knows people, residences and working days.
    pub(crate) governance: Governance,
    /// The worker, to be woken.
    pub(crate) worker: Worker,
}

impl Claims {
    async fn read(&self, call: &Call, request: &pb::GetClaimRequest) -> Result<pb::Claim, Refusal> {
        let name: ClaimName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let mut read = recount::for_reading(&self.context, &self.governance, call, name.town()).await?;
        let row = store::get(read.sql(), &name, &scope, false).await?;
        let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Claim", name.to_string()))?;
        let mut claim = encode::whole(read.sql(), self.context.db.vault(), call, &row).await?;
        claim.timeline = timeline::read(read.sql(), name.town(), &row.name()).await?;
        Ok(claim)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListClaimsRequest,
    ) -> Result<pb::ListClaimsResponse, Refusal> {
        let bound = format!("{} {}", request.filter, request.caller_relationship().as_str_name());
        let asked = listing::request_undated!(request);
        let (page, paging) = listing::Asked::read_bound(&self.context, call, asked, store::FILTER, &bound)?;
        let mut read = recount::for_reading(&self.context, &self.governance, call, &page.town).await?;
        let relation = store::Relation::of(call, &page.town, request.caller_relationship());
        let mut rows = store::list(read.sql(), &page, &relation).await?;
        drop(read);
        let next_page_token = paging.next(&mut rows, |row| vec![row.id.to_string()]);
        let vault = self.context.db.vault();
        let claims = rows.iter().map(|row| encode::claim(row, vault)).collect::<Result<_, _>>()?;
        Ok(pb::ListClaimsResponse { claims, next_page_token })
    }

    /// Keeps the reading before anything is shown.
    async fn reveal(&self, call: &Call, request: &pb::RevealClaimRequest) -> Result<pb::Claim, Refusal> {
        let name: ClaimName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        if request.purpose.trim().is_empty() {
            return Err(Refusal::field("purpose", "REQUIRED", "须写明用途", "say what for"));
        }
        let mut work = Work::plain(&self.context.db, call).await?;
        let row = store::get(work.sql(), &name, &scope, false).await?;
        let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Claim", name.to_string()))?;
        let vault = self.context.db.vault().clone();
        let mut claim = encode::whole(work.sql(), &vault, call, &row).await?;
        let objections = store::objections(work.sql(), &row.town, row.id).await?;
        let payee = row.payee(&vault)?;
        // what for stands in the audit; it is the caller's words, and repeats neither name nor account of who is paid
        let purpose = payee.scrub(&one_line(&request.purpose));
        work.commit(Record {
            town: row.town.clone(),
            resource: row.name(),
            summary: format!("read payee and words of {} in clear: {purpose}", row.name()),
            changes: Vec::new(),
            // the answer of a reading is never kept
            answer: pb::Claim::default(),
        })
        .await?;
        let open = |column: &str, sealed: Option<&Vec<u8>>| {
            let place = encode::place(&row.name(), None, column);
            sealed.map_or(Ok(String::new()), |sealed| vault.open_text(&place, sealed))
        };
        claim.payee = Some(payee.revealed());
        claim.survey = open("survey", row.survey_sealed.as_ref())?;
        claim.appeal = open("appeal", row.appeal_sealed.as_ref())?;
        let clear = objections.iter().map(|one| encode::revealed_objection(&vault, &row.name(), one));
        claim.objections = clear.collect::<Result<_, _>>()?;
        Ok(claim)
    }

    /// The working days, with the open terms of the town counted by them. What isn't a name, or not the caller's, is told by the step.
    async fn days(&self, call: &Call, name: &str) -> Result<Days, Refusal> {
        let days: Arc<_> = self.governance.calendar().await?;
        if let Ok(name) = ClaimName::parse(name)
            && call.scope(name.town()).is_ok()
        {
            recount::recount(&self.context, call, name.town(), &days).await?;
        }
        Ok(days)
    }

    /// A step whose term is counted in working days, of the claim that `name` reads.
    async fn step<V: VerbGiven<Given = Days>>(
        &self,
        request: Request<V::Request>,
        name: impl Fn(&V::Request) -> &str,
    ) -> Result<Response<V::Answer>, Status> {
        let call = Call::of(&request)?;
        let days = self.days(&call, name(request.get_ref())).await?;
        mutate_given::<V>(&self.context, &days, request).await
    }

    /// A step that adjudicates: what governance knows of the insured is read before.
    async fn decision<V: VerbGiven<Given = Known>>(
        &self,
        request: Request<V::Request>,
        name: impl Fn(&V::Request) -> &str,
    ) -> Result<Response<V::Answer>, Status> {
        let call = Call::of(&request)?;
        self.days(&call, name(request.get_ref())).await?;
        let row = match ClaimName::parse(name(request.get_ref())) {
            Ok(name) => match call.scope(name.town()) {
                Ok(scope) => store::get(self.context.db.read().await?.sql(), &name, &scope, false).await?,
                Err(_) => None,
            },
            Err(_) => None,
        };
        let known = Known::of(&self.governance, row.as_ref()).await?;
        mutate_given::<V>(&self.context, &known, request).await
    }
}

#[tonic::async_trait]
impl ClaimService for Claims {
    async fn get_claim(&self, request: Request<pb::GetClaimRequest>) -> Result<Response<pb::Claim>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_claims(
        &self,
        request: Request<pb::ListClaimsRequest>,
    ) -> Result<Response<pb::ListClaimsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_claim(
        &self,
        request: Request<pb::CreateClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        let call = Call::of(&request)?;
        let mut read = self.context.db.read().await?;
        let known = open::known(read.sql(), &self.governance, &call, request.get_ref()).await?;
        drop(read);
        mutate_given::<open::Create>(&self.context, &known, request).await
    }

    async fn update_claim(
        &self,
        request: Request<pb::UpdateClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        let known = update::known(&self.governance, &Call::of(&request)?, request.get_ref()).await?;
        mutate_given::<update::Update>(&self.context, &known, request).await
    }

    async fn accept_claim(
        &self,
        request: Request<pb::AcceptClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<acts::Accept>(request, |request| &request.name).await
    }

    async fn dismiss_claim(
        &self,
        request: Request<pb::DismissClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<acts::Dismiss>(request, |request| &request.name).await
    }

    async fn request_claim_documents(
        &self,
        request: Request<pb::RequestClaimDocumentsRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<acts::RequestDocuments>(request, |request| &request.name).await
    }

    async fn resume_claim(
        &self,
        request: Request<pb::ResumeClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<acts::Resume>(request, |request| &request.name).await
    }

    async fn survey_claim(
        &self,
        request: Request<pb::SurveyClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<acts::Survey>(request, |request| &request.name).await
    }

    async fn assess_claim(
        &self,
        request: Request<pb::AssessClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<acts::Assess>(request, |request| &request.name).await
    }

    async fn publish_claim_notice(
        &self,
        request: Request<pb::PublishClaimNoticeRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<review::PublishNotice>(request, |request| &request.name).await
    }

    async fn object_to_claim(
        &self,
        request: Request<pb::ObjectToClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<review::Object>(request, |request| &request.name).await
    }

    async fn answer_claim_objection(
        &self,
        request: Request<pb::AnswerClaimObjectionRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<review::Answer>(request, |request| &request.name).await
    }

    async fn appeal_claim(
        &self,
        request: Request<pb::AppealClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<review::Appeal>(request, |request| &request.name).await
    }

    async fn confirm_claim_payment(
        &self,
        request: Request<pb::ConfirmClaimPaymentRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<pay::Confirm>(request, |request| &request.name).await
    }

    async fn reverse_claim_payment(
        &self,
        request: Request<pb::ReverseClaimPaymentRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<reverse::Reverse>(request, |request| &request.name).await
    }

    async fn close_claim(
        &self,
        request: Request<pb::CloseClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.decision::<close::Close>(request, |request| &request.name).await
    }

    async fn withdraw_claim(
        &self,
        request: Request<pb::WithdrawClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<acts::Withdraw>(request, |request| &request.name).await
    }

    async fn reopen_claim(
        &self,
        request: Request<pb::ReopenClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.step::<acts::Reopen>(request, |request| &request.name).await
    }

    async fn adjudicate_claim(
        &self,
        request: Request<pb::AdjudicateClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        self.decision::<decide::Adjudicate>(request, |request| &request.name).await
    }

    async fn pay_claim(&self, request: Request<pb::PayClaimRequest>) -> Result<Response<pb::Claim>, Status> {
        self.decision::<pay::Pay>(request, |request| &request.name).await
    }

    async fn reveal_claim(
        &self,
        request: Request<pb::RevealClaimRequest>,
    ) -> Result<Response<pb::Claim>, Status> {
        let (call, request) = (Call::of(&request)?, request.into_inner());
        Ok(Response::new(self.reveal(&call, &request).await?))
    }

    async fn readjudicate_claims(
        &self,
        request: Request<pb::ReadjudicateClaimsRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let answer = mutate::<readjudicate::Begin>(&self.context, request).await;
        self.worker.wake();
        answer
    }

    async fn reencrypt_claims(
        &self,
        request: Request<pb::ReencryptClaimsRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let answer = mutate::<reencrypt::Begin>(&self.context, request).await;
        self.worker.wake();
        answer
    }
}
