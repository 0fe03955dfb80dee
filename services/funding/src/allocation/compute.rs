//! The operation `allocate`: reads the committees of a town page by page and stores what the formula gives them, a thousand in a unit of
//! work. One that was killed goes on behind the last page.

use chassis::{
    governance::{CommitteePage, CommitteesAsked, Governance},
    operations::{Job, Progress, Running, any},
    refusal::{PAGE_TOKEN_INVALID, Refusal},
    state::transition,
    wire,
    work::{Record, Work},
};
use contracts::linli::{funding::v1 as pb, governance::v1 as gov};
use jiff::Timestamp;
use kernel::{
    name::{AllocationRunName, CommitteeName, TownName},
    state::Named,
};
use prost_types::Any;
use serde_json::{Value, json};

use super::{
    encode,
    rules::{FUNDS, Facts, RUNS, RunState, RunVerb, calculate},
    store::{
        run::{self as store, Mark, Run},
        set::{self, Computed},
    },
    transitions::{change, reread},
};
use crate::{
    ledger::store::named,
    policy::{
        self,
        rules::{CommitteeKind, Difficulty, ManagementClass, Policy},
    },
};

/// Its kind among operations.
pub(super) const KIND: &str = "allocate";

/// The job; committees come from governance.
pub(crate) struct Allocate(pub(crate) Governance);

/// How often it begins again because the page before is too old.
const RESTARTS: u32 = 3;

/// How far it is.
#[derive(Clone, Debug, Default)]
struct Cursor {
    /// The page that comes next; empty for the first.
    page_token: String,
    /// Committees read.
    done: i64,
    /// Committees that the policy doesn't allocate to.
    skipped: i32,
}

impl Cursor {
    fn read(value: &Value) -> Cursor {
        let number = |key: &str| value.get(key).and_then(Value::as_i64).unwrap_or_default();
        Cursor {
            page_token: value.get("page_token").and_then(Value::as_str).unwrap_or_default().to_owned(),
            done: number("done"),
            skipped: i32::try_from(number("skipped")).unwrap_or_default(),
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            cursor: json!({"page_token": self.page_token, "done": self.done, "skipped": self.skipped}),
            done: self.done,
            total: 0,
        }
    }
}

/// The run that an operation is about.
pub(super) fn subject(running: &Running) -> Result<AllocationRunName, Refusal> {
    let text = std::str::from_utf8(&running.input).map_err(Refusal::internal)?;
    text.parse().map_err(Refusal::internal)
}

/// What a run is computed with: it never changes.
struct Grounds {
    name: AllocationRunName,
    run: Run,
    policy: Policy,
}

#[tonic::async_trait]
impl Job for Allocate {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let grounds = grounds(running).await?;
        let (mut cursor, mut restarts) = (Cursor::read(&running.stored.cursor), 0);
        let mut stored = over(running, &grounds.run)?;
        loop {
            match stored {
                Stored::More => {}
                Stored::Last(run) => return Ok(Some(any(run.as_ref()))),
                Stored::Stopped => return Ok(None),
            }
            stored = match self.page(&grounds, &cursor).await {
                Ok(page) => store_page(running, &grounds, page, &mut cursor).await?,
                Err(refusal) => {
                    begins_again(refusal, &mut restarts)?;
                    cursor = Cursor::default();
                    Stored::More
                }
            };
        }
    }
}

impl Allocate {
    async fn page(&self, grounds: &Grounds, cursor: &Cursor) -> Result<CommitteePage, Refusal> {
        let day = |text: &str| text.parse().map_err(Refusal::internal);
        let asked = CommitteesAsked {
            town: TownName::new(grounds.name.town()).map_err(Refusal::internal)?,
            as_of_date: day(&grounds.run.as_of)?,
            household_count_date: Some(day(&grounds.run.households_as_of)?),
            read_time: Some(Timestamp::from_microsecond(grounds.run.read_time).map_err(Refusal::internal)?),
            page_token: cursor.page_token.clone(),
        };
        self.0.committees(asked).await
    }
}

async fn grounds(running: &Running) -> Result<Grounds, Refusal> {
    let name = subject(running)?;
    let mut read = running.context.db.read().await?;
    let run = store::get(read.sql(), &name, false).await?;
    let run = run.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let policy = policy::store::by_id(read.sql(), name.town(), &run.policy).await?;
    Ok(Grounds { name, run, policy })
}

/// Lets it begin again where the page before is too old: what is stored already stays, and is passed over. Every other refusal stands,
/// and this one too when it keeps coming.
fn begins_again(refusal: Refusal, restarts: &mut u32) -> Result<(), Refusal> {
    if *restarts == RESTARTS || !std::ptr::eq(refusal.reason(), &PAGE_TOKEN_INVALID) {
        return Err(refusal);
    }
    *restarts += 1;
    Ok(())
}

/// What a run that isn't being computed any more says: its last unit was committed before its worker could say so, or it was given up.
fn over(running: &Running, run: &Run) -> Result<Stored, Refusal> {
    Ok(match named(&run.state)? {
        RunState::Computing => Stored::More,
        RunState::Cancelled => Stored::Stopped,
        RunState::Computed
        | RunState::Submitted
        | RunState::Approved
        | RunState::Releasing
        | RunState::Released
        | RunState::Rejected => Stored::Last(Box::new(encode::run(running.context.service, run)?)),
    })
}

/// What became of a page.
enum Stored {
    /// Another follows.
    More,
    /// It was the last.
    Last(Box<pb::AllocationRun>),
    /// Stopping was asked for, or the run was given up.
    Stopped,
}

async fn store_page(
    running: &Running,
    grounds: &Grounds,
    page: CommitteePage,
    cursor: &mut Cursor,
) -> Result<Stored, Refusal> {
    let Grounds { name, policy, .. } = grounds;
    let computed = compute(policy, &page.committees, cursor)?;
    cursor.page_token = page.next_page_token;
    let mut work = Work::plain(&running.context.db, &running.call).await?;
    let run = store::get(work.sql(), name, true).await?;
    let run = run.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let from: RunState = named(&run.state)?;
    if from != RunState::Computing {
        return over(running, &run);
    }
    set::insert(work.sql(), name, policy.fiscal_year(), &computed).await?;
    let last = cursor.page_token.is_empty();
    let mut changes = Vec::new();
    if last {
        let to = transition(&RUNS, &name.to_string(), from, RunVerb::Compute)?;
        store::step(work.sql(), name, to, Mark::Computed(cursor.skipped)).await?;
        let run = reread(&mut work, name).await?;
        let told = (RunVerb::Compute, from.name(), "allocationRun.computed");
        changes.push(change(name, &run, told, "")?);
    }
    let stop = running.keep(&mut work, &cursor.progress()).await?;
    let run = reread(&mut work, name).await?;
    let record = Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("compute {} allocations of {name}", computed.len()),
        changes,
        answer: encode::run(running.context.service, &run)?,
    };
    let answer = work.commit(record).await?.answer;
    Ok(match (last, stop) {
        (true, _) => Stored::Last(Box::new(answer)),
        (false, true) => Stored::Stopped,
        (false, false) => Stored::More,
    })
}

/// What the formula gives the committees of a page, in their order; those that are none any more get nothing.
fn compute(
    policy: &Policy,
    committees: &[gov::Committee],
    cursor: &mut Cursor,
) -> Result<Vec<Computed>, Refusal> {
    let mut computed = Vec::with_capacity(FUNDS.len() * committees.len());
    for committee in committees {
        cursor.done += 1;
        let exists =
            matches!(committee.state(), gov::CommitteeState::Preparing | gov::CommitteeState::Founded);
        let Some(facts) = facts(committee)?.filter(|_| exists) else { continue };
        if !policy.covers(facts.kind) {
            cursor.skipped += 1;
            continue;
        }
        let name: CommitteeName = committee.name.parse().map_err(Refusal::internal)?;
        for fund in FUNDS {
            computed.push(Computed {
                committee: name.clone(),
                display_name: committee.display_name.clone(),
                fund,
                calculation: calculate(policy, fund, &facts).map_err(Refusal::internal)?,
                facts: facts.clone(),
                least: policy.floor(fund),
            });
        }
    }
    Ok(computed)
}

/// What governance says of a committee, as far as the formula asks.
fn facts(committee: &gov::Committee) -> Result<Option<Facts>, Refusal> {
    let kind = match committee.kind() {
        gov::CommitteeKind::Unspecified => return Ok(None),
        gov::CommitteeKind::ResidentsCommittee => CommitteeKind::ResidentsCommittee,
        gov::CommitteeKind::VillagersCommittee => CommitteeKind::VillagersCommittee,
    };
    let date = |field: &str, given| {
        wire::date(field, given).map_err(|fault| Refusal::internal(format!("{}: {}", fault.field, fault.en)))
    };
    let preparation = date("preparation_start_date", committee.preparation_start_date.as_ref())?;
    let founding = date("founding_date", committee.founding_date.as_ref())?;
    let count = committee.household_count.as_ref();
    Ok(Some(Facts {
        kind,
        management_class: match committee.management_class() {
            gov::ManagementClass::Unspecified => None,
            gov::ManagementClass::A => Some(ManagementClass::A),
            gov::ManagementClass::B => Some(ManagementClass::B),
            gov::ManagementClass::C => Some(ManagementClass::C),
        },
        difficulty: match committee.difficulty() {
            gov::Difficulty::Unspecified => None,
            gov::Difficulty::Normal => Some(Difficulty::Normal),
            gov::Difficulty::Hard => Some(Difficulty::Hard),
        },
        begun_on: preparation.or(founding),
        households: count.map(|count| count.households),
        counted_on: date("valid_date", count.and_then(|count| count.valid_date.as_ref()))?,
    }))
}

#[cfg(test)]
mod tests {
    use chassis::refusal::CONFLICT;

    use super::*;

    #[test]
    fn a_page_that_is_always_too_old_is_told_at_last() {
        let mut restarts = 0;
        for _ in 0..RESTARTS {
            assert!(begins_again(Refusal::new(&PAGE_TOKEN_INVALID), &mut restarts).is_ok());
        }
        assert!(begins_again(Refusal::new(&PAGE_TOKEN_INVALID), &mut restarts).is_err());
        assert!(begins_again(Refusal::new(&CONFLICT), &mut 0).is_err());
    }
}
