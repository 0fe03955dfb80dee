//! Campaigns: their life, what reached a committee in a period, and how sure a survey is of what people know. Pure.

pub(crate) mod awareness;
pub(crate) mod coverage;

use kernel::{
    named,
    state::{Row, Table},
};

named! {
    /// The states of a campaign.
    pub(crate) State {
        /// Can be changed 计划中.
        Planned = "PLANNED",
        /// Takes placements 进行中.
        Running = "RUNNING",
        /// Over 已完成.
        Completed = "COMPLETED",
        /// Called off 已取消.
        Cancelled = "CANCELLED",
    }
}
named! {
    /// What can be done with a campaign.
    pub(crate) Verb {
        /// Planned 计划.
        Create = "create",
        /// Changed 修改.
        Update = "update",
        /// Begun 启动.
        Start = "start",
        /// Ended 完成.
        Complete = "complete",
        /// Called off 取消.
        Cancel = "cancel",
        /// A placement 点位 recorded.
        RecordPlacement = "recordPlacement",
        /// A survey sample 抽样 recorded.
        RecordAwarenessSample = "recordAwarenessSample",
    }
}
named! {
    /// By what something is made known (Work points 3.4).
    pub(crate) Channel {
        /// The public board of an estate 公开栏.
        BulletinBoard = "BULLETIN_BOARD",
        /// A screen 显示屏.
        Screen = "SCREEN",
        /// A blackboard 黑板报.
        Blackboard = "BLACKBOARD",
        /// A leaflet 宣传折页.
        Leaflet = "LEAFLET",
        /// A poster 海报.
        Poster = "POSTER",
        /// WeChat 微信.
        Wechat = "WECHAT",
        /// Visits to homes 入户.
        Visit = "VISIT",
        /// Anything else.
        Other = "OTHER",
    }
}

/// What speaks for whom all committees of a campaign are his.
const ALL_HIS: &str = "all committees of the campaign lie in the caller's areas";

/// The life of a campaign.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "campaign",
    rows: &[
        Row::new(None, Verb::Create, State::Planned, "insurance.campaigns.create", &[ALL_HIS]),
        Row::new(
            Some(State::Planned),
            Verb::Update,
            State::Planned,
            "insurance.campaigns.update",
            &[ALL_HIS],
        ),
        Row::new(
            Some(State::Planned),
            Verb::Start,
            State::Running,
            "insurance.campaigns.start",
            &[ALL_HIS, "from its first day on"],
        ),
        Row::new(
            Some(State::Running),
            Verb::Complete,
            State::Completed,
            "insurance.campaigns.complete",
            &[ALL_HIS],
        ),
        Row::new(
            Some(State::Planned),
            Verb::Cancel,
            State::Cancelled,
            "insurance.campaigns.cancel",
            &[ALL_HIS, "a reason"],
        ),
        Row::new(
            Some(State::Running),
            Verb::Cancel,
            State::Cancelled,
            "insurance.campaigns.cancel",
            &[ALL_HIS, "a reason"],
        ),
        Row::new(
            Some(State::Running),
            Verb::RecordPlacement,
            State::Running,
            "insurance.campaigns.place",
            &["in a committee and by a channel of the campaign, within its days"],
        ),
        Row::new(
            Some(State::Running),
            Verb::RecordAwarenessSample,
            State::Running,
            "insurance.campaigns.sample",
            &["in a committee of the campaign"],
        ),
        Row::new(
            Some(State::Completed),
            Verb::RecordAwarenessSample,
            State::Completed,
            "insurance.campaigns.sample",
            &["in a committee of the campaign"],
        ),
    ],
};

impl Verb {
    /// Whether it is about the whole campaign, and so takes all of its committees.
    pub(crate) fn is_about_the_whole(self) -> bool {
        match self {
            Verb::Create | Verb::Update | Verb::Start | Verb::Complete | Verb::Cancel => true,
            Verb::RecordPlacement | Verb::RecordAwarenessSample => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::state::Named;

    use super::*;

    #[test]
    fn the_life_of_a_campaign_is_whole() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
        assert!(Verb::ALL.iter().all(|verb| TABLE.next(State::Cancelled, *verb).is_err()));
        let after: Vec<Verb> =
            Verb::ALL.iter().copied().filter(|verb| TABLE.next(State::Completed, *verb).is_ok()).collect();
        assert_eq!(after, [Verb::RecordAwarenessSample], "what people know may be asked afterwards");
    }

    #[test]
    fn a_plan_changes_while_it_is_planned_and_takes_placements_while_it_runs() {
        for state in State::ALL {
            assert_eq!(TABLE.next(*state, Verb::Update).is_ok(), *state == State::Planned, "{state:?}");
            assert_eq!(TABLE.next(*state, Verb::RecordPlacement).is_ok(), *state == State::Running);
        }
    }
}
