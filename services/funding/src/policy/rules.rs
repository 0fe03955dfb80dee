//! What a policy 经费政策 says, and which may be published. Pure: the formula that rests on it stands in `allocation::rules`.

mod check;
#[cfg(test)]
pub(crate) mod tests;

use jiff::civil::Date;
use kernel::{
    money::{Fen, Ppm},
    named,
    state::{Row, Table},
};

use crate::ledger::rules::Fund;
pub(crate) use check::Fault;

named! {
    /// The life of a policy.
    pub(crate) State {
        /// Being written 草案.
        Draft = "DRAFT",
        /// In force for its year 生效.
        Published = "PUBLISHED",
        /// Another one is in force 已被取代.
        Superseded = "SUPERSEDED",
        /// A draft that was taken away 已删除.
        Deleted = "DELETED",
    }
}
named! {
    /// What can be done with a policy.
    pub(crate) Verb {
        /// Drafted.
        Create = "create",
        /// Changed while it is a draft.
        Update = "update",
        /// Taken away while it is a draft.
        Delete = "delete",
        /// Brought back.
        Undelete = "undelete",
        /// Published 发布.
        Publish = "publish",
        /// Superseded by the publication of another.
        Supersede = "supersede",
    }
}

/// The life of a policy.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "fundingPolicy",
    rows: &[
        Row::new(None, Verb::Create, State::Draft, "funding.policies.create", &[]),
        Row::new(Some(State::Draft), Verb::Update, State::Draft, "funding.policies.update", &[]),
        Row::new(Some(State::Draft), Verb::Delete, State::Deleted, "funding.policies.delete", &[]),
        Row::new(Some(State::Deleted), Verb::Undelete, State::Draft, "funding.policies.delete", &[]),
        Row::new(
            Some(State::Draft),
            Verb::Publish,
            State::Published,
            "funding.policies.publish",
            &["somebody who wrote nothing of it", "the fiscal year isn't closed"],
        ),
        Row::new(
            Some(State::Published),
            Verb::Supersede,
            State::Superseded,
            "",
            &["by the publication of another policy of the year"],
        ),
    ],
};

named! {
    /// What a committee is by law.
    pub(crate) CommitteeKind {
        /// 居民委员会.
        ResidentsCommittee = "RESIDENTS_COMMITTEE",
        /// 村民委员会.
        VillagersCommittee = "VILLAGERS_COMMITTEE",
    }
}
named! {
    /// Class of 分类管理 (Work points 3.1).
    pub(crate) ManagementClass {
        /// A.
        A = "A",
        /// B.
        B = "B",
        /// C.
        C = "C",
    }
}
named! {
    /// How hard an area is to manage 管理难度 (Work points 3.3).
    pub(crate) Difficulty {
        /// As usual.
        Normal = "NORMAL",
        /// Hard.
        Hard = "HARD",
    }
}
named! {
    /// What becomes of what is left at the end of the year.
    pub(crate) CarryOver {
        /// It goes back 收回.
        Return = "RETURN",
        /// It may be spent in the year after 结转一年.
        OneYear = "ONE_YEAR",
    }
}
named! {
    /// A leg of an expense's way, each with a term of its own.
    pub(crate) Leg {
        /// The committee's review.
        Review = "REVIEW",
        /// The town's approval.
        Approve = "APPROVE",
        /// The payment.
        Pay = "PAY",
        /// The settlement against vouchers.
        Settle = "SETTLE",
        /// The disclosure.
        Disclose = "DISCLOSE",
    }
}

impl Leg {
    /// The working days 工作日 that it usually takes.
    pub(crate) const fn usual_days(self) -> i32 {
        match self {
            Leg::Review | Leg::Approve | Leg::Pay => 5,
            Leg::Settle => 20,
            Leg::Disclose => 10,
        }
    }
}

/// A row of the uplift table: what fits a committee in all that is said adds up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Uplift {
    pub(crate) difficulty: Option<Difficulty>,
    pub(crate) management_class: Option<ManagementClass>,
    pub(crate) kind: Option<CommitteeKind>,
    pub(crate) work: Fen,
    pub(crate) service: Fen,
}

impl Uplift {
    /// What it adds to a fund in twelve months.
    pub(crate) fn of(&self, fund: Fund) -> Fen {
        match fund {
            Fund::Work => self.work,
            Fund::Service => self.service,
            Fund::Delegated | Fund::ProjectPool => Fen::ZERO,
        }
    }

    /// Whether it fits a committee.
    pub(crate) fn fits(
        &self,
        kind: CommitteeKind,
        class: Option<ManagementClass>,
        difficulty: Option<Difficulty>,
    ) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.management_class.is_none_or(|wanted| class == Some(wanted))
            && self.difficulty.is_none_or(|wanted| difficulty == Some(wanted))
    }
}

/// What a fund may or may not be spent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) fund: Fund,
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) allowed: bool,
}

/// What a policy says, as it is written; [`Policy::new`] says whether it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) display_name: String,
    pub(crate) fiscal_year: i32,
    pub(crate) effective_from: Date,
    /// The day whose declared counts are taken.
    pub(crate) households_as_of: Date,
    pub(crate) work_floor: Fen,
    pub(crate) service_floor: Fen,
    pub(crate) household_threshold: i32,
    pub(crate) supplement_per_household: Fen,
    pub(crate) uplifts: Vec<Uplift>,
    pub(crate) growth: Ppm,
    pub(crate) growth_of_floor: bool,
    pub(crate) growth_of_uplift: bool,
    pub(crate) eligible_kinds: Vec<CommitteeKind>,
    pub(crate) month_counts_until_day: i32,
    /// A fund that isn't named returns what is left.
    pub(crate) carry_overs: Vec<(Fund, CarryOver)>,
    pub(crate) public_notice_above: Option<Fen>,
    pub(crate) public_notice_always_for: Vec<String>,
    pub(crate) public_notice_days: i32,
    pub(crate) categories: Vec<Category>,
    pub(crate) project_pool: Fen,
    /// Working days for each leg, in the order of [`Leg`].
    pub(crate) days: [i32; 5],
}

/// A policy without faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Its id.
    pub(crate) id: String,
    /// Its number in the year; 0 while it is a draft.
    pub(crate) number: i32,
    terms: Terms,
}

impl Policy {
    /// The policy that `terms` make.
    ///
    /// # Errors
    /// Every fault of them.
    pub(crate) fn new(id: impl Into<String>, number: i32, terms: Terms) -> Result<Policy, Vec<Fault>> {
        let faults = check::faults(&terms);
        if faults.is_empty() { Ok(Policy { id: id.into(), number, terms }) } else { Err(faults) }
    }

    /// What it says.
    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The year that it is for.
    pub(crate) fn fiscal_year(&self) -> i32 {
        self.terms.fiscal_year
    }

    /// The least that a committee gets of a fund in twelve months.
    pub(crate) fn floor(&self, fund: Fund) -> Fen {
        match fund {
            Fund::Work => self.terms.work_floor,
            Fund::Service => self.terms.service_floor,
            Fund::Delegated | Fund::ProjectPool => Fen::ZERO,
        }
    }

    /// What each household above the threshold adds: to the work fund alone (Work points 3.3).
    pub(crate) fn supplement(&self, fund: Fund) -> Fen {
        match fund {
            Fund::Work => self.terms.supplement_per_household,
            Fund::Service | Fund::Delegated | Fund::ProjectPool => Fen::ZERO,
        }
    }

    /// Whether it allocates to committees of this kind.
    pub(crate) fn covers(&self, kind: CommitteeKind) -> bool {
        self.terms.eligible_kinds.contains(&kind)
    }

    /// What becomes of what is left of a fund.
    pub(crate) fn carry_over(&self, fund: Fund) -> CarryOver {
        let said = self.terms.carry_overs.iter().find(|(of, _)| *of == fund);
        said.map_or(CarryOver::Return, |(_, what)| *what)
    }

    /// What a fund may pay: category and its name. Without rows of its own, delegated money may pay what WORK or SERVICE may, the
    /// project pool what SERVICE may.
    pub(crate) fn allowed(&self, fund: Fund) -> Vec<(&str, &str)> {
        let rows = &self.terms.categories;
        let as_funds: &[Fund] = match fund {
            Fund::Delegated if rows.iter().all(|row| row.fund != fund) => &[Fund::Work, Fund::Service],
            Fund::ProjectPool if rows.iter().all(|row| row.fund != fund) => &[Fund::Service],
            Fund::Work => &[Fund::Work],
            Fund::Service => &[Fund::Service],
            Fund::Delegated => &[Fund::Delegated],
            Fund::ProjectPool => &[Fund::ProjectPool],
        };
        let mut allowed: Vec<(&str, &str)> = Vec::new();
        for row in rows.iter().filter(|row| row.allowed && as_funds.contains(&row.fund)) {
            if allowed.iter().all(|(id, _)| *id != row.id) {
                allowed.push((&row.id, &row.display_name));
            }
        }
        allowed
    }

    /// Whether a fund may pay a category.
    pub(crate) fn allows(&self, fund: Fund, category: &str) -> bool {
        self.allowed(fund).iter().any(|(id, _)| *id == category)
    }

    /// Whether an expense needs a public notice 公示 before it is approved: above the amount, not at it, or of such a category.
    pub(crate) fn needs_notice(&self, amount: Fen, category: &str) -> bool {
        self.terms.public_notice_above.is_some_and(|above| amount > above)
            || self.terms.public_notice_always_for.iter().any(|id| id == category)
    }

    /// The working days that a leg of an expense may take.
    pub(crate) fn days(&self, leg: Leg) -> i32 {
        self.terms.days[leg as usize]
    }
}
