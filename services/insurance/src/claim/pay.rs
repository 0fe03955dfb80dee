//! Payment 赔付 and its confirmation.

use chassis::{
    actor::{Actor, another},
    amount::{amount, finish as told_by_name},
    fields,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Record, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::{ids::holds_number, money::Fen, name::ProgrammeName, state::Named};
use uuid::Uuid;

use super::{
    decide::{Known, compute},
    edit::{Days, Locked, Told, enter, finish, lock},
    paid,
    rules::Verb,
    store::{self, Line, Payment, day},
};
use crate::{
    adjudication::Decision,
    cover,
    reasons::{
        AMOUNT_DIFFERS, PAYMENT_CONFIRMED, PAYMENT_DIFFERS, PAYMENT_MADE, PAYMENT_NOT_OF_CLAIM,
        PAYMENT_UNCONFIRMED, REFERENCE_USED,
    },
};

/// What is said of text that is no reference.
pub(crate) const NO_REFERENCE: (&str, &str) = (
    "须为英文字母、数字、案件编号及 ._/:#-，不含公民身份号码",
    "a reference has ASCII letters, digits, numbers of claims and ._/:#-, and no identity number",
);

/// Whether text may be kept and shown as the reference of a payment: nobody's name or identity number fits it. The number of a claim does.
pub(crate) fn is_reference(text: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || "民._/:#-".contains(c);
    !text.is_empty()
        && text.chars().count() <= fields::REFERENCE
        && text.chars().all(sign)
        && !holds_number(text)
}

/// What an insurer says that it has paid.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
    /// The id of the programme.
    pub(crate) programme: String,
    /// How much.
    pub(crate) amount: Fen,
    /// When.
    pub(crate) on: Date,
    /// The insurer's reference.
    pub(crate) reference: String,
}

impl Paid {
    fn parse(town: &str, today: Date, request: &pb::PayClaimRequest) -> Result<Paid, Refusal> {
        let mut faults = Faults::default();
        let programme =
            faults.take(fields::in_town("programme", &request.programme, town, ProgrammeName::town));
        let amount = faults.take(amount("amount", request.amount.as_ref()));
        let given = fields::reference("payment_reference", &request.payment_reference);
        let reference = faults.take(given.and_then(|text| {
            if is_reference(&text) {
                Ok(text)
            } else {
                Err(FieldFault::new("payment_reference", "FORMAT", NO_REFERENCE.0, NO_REFERENCE.1))
            }
        }));
        let on = faults.take(wire::date("pay_date", request.pay_date.as_ref()).and_then(|day| {
            let day = day.unwrap_or(today);
            if day <= today {
                return Ok(day);
            }
            Err(FieldFault::new("pay_date", "FUTURE_DATE", "晚于今天", "after today"))
        }));
        let all = programme.zip(amount).zip(reference).zip(on);
        let (((programme, amount), reference), on) = told_by_name(faults, all)?;
        Ok(Paid { programme: programme.programme().to_owned(), amount, on, reference })
    }
}

/// Refuses when adjudication comes to something else today than what was decided: a fact has changed in between.
fn need_same(
    locked: &Locked,
    decided: &[Line],
    now: &Decision,
    programmes: &[String],
) -> Result<(), Refusal> {
    for line in decided {
        let at = programmes.iter().position(|programme| *programme == line.programme);
        let now = at.and_then(|at| now.lines.get(at));
        let approved = now.map_or(Fen::ZERO, |line| line.approved);
        if approved.fen() != line.approved_fen {
            let rule = now.and_then(|line| line.rule.or(line.trace.steps().last().map(|step| step.rule)));
            return Err(Refusal::new(&PAYMENT_DIFFERS)
                .with("name", &locked.name)
                .with("programme", format!("towns/{}/programmes/{}", locked.row.town, line.programme))
                .with("approved", Fen::of(line.approved_fen))
                .with("now", approved)
                .with("rule", rule.map_or("POLICY", Named::name)));
        }
    }
    Ok(())
}

/// The line that a payment pays.
fn line<'a>(locked: &Locked, lines: &'a [Line], paid: &Paid) -> Result<&'a Line, Refusal> {
    let programme = format!("towns/{}/programmes/{}", locked.row.town, paid.programme);
    let none =
        || Refusal::new(&PAYMENT_NOT_OF_CLAIM).with("name", &locked.name).with("programme", &programme);
    let line = lines.iter().find(|line| line.programme == paid.programme).ok_or_else(none)?;
    if line.approved_fen == 0 {
        return Err(none());
    }
    let open = line.approved_fen - paid::by_programme(&locked.payments, &paid.programme).fen();
    if open == 0 {
        return Err(Refusal::new(&PAYMENT_MADE).with("name", &locked.name).with("programme", programme));
    }
    if open != paid.amount.fen() {
        return Err(Refusal::new(&AMOUNT_DIFFERS)
            .with("name", &locked.name)
            .with("amount", paid.amount)
            .with("approved", Fen::of(open)));
    }
    Ok(line)
}

/// Refuses a payment of a day on which an objection was still open.
async fn need_answered(work: &mut Work, locked: &Locked, on: Date) -> Result<(), Refusal> {
    let all = store::objections(work.sql(), &locked.row.town, locked.row.id).await?;
    let answered = all.iter().filter_map(|one| one.answered_on.as_deref()).map(day);
    let last = answered.collect::<Result<Vec<_>, _>>()?.into_iter().max();
    if last.is_some_and(|last| on < last) {
        let (zh, en) = ("早于异议答复之日", "before the last objection was answered");
        return Err(Refusal::field("pay_date", "OBJECTED", zh, en));
    }
    Ok(())
}

/// Records a payment on a claim that is locked: everything is checked before anything is written. The claim is for the caller to save. `file` is
/// the payment file that tells of it, with its insurer.
///
/// # Errors
/// What keeps the payment from being recorded.
pub(crate) async fn pay(
    work: &mut Work,
    locked: &mut Locked,
    paid: &Paid,
    event: &cover::Met,
    days: &Days,
    file: Option<(&str, Uuid)>,
) -> Result<(), Refusal> {
    let (call, who) = (work.call().clone(), Actor::of(work.call()));
    let to = locked.next(Verb::Pay, &who, paid.on)?;
    let town = locked.row.town.clone();
    need_answered(work, locked, paid.on).await?;
    let lines = store::lines(work.sql(), &town, locked.row.id).await?;
    let decided: Vec<Line> =
        lines.into_iter().filter(|line| Some(line.decision) == locked.row.decision).collect();
    let line = line(locked, &decided, paid)?;
    // a file tells of its own insurer's payments
    if file.is_some_and(|(insurer, _)| insurer != line.insurer) {
        return Err(Refusal::new(&PAYMENT_NOT_OF_CLAIM)
            .with("name", &locked.name)
            .with("programme", format!("towns/{town}/programmes/{}", paid.programme)));
    }
    let scope = call.scope(&town)?;
    // an insurer pays his own lines
    if !scope.is_town() && !scope.organisations().contains(&line.insurer) {
        return Err(call.denied());
    }
    if store::known_reference(work.sql(), &town, &line.insurer, &paid.reference).await?.is_some() {
        return Err(Refusal::new(&REFERENCE_USED).with_typed("reference", &paid.reference));
    }
    let computed = compute(work, &locked.row, event).await?;
    let programmes: Vec<String> =
        computed.coverings.iter().map(|covering| covering.programme.clone()).collect();
    need_same(locked, &decided, &computed.decision, &programmes)?;
    let mut payment = Payment {
        n: 0,
        decision: line.decision,
        reverses: None,
        programme: paid.programme.clone(),
        insurer: line.insurer.clone(),
        amount_fen: paid.amount.fen(),
        paid_on: paid.on.to_string(),
        reference: paid.reference.clone(),
        recorded_by: who.principal,
        recorded_person: who.person,
        confirmed_on: None,
        confirmed_by: None,
        confirmed_person: String::new(),
    };
    payment.n = store::add_payment(work.sql(), &locked.row, &payment, file.map(|(_, id)| id)).await?;
    locked.payments.push(payment);
    locked.row.paid_fen += paid.amount.fen();
    if locked.row.paid_fen == locked.row.approved_fen {
        enter(work, &mut locked.row, to, days).await?;
    }
    Ok(())
}

/// PayClaim.
pub(super) struct Pay;

#[tonic::async_trait]
impl VerbGiven for Pay {
    type Given = Known;
    type Request = pb::PayClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &Known,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let today = work.call().today();
        let paid = Paid::parse(&locked.row.town, today, request)?;
        pay(work, &mut locked, &paid, &known.met, &known.days, None).await?;
        let told = Told { verb: Verb::Pay, event: "claim.paid", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// ConfirmClaimPayment.
pub(super) struct Confirm;

#[tonic::async_trait]
impl VerbGiven for Confirm {
    type Given = Days;
    type Request = pb::ConfirmClaimPaymentRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(work: &mut Work, _: &Days, request: &Self::Request) -> Result<Record<pb::Claim>, Refusal> {
        let locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        locked.next(Verb::ConfirmPayment, &who, today)?;
        let wanted = match request.programme.as_str() {
            "" => None,
            text => {
                let name = fields::in_town("programme", text, &locked.row.town, ProgrammeName::town);
                Some(name.map_err(Refusal::one)?.programme().to_owned())
            }
        };
        let meant = paid::standing(&locked.payments)
            .filter(|payment| wanted.as_ref().is_none_or(|id| *id == payment.programme));
        let (open, confirmed): (Vec<&Payment>, Vec<_>) =
            meant.partition(|payment| payment.confirmed_on.is_none());
        if open.is_empty() {
            let reason = if confirmed.is_empty() { &PAYMENT_UNCONFIRMED } else { &PAYMENT_CONFIRMED };
            return Err(Refusal::new(reason).with("name", &locked.name));
        }
        for payment in open {
            let recorder = Actor::new(&payment.recorded_by, &payment.recorded_person);
            another(&locked.name, Verb::ConfirmPayment.name(), &who, &[("pay", &recorder)])?;
            store::confirm(work.sql(), &locked.row, payment.n, (&who, today)).await?;
        }
        let told =
            Told { verb: Verb::ConfirmPayment, event: "claim.paymentConfirmed", comment: &request.comment };
        finish(work, locked, told).await
    }
}
