//! The steps of a run that people take.

use chassis::{
    operations::store as operations,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::{common::v1::Obstacle, funding::v1 as pb};
use jiff::{Timestamp, civil::Date};
use kernel::{
    name::{AllocationRunName, TownName},
    state::Named,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    compute, encode, release,
    rules::{RUNS, RunState, RunVerb as Do},
    store::run::{self as store, Mark, New, Run},
    taking,
};
use crate::{
    actor::{self, Actor},
    comment,
    ledger::store::{named, year},
    policy,
    reasons::{EXCEPTION_NEEDED, OPERATION_RUNNING, POLICY_NOT_PUBLISHED, POLICY_SUPERSEDED, RUN_OPEN},
};

/// A run that is to be changed, locked.
async fn lock(work: &mut Work, name: &AllocationRunName, etag: &str) -> Result<Run, Refusal> {
    work.call().whole_town(name.town())?;
    let found = store::get(work.sql(), name, true).await?;
    let found = found.ok_or_else(|| Refusal::not_found("linli.dev/AllocationRun", name.to_string()))?;
    check_etag(&name.to_string(), etag, found.version)?;
    Ok(found)
}

/// The change that tells of a run's step.
pub(super) fn change(
    name: &AllocationRunName,
    run: &Run,
    (verb, from, event): (Do, &'static str, &'static str),
    comment: &str,
) -> Result<Change, Refusal> {
    Ok(Change {
        resource: name.to_string(),
        version: run.version,
        verb: verb.name(),
        from_state: from,
        to_state: named::<RunState>(&run.state)?.name(),
        comment: comment.to_owned(),
        event,
        data: encode::run_data(name, run),
    })
}

/// Reads a run that was just written.
pub(super) async fn reread(work: &mut Work, name: &AllocationRunName) -> Result<Run, Refusal> {
    let found = store::get(work.sql(), name, false).await?;
    found.ok_or_else(|| Refusal::internal(format!("{name} vanished")))
}

async fn record(
    work: &mut Work,
    name: &AllocationRunName,
    told: (Do, &'static str, &'static str),
    comment: &str,
) -> Result<Record<pb::AllocationRun>, Refusal> {
    let run = reread(work, name).await?;
    let service = work.call().service();
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", told.0.name()),
        changes: vec![change(name, &run, told, comment)?],
        answer: super::runs::summed(work.sql(), service, name, &run).await?,
    })
}

/// What a decision on a run rests on beside itself.
pub(super) struct Grounds {
    /// Everybody who adjusted an allocation of it.
    adjusters: Vec<Actor>,
    /// Allocations below their floor without an exception.
    below: i64,
}

impl Grounds {
    /// Of a run, as it is.
    pub(super) async fn of(sql: &mut PgConnection, name: &AllocationRunName) -> Result<Grounds, Refusal> {
        Ok(Grounds {
            adjusters: store::adjusters(sql, name).await?,
            below: store::exceptions_open(sql, name).await?,
        })
    }

    /// Refuses a run with amounts below their floor.
    fn need_floors(&self, name: &AllocationRunName) -> Result<(), Refusal> {
        if self.below == 0 {
            return Ok(());
        }
        Err(Refusal::new(&EXCEPTION_NEEDED).with("name", name).with("count", self.below))
    }

    /// Refuses `verb` to whoever created, submitted or adjusted the run.
    fn need_another(
        &self,
        name: &AllocationRunName,
        run: &Run,
        verb: Do,
        who: &Actor,
    ) -> Result<(), Refusal> {
        let creator = Actor::new(&run.created_by, &run.created_person);
        let submitted = (run.made_by(who) == Some("submit")).then_some(("submit", who));
        let former: Vec<(&str, &Actor)> = submitted
            .into_iter()
            .chain([("create", &creator)])
            .chain(self.adjusters.iter().map(|by| ("adjust", by)))
            .collect();
        actor::another(&name.to_string(), verb.name(), who, &former)
    }

    /// Refuses what more than the state forbids, and says what kind of obstacle it is.
    pub(super) fn need(
        &self,
        name: &AllocationRunName,
        run: &Run,
        verb: Do,
        who: &Actor,
    ) -> Result<(), (Obstacle, Refusal)> {
        let missing = |refusal| (Obstacle::Missing, refusal);
        let another = || self.need_another(name, run, verb, who).map_err(|why| (Obstacle::FourEyes, why));
        match verb {
            Do::Submit => {
                need_policy(name, run).map_err(missing)?;
                self.need_floors(name).map_err(missing)
            }
            Do::Approve => {
                another()?;
                need_policy(name, run).map_err(missing)
            }
            Do::Reject => another(),
            Do::Create | Do::Compute | Do::RequestRevision | Do::Cancel | Do::Release | Do::Complete => {
                Ok(())
            }
        }
    }
}

/// Refuses a run whose policy another has superseded.
fn need_policy(name: &AllocationRunName, run: &Run) -> Result<(), Refusal> {
    if run.policy_in_force {
        return Ok(());
    }
    Err(Refusal::new(&POLICY_SUPERSEDED)
        .with("name", name)
        .with("policy", policy::encode::name(name.town(), &run.policy)))
}

/// What every transition of a run is asked with.
struct Asked<'a> {
    name: &'a str,
    etag: &'a str,
    comment: &'a str,
}

macro_rules! asked {
    ($request:expr) => {
        Asked { name: &$request.name, etag: &$request.etag, comment: &$request.comment }
    };
}

/// A step that puts down who took it at most.
async fn take(
    work: &mut Work,
    asked: Asked<'_>,
    verb: Do,
    event: &'static str,
) -> Result<Record<pb::AllocationRun>, Refusal> {
    let name: AllocationRunName = wire::name("name", asked.name)?;
    let run = lock(work, &name, asked.etag).await?;
    let from: RunState = named(&run.state)?;
    let to = transition(&RUNS, &name.to_string(), from, verb)?;
    let by = Actor::of(work.call());
    let grounds = Grounds::of(work.sql(), &name).await?;
    grounds.need(&name, &run, verb, &by).map_err(|(_, refusal)| refusal)?;
    if matches!(verb, Do::RequestRevision | Do::Reject) {
        comment::reason(asked.comment, asked.name, verb.name())?;
    }
    let mark = match verb {
        Do::Submit => Mark::Submitted(&by),
        Do::Approve | Do::Reject => Mark::Decided(&by),
        Do::RequestRevision | Do::Cancel => Mark::None,
        Do::Create | Do::Compute | Do::Release | Do::Complete => {
            return Err(Refusal::internal(format!("{} is no plain step", verb.name())));
        }
    };
    store::step(work.sql(), &name, to, mark).await?;
    record(work, &name, (verb, from.name(), event), asked.comment).await
}

/// Declares a verb of a plain step.
macro_rules! step {
    ($(#[$doc:meta])* $name:ident, $request:ident, $verb:expr, $event:literal) => {
        $(#[$doc])*
        pub(super) struct $name;

        #[tonic::async_trait]
        impl Verb for $name {
            type Request = pb::$request;
            type Answer = pb::AllocationRun;

            chassis::intent!();

            async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::AllocationRun>, Refusal> {
                take(work, asked!(request), $verb, $event).await
            }
        }
    };
}

step! { /// SubmitAllocationRun.
Submit, SubmitAllocationRunRequest, Do::Submit, "allocationRun.submitted" }
step! { /// ApproveAllocationRun.
Approve, ApproveAllocationRunRequest, Do::Approve, "allocationRun.approved" }
step! { /// RequestAllocationRunRevision.
RequestRevision, RequestAllocationRunRevisionRequest, Do::RequestRevision, "allocationRun.revisionRequested" }
step! { /// RejectAllocationRun.
Reject, RejectAllocationRunRequest, Do::Reject, "allocationRun.rejected" }
step! { /// CancelAllocationRun.
Cancel, CancelAllocationRunRequest, Do::Cancel, "allocationRun.cancelled" }

/// The fault of a `read_time` that is still to come.
fn future() -> FieldFault {
    FieldFault::new("allocation_run.read_time", "FUTURE", "不能晚于现在", "must not lie in the future")
}

/// What a new run is asked with: its year, the day on which committees are looked at, and what was known when.
fn begin(given: &pb::AllocationRun, today: Date) -> Result<(i32, Date, Option<Timestamp>), Refusal> {
    let (mut faults, year) = (Faults::default(), given.fiscal_year);
    let of_year = |month, day| i16::try_from(year).ok().and_then(|year| Date::new(year, month, day).ok());
    let within = of_year(1, 1).zip(of_year(12, 31));
    if within.is_none() {
        faults.push(FieldFault::new("allocation_run.fiscal_year", "RANGE", "不是年度", "is no year"));
    }
    let field = "allocation_run.as_of_date";
    let as_of = faults.take(wire::date(field, given.as_of_date.as_ref())).zip(within).map(
        |(asked, (first, last))| match asked {
            // the day of the year that is next to today
            None => today.clamp(first, last),
            Some(day) => {
                if !(first..=last).contains(&day) {
                    let (zh, en) = ("须在该会计年度内", "must lie in the fiscal year");
                    faults.push(FieldFault::new(field, "OUTSIDE_YEAR", zh, en));
                }
                day
            }
        },
    );
    let field = "allocation_run.read_time";
    let read_time = faults.take(wire::instant(field, given.read_time.as_ref()));
    if read_time.flatten().is_some_and(|at| at > chassis::clock::recorded_now()) {
        faults.push(future());
    }
    let (as_of, read_time) = faults.finish(as_of.zip(read_time))?;
    Ok((year, as_of, read_time))
}

/// Begins an operation about a run.
async fn operate(
    work: &mut Work,
    name: &AllocationRunName,
    kind: &'static str,
    id: Uuid,
) -> Result<(), Refusal> {
    operations::begin(work, name.town(), id, kind, name.to_string().as_bytes()).await?;
    Ok(())
}

/// CreateAllocationRun.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateAllocationRunRequest;
    type Answer = pb::AllocationRun;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::AllocationRun>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let default = pb::AllocationRun::default();
        let given = request.allocation_run.as_ref().unwrap_or(&default);
        let (fiscal_year, as_of, read_time) = begin(given, work.call().today())?;
        let policy = policy::store::in_force(work.sql(), town.town(), fiscal_year).await?;
        let policy = policy.ok_or_else(|| Refusal::new(&POLICY_NOT_PUBLISHED).with("year", fiscal_year))?;
        year::need_open(work.sql(), town.town(), fiscal_year).await?;
        let is_open = |id: &str| {
            Refusal::new(&RUN_OPEN).with("year", fiscal_year).with("name", encode::run_name(town.town(), id))
        };
        if let Some(id) = store::open(work.sql(), town.town(), fiscal_year).await? {
            return Err(is_open(&id));
        }
        let (id, operation) = (Uuid::now_v7().to_string(), Uuid::now_v7());
        let name = AllocationRunName::new(town.town(), id).map_err(Refusal::internal)?;
        let new = New {
            fiscal_year,
            policy: &policy.id,
            purpose: given.purpose.trim(),
            as_of: as_of.to_string(),
            households_as_of: policy.terms().households_as_of.to_string(),
            read_time: read_time.map(|at| at.to_string()),
            pool_fen: policy.terms().project_pool.fen(),
            operation,
        };
        let by = Actor::of(work.call());
        let made = store::create(work.sql(), &name, &new, &by).await;
        made.map_err(|refusal| match refusal.constraint() {
            Some("run_one_open") => is_open("-").because(refusal),
            // the clock of the database is a little behind ours
            Some("run_knows_the_past") => Refusal::fields(vec![future()]),
            _ => refusal,
        })?;
        operate(work, &name, compute::KIND, operation).await?;
        record(work, &name, (Do::Create, "", "allocationRun.created"), &request.comment).await
    }
}

/// ReleaseAllocationRun.
pub(super) struct Release;

#[tonic::async_trait]
impl Verb for Release {
    type Request = pb::ReleaseAllocationRunRequest;
    type Answer = pb::AllocationRun;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::AllocationRun>, Refusal> {
        let name: AllocationRunName = wire::name("name", &request.name)?;
        let run = lock(work, &name, &request.etag).await?;
        let from: RunState = named(&run.state)?;
        let to = transition(&RUNS, &name.to_string(), from, Do::Release)?;
        if from == RunState::Releasing {
            need_ended(work, &name, &run).await?;
        }
        year::need_open(work.sql(), name.town(), run.fiscal_year).await?;
        if from == RunState::Approved {
            taking::set_aside(work, &name, &run).await?;
        }
        let operation = Uuid::now_v7();
        store::step(work.sql(), &name, to, Mark::Releasing(operation)).await?;
        operate(work, &name, release::KIND, operation).await?;
        record(work, &name, (Do::Release, from.name(), "allocationRun.releasing"), &request.comment).await
    }
}

/// Refuses another release while the operation of the last one is open.
async fn need_ended(work: &mut Work, name: &AllocationRunName, run: &Run) -> Result<(), Refusal> {
    let operation = operations::get(work.sql(), run.operation).await?;
    if !operation.is_some_and(|operation| operation.is_open()) {
        return Ok(());
    }
    let named = chassis::operations::name(work.call().service(), run.operation);
    Err(Refusal::new(&OPERATION_RUNNING).with("name", name).with("operation", named))
}
