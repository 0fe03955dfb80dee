//! Publishing a rota 发布, and throwing a draft away 作废.

use std::{collections::BTreeMap, sync::Arc};

use chassis::{
    actor::{Actor, another},
    comment, fields,
    refusal::Refusal,
    state::transition,
    work::{Record, VerbGiven, Work},
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::{calendar::Calendar, state::Named};

use super::{
    acts::{change, lock, record, reread},
    plan::{Obstacle, Standing},
    rules::{State, TABLE, Verb as Do, violations},
    store::{self, Row, duties, facts},
};
use crate::reasons::{ROTA_BROKEN, ROTA_CALENDAR_CHANGED, ROTA_UNCOVERED};

/// Duties of a rota, from a day on, whose workers can't be on them by the facts of now.
pub(super) async fn broken(
    sql: &mut sqlx::PgConnection,
    row: &Row,
    from: Date,
) -> Result<Vec<(duties::Row, Vec<Obstacle>)>, Refusal> {
    let (starts, ends) = row.days()?;
    let of = facts::Asked { town: &row.town, committees: &row.committees, from: starts, to: ends };
    let all = duties::of_rota(&mut *sql, (&row.town, row.id), starts).await?;
    let candidates = facts::candidates(&mut *sql, of).await?;
    let mut others: BTreeMap<String, Vec<Standing>> = BTreeMap::new();
    // what is in force elsewhere was looked at when the rota was published
    let elsewhere = match row.state()? {
        State::Draft => facts::standing(&mut *sql, of, row.replaces).await?,
        State::Published | State::Superseded | State::Discarded => Vec::new(),
    };
    for other in elsewhere {
        others.entry(other.worker.clone()).or_default().push(other);
    }
    // a rest that was given up by name is given up for both of the duties that it lies between
    let gave_up = |duty: &duties::Row| duty.violations.iter().any(|name| name == Obstacle::Resting.name());
    for duty in all.iter().filter(|duty| !gave_up(duty)) {
        if let Some(worker) = &duty.worker {
            let standing = Standing { worker: worker.clone(), day: duty.day()?, window: duty.window()? };
            others.entry(worker.clone()).or_default().push(standing);
        }
    }
    let mut found = Vec::new();
    for duty in all {
        let Some(worker) = duty.worker.clone() else { continue };
        let given = duty.given(&worker)?;
        if given.day < from {
            continue;
        }
        // all but one: the duty itself
        let mut its = others.get(&worker).cloned().unwrap_or_default();
        let own = its.iter().rposition(|one| one.day == given.day && one.window == given.window);
        if let Some(own) = own.filter(|_| !gave_up(&duty)) {
            its.remove(own);
        }
        let mut wrong = violations(&row.terms, given, &candidates, &its);
        wrong.retain(|obstacle| !duty.violations.iter().any(|name| name == obstacle.name()));
        if !wrong.is_empty() {
            found.push((duty, wrong));
        }
    }
    Ok(found)
}

/// Duties of a draft that have nobody, each of which must be named.
async fn need_gaps_named(
    work: &mut Work,
    row: &Row,
    request: &pb::PublishRotaRequest,
) -> Result<(), Refusal> {
    let all = duties::of_rota(work.sql(), (&row.town, row.id), row.days()?.0).await?;
    let gaps = all.iter().filter(|duty| duty.worker.is_none()).map(duties::Row::name);
    let unnamed: Vec<String> = gaps.filter(|name| !request.accepted_gaps.contains(name)).collect();
    if !unnamed.is_empty() {
        return Err(Refusal::new(&ROTA_UNCOVERED)
            .with("name", row.name())
            .with("duties", fields::some(&unnamed)));
    }
    if all.iter().any(|duty| duty.worker.is_none()) {
        comment::reason(&request.comment, &row.name(), Do::Publish.name())?;
    }
    Ok(())
}

/// Refuses a draft that the facts have overtaken.
async fn need_sound(work: &mut Work, row: &Row) -> Result<(), Refusal> {
    if !row.changed_days.is_empty() {
        return Err(Refusal::new(&ROTA_CALENDAR_CHANGED)
            .with("name", row.name())
            .with("days", fields::some(&row.changed_days)));
    }
    let broken = broken(work.sql(), row, row.days()?.0).await?;
    if broken.is_empty() {
        return Ok(());
    }
    let told = broken.iter().map(|(duty, wrong)| {
        let names: Vec<&str> = wrong.iter().map(|one| one.name()).collect();
        format!("{} ({}): {}", duty.name(), duty.day, names.join(" "))
    });
    let told: Vec<String> = told.collect();
    Err(Refusal::new(&ROTA_BROKEN).with("name", row.name()).with("duties", fields::some(&told)))
}

/// Whether the caller may publish: he neither made nor edited it.
pub(super) async fn need_another(
    sql: &mut sqlx::PgConnection,
    row: &Row,
    who: &Actor,
) -> Result<(), Refusal> {
    let maker = row.maker();
    let editors = store::editors(sql, row).await?;
    let mut former = vec![("generate", &maker)];
    former.extend(editors.iter().map(|editor| ("assign", editor)));
    another(&row.name(), Do::Publish.name(), who, &former)
}

/// PublishRota 发布.
pub(super) struct Publish;

#[tonic::async_trait]
impl VerbGiven for Publish {
    type Given = Arc<Calendar>;
    type Request = pb::PublishRotaRequest;
    type Answer = pb::Rota;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        calendar: &Arc<Calendar>,
        request: &Self::Request,
    ) -> Result<Record<pb::Rota>, Refusal> {
        let row = lock(work, calendar, (&request.name, &request.etag, Do::Publish)).await?;
        let who = Actor::of(work.call());
        need_another(work.sql(), &row, &who).await?;
        need_sound(work, &row).await?;
        need_gaps_named(work, &row, request).await?;
        let mut changes = Vec::new();
        if let Some(id) = row.replaces {
            let old = reread(work, (&row.town, id), calendar).await?;
            transition(&TABLE, &old.name(), old.state()?, Do::Supersede)?;
            store::supersede(work.sql(), &old, row.id, row.days()?.0).await?;
            let now = reread(work, (&row.town, id), calendar).await?;
            changes.push(change(&now, Do::Supersede, old.state()?.name(), &request.comment)?);
        }
        store::publish(work.sql(), &row, &who).await?;
        let now = reread(work, (&row.town, row.id), calendar).await?;
        changes.push(change(&now, Do::Publish, row.state()?.name(), &request.comment)?);
        record(&now, changes, Do::Publish)
    }
}

/// DiscardRota 作废.
pub(super) struct Discard;

#[tonic::async_trait]
impl VerbGiven for Discard {
    type Given = Arc<Calendar>;
    type Request = pb::DiscardRotaRequest;
    type Answer = pb::Rota;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        calendar: &Arc<Calendar>,
        request: &Self::Request,
    ) -> Result<Record<pb::Rota>, Refusal> {
        let row = lock(work, calendar, (&request.name, &request.etag, Do::Discard)).await?;
        let reason = comment::reason(&request.comment, &row.name(), Do::Discard.name())?;
        store::discard(work.sql(), &row).await?;
        let now = reread(work, (&row.town, row.id), calendar).await?;
        let told = change(&now, Do::Discard, row.state()?.name(), reason)?;
        record(&now, vec![told], Do::Discard)
    }
}
