//! Applying for an expense, and applying again after a revision was requested.

use chassis::{
    call::Call,
    fields,
    payee::Payee,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Record, VerbGiven, Work},
};
use contracts::linli::funding::v1 as pb;
use jiff::civil::Date;
use kernel::{
    money::Fen,
    name::{CommitteeName, TownName},
    state::Named,
    text::{display_name, is_code},
};
use uuid::Uuid;

use super::{
    edit::{Days, Locked, Told, applied, enter, finish, lock, record, sees, set_free},
    rules::{self, State, Verb},
    store::{self, Row},
};
use crate::{
    actor::Actor,
    ledger::{
        rules::{Earmark, Fund, Key},
        store::{Account, NewHold, find, hold, year},
    },
    money::{amount, finish as told_by_name},
    policy::{
        self,
        rules::{Leg, Policy},
    },
    reasons::{ACCOUNT_NOT_FOUND, COMMITTEE_NOT_FOUND, EARMARK_NOT_ALLOWED},
};

/// Characters of a purpose at most.
const PURPOSE: usize = 400;

/// What was read of governance before an application.
#[derive(Debug)]
pub(crate) struct Known {
    /// The working days.
    pub(crate) days: Days,
    /// Whether governance has the committee.
    pub(crate) committee: bool,
}

/// What an application says.
struct New {
    committee: CommitteeName,
    fund: Fund,
    fiscal_year: i32,
    earmark: Option<Earmark>,
    category: String,
    amount: Fen,
    purpose: String,
    payee: Payee,
    applied_on: Date,
}

fn purpose(field: &str, text: &str) -> Result<String, FieldFault> {
    display_name(text, PURPOSE)
        .map(str::to_owned)
        .map_err(|error| FieldFault::new(field, "TEXT", "须为 1 至 400 个可见字符", error.to_string()))
}

/// A category by its form; whether the fund pays it is the policy's affair.
fn category(field: &str, text: &str) -> Result<String, FieldFault> {
    let fault = || FieldFault::new(field, "FORMAT", "类别代码如 OFFICE", "a category looks like OFFICE");
    if is_code(text, 63) { Ok(text.to_owned()) } else { Err(fault()) }
}

fn fund(field: &str, given: i32) -> Result<Fund, FieldFault> {
    let name = pb::Fund::try_from(given).unwrap_or_default().as_str_name();
    Fund::from_name(name.trim_start_matches("FUND_"))
        .ok_or_else(|| FieldFault::new(field, "REQUIRED", "必填", "required"))
}

/// The day of the application: today, unless another one is said; never a later one.
fn applied_on(call: &Call, given: Option<&contracts::google::r#type::Date>) -> Result<Date, FieldFault> {
    let day = wire::date("expense.apply_date", given)?.unwrap_or_else(|| call.today());
    if day > call.today() {
        return Err(FieldFault::new("expense.apply_date", "FUTURE_DATE", "晚于今天", "after today"));
    }
    Ok(day)
}

impl New {
    fn parse(call: &Call, town: &str, given: Option<&pb::Expense>) -> Result<New, Refusal> {
        let default = pb::Expense::default();
        let given = given.unwrap_or(&default);
        let mut faults = Faults::default();
        let committee =
            faults.take(fields::in_town("expense.committee", &given.committee, town, CommitteeName::town));
        let fund = faults.take(fund("expense.fund", given.fund));
        let earmark = match given.earmark.as_str() {
            "" => Some(None),
            text => faults.take(Earmark::of_name(town, text).map(Some).map_err(|error| {
                FieldFault::new("expense.earmark", "FORMAT", "不是专款名称", error.to_string())
            })),
        };
        let category = faults.take(category("expense.category", &given.category));
        let amount = faults.take(amount("expense.amount", given.amount.as_ref()));
        let purpose = faults.take(purpose("expense.purpose", &given.purpose));
        let payee = faults.take_all(Payee::parse("expense.payee", given.payee.as_ref()));
        let applied_on = faults.take(applied_on(call, given.apply_date.as_ref()));
        let all = committee
            .zip(fund)
            .zip(earmark)
            .zip(category)
            .zip(amount)
            .zip(purpose)
            .zip(payee)
            .zip(applied_on);
        let (((((((committee, fund), earmark), category), amount), purpose), payee), applied_on) =
            told_by_name(faults, all)?;
        let fiscal_year =
            if given.fiscal_year == 0 { i32::from(applied_on.year()) } else { given.fiscal_year };
        Ok(New { committee, fund, fiscal_year, earmark, category, amount, purpose, payee, applied_on })
    }

    fn key(&self) -> Key {
        Key::committee(self.fund, self.fiscal_year, self.committee.committee(), self.earmark.clone())
    }
}

/// The policy of an open year.
async fn policy_of_open_year(work: &mut Work, town: &str, fiscal_year: i32) -> Result<Policy, Refusal> {
    year::need_open(work.sql(), town, fiscal_year).await?;
    let policy = policy::store::in_force(work.sql(), town, fiscal_year).await?;
    policy.ok_or_else(|| Refusal::internal(format!("{fiscal_year} of {town} is open without a policy")))
}

fn need_allowed(policy: &Policy, fund: Fund, category: &str) -> Result<(), Refusal> {
    if policy.allows(fund, category) {
        return Ok(());
    }
    Err(Refusal::new(&EARMARK_NOT_ALLOWED).with("fund", fund.name()).with("category", category))
}

/// The account that pays.
async fn account(work: &mut Work, town: &str, key: &Key) -> Result<Account, Refusal> {
    find(work.sql(), town, key).await?.ok_or_else(|| {
        let committee = key.committee.as_deref().unwrap_or_default();
        Refusal::new(&ACCOUNT_NOT_FOUND)
            .with("committee", format!("towns/{town}/committees/{committee}"))
            .with("fund", key.fund.name())
            .with("year", key.fiscal_year)
    })
}

/// Holds the money of an expense, as it stands in the row.
async fn hold_money(work: &mut Work, row: &Row, account: &Account) -> Result<(), Refusal> {
    let (key, subject) = (format!("expense/{}/{}", row.id, row.revision), row.name());
    let new = NewHold {
        id: row.hold,
        account,
        amount: row.amount(),
        key: &key,
        subject: &subject,
        purpose: &row.number,
        expires_on: None,
        into: None,
    };
    hold(work, &row.town, &new).await
}

/// CreateExpense.
pub(super) struct Create;

#[tonic::async_trait]
impl VerbGiven for Create {
    type Given = Known;
    type Request = pb::CreateExpenseRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &Known,
        request: &Self::Request,
    ) -> Result<Record<pb::Expense>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let (town, call) = (town.town(), work.call().clone());
        let scope = call.scope(town)?;
        let new = New::parse(&call, town, request.expense.as_ref())?;
        if !sees(&scope, new.committee.committee()) {
            return Err(call.denied());
        }
        if !known.committee {
            return Err(Refusal::new(&COMMITTEE_NOT_FOUND).with("committee", &new.committee));
        }
        let policy = policy_of_open_year(work, town, new.fiscal_year).await?;
        need_allowed(&policy, new.fund, &new.category)?;
        let account = account(work, town, &new.key()).await?;
        account.need(work, town, new.amount).await?;
        let year = call.today().year();
        let mut row = first(&call, town, &new, &policy, &account);
        row.set_payee(work.vault(), &new.payee)?;
        row.enter(State::Applied, call.today(), Some(policy.days(Leg::Review)), &known.days)?;
        row.number = rules::number(year, store::next_number(work.sql(), town, year).await?);
        hold_money(work, &row, &account).await?;
        store::create(work.sql(), &row, year).await?;
        let change = applied(&row, &request.comment);
        record(work, &row, change)
    }
}

/// The row of an application.
fn first(call: &Call, town: &str, new: &New, policy: &Policy, account: &Account) -> Row {
    let who = Actor::of(call);
    let recorded = chassis::clock::recorded_now().as_microsecond();
    Row {
        town: town.to_owned(),
        id: Uuid::now_v7(),
        revision: 1,
        committee: new.committee.committee().to_owned(),
        fund: new.fund.name().to_owned(),
        fiscal_year: new.fiscal_year,
        earmark: new.earmark.as_ref().map(ToString::to_string),
        category: new.category.clone(),
        amount_fen: new.amount.fen(),
        purpose: new.purpose.clone(),
        applied_on: new.applied_on.to_string(),
        account: account.id,
        hold: Uuid::now_v7(),
        policy: policy_name(town, policy),
        notice_required: policy.needs_notice(new.amount, &new.category),
        notice_days: policy.terms().public_notice_days,
        applied_by: who.principal,
        applied_person: who.person,
        version: 1,
        created: recorded,
        updated: recorded,
        ..Row::default()
    }
}

fn policy_name(town: &str, policy: &Policy) -> String {
    format!("towns/{town}/fundingPolicies/{}", policy.id)
}

/// ReviseExpense.
pub(super) struct Revise;

/// What a revision says anew; the rest stays as it was.
fn revised(work: &Work, locked: &mut Locked, request: &pb::ReviseExpenseRequest) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    let row = &mut locked.row;
    if request.amount.is_some()
        && let Some(amount) = faults.take(amount("amount", request.amount.as_ref()))
    {
        row.amount_fen = amount.fen();
    }
    if !request.category.is_empty()
        && let Some(category) = faults.take(category("category", &request.category))
    {
        row.category = category;
    }
    if !request.purpose.is_empty()
        && let Some(purpose) = faults.take(purpose("purpose", &request.purpose))
    {
        row.purpose = purpose;
    }
    if request.payee.is_some()
        && let Some(payee) = faults.take_all(Payee::parse("payee", request.payee.as_ref()))
    {
        row.set_payee(work.vault(), &payee)?;
    }
    told_by_name(faults, Some(()))
}

#[tonic::async_trait]
impl VerbGiven for Revise {
    type Given = Days;
    type Request = pb::ReviseExpenseRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Expense>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let call = work.call().clone();
        let to = locked.next(Verb::Revise, &Actor::of(&call), call.today())?;
        revised(work, &mut locked, request)?;
        let town = locked.town().to_owned();
        let policy = policy_of_open_year(work, &town, locked.row.fiscal_year).await?;
        let key = locked.row.key()?;
        need_allowed(&policy, key.fund, &locked.row.category)?;
        // the old hold goes first, so that the new amount may use what it held
        set_free(work, &locked.row).await?;
        let account = account(work, &town, &key).await?;
        account.need(work, &town, locked.row.amount()).await?;
        let row = &mut locked.row;
        (row.hold, row.revision) = (Uuid::now_v7(), row.revision + 1);
        (row.policy, row.notice_days) = (policy_name(&town, &policy), policy.terms().public_notice_days);
        row.notice_required = policy.needs_notice(row.amount(), &row.category);
        row.payment_failure.clear();
        hold_money(work, &locked.row, &account).await?;
        enter(work, &mut locked, to, days).await?;
        let told = Told { verb: Verb::Revise, event: "expense.revised", comment: &request.comment };
        finish(work, locked, told).await
    }
}
