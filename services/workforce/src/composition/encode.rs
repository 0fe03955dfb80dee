//! Targets and mixes on the wire.

use chassis::{
    fields::{self, number},
    refusal::{Faults, FieldFault, Refusal},
    wire,
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind as Type},
    state::Named,
};

use super::{
    rules::{Band, Counted, Group, Mix, OfAge, OfSchooling, OfSex, Range, Terms, groups, persons},
    store::Target,
};
use crate::{
    posting::encode::committee,
    worker::{
        encode::{read_schooling, schooling, sex},
        rules::Sex,
    },
};

/// What a List may ask for.
pub(super) const FILTER: &[FieldSpec] = &[
    FieldSpec {
        name: "committee",
        column: "t.committee",
        kind: Type::Name { collection: "committees", town: "t.town" },
    },
    FieldSpec { name: "start_date", column: "t.from_day::date", kind: Type::Date },
];

fn band(band: Band) -> pb::AgeBand {
    match band {
        Band::Young => pb::AgeBand::Young,
        Band::Middle => pb::AgeBand::Middle,
        Band::Senior => pb::AgeBand::Senior,
    }
}

fn required(field: String) -> FieldFault {
    FieldFault::new(field, "REQUIRED", "必填", "required")
}

fn range(field: &str, min: i32, max: i32) -> Result<Range, FieldFault> {
    match 0 <= min && min <= max && max <= 100 {
        true => Ok(Range { min, max }),
        false => {
            let (zh, en) =
                ("应为 0 至 100 且不小于 min_percent", "must be 0 to 100 and not less than min_percent");
            Err(FieldFault::new(format!("{field}.max_percent"), "RANGE", zh, en))
        }
    }
}

/// A sex as a request names it.
pub(super) fn read_sex(field: &str, given: pb::Sex) -> Result<Sex, FieldFault> {
    match given {
        pb::Sex::Female => Ok(Sex::Female),
        pb::Sex::Male => Ok(Sex::Male),
        pb::Sex::Unspecified => Err(required(field.to_owned())),
    }
}

fn twice(field: String) -> FieldFault {
    FieldFault::new(field, "TWICE", "重复", "given twice")
}

/// The rungs: each once, ages rising, the last without an end.
fn ages(faults: &mut Faults, given: &[pb::AgeTarget]) -> Vec<OfAge> {
    let mut ages: Vec<OfAge> = Vec::new();
    for (n, of) in given.iter().enumerate() {
        let field = format!("composition_target.ages[{n}]");
        let last = n + 1 == given.len();
        let until = (of.until_age != 0).then_some(of.until_age);
        let rises = ages
            .last()
            .and_then(|before| before.until)
            .is_none_or(|before| until.is_none_or(|at| at > before));
        if until.is_none() != last || !rises {
            let (zh, en) = (
                "各档年龄应递增，仅最后一档不填",
                "ages must rise from rung to rung, and the last rung alone has none",
            );
            faults.push(FieldFault::new(format!("{field}.until_age"), "ORDER", zh, en));
        }
        let its_band = Band::from_name(of.band().as_str_name().trim_start_matches("AGE_BAND_"));
        let its_band = faults.take(its_band.ok_or_else(|| required(format!("{field}.band"))));
        let range = faults.take(range(&field, of.min_percent, of.max_percent));
        let Some((band, range)) = its_band.zip(range) else { continue };
        if ages.iter().any(|before| before.band == band) {
            faults.push(twice(format!("{field}.band")));
        }
        ages.push(OfAge { band, until, range });
    }
    ages
}

fn schoolings(faults: &mut Faults, given: &[pb::SchoolingTarget]) -> Vec<OfSchooling> {
    let mut schoolings: Vec<OfSchooling> = Vec::new();
    for (n, of) in given.iter().enumerate() {
        let field = format!("composition_target.schoolings[{n}]");
        let at_least = faults.take(read_schooling(&format!("{field}.at_least"), of.at_least()));
        let range = faults.take(range(&field, of.min_percent, of.max_percent));
        let Some((at_least, range)) = at_least.zip(range) else { continue };
        if schoolings.iter().any(|before| before.at_least == at_least) {
            faults.push(twice(format!("{field}.at_least")));
        }
        schoolings.push(OfSchooling { at_least, range });
    }
    schoolings
}

fn sexes(faults: &mut Faults, given: &[pb::SexTarget]) -> Vec<OfSex> {
    let mut sexes: Vec<OfSex> = Vec::new();
    for (n, of) in given.iter().enumerate() {
        let field = format!("composition_target.sexes[{n}]");
        let its_sex = faults.take(read_sex(&format!("{field}.sex"), of.sex()));
        let range = faults.take(range(&field, of.min_percent, of.max_percent));
        let Some((sex, range)) = its_sex.zip(range) else { continue };
        if sexes.iter().any(|before| before.sex == sex) {
            faults.push(twice(format!("{field}.sex")));
        }
        sexes.push(OfSex { sex, range });
    }
    sexes
}

/// What a request says: the committee's id, from when on, the target.
pub(super) fn read(town: &str, given: &pb::CompositionTarget) -> Result<(String, Date, Terms), Refusal> {
    let mut faults = Faults::default();
    let committee = match given.committee.is_empty() {
        true => Some(String::new()),
        false => faults.take(fields::committee_id("composition_target.committee", town, &given.committee)),
    };
    let start = faults.take(wire::required_date("composition_target.start_date", given.start_date.as_ref()));
    let age_on = faults.take(wire::date("composition_target.age_date", given.age_date.as_ref()));
    let (ages, schoolings) = (ages(&mut faults, &given.ages), schoolings(&mut faults, &given.schoolings));
    let sexes = sexes(&mut faults, &given.sexes);
    let ((committee, start), age_on) = faults.finish(committee.zip(start).zip(age_on))?;
    Ok((committee, start, Terms { age_on, ages, schoolings, sexes }))
}

/// A target.
pub(super) fn target(target: &Target) -> Result<pb::CompositionTarget, Refusal> {
    let terms = &target.terms.0;
    let of_age = |of: &OfAge| pb::AgeTarget {
        band: band(of.band).into(),
        until_age: of.until.unwrap_or_default(),
        min_percent: of.range.min,
        max_percent: of.range.max,
    };
    let of_schooling = |of: &OfSchooling| pb::SchoolingTarget {
        at_least: schooling(of.at_least.name()).into(),
        min_percent: of.range.min,
        max_percent: of.range.max,
    };
    let of_sex = |of: &OfSex| pb::SexTarget {
        sex: sex(of.sex.name()).into(),
        min_percent: of.range.min,
        max_percent: of.range.max,
    };
    Ok(pb::CompositionTarget {
        name: target.name(),
        committee: committee(&target.town, &target.committee),
        start_date: Some(wire::to_date(target.since()?)),
        age_date: terms.age_on.map(wire::to_date),
        ages: terms.ages.iter().map(of_age).collect(),
        schoolings: terms.schoolings.iter().map(of_schooling).collect(),
        sexes: terms.sexes.iter().map(of_sex).collect(),
        etag: Etag::of(target.version).to_string(),
        update_time: Some(wire::to_timestamp(target.updated)),
    })
}

fn group(of: &Counted, all: i64) -> pb::CompositionGroup {
    use pb::{CompositionDimension as Dimension, CompositionFit as Fit};
    let plain = pb::CompositionGroup {
        persons: number(of.persons),
        share_ppm: number((1_000_000 * of.persons).checked_div(all).unwrap_or_default()),
        min_percent: of.range.min,
        max_percent: of.range.max,
        min_persons: number(of.fewest),
        max_persons: number(of.most),
        fit: match of.gap.signum() {
            1 => Fit::Below,
            -1 => Fit::Above,
            _ => Fit::Within,
        }
        .into(),
        gap_persons: number(of.gap),
        ..Default::default()
    };
    match of.group {
        Group::Age(its) => {
            pb::CompositionGroup { dimension: Dimension::Age.into(), age_band: band(its).into(), ..plain }
        }
        Group::Schooling(its) => pb::CompositionGroup {
            dimension: Dimension::Schooling.into(),
            at_least: schooling(its.name()).into(),
            ..plain
        },
        Group::Sex(its) => {
            pb::CompositionGroup { dimension: Dimension::Sex.into(), sex: sex(its.name()).into(), ..plain }
        }
    }
}

/// A mix with the gap to each target.
pub(super) fn composition(
    (town, its_committee): (&str, &str),
    (day, age_on): (Date, Date),
    target: Option<&Target>,
    mix: &Mix,
) -> pb::Composition {
    let all = persons(mix);
    let counted = target.map(|target| groups(&target.terms.0, mix)).unwrap_or_default();
    pb::Composition {
        committee: committee(town, its_committee),
        as_of_date: Some(wire::to_date(day)),
        age_date: Some(wire::to_date(age_on)),
        persons: number(all),
        composition_target: target.map(Target::name).unwrap_or_default(),
        groups: counted.iter().map(|of| group(of, all)).collect(),
    }
}
