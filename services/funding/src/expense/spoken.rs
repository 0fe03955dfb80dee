//! What keeps somebody from a step, as a refusal and as an obstacle beside `available_actions`.

use chassis::{
    refusal::{MAKER_IS_CHECKER, Refusal},
    state::Hindrance as Told,
};
use contracts::linli::common::v1::Obstacle;
use jiff::civil::Date;
use kernel::state::Named;

use super::rules::{Facts, Hindrance, Verb};
use crate::{
    actor::Actor,
    reasons::{NOT_THE_APPLICANT, NOTICE_OVER, NOTICE_REQUIRED, NOTICE_RUNNING, OBJECTION_OPEN},
};

/// Refuses `verb` to `who` when something keeps him from it today.
///
/// # Errors
/// MAKER_IS_CHECKER, NOT_THE_APPLICANT, NOTICE_REQUIRED, NOTICE_RUNNING, NOTICE_OVER, OBJECTION_OPEN.
pub(crate) fn need_open(
    name: &str,
    facts: &Facts,
    verb: Verb,
    who: &Actor,
    today: Date,
) -> Result<(), Refusal> {
    facts.hindrance(verb, who, today).map_or(Ok(()), |hindrance| Err(refusal(name, verb, hindrance)))
}

fn refusal(name: &str, verb: Verb, hindrance: Hindrance) -> Refusal {
    match hindrance {
        Hindrance::FourEyes(former) => Refusal::new(&MAKER_IS_CHECKER)
            .with("name", name)
            .with("verb", verb.name())
            .with("former", former)
            .violating("FOUR_EYES", name, format!("{}: {former}", verb.name())),
        Hindrance::OnlyApplicant => {
            Refusal::new(&NOT_THE_APPLICANT).with("name", name).with("verb", verb.name())
        }
        Hindrance::NoticeRequired => Refusal::new(&NOTICE_REQUIRED).with("name", name),
        Hindrance::NoticeRunning(due) => Refusal::new(&NOTICE_RUNNING).with("name", name).with("due", due),
        Hindrance::NoticeOver(due) => Refusal::new(&NOTICE_OVER).with("name", name).with("due", due),
        Hindrance::ObjectionOpen(count) => {
            Refusal::new(&OBJECTION_OPEN).with("name", name).with("count", count)
        }
    }
}

/// The same for `available_actions`.
pub(crate) fn told(name: &str, verb: Verb, hindrance: Hindrance) -> Told {
    let obstacle = match hindrance {
        Hindrance::FourEyes(_) | Hindrance::OnlyApplicant => Obstacle::FourEyes,
        Hindrance::NoticeRequired
        | Hindrance::NoticeRunning(_)
        | Hindrance::NoticeOver(_)
        | Hindrance::ObjectionOpen(_) => Obstacle::Missing,
    };
    Told::of(obstacle, &refusal(name, verb, hindrance))
}
