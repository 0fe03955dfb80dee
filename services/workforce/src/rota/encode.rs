//! Rotas on the wire.

use chassis::{
    fields::number,
    history,
    refusal::{Faults, FieldFault, Refusal},
    wire,
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    state::Named,
};

use super::{
    plan::{Hours, Obstacle, Policy, Staggered, Window},
    rules::{State, SwapState},
    store::{Row, Terms, duties, name as rota_name, swaps},
};

const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
    FieldSpec { name, column, kind }
}

const fn named(
    name: &'static str,
    column: &'static str,
    collection: &'static str,
    town: &'static str,
) -> FieldSpec {
    field(name, column, Kind::Name { collection, town })
}

/// What a List of policies may ask for.
pub(super) const POLICIES: &[FieldSpec] = &[field("start_date", "from_day", Kind::Date)];

/// What a List of rotas may ask for.
pub(super) const ROTAS: &[FieldSpec] = &[
    field("state", "r.state", Kind::Enum(State::NAMES)),
    field("start_date", "r.starts", Kind::Date),
    field("end_date", "r.ends", Kind::Date),
];

/// What a List of duties may ask for.
pub(super) const DUTIES: &[FieldSpec] = &[
    named("rota", "d.rota::text", "rotas", "d.town"),
    named("committee", "d.committee", "committees", "d.town"),
    named("worker", "d.worker", "workers", "d.town"),
    field("date", "d.day", Kind::Date),
    field("window", "d.part", Kind::Enum(Window::NAMES)),
    field("day_kind", "d.kind", Kind::Enum(kernel::calendar::DayKind::NAMES)),
    field("covered", "(d.worker is not null)", Kind::Bool),
    field("in_force", "(d.standing = 'IN_FORCE')", Kind::Bool),
];

/// What a List of swaps may ask for.
pub(super) const SWAPS: &[FieldSpec] = &[
    field("state", "s.state", Kind::Enum(SwapState::NAMES)),
    named("duty", "s.duty::text", "duties", "s.town"),
    named("worker", "s.worker", "workers", "s.town"),
    named("other_worker", "s.other_worker", "workers", "s.town"),
];

/// What a List of hours may ask for.
pub(super) const HOURS: &[FieldSpec] = &[
    named("worker", "d.worker", "workers", "d.town"),
    named("committee", "d.committee", "committees", "d.town"),
];

fn day(text: &str) -> Result<contracts::google::r#type::Date, Refusal> {
    history::day(text).map(wire::to_date)
}

/// A name below a town.
pub(super) fn below(town: &str, collection: &str, id: &str) -> String {
    format!("towns/{town}/{collection}/{id}")
}

fn day_kind(name: &str) -> i32 {
    pb::DutyDayKind::from_str_name(&format!("DUTY_DAY_KIND_{name}")).unwrap_or_default().into()
}

/// An obstacle by its name.
pub(super) fn obstacle(name: &str) -> i32 {
    pb::DutyObstacle::from_str_name(&format!("DUTY_OBSTACLE_{name}")).unwrap_or_default().into()
}

/// Obstacles of a request.
pub(super) fn obstacles(given: &[i32]) -> Vec<Obstacle> {
    let name = |one: &i32| pb::DutyObstacle::try_from(*one).unwrap_or_default().as_str_name();
    given
        .iter()
        .filter_map(|one| Obstacle::from_name(name(one).trim_start_matches("DUTY_OBSTACLE_")))
        .collect()
}

fn count(given: u32) -> i32 {
    number(given)
}

fn staggered(window: &Staggered) -> pb::StaggeredHours {
    pb::StaggeredHours {
        begin_minute: window.hours.begins,
        end_minute: window.hours.ends,
        weekdays: window.weekdays.iter().map(|day| i32::from(*day)).collect(),
        workers: count(window.workers),
        make_up_days: window.make_up_days,
    }
}

/// The terms of a policy without name and days.
fn terms(policy: &Policy) -> pb::RotaPolicy {
    pb::RotaPolicy {
        rest_cover: count(policy.rest_cover),
        holiday_cover: count(policy.holiday_cover),
        begin_minute: policy.hours.begins,
        end_minute: policy.hours.ends,
        rest_days: count(policy.rest_days),
        in_a_row: count(policy.in_a_row),
        noon: policy.noon.as_ref().map(staggered),
        evening: policy.evening.as_ref().map(staggered),
        ..Default::default()
    }
}

/// A policy.
pub(super) fn policy(stored: &Terms) -> Result<pb::RotaPolicy, Refusal> {
    Ok(pb::RotaPolicy {
        name: below(&stored.town, "rotaPolicies", &stored.id.to_string()),
        start_date: Some(day(&stored.from_day)?),
        create_time: Some(wire::to_timestamp(stored.created)),
        ..terms(&stored.terms)
    })
}

fn hours(faults: &mut Faults, field: &str, begins: i32, ends: i32) -> Option<Hours> {
    if begins < ends {
        return Some(Hours { begins, ends });
    }
    let (zh, en) = ("应晚于 begin_minute", "must come after begin_minute");
    faults.push(FieldFault::new(format!("{field}.end_minute"), "ORDER", zh, en));
    None
}

fn window(faults: &mut Faults, field: &str, given: &pb::StaggeredHours) -> Option<Staggered> {
    let hours = hours(faults, field, given.begin_minute, given.end_minute);
    let mut weekdays: Vec<i8> = given.weekdays.iter().filter_map(|day| i8::try_from(*day).ok()).collect();
    weekdays.sort();
    weekdays.dedup();
    if weekdays.is_empty() && !given.make_up_days {
        let (zh, en) = ("至少一天", "one day at least");
        faults.push(FieldFault::new(format!("{field}.weekdays"), "REQUIRED", zh, en));
    }
    let workers = u32::try_from(given.workers).unwrap_or_default();
    if workers == 0 {
        let (zh, en) = ("至少 1 人", "one at least");
        faults.push(FieldFault::new(format!("{field}.workers"), "REQUIRED", zh, en));
    }
    Some(Staggered { hours: hours?, weekdays, workers, make_up_days: given.make_up_days })
}

/// The policy of a request, from which day on, with every fault of it.
pub(super) fn read_policy(given: &pb::RotaPolicy) -> Result<(Date, Policy), Refusal> {
    let mut faults = Faults::default();
    let from = faults.take(wire::required_date("rota_policy.start_date", given.start_date.as_ref()));
    let hours = hours(&mut faults, "rota_policy", given.begin_minute, given.end_minute);
    let noon = given.noon.as_ref().map(|noon| window(&mut faults, "rota_policy.noon", noon));
    let evening = given.evening.as_ref().map(|evening| window(&mut faults, "rota_policy.evening", evening));
    let (from, hours) = faults.finish(from.zip(hours))?;
    let count = |given: i32| u32::try_from(given).unwrap_or_default();
    let policy = Policy {
        rest_cover: count(given.rest_cover),
        holiday_cover: count(given.holiday_cover),
        hours,
        rest_days: count(given.rest_days),
        in_a_row: count(given.in_a_row).max(1),
        noon: noon.flatten(),
        evening: evening.flatten(),
    };
    Ok((from, policy))
}

/// A rota without what only Get shows.
pub(super) fn rota(row: &Row) -> Result<pb::Rota, Refusal> {
    let (starts, ends) = row.days()?;
    let fairness = row.fairness.iter().map(|its| {
        let evenness = format!("ROTA_EVENNESS_{}", its.evenness);
        pb::RotaFairness {
            committee: below(&row.town, "committees", &its.committee),
            whole_days: its.whole_days,
            duties: count(its.duties),
            uncovered: count(its.uncovered),
            least: count(its.least),
            most: count(its.most),
            evenness: pb::RotaEvenness::from_str_name(&evenness).unwrap_or_default().into(),
        }
    });
    let changed = row.changed_days.iter().zip(&row.changed_from).zip(&row.changed_to);
    let changed = changed.map(|((date, before), now)| {
        Ok(pb::ChangedDay { date: Some(day(date)?), kind_before: day_kind(before), kind: day_kind(now) })
    });
    let mut policy = terms(&row.terms);
    if let (Some(id), Some(from)) = (row.policy, &row.policy_from) {
        policy.name = below(&row.town, "rotaPolicies", &id.to_string());
        policy.start_date = Some(day(from)?);
    }
    let other = |id: Option<uuid::Uuid>| id.map(|id| rota_name(&row.town, id)).unwrap_or_default();
    let state = format!("ROTA_STATE_{}", row.state()?.name());
    Ok(pb::Rota {
        name: row.name(),
        start_date: Some(wire::to_date(starts)),
        end_date: Some(wire::to_date(ends)),
        committees: row.committees.iter().map(|id| below(&row.town, "committees", id)).collect(),
        state: pb::RotaState::from_str_name(&state).unwrap_or_default().into(),
        policy: Some(policy),
        provisional: row.provisional,
        fairness: fairness.collect(),
        duties: number(row.duties),
        uncovered: number(row.uncovered),
        changed_days: changed.collect::<Result<_, Refusal>>()?,
        replaces: other(row.replaces),
        replaced_by: other(row.replaced_by),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        ..Default::default()
    })
}

/// A duty.
pub(super) fn duty(row: &duties::Row) -> Result<pb::Duty, Refusal> {
    let worker = |id: &str| below(&row.town, "workers", id);
    let hindered = row.why.hindered.iter().map(|its| {
        Ok(pb::HinderedWorker {
            worker: worker(&its.worker),
            obstacle: obstacle(&its.obstacle),
            other_date: its.other.as_deref().map(day).transpose()?,
        })
    });
    let choice = format!("DUTY_CHOICE_{}", row.why.choice);
    let part = format!("DUTY_WINDOW_{}", row.part);
    Ok(pb::Duty {
        name: row.name(),
        rota: rota_name(&row.town, row.rota),
        committee: below(&row.town, "committees", &row.committee),
        date: Some(day(&row.day)?),
        day_kind: day_kind(&row.kind),
        window: pb::DutyWindow::from_str_name(&part).unwrap_or_default().into(),
        seat: row.seat,
        begin_minute: row.begins,
        end_minute: row.ends,
        worker: row.worker.as_deref().map(worker).unwrap_or_default(),
        display_name: row.display_name.clone().unwrap_or_default(),
        in_force: row.is_in_force(),
        choice: pb::DutyChoice::from_str_name(&choice).unwrap_or_default().into(),
        able: count(row.why.able),
        duties_before: count(row.why.before),
        hindered: hindered.collect::<Result<_, Refusal>>()?,
        violations: row.violations.iter().map(|name| obstacle(name)).collect(),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
    })
}

/// A swap without what only Get shows.
pub(super) fn swap(row: &swaps::Row) -> Result<pb::DutySwap, Refusal> {
    let duty = |id: uuid::Uuid| duties::name(&row.town, id);
    let state = format!("DUTY_SWAP_STATE_{}", row.state()?.name());
    Ok(pb::DutySwap {
        name: row.name(),
        duty: duty(row.duty),
        worker: below(&row.town, "workers", &row.worker),
        other_worker: below(&row.town, "workers", &row.other_worker),
        other_duty: row.other_duty.map(duty).unwrap_or_default(),
        state: pb::DutySwapState::from_str_name(&state).unwrap_or_default().into(),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        ..Default::default()
    })
}

/// A worker with the duties of a period.
pub(super) fn hours_of(town: &str, row: &duties::Hours) -> pb::DutyHours {
    pb::DutyHours {
        worker: below(town, "workers", &row.worker),
        display_name: row.display_name.clone(),
        days: number(row.days),
        windows: number(row.windows),
        minutes: number(row.minutes),
    }
}
