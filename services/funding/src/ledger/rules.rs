//! What the ledger is made of: funds, accounts, entries, and which entries may be. Pure; the database checks the same.

use std::{fmt, str::FromStr};

use jiff::civil::Date;
use kernel::{
    money::Fen,
    name::{DelegationName, ProjectName},
    named,
    state::{Named, Row, Table},
};
use uuid::Uuid;

named! {
    /// A fund 经费.
    pub(crate) Fund {
        /// Work fund 工作经费.
        Work = "WORK",
        /// Service fund 服务群众专项经费.
        Service = "SERVICE",
        /// Delegated money 费随事转.
        Delegated = "DELEGATED",
        /// The town's pool for projects 项目资金池.
        ProjectPool = "PROJECT_POOL",
    }
}
named! {
    /// What an account is.
    pub(crate) AccountKind {
        /// What the town has given out 财政拨款.
        Appropriation = "APPROPRIATION",
        /// What a department has given 部门拨入.
        Department = "DEPARTMENT",
        /// The other side of opening balances 期初.
        Opening = "OPENING",
        /// The project pool.
        Pool = "POOL",
        /// Money of a task that nobody has accepted yet.
        Task = "TASK",
        /// What a committee has.
        Committee = "COMMITTEE",
        /// What a committee has spent 支出.
        Expenditure = "EXPENDITURE",
    }
}
named! {
    /// Why an entry is booked.
    pub(crate) EntryKind {
        /// 拨付.
        Allocation = "ALLOCATION",
        /// Between committees.
        Transfer = "TRANSFER",
        /// An expense paid.
        Expense = "EXPENSE",
        /// What vouchers did not prove.
        Refund = "REFUND",
        /// 费随事转, on its way down.
        Delegation = "DELEGATION",
        /// A grant to a project.
        Grant = "GRANT",
        /// What was left, back 收回.
        Return = "RETURN",
        /// 结转.
        CarryOver = "CARRY_OVER",
        /// 期初余额.
        Opening = "OPENING",
    }
}
named! {
    /// The life of a hold.
    pub(crate) HoldState {
        /// Set aside.
        Held = "HELD",
        /// Posted.
        Posted = "POSTED",
        /// Given up.
        Voided = "VOIDED",
        /// Its last day is over.
        Expired = "EXPIRED",
    }
}
named! {
    /// What can be done with a hold.
    pub(crate) HoldVerb {
        /// Set money aside.
        Create = "create",
        /// Post it.
        Post = "post",
        /// Give it up.
        Void = "void",
        /// Its last day is over.
        Expire = "expire",
    }
}

/// The life of a hold 冻结.
pub(crate) const HOLDS: Table<HoldState, HoldVerb> = Table {
    resource: "hold",
    rows: &[
        Row::new(None, HoldVerb::Create, HoldState::Held, "funding.holds.create", &["enough is available"]),
        Row::new(
            Some(HoldState::Held),
            HoldVerb::Post,
            HoldState::Posted,
            "funding.holds.post",
            &["another person than who made it"],
        ),
        Row::new(Some(HoldState::Held), HoldVerb::Void, HoldState::Voided, "funding.holds.void", &[]),
        Row::new(Some(HoldState::Held), HoldVerb::Expire, HoldState::Expired, "", &["its last day is over"]),
    ],
};

/// What money of an account is bound to 专款. Written as the table keeps it: `carried`, `project:<id>`, `delegation:<id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Earmark {
    /// Carried over from the year before 结转.
    Carried,
    /// A project, by id.
    Project(String),
    /// A delegated task, by id.
    Delegation(String),
}

/// Text that is no earmark.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not `carried`, nor the name of a project or a delegation")]
pub(crate) struct NotAnEarmark;

impl Earmark {
    /// As it is shown: `carried`, or the name of the project or task.
    pub(crate) fn name(&self, town: &str) -> String {
        match self {
            Earmark::Carried => "carried".to_owned(),
            Earmark::Project(id) => format!("towns/{town}/projects/{id}"),
            Earmark::Delegation(id) => format!("towns/{town}/delegations/{id}"),
        }
    }

    /// Reads what is shown; the town must be `town`.
    pub(crate) fn of_name(town: &str, text: &str) -> Result<Earmark, NotAnEarmark> {
        if text == "carried" {
            return Ok(Earmark::Carried);
        }
        if let Ok(name) = ProjectName::parse(text)
            && name.town() == town
        {
            return Ok(Earmark::Project(name.project().to_owned()));
        }
        match DelegationName::parse(text) {
            Ok(name) if name.town() == town => Ok(Earmark::Delegation(name.delegation().to_owned())),
            _ => Err(NotAnEarmark),
        }
    }
}

impl fmt::Display for Earmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Earmark::Carried => f.write_str("carried"),
            Earmark::Project(id) => write!(f, "project:{id}"),
            Earmark::Delegation(id) => write!(f, "delegation:{id}"),
        }
    }
}

impl FromStr for Earmark {
    type Err = NotAnEarmark;
    fn from_str(text: &str) -> Result<Earmark, NotAnEarmark> {
        match text.split_once(':') {
            None if text == "carried" => Ok(Earmark::Carried),
            Some(("project", id)) if !id.is_empty() => Ok(Earmark::Project(id.to_owned())),
            Some(("delegation", id)) if !id.is_empty() => Ok(Earmark::Delegation(id.to_owned())),
            _ => Err(NotAnEarmark),
        }
    }
}

/// What an account is of. Two accounts never have the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) kind: AccountKind,
    pub(crate) fund: Fund,
    pub(crate) fiscal_year: i32,
    pub(crate) committee: Option<String>,
    pub(crate) earmark: Option<Earmark>,
    pub(crate) category: Option<String>,
}

impl fmt::Display for Key {
    /// All of it in one text, as the table makes it of its columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let earmark = self.earmark.as_ref().map(ToString::to_string);
        let (committee, earmark, category) = (text(&self.committee), text(&earmark), text(&self.category));
        let (kind, fund) = (self.kind.name(), self.fund.name());
        write!(f, "{kind}/{fund}/{}/{committee}/{earmark}/{category}", self.fiscal_year)
    }
}

impl Key {
    fn of_town(kind: AccountKind, fund: Fund, fiscal_year: i32, earmark: Option<Earmark>) -> Key {
        Key { kind, fund, fiscal_year, committee: None, earmark, category: None }
    }

    /// What a committee has of a fund.
    pub(crate) fn committee(
        fund: Fund,
        fiscal_year: i32,
        committee: impl Into<String>,
        earmark: Option<Earmark>,
    ) -> Key {
        Key {
            committee: Some(committee.into()),
            ..Key::of_town(AccountKind::Committee, fund, fiscal_year, earmark)
        }
    }

    /// What is spent from `self`, an account of a committee, on a category.
    pub(crate) fn expenditure(&self, category: impl Into<String>) -> Key {
        Key { kind: AccountKind::Expenditure, category: Some(category.into()), ..self.clone() }
    }

    /// What the town gives out of a fund.
    pub(crate) fn appropriation(fund: Fund, fiscal_year: i32) -> Key {
        Key::of_town(AccountKind::Appropriation, fund, fiscal_year, None)
    }

    /// The other side of opening balances.
    pub(crate) fn opening(fund: Fund, fiscal_year: i32) -> Key {
        Key::of_town(AccountKind::Opening, fund, fiscal_year, None)
    }

    /// The project pool.
    pub(crate) fn pool(fiscal_year: i32) -> Key {
        Key::of_town(AccountKind::Pool, Fund::ProjectPool, fiscal_year, None)
    }

    /// Money of a task that nobody has accepted yet.
    pub(crate) fn task(fiscal_year: i32, delegation: impl Into<String>) -> Key {
        let earmark = Some(Earmark::Delegation(delegation.into()));
        Key::of_town(AccountKind::Task, Fund::Delegated, fiscal_year, earmark)
    }

    /// Where the money of a task comes from.
    pub(crate) fn department(fiscal_year: i32, delegation: impl Into<String>) -> Key {
        let earmark = Some(Earmark::Delegation(delegation.into()));
        Key::of_town(AccountKind::Department, Fund::Delegated, fiscal_year, earmark)
    }
}

/// An entry as it is to be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its id.
    pub(crate) id: Uuid,
    /// Why it is booked.
    pub(crate) kind: EntryKind,
    /// What makes it this one and no other.
    pub(crate) key: String,
    /// The fiscal year.
    pub(crate) fiscal_year: i32,
    /// The business day on which it counts.
    pub(crate) booked_on: Date,
    /// The resource that it is booked for.
    pub(crate) subject: String,
    /// What for, in words, free of personal data.
    pub(crate) description: String,
    /// What proves it.
    pub(crate) evidence: String,
    /// The entry that it takes back.
    pub(crate) reverses: Option<Uuid>,
    /// Account and amount: above zero, the account has more.
    pub(crate) postings: Vec<(Uuid, Fen)>,
}

/// What an entry is booked for: everything but its accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct For<'a> {
    pub(crate) kind: EntryKind,
    pub(crate) key: &'a str,
    pub(crate) fiscal_year: i32,
    pub(crate) booked_on: Date,
    pub(crate) subject: &'a str,
    pub(crate) description: &'a str,
}

impl Entry {
    /// From one account to another.
    pub(crate) fn simple(what: For<'_>, from: Uuid, to: Uuid, amount: Fen) -> Entry {
        Entry {
            id: Uuid::now_v7(),
            kind: what.kind,
            key: what.key.to_owned(),
            fiscal_year: what.fiscal_year,
            booked_on: what.booked_on,
            subject: what.subject.to_owned(),
            description: what.description.to_owned(),
            evidence: String::new(),
            reverses: None,
            postings: vec![(from, Fen::of(-amount.fen())), (to, amount)],
        }
    }

    /// The entry that takes this one back.
    pub(crate) fn reversal(&self, booked_on: Date, description: &str) -> Entry {
        Entry {
            id: Uuid::now_v7(),
            key: format!("reversal/{}", self.id),
            booked_on,
            description: description.to_owned(),
            evidence: String::new(),
            reverses: Some(self.id),
            postings: self
                .postings
                .iter()
                .map(|(account, amount)| (*account, Fen::of(-amount.fen())))
                .collect(),
            ..self.clone()
        }
    }

    /// Whether its postings add up to zero.
    pub(crate) fn is_balanced(&self) -> bool {
        self.postings.iter().map(|(_, amount)| i128::from(amount.fen())).sum::<i128>() == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_life_of_a_hold_is_whole() {
        assert!(HOLDS.faults().is_empty());
    }

    proptest! {
        #[test]
        fn an_entry_and_its_reversal_leave_nothing(amounts in proptest::collection::vec(-1_000_000i64..1_000_000, 1..8)) {
            let mut postings: Vec<_> = amounts.iter().map(|fen| (Uuid::now_v7(), Fen::of(*fen))).collect();
            postings.push((Uuid::now_v7(), Fen::of(-amounts.iter().sum::<i64>())));
            let what = For { kind: EntryKind::Transfer, key: "k", fiscal_year: 2020, booked_on: jiff::civil::date(2020, 6, 1), subject: "", description: "" };
            let entry = Entry { postings, ..Entry::simple(what, Uuid::nil(), Uuid::nil(), Fen::ZERO) };
            let back = entry.reversal(jiff::civil::date(2020, 6, 2), "");
            prop_assert!(entry.is_balanced() && back.is_balanced());
            for ((account, amount), (same, opposite)) in entry.postings.iter().zip(&back.postings) {
                prop_assert_eq!((account, amount.fen()), (same, -opposite.fen()));
            }
        }

        #[test]
        fn an_earmark_is_read_as_it_is_written(id in "[a-z0-9][a-z0-9-]{0,62}", which in 0..3) {
            let earmark = [Earmark::Carried, Earmark::Project(id.clone()), Earmark::Delegation(id)][which as usize].clone();
            prop_assert_eq!(earmark.to_string().parse::<Earmark>(), Ok(earmark.clone()));
            prop_assert_eq!(Earmark::of_name("malu", &earmark.name("malu")), Ok(earmark.clone()));
            prop_assert!(earmark == Earmark::Carried || Earmark::of_name("other", &earmark.name("malu")).is_err());
        }
    }
}
