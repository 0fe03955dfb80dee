//! Spending over the wire: who asks for what, and the tests of it.

mod behind;
mod canaries;
mod data;
mod flow;
mod lives;
mod payments;
mod plans;
mod provenance;
mod races;
mod rotation;
mod spendable;
mod terms;

use chassis::peer::Peer;
use contracts::linli::funding::v1::{
    self as pb, expense_service_client::ExpenseServiceClient,
    payment_batch_service_client::PaymentBatchServiceClient,
};
use jiff::civil::{Date, date};
use tonic::{Response, Status};

use crate::harness::{Service, date as wire, fen, service, uuid, with};

/// A step of an expense, as somebody asks for it.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Revise(Option<i64>),
    Review,
    Publish,
    Object(String),
    Answer(String, String),
    Approve,
    SendBack,
    Reject(String),
    Withdraw,
    Pay(String),
    Settle(Vec<pb::Voucher>, String),
    Disclose(String),
}

/// Who usually does what: an officer of the committee, the town's, its cashier. Four people.
pub(crate) const APPLICANT: (&str, &str) = ("w-007", "committee-officer");
pub(crate) const REVIEWER: (&str, &str) = ("w-001", "committee-officer");
pub(crate) const APPROVER: (&str, &str) = ("town-officer-1", "town-officer");
pub(crate) const CASHIER: (&str, &str) = ("town-cashier-1", "town-cashier");
pub(crate) const NEIGHBOUR: (&str, &str) = ("n-001", "steward");

/// Both services with money: `c1` and `c2` have 100,000 yuan of the work fund and 150,000 of the service fund of 2020.
pub(crate) async fn funded(today: Date) -> Service {
    let service = service(today).await;
    service.policy_of(2020).await;
    for committee in ["c1", "c2"] {
        service.give(committee, "WORK", 2020, 10_000_000).await;
        service.give(committee, "SERVICE", 2020, 15_000_000).await;
    }
    service
}

pub(crate) fn payee() -> contracts::linli::common::v1::Payee {
    contracts::linli::common::v1::Payee {
        display_name: "钱甲子文具店".to_owned(),
        bank: "工商银行嘉定支行".to_owned(),
        account_number: "6222021001123456789".to_owned(),
        masked: false,
    }
}

/// An application.
pub(crate) fn application(
    committee: &str,
    fund: pb::Fund,
    category: &str,
    amount: i64,
) -> pb::CreateExpenseRequest {
    pb::CreateExpenseRequest {
        parent: "towns/malu".to_owned(),
        expense: Some(pb::Expense {
            committee: format!("towns/malu/committees/{committee}"),
            fund: fund.into(),
            category: category.to_owned(),
            amount: Some(fen(amount)),
            purpose: "打印耗材".to_owned(),
            payee: Some(payee()),
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    }
}

pub(crate) fn office(amount: i64) -> pb::CreateExpenseRequest {
    application("c1", pb::Fund::Work, "OFFICE", amount)
}

pub(crate) fn voucher(number: &str, amount: i64) -> pb::Voucher {
    pb::Voucher {
        number: number.to_owned(),
        issuer: "嘉定文具有限公司".to_owned(),
        issue_date: Some(wire(date(2020, 6, 1))),
        amount: Some(fen(amount)),
        sha256: String::new(),
    }
}

macro_rules! asked {
    ($request:ident, $expense:expr) => {
        pb::$request {
            name: $expense.name.clone(),
            etag: $expense.etag.clone(),
            request_id: uuid(),
            ..Default::default()
        }
    };
}

impl Service {
    /// A year with a policy in force: notice above 20,000 yuan and for AID, five working days; five to review, approve and pay, twenty to settle,
    /// ten to disclose.
    pub(crate) async fn policy_of(&self, year: i32) {
        let categories = [
            ("WORK", "OFFICE"),
            ("WORK", "UTILITIES"),
            ("WORK", "PUBLICITY"),
            ("WORK", "TRAINING"),
            ("WORK", "MAINTENANCE"),
            ("SERVICE", "ACTIVITY"),
            ("SERVICE", "PROJECT"),
            ("SERVICE", "AID"),
            ("SERVICE", "MICRO_RENEWAL"),
            ("SERVICE", "PUBLIC_SERVICE"),
            ("DELEGATED", "OFFICE"),
        ];
        let rows = |of: &dyn Fn(usize, &str, &str) -> String| {
            let rows = categories.iter().enumerate().map(|(n, (fund, category))| of(n + 1, fund, category));
            rows.collect::<Vec<_>>().join(", ")
        };
        let kept = rows(&|n, fund, category| {
            format!("('malu', 'p{year}', {n}, '{fund}', '{category}', '{category}', true)")
        });
        let allowed =
            rows(&|_, fund, category| format!("('malu', {year}, '{fund}', '{category}', '{category}')"));
        self.sql(&format!(
            "insert into policy (town, id, display_name, fiscal_year, effective_from, households_as_of, work_floor_fen, service_floor_fen,
                 household_threshold, supplement_fen, growth_ppm, growth_of_floor, growth_of_uplift, eligible_kinds, month_counts_until,
                 notice_above_fen, notice_always_for, notice_days, project_pool_fen, days, written_by, written_person)
             values ('malu', 'p{year}', '{year}', {year}, '{year}-01-01', '{year}-01-01', 10000000, 15000000, 2000, 10000, 1000000, true, true,
                 array['RESIDENTS_COMMITTEE'], 15, 2000000, array['AID'], 5, 0, array[5, 5, 5, 20, 10], array['a'], array[]::text[]);
             insert into policy_category (town, policy, n, fund, category, display_name, allowed) values {kept};
             insert into fiscal_year (town, year) values ('malu', {year});
             insert into allowed_category (town, fiscal_year, fund, category, display_name) values {allowed};
             update policy set state = 'PUBLISHED', number = 1, published = now(), published_by = 'b' where id = 'p{year}'"
        ))
        .await;
    }

    pub(crate) fn expenses(&self) -> ExpenseServiceClient<Peer> {
        ExpenseServiceClient::new(self.peer.clone())
    }

    pub(crate) fn batches(&self) -> PaymentBatchServiceClient<Peer> {
        PaymentBatchServiceClient::new(self.peer.clone()).max_decoding_message_size(64 << 20)
    }

    /// A token of somebody in the whole town.
    pub(crate) fn of(&self, (who, role): (&str, &str)) -> String {
        self.token(who, role, "malu")
    }

    pub(crate) async fn apply(
        &self,
        who: (&str, &str),
        request: pb::CreateExpenseRequest,
    ) -> Result<pb::Expense, Status> {
        self.expenses().create_expense(with(request, &self.of(who))).await.map(Response::into_inner)
    }

    pub(crate) async fn expense(&self, who: (&str, &str), name: &str) -> pb::Expense {
        let request = pb::GetExpenseRequest { name: name.to_owned() };
        self.expenses().get_expense(with(request, &self.of(who))).await.unwrap().into_inner()
    }

    /// Takes a step as somebody.
    pub(crate) async fn walk_on(
        &self,
        who: (&str, &str),
        on: &pb::Expense,
        step: Step,
    ) -> Result<pb::Expense, Status> {
        let (token, mut client) = (self.of(who), self.expenses());
        let done = match step {
            Step::Revise(amount) => {
                let request =
                    pb::ReviseExpenseRequest { amount: amount.map(fen), ..asked!(ReviseExpenseRequest, on) };
                client.revise_expense(with(request, &token)).await
            }
            Step::Review => client.review_expense(with(asked!(ReviewExpenseRequest, on), &token)).await,
            Step::Publish => {
                client.publish_expense_notice(with(asked!(PublishExpenseNoticeRequest, on), &token)).await
            }
            Step::Object(text) => {
                let request = pb::ObjectToExpenseRequest { text, ..asked!(ObjectToExpenseRequest, on) };
                client.object_to_expense(with(request, &token)).await
            }
            Step::Answer(objection, answer) => {
                let request = pb::AnswerExpenseObjectionRequest {
                    objection,
                    answer,
                    ..asked!(AnswerExpenseObjectionRequest, on)
                };
                client.answer_expense_objection(with(request, &token)).await
            }
            Step::Approve => client.approve_expense(with(asked!(ApproveExpenseRequest, on), &token)).await,
            Step::SendBack => {
                let request = pb::RequestExpenseRevisionRequest {
                    comment: "请补充明细".to_owned(),
                    ..asked!(RequestExpenseRevisionRequest, on)
                };
                client.request_expense_revision(with(request, &token)).await
            }
            Step::Reject(comment) => {
                let request = pb::RejectExpenseRequest { comment, ..asked!(RejectExpenseRequest, on) };
                client.reject_expense(with(request, &token)).await
            }
            Step::Withdraw => client.withdraw_expense(with(asked!(WithdrawExpenseRequest, on), &token)).await,
            Step::Pay(bank_reference) => {
                let request = pb::PayExpenseRequest { bank_reference, ..asked!(PayExpenseRequest, on) };
                client.pay_expense(with(request, &token)).await
            }
            Step::Settle(vouchers, refund_reference) => {
                let request = pb::SettleExpenseRequest {
                    vouchers,
                    refund_reference,
                    ..asked!(SettleExpenseRequest, on)
                };
                client.settle_expense(with(request, &token)).await
            }
            Step::Disclose(disclosure) => {
                let request = pb::DiscloseExpenseRequest { disclosure, ..asked!(DiscloseExpenseRequest, on) };
                client.disclose_expense(with(request, &token)).await
            }
        };
        done.map(Response::into_inner)
    }

    /// An approved expense of the work fund of `c1`.
    pub(crate) async fn approved_expense(&self, amount: i64) -> pb::Expense {
        let applied = self.apply(APPLICANT, office(amount)).await.unwrap();
        let reviewed = self.walk_on(REVIEWER, &applied, Step::Review).await.unwrap();
        self.walk_on(APPROVER, &reviewed, Step::Approve).await.unwrap()
    }

    /// The same, paid.
    pub(crate) async fn paid(&self, amount: i64) -> pb::Expense {
        let approved = self.approved_expense(amount).await;
        self.walk_on(CASHIER, &approved, Step::Pay("b-1".to_owned())).await.unwrap()
    }

    /// Balance and held amount of an account, by its name.
    pub(crate) async fn purse(&self, account: &str) -> (i64, i64) {
        let id = account.rsplit('/').next().unwrap();
        (
            self.number(&format!("select balance_fen from account where id = '{id}'")).await,
            self.number(&format!("select held_fen from account where id = '{id}'")).await,
        )
    }

    /// What must hold whatever happened: nothing comes from nowhere, nothing is overdrawn, what is held is what holds say.
    pub(crate) async fn sound(&self) {
        assert_eq!(self.number("select coalesce(sum(amount_fen), 0)::bigint from posting").await, 0);
        let overdrawn = "select count(*) from account where kind not in ('APPROPRIATION', 'DEPARTMENT', 'OPENING') and balance_fen - held_fen < 0";
        assert_eq!(self.number(overdrawn).await, 0);
        let untrue = "select count(*) from account a where
             held_fen <> (select coalesce(sum(amount_fen), 0) from hold h where h.town = a.town and h.account = a.id and h.state = 'HELD')
             or balance_fen <> (select coalesce(sum(amount_fen), 0) from posting p where p.town = a.town and p.account = a.id)";
        assert_eq!(self.number(untrue).await, 0);
        // each expense that may still be paid holds its amount, and nothing else of spending is held
        let held = "select (select coalesce(sum(amount_fen), 0) from hold where state = 'HELD')::bigint
             - (select coalesce(sum(amount_fen), 0) from expense where state not in ('PAID', 'SETTLED', 'DISCLOSED', 'REJECTED', 'WITHDRAWN'))::bigint";
        assert_eq!(self.number(held).await, 0);
    }
}
