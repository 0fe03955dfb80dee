//! Reading the bank's return file 回单: line by line posted, sent back, or listed as a difference.

use std::collections::BTreeMap;

use chassis::{
    fields::number,
    refusal::Refusal,
    state::transition,
    work::{Change, Record, VerbGiven, Work},
};
use contracts::linli::funding::v1 as pb;
use kernel::{money::Fen, state::Named};
use uuid::Uuid;

use super::{
    acts::{change, lock, need_another, release, shown},
    encode, file,
    rules::{self, Answer, Matched, Moves, Said, TABLE, Verb},
    store::{self, Batch, Line, Resolved},
};
use crate::{
    actor::Actor,
    expense::{
        self,
        edit::{Days, Locked, Told, policy_of},
        pay::paid,
        rules::{State as Stage, Verb as Step},
        store::Row,
    },
    ledger::{rules::Entry, store::post},
    money::to_money,
    policy::rules::Leg,
};

/// ReconcilePaymentBatch.
pub(super) struct Reconcile;

/// A line as a file is matched with it.
fn matchable(line: &Line) -> rules::Line {
    let said = match line.state.as_str() {
        "PAID" => Said::Paid(line.bank_reference.clone()),
        "FAILED" => Said::Failed,
        _ => Said::Nothing,
    };
    rules::Line { n: line.n, expense: line.number.clone(), amount: Fen::of(line.amount_fen), said }
}

/// What a file moves: the lines that it resolves, the entries of what was paid, what is told of their expenses.
#[derive(Default)]
struct Moved {
    lines: Vec<Resolved>,
    entries: Vec<Entry>,
    changes: Vec<Change>,
    paid: Vec<Fen>,
    failed: Vec<Fen>,
}

/// The working days of settlement by fiscal year, each read once.
#[derive(Default)]
struct Terms(BTreeMap<i32, i32>);

impl Terms {
    async fn of(&mut self, work: &mut Work, row: &Row) -> Result<i32, Refusal> {
        if let Some(term) = self.0.get(&row.fiscal_year) {
            return Ok(*term);
        }
        let term = policy_of(work, row).await?.days(Leg::Settle);
        self.0.insert(row.fiscal_year, term);
        Ok(term)
    }
}

async fn pay(
    work: &mut Work,
    moved: &mut Moved,
    mut locked: Locked,
    (who, term, days): (&Actor, i32, &Days),
    reference: &str,
) -> Result<(), Refusal> {
    let today = work.call().today();
    let to: Stage = locked.next(Step::Reconcile, &Actor::of(work.call()), today)?;
    moved.entries.push(paid(work, &mut locked, who, reference).await?);
    locked.row.enter(to, today, Some(term), days)?;
    moved.paid.push(locked.row.amount());
    let told = Told { verb: Step::Reconcile, event: "expense.paid", comment: "" };
    moved.changes.push(expense::edit::save(work, &mut locked, told).await?);
    Ok(())
}

/// What is done for the rows that move something, in the order of accounts, so that two files never wait for each other.
async fn carry_out(
    work: &mut Work,
    days: &Days,
    (batch, lines): (&Batch, &[Line]),
    (answers, matched): (&[Answer], &[Matched]),
) -> Result<Moved, Refusal> {
    let acting: Vec<(&Line, &Answer, Moves)> = matched
        .iter()
        .filter_map(|one| Some((lines.get(one.line?)?, answers.get(one.answer?)?, one.outcome.moves()?)))
        .collect();
    let ids: Vec<Uuid> = acting.iter().map(|(line, _, _)| line.expense).collect();
    let mut rows = expense::store::lock_all(work.sql(), &batch.town, &ids).await?;
    rows.sort_by_key(|row| (row.account, row.id));
    let (mut moved, mut terms) = (Moved::default(), Terms::default());
    for row in rows {
        let Some((line, answer, moves)) = acting.iter().find(|(line, _, _)| line.expense == row.id) else {
            continue;
        };
        let failure = row.payee(work.vault())?.scrub(&answer.reason);
        let reference = answer.paid.clone().unwrap_or_default();
        let mut locked = Locked::of(row)?;
        if *moves == Moves::Paid {
            // who made the batch pays; who reads the file says what the bank did
            let payer = Actor::new(locked.row.paid_by.clone().unwrap_or_default(), &locked.row.paid_person);
            let term = terms.of(work, &locked.row).await?;
            pay(work, &mut moved, locked, (&payer, term, days), &reference).await?;
        } else {
            locked.row.payment_failure.clone_from(&failure);
            moved.failed.push(locked.row.amount());
            moved.changes.push(release(work, locked, "").await?);
        }
        let failure = if *moves == Moves::Failed { failure } else { String::new() };
        moved.lines.push(Resolved { n: line.n, state: moves.name(), bank_reference: reference, failure });
    }
    if !moved.entries.is_empty() {
        post(work, &batch.town, &moved.entries).await?;
    }
    Ok(moved)
}

fn told(town: &str, lines: &[Line], answers: &[Answer], one: &Matched) -> pb::ReconciledLine {
    let line = one.line.and_then(|at| lines.get(at));
    let answer = one.answer.and_then(|at| answers.get(at));
    let outcome = pb::ReconcileOutcome::from_str_name(&format!("RECONCILE_OUTCOME_{}", one.outcome.name()));
    pb::ReconciledLine {
        row: answer.map_or(0, |answer| number(answer.row)),
        line: line.map_or(0, |line| line.n),
        expense: line.map(|line| encode::expense(town, line)).unwrap_or_default(),
        outcome: outcome.unwrap_or_default().into(),
        expected_amount: line.map(|line| to_money(Fen::of(line.amount_fen))),
        file_amount: answer.map(|answer| to_money(answer.amount)),
    }
}

fn total(amounts: Vec<Fen>) -> Result<Fen, Refusal> {
    Fen::sum(amounts).map_err(Refusal::internal)
}

#[tonic::async_trait]
impl VerbGiven for Reconcile {
    type Given = Days;
    type Request = pb::ReconcilePaymentBatchRequest;
    type Answer = pb::ReconcilePaymentBatchResponse;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::ReconcilePaymentBatchResponse>, Refusal> {
        let batch = lock(work, &request.name, &request.etag).await?;
        let (call, town) = (work.call().clone(), batch.town.clone());
        transition(&TABLE, &batch.name(), batch.state()?, Verb::Reconcile)?;
        let lines = store::lines(work.sql(), &town, batch.id).await?;
        need_another(&town, Verb::Reconcile, &Actor::of(&call), &lines)?;
        let answers = file::read(&request.content)?;
        let matchable: Vec<rules::Line> = lines.iter().map(matchable).collect();
        let matched = rules::reconcile(&matchable, &answers);
        let moved = carry_out(work, days, (&batch, &lines), (&answers, &matched)).await?;
        let mut changes = moved.changes;
        // a file that says nothing new leaves the batch as it is
        if !moved.lines.is_empty() {
            store::resolve(work.sql(), &batch, &moved.lines, call.today()).await?;
            let pending =
                usize::try_from(batch.pending).unwrap_or_default().saturating_sub(moved.lines.len());
            let to = rules::after_file(pending);
            let version = store::enter(work.sql(), &batch, to, None).await?;
            changes.push(change(&batch, version, Verb::Reconcile, to, &request.comment)?);
        }
        let (batch, shown) = shown(work, &town, batch.id).await?;
        let differences = matched.iter().filter(|one| one.outcome.is_difference());
        let answer = pb::ReconcilePaymentBatchResponse {
            payment_batch: Some(shown),
            difference_count: number(differences.count()),
            lines: matched.iter().map(|one| told(&town, &lines, &answers, one)).collect(),
            paid_total: Some(to_money(total(moved.paid)?)),
            failed_total: Some(to_money(total(moved.failed)?)),
        };
        let summary = format!("reconcile {}: {} lines resolved", batch.name(), moved.lines.len());
        Ok(Record { town, resource: batch.name(), summary, changes, answer })
    }
}
