//! Gathering a batch, writing its bank file, giving it up.

use chassis::{
    refusal::{Faults, FieldFault, PERMISSION_DENIED, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb as Acts, Work, check_etag},
};
use contracts::linli::funding::v1 as pb;
use kernel::{
    money::Fen,
    name::{ExpenseName, PaymentBatchName, TownName},
    state::Named,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    encode, file,
    rules::{self, State, TABLE, Verb},
    store::{self, Batch, Line, Resolved},
};
use crate::{
    actor::{Actor, another},
    expense::{
        self,
        edit::{Locked, Told},
        rules::Verb as Step,
    },
    money::to_money,
};

/// The permission to see payees in clear.
const REVEAL: &str = "funding.payees.reveal";
/// Lines of a batch at most.
const MOST: usize = 1_000;

/// Locks a batch, of a caller who acts for the whole town.
///
/// # Errors
/// NOT_FOUND, PERMISSION_DENIED, ETAG_MISMATCH.
pub(super) async fn lock(work: &mut Work, name: &str, etag: &str) -> Result<Batch, Refusal> {
    let name: PaymentBatchName = wire::name("name", name)?;
    work.call().whole_town(name.town())?;
    let batch = store::get(work.sql(), &name, true).await?;
    let batch = batch.ok_or_else(|| Refusal::not_found("linli.dev/PaymentBatch", name.to_string()))?;
    check_etag(&batch.name(), etag, batch.version)?;
    Ok(batch)
}

/// Refuses whoever applied for, reviewed or approved an expense of a batch.
///
/// # Errors
/// MAKER_IS_CHECKER with the expense.
pub(super) fn need_another(town: &str, verb: Verb, who: &Actor, lines: &[Line]) -> Result<(), Refusal> {
    for line in lines {
        let former = line.former();
        let former: Vec<(&str, &Actor)> = former.iter().map(|(step, actor)| (*step, actor)).collect();
        another(&encode::expense(town, line), verb.name(), who, &former)?;
    }
    Ok(())
}

/// A step as it is told of the batch.
pub(super) fn change(
    batch: &Batch,
    version: i64,
    verb: Verb,
    to: State,
    comment: &str,
) -> Result<Change, Refusal> {
    let event = match verb {
        Verb::Create => "paymentBatch.created",
        Verb::Export => "paymentBatch.exported",
        Verb::Reconcile => "paymentBatch.reconciled",
        Verb::Cancel => "paymentBatch.cancelled",
    };
    Ok(Change {
        resource: batch.name(),
        version,
        verb: verb.name(),
        from_state: if verb == Verb::Create { "" } else { batch.state()?.name() },
        to_state: to.name(),
        comment: comment.to_owned(),
        event,
        data: json!({"payment_batch": batch.name(), "number": batch.number, "state": to.name(), "lines": batch.lines, "total_fen": batch.total_fen}),
    })
}

/// A batch as it is now, with its lines.
pub(super) async fn shown(
    work: &mut Work,
    town: &str,
    id: Uuid,
) -> Result<(Batch, pb::PaymentBatch), Refusal> {
    let name = PaymentBatchName::new(town, id.to_string()).map_err(Refusal::internal)?;
    let batch = store::get(work.sql(), &name, false).await?;
    let batch = batch.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let lines = store::lines(work.sql(), town, id).await?;
    let vault = work.vault().clone();
    let shown = pb::PaymentBatch {
        lines: lines.iter().map(|line| encode::line(&vault, town, line)).collect::<Result<_, _>>()?,
        ..encode::batch(&batch)?
    };
    Ok((batch, shown))
}

/// CreatePaymentBatch.
pub(super) struct Create;

/// The expenses that are named, each once.
fn named(town: &str, names: &[String]) -> Result<Vec<Uuid>, Refusal> {
    let mut faults = Faults::default();
    let mut ids: Vec<Uuid> = Vec::with_capacity(names.len());
    for (n, name) in names.iter().enumerate() {
        let field = format!("expenses[{n}]");
        let Some(name) = faults.take(chassis::fields::in_town(&field, name, town, ExpenseName::town)) else {
            continue;
        };
        match Uuid::parse_str(name.expense()) {
            Ok(id) if ids.contains(&id) => {
                faults.push(FieldFault::new(field, "REPEATED", "与前面的重复", "stands there twice"));
            }
            Ok(id) => ids.push(id),
            Err(error) => faults.push(FieldFault::new(field, "FORMAT", "不是支出名称", error.to_string())),
        }
    }
    if names.is_empty() || names.len() > MOST {
        let (zh, en) = ("一批 1 至 1000 笔", "a batch has 1 to 1,000 expenses");
        faults.push(FieldFault::new("expenses", "COUNT", zh, en));
    }
    faults.finish(Some(ids))
}

#[tonic::async_trait]
impl Acts for Create {
    type Request = pb::CreatePaymentBatchRequest;
    type Answer = pb::PaymentBatch;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::PaymentBatch>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let (town, call) = (town.town(), work.call().clone());
        call.whole_town(town)?;
        let ids = named(town, &request.expenses)?;
        let (who, today) = (Actor::of(&call), call.today());
        let mut rows = expense::store::lock_all(work.sql(), town, &ids).await?;
        if let Some(lacking) = ids.iter().find(|id| rows.iter().all(|row| row.id != **id)) {
            return Err(Refusal::not_found("linli.dev/Expense", format!("towns/{town}/expenses/{lacking}")));
        }
        // in the order of the request, which is that of the bank file
        rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
        let id = Uuid::now_v7();
        let year = today.year();
        let batch_number = rules::number(year, store::next_number(work.sql(), town, year).await?);
        let mut changes = Vec::with_capacity(rows.len() + 1);
        for row in rows {
            let mut locked = Locked::of(row)?;
            let to = locked.next(Step::Batch, &who, today)?;
            (locked.row.paid_by, locked.row.paid_person) = (Some(who.principal.clone()), who.person.clone());
            to.name().clone_into(&mut locked.row.state);
            locked.row.since = today.to_string();
            locked.row.payment_failure.clear();
            let told = Told { verb: Step::Batch, event: "expense.batched", comment: &request.comment };
            changes.push(expense::edit::save(work, &mut locked, told).await?);
        }
        store::create(work.sql(), (town, id, &batch_number), (&who, today), &ids).await?;
        let (batch, answer) = shown(work, town, id).await?;
        changes.push(change(&batch, 1, Verb::Create, State::Draft, &request.comment)?);
        let summary = format!("create {} with {} lines", batch.name(), batch.lines);
        Ok(Record { town: town.to_owned(), resource: batch.name(), summary, changes, answer })
    }
}

/// ExportPaymentBatch.
pub(super) struct Export;

/// The bank file of lines, in clear.
fn bank_file(work: &Work, town: &str, lines: &[&Line]) -> Result<Vec<u8>, Refusal> {
    let payees =
        lines.iter().map(|line| encode::payee(work.vault(), town, line)).collect::<Result<Vec<_>, _>>()?;
    let orders = lines.iter().zip(&payees).map(|(line, payee)| file::Order {
        n: line.n,
        expense: &line.number,
        payee: &payee.display_name,
        account: &payee.account_number,
        bank: &payee.bank,
        amount: Fen::of(line.amount_fen),
        purpose: &line.purpose,
    });
    file::write(&orders.collect::<Vec<_>>())
}

#[tonic::async_trait]
impl Acts for Export {
    type Request = pb::ExportPaymentBatchRequest;
    type Answer = pb::ExportPaymentBatchResponse;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        request: &Self::Request,
    ) -> Result<Record<pb::ExportPaymentBatchResponse>, Refusal> {
        let batch = lock(work, &request.name, &request.etag).await?;
        let (call, town) = (work.call().clone(), batch.town.clone());
        if !call.may(REVEAL, &town).is_town() {
            return Err(Refusal::new(&PERMISSION_DENIED).with("permission", REVEAL));
        }
        let from = batch.state()?;
        let to = transition(&TABLE, &batch.name(), from, Verb::Export)?;
        let lines = store::lines(work.sql(), &town, batch.id).await?;
        need_another(&town, Verb::Export, &Actor::of(&call), &lines)?;
        let whole = bank_file(work, &town, &lines.iter().collect::<Vec<_>>())?;
        let sha256 = Sha256::digest(&whole).to_vec();
        let changes = if from == to {
            // what the bank has is what is handed out again
            if batch.file_sha256.as_deref() != Some(&sha256[..]) {
                return Err(Refusal::internal(format!("the file of {} is another one", batch.name())));
            }
            Vec::new()
        } else {
            let version = store::enter(work.sql(), &batch, to, Some((call.today(), &sha256))).await?;
            vec![change(&batch, version, Verb::Export, to, &request.comment)?]
        };
        let (batch, shown) = shown(work, &town, batch.id).await?;
        // a bank pays whatever stands in a file: what it has answered for is left out
        let open: Vec<&Line> = lines.iter().filter(|line| line.is_pending()).collect();
        let content = if open.len() == lines.len() { whole } else { bank_file(work, &town, &open)? };
        let total = Fen::sum(open.iter().map(|line| Fen::of(line.amount_fen))).map_err(Refusal::internal)?;
        let summary = format!("export {}: {} payees in clear", batch.name(), open.len());
        let answer = pb::ExportPaymentBatchResponse {
            payment_batch: Some(shown),
            file_name: format!("{}.csv", batch.number),
            sha256: hex::encode(Sha256::digest(&content)),
            content: content.into(),
            line_count: i32::try_from(open.len()).map_err(Refusal::internal)?,
            total: Some(to_money(total)),
        };
        Ok(Record { town, resource: batch.name(), summary, changes, answer })
    }
}

/// CancelPaymentBatch.
pub(super) struct Cancel;

#[tonic::async_trait]
impl Acts for Cancel {
    type Request = pb::CancelPaymentBatchRequest;
    type Answer = pb::PaymentBatch;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::PaymentBatch>, Refusal> {
        let batch = lock(work, &request.name, &request.etag).await?;
        let (town, today) = (batch.town.clone(), work.call().today());
        let to = transition(&TABLE, &batch.name(), batch.state()?, Verb::Cancel)?;
        let lines = store::lines(work.sql(), &town, batch.id).await?;
        let ids: Vec<Uuid> = lines.iter().map(|line| line.expense).collect();
        let mut changes = Vec::with_capacity(ids.len() + 1);
        for row in expense::store::lock_all(work.sql(), &town, &ids).await? {
            changes.push(release(work, Locked::of(row)?, &request.comment).await?);
        }
        let released = lines.iter().map(|line| Resolved {
            n: line.n,
            state: "RELEASED",
            bank_reference: String::new(),
            failure: String::new(),
        });
        store::resolve(work.sql(), &batch, &released.collect::<Vec<_>>(), today).await?;
        let version = store::enter(work.sql(), &batch, to, None).await?;
        changes.push(change(&batch, version, Verb::Cancel, to, &request.comment)?);
        let (batch, answer) = shown(work, &town, batch.id).await?;
        let summary = format!("cancel {}", batch.name());
        Ok(Record { town, resource: batch.name(), summary, changes, answer })
    }
}

/// An expense leaves its batch unpaid: it is approved as before, and nobody's payment.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn release(work: &mut Work, mut locked: Locked, comment: &str) -> Result<Change, Refusal> {
    let (who, today) = (Actor::of(work.call()), work.call().today());
    let to = locked.next(Step::Release, &who, today)?;
    locked.row.paid_by = None;
    locked.row.paid_person.clear();
    to.name().clone_into(&mut locked.row.state);
    locked.row.since = today.to_string();
    expense::edit::save(work, &mut locked, Told { verb: Step::Release, event: "expense.released", comment })
        .await
}
