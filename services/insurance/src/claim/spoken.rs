//! What keeps somebody from a step, as a refusal and as an obstacle beside `available_actions`.

use chassis::{
    actor::Actor,
    refusal::{MAKER_IS_CHECKER, PERSON_NEEDED, Refusal},
    state::Hindrance as Told,
};
use contracts::linli::common::v1::Obstacle;
use jiff::civil::Date;
use kernel::state::Named;

use super::rules::{Facts, Hindrance, Verb};
use crate::reasons::{
    APPEAL_OPEN, APPEAL_OVER, APPEALED_BEFORE, CLAIM_DECIDED, CLAIM_NOTICE_OVER, CLAIM_NOTICE_RUNNING,
    CLAIM_OBJECTED, CLAIM_OF_ONES_OWN, CLAIM_PAID, NOTHING_TO_APPEAL, NOTHING_TO_PAY, NOTHING_TO_REVERSE,
    PAYMENT_UNCONFIRMED,
};

/// Refuses `verb` to `who` when something keeps him from it today.
///
/// # Errors
/// The reason of the hindrance.
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
    let of = |reason| Refusal::new(reason).with("name", name);
    let four_eyes = |reason, former: &str| {
        of(reason).with("verb", verb.name()).with("former", former).violating(
            "FOUR_EYES",
            name,
            format!("{}: {former}", verb.name()),
        )
    };
    match hindrance {
        Hindrance::FourEyes(former) => four_eyes(&MAKER_IS_CHECKER, former),
        Hindrance::PersonNeeded(former) => four_eyes(&PERSON_NEEDED, former),
        Hindrance::Own => of(&CLAIM_OF_ONES_OWN).with("verb", verb.name()),
        Hindrance::NothingToPay => of(&NOTHING_TO_PAY),
        Hindrance::NothingToAppeal => of(&NOTHING_TO_APPEAL),
        Hindrance::AppealedBefore => of(&APPEALED_BEFORE),
        Hindrance::AppealOver(due) => of(&APPEAL_OVER).with("due", due),
        Hindrance::AppealOpen(due) => of(&APPEAL_OPEN).with("due", due),
        Hindrance::NoticeRunning(due) => of(&CLAIM_NOTICE_RUNNING).with("due", due),
        Hindrance::NoticeOver(due) => of(&CLAIM_NOTICE_OVER).with("due", due),
        Hindrance::ObjectionOpen(count) => of(&CLAIM_OBJECTED).with("count", count),
        Hindrance::NothingPaid => of(&NOTHING_TO_REVERSE),
        Hindrance::PaidAlready => of(&CLAIM_PAID).with("verb", verb.name()),
        Hindrance::Decided => of(&CLAIM_DECIDED).with("verb", verb.name()),
        Hindrance::Unconfirmed => of(&PAYMENT_UNCONFIRMED),
    }
}

/// The same for `available_actions`.
pub(crate) fn told(name: &str, verb: Verb, hindrance: Hindrance) -> Told {
    let obstacle = match hindrance {
        Hindrance::FourEyes(_) | Hindrance::PersonNeeded(_) | Hindrance::Own => Obstacle::FourEyes,
        _ => Obstacle::Missing,
    };
    Told::of(obstacle, &refusal(name, verb, hindrance))
}
