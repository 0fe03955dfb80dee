//! Checks of cover on the wire.

use chassis::wire;
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::state::Named;

use super::{
    rules::{Line, is_covered},
    words,
};
use crate::adjudication::{Step, words::words as in_words};

fn step(step: &Step) -> pb::CoverStep {
    let words = in_words(*step);
    pb::CoverStep {
        rule: step.rule.name().to_owned(),
        input: step.input,
        effect: step.effect,
        text_zh: words.zh,
        text_en: words.en,
        clause: step.rule.clause().to_owned(),
    }
}

/// What one programme says.
pub(crate) fn line(town: &str, line: &Line) -> pb::ProgrammeCover {
    let (reason_zh, reason_en) =
        words::reason(line).map_or_else(Default::default, |words| (words.zh, words.en));
    pb::ProgrammeCover {
        programme: format!("towns/{town}/programmes/{}", line.programme),
        title: line.title.clone(),
        policy: format!("towns/{town}/policies/{}", line.policy),
        policy_version: line.version,
        rank: line.rank,
        covered: line.rule.is_none(),
        reason: line.rule.map_or("", Named::name).to_owned(),
        reason_zh,
        reason_en,
        trace: line.steps.iter().map(step).collect(),
    }
}

/// What all of them say.
pub(super) fn check(town: &str, day: Date, lines: &[Line]) -> pb::CoverCheck {
    let words = words::explanation(lines);
    pb::CoverCheck {
        covered: is_covered(lines),
        date: Some(wire::to_date(day)),
        explanation_zh: words.zh,
        explanation_en: words.en,
        programmes: lines.iter().map(|one| line(town, one)).collect(),
    }
}
