//! The operation `release`: books the allocations of an approved run, a thousand in a unit of work, each once. Its state, its entries, its
//! events and how far it is are written together, so that it may be killed at any point; the keys of the entries are unique beside.

use chassis::{
    operations::{Job, Progress, Running, any},
    refusal::Refusal,
    state::transition,
    work::{Change, Record, Work},
};
use kernel::{money::Fen, name::AllocationRunName, state::Named};
use prost_types::Any;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    compute::subject,
    encode,
    rules::{ALLOCATIONS, AllocationState, AllocationVerb, RUNS, RunState, RunVerb},
    store::{
        run::{self as store, Mark, Run},
        set::{self, Due},
    },
    taking,
    transitions::{change, reread},
};
use crate::ledger::{
    rules::{Entry, EntryKind, For, Fund, Key},
    store as ledger,
};

/// Its kind among operations.
pub(super) const KIND: &str = "release";

/// Allocations that one unit of work books.
const CHUNK: i64 = 1_000;

/// The job.
pub(crate) struct Release;

#[tonic::async_trait]
impl Job for Release {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let name = subject(running)?;
        let cursor = &running.stored.cursor;
        let mut after = cursor.get("after").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut done = cursor.get("done").and_then(Value::as_i64).unwrap_or_default();
        loop {
            let mut work = Work::plain(&running.context.db, &running.call).await?;
            let run = store::get(work.sql(), &name, true).await?;
            let run = run.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
            let from: RunState = named_state(&run)?;
            if from == RunState::Released {
                // the last unit was committed before its worker could say so
                return Ok(Some(any(&encode::run(running.context.service, &run)?)));
            }
            let due = set::due(work.sql(), &name, &after, CHUNK).await?;
            let mut changes = book(&mut work, &name, &run, &due).await?;
            let count = due.len();
            done += i64::try_from(count).map_err(Refusal::internal)?;
            let last = i64::try_from(count).map_err(Refusal::internal)? < CHUNK;
            if let Some(due) = due.last() {
                after.clone_from(&due.id);
            }
            if last {
                changes.push(complete(&mut work, &name, &run, from).await?);
            }
            let progress = Progress { cursor: json!({"after": after, "done": done}), done, total: 0 };
            let stop = running.keep(&mut work, &progress).await?;
            let answer = encode::run(running.context.service, &reread(&mut work, &name).await?)?;
            let record = Record {
                town: name.town().to_owned(),
                resource: name.to_string(),
                summary: format!("release {count} allocations of {name}"),
                changes,
                answer,
            };
            let answer = work.commit(record).await?.answer;
            if last {
                return Ok(Some(any(&answer)));
            }
            if stop {
                return Ok(None);
            }
        }
    }
}

fn named_state(run: &Run) -> Result<RunState, Refusal> {
    ledger::named(&run.state)
}

/// Books the differences of allocations and marks them; what to tell of each.
async fn book(
    work: &mut Work,
    name: &AllocationRunName,
    run: &Run,
    due: &[Due],
) -> Result<Vec<Change>, Refusal> {
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let (town, year) = (name.town(), run.fiscal_year);
    let moving: Vec<&Due> = due.iter().filter(|due| due.difference != Fen::ZERO).collect();
    let of_town = [Key::appropriation(Fund::Work, year), Key::appropriation(Fund::Service, year)];
    let of_committees = moving.iter().map(|due| Key::committee(due.fund, year, due.committee.as_str(), None));
    let keys: Vec<Key> = of_town.into_iter().chain(of_committees).collect();
    let accounts = ledger::open(work.sql(), town, &keys).await?;
    let (of_town, of_committees) = accounts.split_at(2);
    let (booked_on, mut entries) = (work.call().today(), Vec::with_capacity(moving.len()));
    for (due, account) in moving.iter().zip(of_committees) {
        let appropriation = of_town.iter().find(|town| town.key.fund == due.fund);
        let appropriation = appropriation.ok_or_else(|| Refusal::internal("no appropriation"))?;
        let (from, to, amount) = if due.difference > Fen::ZERO {
            (appropriation.id, account.id, due.difference)
        } else {
            (account.id, appropriation.id, Fen::of(-due.difference.fen()))
        };
        let what = For {
            kind: EntryKind::Allocation,
            key: &taking::key(&run.id, &due.committee, due.fund),
            fiscal_year: year,
            booked_on,
            subject: &encode::allocation_name(town, &due.id),
            description: &description(year, due.fund),
        };
        entries.push(Entry::simple(what, from, to, amount));
    }
    if !entries.is_empty() {
        ledger::post_aside(work, town, &entries).await?;
        ledger::post(work, town, &entries).await?;
    }
    let mut booked = entries.iter().map(|entry| entry.id);
    let marks = due.iter().map(|due| {
        let entry = if due.difference == Fen::ZERO { None } else { booked.next() };
        (due, entry)
    });
    let marks: Vec<(&Due, Option<Uuid>)> = marks.collect();
    set::booked(work.sql(), town, &marks).await?;
    let from = AllocationState::Computed;
    let to = transition(&ALLOCATIONS, &name.to_string(), from, AllocationVerb::Release)?;
    Ok(marks.into_iter().map(|(due, entry)| told(town, run, due, entry, (from, to))).collect())
}

fn description(year: i32, fund: Fund) -> String {
    match fund {
        Fund::Work => format!("{year} 年工作经费拨付"),
        Fund::Service => format!("{year} 年服务群众专项经费拨付"),
        Fund::Delegated => format!("{year} 年费随事转拨付"),
        Fund::ProjectPool => format!("{year} 年项目资金池拨付"),
    }
}

fn told(
    town: &str,
    run: &Run,
    due: &Due,
    entry: Option<Uuid>,
    (from, to): (AllocationState, AllocationState),
) -> Change {
    let name = encode::allocation_name(town, &due.id);
    Change {
        version: due.version + 1,
        verb: AllocationVerb::Release.name(),
        from_state: from.name(),
        to_state: to.name(),
        comment: String::new(),
        event: "allocation.released",
        data: json!({
            "allocation": name,
            "allocation_run": encode::run_name(town, &run.id),
            "committee": format!("towns/{town}/committees/{}", due.committee),
            "fund": due.fund.name(),
            "fiscal_year": run.fiscal_year,
            "amount_fen": due.amount.fen(),
            "difference": due.difference.to_string(),
            "entry": entry.map(|id| format!("towns/{town}/entries/{id}")).unwrap_or_default(),
        }),
        resource: name,
    }
}

/// Fills the project pool and ends the run.
async fn complete(
    work: &mut Work,
    name: &AllocationRunName,
    run: &Run,
    from: RunState,
) -> Result<Change, Refusal> {
    let to = transition(&RUNS, &name.to_string(), from, RunVerb::Complete)?;
    let (town, year) = (name.town(), run.fiscal_year);
    let difference = run.pool_fen - run.pool_former_fen;
    if difference != 0 {
        let keys = [Key::appropriation(Fund::ProjectPool, year), Key::pool(year)];
        let accounts = ledger::open(work.sql(), town, &keys).await?;
        let (from, to) = if difference > 0 { (0, 1) } else { (1, 0) };
        let what = For {
            kind: EntryKind::Allocation,
            key: &taking::pool_key(&run.id),
            fiscal_year: year,
            booked_on: work.call().today(),
            subject: &name.to_string(),
            description: &description(year, Fund::ProjectPool),
        };
        let amount = Fen::of(difference.abs());
        let entry = [Entry::simple(what, accounts[from].id, accounts[to].id, amount)];
        ledger::post_aside(work, town, &entry).await?;
        ledger::post(work, town, &entry).await?;
    }
    store::step(work.sql(), name, to, Mark::Released).await?;
    let after = reread(work, name).await?;
    change(name, &after, (RunVerb::Complete, from.name(), "allocationRun.released"), "")
}
