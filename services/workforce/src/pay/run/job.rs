//! The operation `pay`: draws up the statements of a run, some hundred workers in a unit of work, by their ids. One that was killed goes
//! on behind the last worker.

use std::collections::BTreeMap;

use chassis::{
    operations::{Job, Progress, Running, any},
    refusal::Refusal,
    state::transition,
    work::{Record, Work},
};
use jiff::civil::Date;
use kernel::{name::PayRunName, state::Named};
use prost_types::Any;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::change,
    encode,
    facts::{self, Employment, Known},
    store::{self, Drawn, Run},
};
use crate::pay::{
    lives::{RUNS, RunState, RunVerb},
    rules::{Earlier, Inputs, PayError, Scales, difference, months_on, statement, total},
    scale,
};

/// Its kind among operations.
pub(crate) const KIND: &str = "pay";
/// Workers in a unit of work.
const CHUNK: i64 = 500;

/// The job.
pub(crate) struct Pay;

/// What a run is computed with: it never changes.
struct Grounds {
    name: PayRunName,
    month: Date,
    /// The scale of the month.
    scale: String,
    scales: Scales,
    /// From when on each approved scale holds, in their order.
    order: Vec<(Date, String)>,
    /// The first month for which facts may have been corrected.
    since: Date,
}

impl Grounds {
    /// The days whose facts are looked at.
    fn days(&self) -> (Date, Date) {
        (self.since, months_on(self.month, 1))
    }

    /// The scale that holds for a month now.
    fn scale_of(&self, month: Date) -> Result<&str, Refusal> {
        let holding = self.order.iter().rfind(|(from, _)| *from <= month).map(|(_, id)| id.as_str());
        holding.ok_or_else(|| Refusal::internal(format!("no pay scale holds for {month}")))
    }
}

fn uncomputable(error: PayError) -> Refusal {
    Refusal::internal(error)
}

async fn grounds(running: &Running) -> Result<(Grounds, Run), Refusal> {
    let text = std::str::from_utf8(&running.input).map_err(Refusal::internal)?;
    let name: PayRunName = text.parse().map_err(Refusal::internal)?;
    let mut read = running.context.db.read().await?;
    let run = store::get(read.sql(), &name, false).await?;
    let run = run.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let (mut scales, mut order) = (Scales::new(), Vec::new());
    for row in scale::store::approved(read.sql(), name.town()).await? {
        order.push((row.since()?, row.id.clone()));
        scales.insert(row.id, row.terms.0);
    }
    let month = run.month()?;
    let back = scales.get(&run.scale).map_or(0, |scale| scale.difference_months);
    let since = months_on(month, -back);
    Ok((Grounds { name, month, scale: run.scale.clone(), scales, order, since }, run))
}

/// How far it is.
struct Cursor {
    after: String,
    done: i64,
    total: i64,
}

impl Cursor {
    async fn read(running: &Running, grounds: &Grounds) -> Result<Cursor, Refusal> {
        let kept = &running.stored.cursor;
        let after = kept.get("after").and_then(|after| after.as_str()).unwrap_or_default().to_owned();
        let done = kept.get("done").and_then(serde_json::Value::as_i64).unwrap_or_default();
        let mut read = running.context.db.read().await?;
        let total = facts::count(read.sql(), grounds.name.town(), grounds.days()).await?;
        Ok(Cursor { after, done, total })
    }

    fn progress(&self) -> Progress {
        Progress {
            cursor: json!({"after": self.after, "done": self.done}),
            done: self.done,
            total: self.total,
        }
    }
}

/// What became of a part.
enum Became {
    More,
    Over(Box<Run>),
    Stopped,
}

/// What a run that isn't being computed any more says: its last part was committed before its worker could say so, or it was given up.
fn over(run: Run) -> Result<Became, Refusal> {
    Ok(match run.state()? {
        RunState::Computing => Became::More,
        RunState::Cancelled => Became::Stopped,
        RunState::Computed | RunState::Approved => Became::Over(Box::new(run)),
    })
}

#[tonic::async_trait]
impl Job for Pay {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let (grounds, run) = grounds(running).await?;
        let mut cursor = Cursor::read(running, &grounds).await?;
        let mut became = over(run)?;
        loop {
            match became {
                Became::More => became = part(running, &grounds, &mut cursor).await?,
                Became::Over(run) => return Ok(Some(any(&encode::run(running.context.service, &run)?))),
                Became::Stopped => return Ok(None),
            }
        }
    }
}

/// A statement; none for somebody who isn't employed in the month and to whom nothing is owed.
fn draw(
    grounds: &Grounds,
    known: &Known,
    of: &Employment,
    earlier: Vec<Earlier>,
) -> Result<Option<Drawn>, Refusal> {
    let facts = known.facts(of, grounds.month);
    let inputs = Inputs { scale: grounds.scale.clone(), facts, earlier };
    let lines = statement(&grounds.scales, &inputs).map_err(uncomputable)?;
    if lines.is_empty() {
        return Ok(None);
    }
    let total_fen = total(&lines).map_err(uncomputable)?;
    Ok(Some(Drawn { id: Uuid::now_v7(), worker: of.worker.clone(), inputs, lines, total_fen }))
}

/// Earlier months that were approved and differ from what is known now.
fn earlier(
    grounds: &Grounds,
    known: &Known,
    of: &Employment,
    (months, paid): &(Vec<Date>, BTreeMap<(String, Date), i64>),
) -> Result<Vec<Earlier>, Refusal> {
    let mut differing = Vec::new();
    for month in months {
        let earlier = Earlier {
            scale: grounds.scale_of(*month)?.to_owned(),
            facts: known.facts(of, *month),
            paid_fen: paid.get(&(of.worker.clone(), *month)).copied().unwrap_or_default(),
        };
        if difference(&grounds.scales, &earlier).map_err(uncomputable)?.is_some() {
            differing.push(earlier);
        }
    }
    Ok(differing)
}

/// The statements of the next workers, and how many workers were looked at.
async fn next(
    work: &mut Work,
    grounds: &Grounds,
    cursor: &mut Cursor,
) -> Result<(Vec<Drawn>, bool), Refusal> {
    let (town, days) = (grounds.name.town(), grounds.days());
    let found = facts::employments(work.sql(), town, days, (&cursor.after, CHUNK)).await?;
    let workers: Vec<String> = found.iter().map(|of| of.worker.clone()).collect();
    let known = facts::known(work.sql(), town, &workers, days).await?;
    let paid = store::paid(work.sql(), town, &workers, (grounds.since, grounds.month)).await?;
    let mut drawn = Vec::with_capacity(found.len());
    for of in &found {
        let earlier = earlier(grounds, &known, of, &paid)?;
        drawn.extend(draw(grounds, &known, of, earlier)?);
    }
    if let Some(last) = workers.last() {
        cursor.after.clone_from(last);
    }
    cursor.done += i64::try_from(found.len()).unwrap_or_default();
    Ok((drawn, found.len() < usize::try_from(CHUNK).unwrap_or_default()))
}

/// Draws up the next statements and keeps how far it is, in one unit of work.
async fn part(running: &Running, grounds: &Grounds, cursor: &mut Cursor) -> Result<Became, Refusal> {
    let name = &grounds.name;
    let mut work = Work::plain(&running.context.db, &running.call).await?;
    let run = store::get(work.sql(), name, true).await?;
    let run = run.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let from = run.state()?;
    if from != RunState::Computing {
        return over(run);
    }
    let (drawn, last) = next(&mut work, grounds, cursor).await?;
    store::draw_up(work.sql(), name, (grounds.month, &drawn)).await?;
    let mut changes = Vec::new();
    if last {
        let to = transition(&RUNS, &name.to_string(), from, RunVerb::Compute)?;
        store::step(work.sql(), name, to, None).await?;
    }
    let run = store::get(work.sql(), name, false).await?;
    let run = run.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    if last {
        changes.push(change(name, &run, (RunVerb::Compute, from.name(), "payRun.computed"), "")?);
    }
    let stop = running.keep(&mut work, &cursor.progress()).await?;
    let record = Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("draw up {} statements of {name}", drawn.len()),
        changes,
        answer: encode::run(running.context.service, &run)?,
    };
    work.commit(record).await?;
    Ok(match (last, stop) {
        (true, _) => Became::Over(Box::new(run)),
        (false, true) => Became::Stopped,
        (false, false) => Became::More,
    })
}
