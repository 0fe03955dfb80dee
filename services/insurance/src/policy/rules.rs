//! The rules of policies 保单. Pure.

pub(crate) mod check;
#[cfg(test)]
mod tests;

use chassis::actor::Actor;
use jiff::civil::Date;
use kernel::{
    money::{Fen, Ppm},
    named,
    state::{Row, Table},
};

use crate::terms::Terms;

named! {
    /// The life of a policy. What is stored of a signed one is SIGNED; the rest follows from the day.
    pub(crate) State {
        /// Being written 草拟.
        Draft = "DRAFT",
        /// Signed, before its first day 已签约.
        Signed = "SIGNED",
        /// In force 生效中.
        InForce = "IN_FORCE",
        /// Its days are over 已到期.
        Expired = "EXPIRED",
        /// Ended before its time 已解除.
        Terminated = "TERMINATED",
        /// A draft that was taken away 已删除.
        Deleted = "DELETED",
    }
}

named! {
    /// What is done with a policy.
    pub(crate) Verb {
        /// Drafted.
        Create = "create",
        /// Changed while it is a draft.
        Update = "update",
        /// Taken away while it is a draft.
        Delete = "delete",
        /// Brought back.
        Undelete = "undelete",
        /// Its draft, or that of an endorsement, signed 签约.
        Sign = "sign",
        /// Its first day comes.
        Begin = "begin",
        /// Its last day passes.
        Expire = "expire",
        /// An endorsement drafted 批改.
        Endorse = "endorse",
        /// The draft of an endorsement thrown away.
        DiscardEndorsement = "discardEndorsement",
        /// Ended before its time 解除.
        Terminate = "terminate",
        /// An instalment of the premium paid 缴费.
        MarkInstalmentPaid = "markInstalmentPaid",
    }
}

const ANOTHER: &str = "somebody who wrote nothing of it";

/// A row of the table.
const fn row(from: State, verb: Verb, to: State, permission: &'static str) -> Row<State, Verb> {
    let guards: &'static [&'static str] = match verb {
        Verb::Sign if matches!(from, State::Draft) => {
            &[ANOTHER, "no other policy of the programme on any of its days"]
        }
        Verb::Sign => &[ANOTHER, "an endorsement is drafted"],
        Verb::Endorse => &["no endorsement is drafted", "from a day of the policy"],
        Verb::DiscardEndorsement => &["an endorsement is drafted"],
        Verb::Terminate => &["no endorsement is drafted", "from today or later"],
        Verb::Begin | Verb::Expire => &["by the calendar"],
        Verb::Create | Verb::Update | Verb::Delete | Verb::Undelete | Verb::MarkInstalmentPaid => &[],
    };
    Row::new(Some(from), verb, to, permission, guards)
}

const SIGN: &str = "insurance.policies.sign";
const ENDORSE: &str = "insurance.policies.endorse";
const TERMINATE: &str = "insurance.policies.terminate";
const INSTALMENTS: &str = "insurance.policies.instalments";

/// The life of a policy.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "policy",
    rows: &[
        Row::new(None, Verb::Create, State::Draft, "insurance.policies.create", &[]),
        row(State::Draft, Verb::Update, State::Draft, "insurance.policies.update"),
        row(State::Draft, Verb::Delete, State::Deleted, "insurance.policies.delete"),
        row(State::Deleted, Verb::Undelete, State::Draft, "insurance.policies.delete"),
        row(State::Draft, Verb::Sign, State::Signed, SIGN),
        row(State::Signed, Verb::Begin, State::InForce, ""),
        row(State::InForce, Verb::Expire, State::Expired, ""),
        row(State::Signed, Verb::Endorse, State::Signed, ENDORSE),
        row(State::InForce, Verb::Endorse, State::InForce, ENDORSE),
        row(State::Signed, Verb::Sign, State::Signed, SIGN),
        row(State::InForce, Verb::Sign, State::InForce, SIGN),
        row(State::Signed, Verb::DiscardEndorsement, State::Signed, ENDORSE),
        row(State::InForce, Verb::DiscardEndorsement, State::InForce, ENDORSE),
        row(State::Expired, Verb::DiscardEndorsement, State::Expired, ENDORSE),
        row(State::Signed, Verb::Terminate, State::Terminated, TERMINATE),
        row(State::InForce, Verb::Terminate, State::Terminated, TERMINATE),
        row(State::Signed, Verb::MarkInstalmentPaid, State::Signed, INSTALMENTS),
        row(State::InForce, Verb::MarkInstalmentPaid, State::InForce, INSTALMENTS),
        row(State::Expired, Verb::MarkInstalmentPaid, State::Expired, INSTALMENTS),
        row(State::Terminated, Verb::MarkInstalmentPaid, State::Terminated, INSTALMENTS),
    ],
};

impl State {
    /// What is shown of a stored state on a day: a comparison, whenever it is asked for.
    pub(crate) fn on(self, days: Days, today: Date) -> State {
        match self {
            State::Signed | State::InForce | State::Expired if today < days.from => State::Signed,
            State::Signed | State::InForce | State::Expired if today < days.to => State::InForce,
            State::Signed | State::InForce | State::Expired => State::Expired,
            State::Draft | State::Terminated | State::Deleted => self,
        }
    }
}

named! {
    /// Whether a version was signed.
    pub(crate) VersionState {
        /// It waits to be signed 待签.
        Draft = "DRAFT",
        /// It was signed 已签.
        Signed = "SIGNED",
    }
}

/// The days of a policy: from the first, to the first no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days {
    pub(crate) from: Date,
    pub(crate) to: Date,
}

impl Days {
    /// Whether a day is one of them.
    pub(crate) fn contain(self, day: Date) -> bool {
        self.from <= day && day < self.to
    }
}

/// The one of several periods, none of which overlap, that a day meets: that in which it lies; else the next one; else the last before.
pub(crate) fn met(periods: &[Days], day: Date) -> Option<usize> {
    let at = |wanted: Option<&Days>| periods.iter().position(|period| Some(period) == wanted);
    let now = periods.iter().find(|period| period.contain(day));
    let next = || periods.iter().filter(|period| day < period.from).min_by_key(|period| period.from);
    let last = || periods.iter().filter(|period| period.to <= day).max_by_key(|period| period.to);
    at(now.or_else(next).or_else(last))
}

/// The version in force on a day, of the signed ones with their first days: the greatest of those whose day has come; the first one on a
/// day before the policy, the last one that held on a day behind it.
pub(crate) fn version_on(signed: &[(i32, Date)], days: Days, day: Date) -> i32 {
    let day = if day < days.to { day } else { days.to.yesterday().unwrap_or(day) };
    let come = signed.iter().filter(|(_, from)| *from <= day);
    come.map(|(n, _)| *n).max().unwrap_or(1)
}

/// What a policy is besides its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The insurer's number of the contract.
    pub(crate) number: String,
    /// The insurer: the id of an organisation.
    pub(crate) insurer: String,
    /// Its unified social credit code.
    pub(crate) credit_code: String,
    /// As agreed.
    pub(crate) days: Days,
}

/// What a version says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contract {
    /// Who is insured, in the words of the contract.
    pub(crate) insured: String,
    /// What it promises.
    pub(crate) terms: Terms,
    /// The notes of the benefits, in their order.
    pub(crate) notes: Vec<String>,
    /// What it costs.
    pub(crate) premium: Premium,
}

/// What a version costs 保费.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Premium {
    pub(crate) fixed: Fen,
    pub(crate) per_household: Fen,
    pub(crate) per_person: Fen,
    pub(crate) households: i32,
    pub(crate) persons: i32,
    /// Who bears which part.
    pub(crate) shares: Vec<(String, Ppm)>,
    /// When which part is due.
    pub(crate) instalments: Vec<Instalment>,
}

impl Premium {
    /// What it comes to: bounded, because each factor is.
    pub(crate) fn total(&self) -> Fen {
        let times = |each: Fen, count: i32| each.fen().saturating_mul(count.into());
        let counted =
            times(self.per_household, self.households).saturating_add(times(self.per_person, self.persons));
        Fen::of(self.fixed.fen().saturating_add(counted))
    }
}

/// A part of a premium 分期.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instalment {
    pub(crate) due: Date,
    pub(crate) amount: Fen,
    /// When it was paid, with the bank's reference.
    pub(crate) paid: Option<(Date, String)>,
}

/// A version of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// From 1.
    pub(crate) n: i32,
    /// From when on it holds.
    pub(crate) from: Date,
    pub(crate) state: VersionState,
    /// Why there is an endorsement.
    pub(crate) reason: String,
    pub(crate) contract: Contract,
    /// Everybody who wrote some of it.
    pub(crate) writers: Vec<Actor>,
    /// Who signed it, and when.
    pub(crate) signed: Option<(String, Date)>,
}

/// The version that waits to be signed.
pub(crate) fn pending(versions: &[Version]) -> Option<&Version> {
    versions.iter().find(|version| version.state == VersionState::Draft)
}

/// The version that is shown: the draft of a policy that isn't signed, else the one in force on a day of it.
pub(crate) fn shown(versions: &[Version], days: Days, day: Date) -> Option<&Version> {
    let signed = versions.iter().filter(|version| version.state == VersionState::Signed);
    let signed: Vec<(i32, Date)> = signed.map(|version| (version.n, version.from)).collect();
    let n = version_on(&signed, days, day);
    versions.iter().find(|version| version.n == n)
}
