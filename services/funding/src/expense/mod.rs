//! Spending 经费支出: applied → reviewed → public notice → approved → paid → settled → disclosed (Work points 3.3).

mod acts;
mod apply;
pub(crate) mod edit;
pub(crate) mod encode;
pub(crate) mod pay;
pub(crate) mod provenance;
pub(crate) mod recount;
mod reencrypt;
pub(crate) mod rules;
mod running;
pub(crate) mod sealed;
mod spoken;
pub(crate) mod store;

pub(crate) use reencrypt::Reencrypt;

use std::sync::Arc;

use chassis::{
    call::Call,
    context::Context,
    governance::Governance,
    listing,
    operations::Worker,
    refusal::Refusal,
    state::available_unless,
    timeline, wire,
    work::{Record, VerbGiven, Work, mutate, mutate_given},
};
use contracts::{
    google::longrunning as lro,
    linli::{
        common::v1::{AvailableAction, CallerRelationship},
        funding::v1::{self as pb, expense_service_server::ExpenseService},
    },
};
use kernel::{
    name::{CommitteeName, ExpenseName},
    text::one_line,
};
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use self::{
    edit::{Days, sees},
    rules::{Facts, Hindrance, TABLE, Verb},
    store::{Asked, Relation, Row, Steps},
};
use crate::actor::Actor;

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Expenses {
    /// What handlers share.
    pub(crate) context: Context,
    /// Who knows committees and working days.
    pub(crate) governance: Governance,
    /// The worker, to be woken.
    pub(crate) worker: Worker,
}

/// What the caller may do with an expense now, and why not what he may not.
async fn actions(
    sql: &mut PgConnection,
    call: &Call,
    row: &Row,
    facts: &Facts,
) -> Result<Vec<AvailableAction>, Refusal> {
    let (who, today, name) = (Actor::of(call), call.today(), row.name());
    let answers = row.open_objections == 0 || store::open_of_others(sql, &row.town, row.id, &who).await?;
    let hindered = |verb: Verb| {
        let own = (verb == Verb::AnswerObjection && !answers).then_some(Hindrance::FourEyes("object"));
        facts.hindrance(verb, &who, today).or(own).map(|hindrance| spoken::told(&name, verb, hindrance))
    };
    Ok(available_unless(&TABLE, facts.state, call, &row.town, |scope| sees(scope, &row.committee), hindered))
}

impl Expenses {
    async fn read(&self, call: &Call, request: &pb::GetExpenseRequest) -> Result<pb::Expense, Refusal> {
        let name: ExpenseName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        recount::for_reading(&self.context, &self.governance, call, name.town()).await?;
        let mut read = self.context.db.read().await?;
        let row = store::get(read.sql(), &name, &scope, false).await?;
        let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Expense", name.to_string()))?;
        let mut expense = self.whole(read.sql(), call, &row).await?;
        expense.available_actions = actions(read.sql(), call, &row, &row.facts()?).await?;
        expense.timeline = timeline::read(read.sql(), name.town(), &row.name()).await?;
        Ok(expense)
    }

    /// An expense with what stands in other tables.
    async fn whole(&self, sql: &mut PgConnection, call: &Call, row: &Row) -> Result<pb::Expense, Refusal> {
        let mut expense = encode::expense(row, self.context.db.vault(), call.today())?;
        let objections = store::objections(&mut *sql, &row.town, row.id).await?;
        expense.objections = objections.iter().map(encode::objection).collect::<Result<_, _>>()?;
        let vouchers = store::vouchers(&mut *sql, &row.town, row.id).await?;
        expense.vouchers = vouchers.iter().map(encode::voucher).collect::<Result<_, _>>()?;
        let batch = store::last_batch(&mut *sql, &row.town, row.id).await?;
        expense.payment_batch =
            batch.map(|batch| format!("towns/{}/paymentBatches/{batch}", row.town)).unwrap_or_default();
        if row.earmark.is_some() {
            let steps = store::steps(&mut *sql, &row.town, row.account).await?;
            expense.provenance = Some(encode::provenance(row, provenance::in_order(row.account, steps))?);
        }
        Ok(expense)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListExpensesRequest,
    ) -> Result<pb::ListExpensesResponse, Refusal> {
        let bound = format!("{} {}", request.filter, request.caller_relationship().as_str_name());
        let asked = listing::request_undated!(request);
        let (page, paging) = listing::Asked::read_bound(&self.context, call, asked, store::FILTER, &bound)?;
        recount::for_reading(&self.context, &self.governance, call, &page.town).await?;
        let relation = relation(call, &page.town, request.caller_relationship());
        let mut rows = store::list(self.context.db.read().await?.sql(), &Asked { page, relation }).await?;
        let next_page_token = paging.next(&mut rows, |row| vec![row.id.to_string()]);
        let vault = self.context.db.vault();
        let expenses = rows.iter().map(|row| encode::expense(row, vault, call.today()));
        Ok(pb::ListExpensesResponse { expenses: expenses.collect::<Result<_, _>>()?, next_page_token })
    }

    /// Keeps the reading before anything is shown.
    async fn reveal(&self, call: &Call, request: &pb::RevealExpenseRequest) -> Result<pb::Expense, Refusal> {
        let name: ExpenseName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        if request.purpose.trim().is_empty() {
            return Err(Refusal::field("purpose", "REQUIRED", "须写明用途", "say what for"));
        }
        let mut work = Work::plain(&self.context.db, call).await?;
        let row = store::get(work.sql(), &name, &scope, false).await?;
        let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Expense", name.to_string()))?;
        let mut expense = self.whole(work.sql(), call, &row).await?;
        let objections = store::objections(work.sql(), &row.town, row.id).await?;
        let payee = row.payee(self.context.db.vault())?;
        // what for stands in the audit; it is the caller's words, and repeats neither name nor account of who is paid
        let purpose = payee.scrub(&one_line(&request.purpose));
        work.commit(Record {
            town: row.town.clone(),
            resource: row.name(),
            summary: format!("read payee and objections of {} in clear: {purpose}", row.name()),
            changes: Vec::new(),
            // the answer of a reading is never kept
            answer: pb::Expense::default(),
        })
        .await?;
        let vault = self.context.db.vault();
        expense.payee = Some(payee.revealed());
        let clear = objections.iter().map(|one| encode::revealed_objection(vault, &row.name(), one));
        expense.objections = clear.collect::<Result<_, _>>()?;
        Ok(expense)
    }

    /// What an application rests on, read before its unit of work.
    async fn known(&self, request: &pb::CreateExpenseRequest) -> Result<apply::Known, Refusal> {
        let committee =
            request.expense.as_ref().map(|expense| expense.committee.as_str()).unwrap_or_default();
        // a name that is none is told with the other faults of the request
        let committee = match CommitteeName::parse(committee) {
            Ok(name) => self.governance.committee(&name).await?.is_some(),
            Err(_) => false,
        };
        Ok(apply::Known { days: self.governance.calendar().await?, committee })
    }

    /// A step whose term is counted in working days, of the expense that `name` reads.
    async fn step<V: VerbGiven<Given = Days>>(
        &self,
        request: Request<V::Request>,
        name: impl Fn(&V::Request) -> &str,
    ) -> Result<Response<V::Answer>, Status> {
        let days: Arc<_> = self.governance.calendar().await?;
        let call = Call::of(&request)?;
        // what isn't a name, or not the caller's, is told by the step
        if let Ok(name) = ExpenseName::parse(name(request.get_ref()))
            && call.scope(name.town()).is_ok()
        {
            recount::recount(&self.context, &call, name.town(), &days).await?;
        }
        mutate_given::<V>(&self.context, &days, request).await
    }
}

fn relation(call: &Call, town: &str, asked: CallerRelationship) -> Relation {
    let who = Actor::of(call);
    let may = |verb: Verb| {
        let row = TABLE.rows.iter().find(|row| row.verb == verb);
        row.map_or(chassis::identity::Scope::None, |row| call.may(row.permission, town))
    };
    match asked {
        CallerRelationship::Unspecified => Relation::Any,
        CallerRelationship::Created => Relation::Created(who),
        CallerRelationship::HasApproved => Relation::HasApproved(who),
        CallerRelationship::CanApprove => {
            let steps = Steps { review: may(Verb::Review), approve: may(Verb::Approve), pay: may(Verb::Pay) };
            Relation::CanApprove(who, Box::new(steps))
        }
    }
}

#[tonic::async_trait]
impl ExpenseService for Expenses {
    async fn get_expense(
        &self,
        request: Request<pb::GetExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_expenses(
        &self,
        request: Request<pb::ListExpensesRequest>,
    ) -> Result<Response<pb::ListExpensesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_expense(
        &self,
        request: Request<pb::CreateExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        let known = self.known(request.get_ref()).await?;
        mutate_given::<apply::Create>(&self.context, &known, request).await
    }

    async fn revise_expense(
        &self,
        request: Request<pb::ReviseExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        self.step::<apply::Revise>(request, |request| &request.name).await
    }

    async fn review_expense(
        &self,
        request: Request<pb::ReviewExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        self.step::<acts::Review>(request, |request| &request.name).await
    }

    async fn publish_expense_notice(
        &self,
        request: Request<pb::PublishExpenseNoticeRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        self.step::<acts::PublishNotice>(request, |request| &request.name).await
    }

    async fn object_to_expense(
        &self,
        request: Request<pb::ObjectToExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        self.step::<acts::Object>(request, |request| &request.name).await
    }

    async fn answer_expense_objection(
        &self,
        request: Request<pb::AnswerExpenseObjectionRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        self.step::<acts::Answer>(request, |request| &request.name).await
    }

    async fn approve_expense(
        &self,
        request: Request<pb::ApproveExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        self.step::<acts::Approve>(request, |request| &request.name).await
    }

    async fn request_expense_revision(
        &self,
        request: Request<pb::RequestExpenseRevisionRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        self.step::<acts::RequestRevision>(request, |request| &request.name).await
    }

    async fn reject_expense(
        &self,
        request: Request<pb::RejectExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        mutate::<acts::Reject>(&self.context, request).await
    }

    async fn withdraw_expense(
        &self,
        request: Request<pb::WithdrawExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        mutate::<acts::Withdraw>(&self.context, request).await
    }

    async fn pay_expense(
        &self,
        request: Request<pb::PayExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        self.step::<pay::Pay>(request, |request| &request.name).await
    }

    async fn settle_expense(
        &self,
        request: Request<pb::SettleExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        self.step::<pay::Settle>(request, |request| &request.name).await
    }

    async fn disclose_expense(
        &self,
        request: Request<pb::DiscloseExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        mutate::<pay::Disclose>(&self.context, request).await
    }

    async fn reencrypt_expenses(
        &self,
        request: Request<pb::ReencryptExpensesRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let answer = mutate::<reencrypt::Begin>(&self.context, request).await;
        self.worker.wake();
        answer
    }

    async fn reveal_expense(
        &self,
        request: Request<pb::RevealExpenseRequest>,
    ) -> Result<Response<pb::Expense>, Status> {
        let (call, request) = (Call::of(&request)?, request.into_inner());
        Ok(Response::new(self.reveal(&call, &request).await?))
    }
}
