//! Payment, settlement against vouchers, disclosure.

use chassis::{
    fields::{self, reference},
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Record, Verb as Acts, VerbGiven, Work},
};
use contracts::linli::funding::v1 as pb;
use jiff::civil::Date;
use kernel::{money::Fen, name::DisclosureName};

use super::{
    edit::{Days, Locked, Told, enter, finish, lock},
    rules::{self, State, Verb},
    store::{self, Voucher},
};
use crate::{
    actor::Actor,
    ledger::{
        rules::{Entry, EntryKind, For},
        store::{Outcome, open, post, resolve},
    },
    money::{amount, finish as told_by_name},
    reasons::{VOUCHER_USED, VOUCHERS_EXCEED_PAYMENT},
};

/// Marks an expense as paid by `who`; the entry that books it. Its hold is resolved here, the entry is for the caller to post in the same
/// unit of work.
///
/// # Errors
/// EARMARK_NOT_ALLOWED; INTERNAL when its money was not held.
pub(crate) async fn paid(
    work: &mut Work,
    locked: &mut Locked,
    who: &Actor,
    bank_reference: &str,
) -> Result<Entry, Refusal> {
    let (today, town) = (work.call().today(), locked.town().to_owned());
    let row = &mut locked.row;
    let spent = open(work.sql(), &town, &[row.key()?.expenditure(&row.category)]).await?;
    let spent = spent.first().ok_or_else(|| Refusal::internal("no account of what is spent"))?;
    let (key, subject) = (format!("expense/{}/paid", row.id), row.name());
    let what = For {
        kind: EntryKind::Expense,
        key: &key,
        fiscal_year: row.fiscal_year,
        booked_on: today,
        subject: &subject,
        description: &row.number,
    };
    let mut entry = Entry::simple(what, row.account, spent.id, row.amount());
    bank_reference.clone_into(&mut entry.evidence);
    let outcome = Outcome::Posted { amount: row.amount(), entry: entry.id };
    if !resolve(work, &town, row.hold, outcome).await? {
        return Err(Refusal::internal(format!("the hold of {subject} was resolved before")));
    }
    (row.paid_by, row.paid_person) = (Some(who.principal.clone()), who.person.clone());
    (row.paid_on, row.paid_fen, row.entry) = (Some(today.to_string()), Some(row.amount_fen), Some(entry.id));
    bank_reference.clone_into(&mut row.bank_reference);
    row.payment_failure.clear();
    Ok(entry)
}

/// PayExpense.
pub(super) struct Pay;

#[tonic::async_trait]
impl VerbGiven for Pay {
    type Given = Days;
    type Request = pb::PayExpenseRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Expense>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let bank_reference = reference("bank_reference", &request.bank_reference);
        let bank_reference = bank_reference.map_err(Refusal::one)?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Pay, &who, today)?;
        let entry = paid(work, &mut locked, &who, &bank_reference).await?;
        let town = locked.town().to_owned();
        post(work, &town, &[entry]).await?;
        enter(work, &mut locked, to, days).await?;
        finish(work, locked, Told { verb: Verb::Pay, event: "expense.paid", comment: &request.comment }).await
    }
}

/// SettleExpense.
pub(super) struct Settle;

fn sha256(field: &str, text: &str) -> Result<Option<Vec<u8>>, FieldFault> {
    if text.is_empty() {
        return Ok(None);
    }
    let bytes = hex::decode(text).ok().filter(|bytes| bytes.len() == 32);
    bytes.map(Some).ok_or_else(|| {
        FieldFault::new(field, "FORMAT", "须为 64 位十六进制 SHA-256", "a SHA-256 has 64 hexadecimal digits")
    })
}

fn voucher(faults: &mut Faults, n: usize, given: &pb::Voucher, today: Date) -> Option<Voucher> {
    let at = |field: &str| format!("vouchers[{n}].{field}");
    let number = given.number.split_whitespace().collect::<String>();
    let number = faults.take(reference(&at("number"), &number));
    let issuer = faults.take(fields::display(&at("issuer"), &given.issuer));
    let issued_on = faults.take(wire::required_date(&at("issue_date"), given.issue_date.as_ref()));
    if issued_on.is_some_and(|day| day > today) {
        faults.push(FieldFault::new(at("issue_date"), "FUTURE_DATE", "晚于今天", "after today"));
    }
    let amount = faults.take(amount(&at("amount"), given.amount.as_ref()));
    let sha256 = faults.take(sha256(&at("sha256"), &given.sha256));
    let all = number.zip(issuer).zip(issued_on).zip(amount).zip(sha256);
    all.map(|((((number, issuer), issued_on), amount), sha256)| Voucher {
        number,
        issuer,
        issued_on: issued_on.to_string(),
        amount_fen: amount.fen(),
        sha256,
    })
}

fn vouchers(request: &pb::SettleExpenseRequest, today: Date) -> Result<Vec<Voucher>, Refusal> {
    let mut faults = Faults::default();
    let given = request.vouchers.iter().enumerate();
    let all: Vec<Voucher> = given.filter_map(|(n, given)| voucher(&mut faults, n, given, today)).collect();
    // a payment that the bank sent back 退票 is settled by nothing but the refund
    if request.vouchers.is_empty() && request.refund_reference.trim().is_empty() {
        let (zh, en) = (
            "至少一张票据；全额退回时填 refund_reference",
            "one at least, or refund_reference when all of it came back",
        );
        faults.push(FieldFault::new("vouchers", "REQUIRED", zh, en));
    }
    for (n, one) in all.iter().enumerate() {
        let same = |other: &Voucher| {
            (&other.number, &other.issuer) == (&one.number, &one.issuer)
                || (one.sha256.is_some() && other.sha256 == one.sha256)
        };
        if all[..n].iter().any(same) {
            faults.push(FieldFault::new(
                format!("vouchers[{n}]"),
                "REPEATED",
                "与前面的票据重复",
                "stands there twice",
            ));
        }
    }
    told_by_name(faults, Some(all))
}

#[tonic::async_trait]
impl VerbGiven for Settle {
    type Given = Days;
    type Request = pb::SettleExpenseRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Expense>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let vouchers = vouchers(request, today)?;
        let to = locked.next(Verb::Settle, &who, today)?;
        let paid = Fen::of(locked.row.paid_fen.unwrap_or_default());
        let amounts: Vec<Fen> = vouchers.iter().map(|voucher| Fen::of(voucher.amount_fen)).collect();
        let (proved, rest) = rules::settle(paid, &amounts).ok_or_else(|| {
            let sum = Fen::sum(amounts.iter().copied())
                .map_or_else(|error| error.to_string(), |sum| sum.to_string());
            Refusal::new(&VOUCHERS_EXCEED_PAYMENT)
                .with("name", &locked.name)
                .with("vouchers", sum)
                .with("paid", paid)
        })?;
        let town = locked.town().to_owned();
        if let Some(number) = store::used_voucher(work.sql(), &town, &vouchers).await? {
            return Err(Refusal::new(&VOUCHER_USED).with("number", number));
        }
        store::add_vouchers(work.sql(), &town, locked.row.id, &vouchers).await?;
        locked.row.settled_fen = Some(proved.fen());
        if rest > Fen::ZERO {
            refund(work, &mut locked, rest, &request.refund_reference).await?;
        }
        enter(work, &mut locked, to, days).await?;
        finish(work, locked, Told { verb: Verb::Settle, event: "expense.settled", comment: &request.comment })
            .await
    }
}

/// Books what the vouchers leave of a payment back to its account.
async fn refund(work: &mut Work, locked: &mut Locked, rest: Fen, said: &str) -> Result<(), Refusal> {
    let said = reference("refund_reference", said).map_err(|fault| Refusal::fields(vec![fault]))?;
    let (today, town) = (work.call().today(), locked.town().to_owned());
    let row = &mut locked.row;
    let spent = open(work.sql(), &town, &[row.key()?.expenditure(&row.category)]).await?;
    let spent = spent.first().ok_or_else(|| Refusal::internal("no account of what is spent"))?;
    let (key, subject) = (format!("expense/{}/refund", row.id), row.name());
    let what = For {
        kind: EntryKind::Refund,
        key: &key,
        fiscal_year: row.fiscal_year,
        booked_on: today,
        subject: &subject,
        description: &row.number,
    };
    let mut entry = Entry::simple(what, spent.id, row.account, rest);
    entry.evidence.clone_from(&said);
    (row.refund_entry, row.refund_reference) = (Some(entry.id), said);
    post(work, &town, &[entry]).await
}

/// DiscloseExpense.
pub(super) struct Disclose;

#[tonic::async_trait]
impl Acts for Disclose {
    type Request = pb::DiscloseExpenseRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Expense>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let disclosure: DisclosureName =
            fields::in_town("disclosure", &request.disclosure, locked.town(), DisclosureName::town)
                .map_err(|fault| Refusal::fields(vec![fault]))?;
        let to: State = locked.next(Verb::Disclose, &who, today)?;
        locked.row.disclosure = disclosure.to_string();
        locked.row.leave(to, today);
        finish(
            work,
            locked,
            Told { verb: Verb::Disclose, event: "expense.disclosed", comment: &request.comment },
        )
        .await
    }
}
