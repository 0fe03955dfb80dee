//! What courses, sessions and enrolments live through, and in which roles people learn. Pure.

use kernel::{
    named,
    state::{Row, Table},
};

named! {
    /// What a course is.
    pub(crate) Kind {
        /// Onboarding training 上岗培训.
        Onboarding = "ONBOARDING",
        /// Mandatory training 必修培训.
        Mandatory = "MANDATORY",
        /// Continuing education 继续教育.
        Continuing = "CONTINUING",
        /// Micro forum 微讲坛.
        MicroForum = "MICRO_FORUM",
        /// Micro hall 微讲堂.
        MicroHall = "MICRO_HALL",
        /// Micro class 微讲课.
        MicroClass = "MICRO_CLASS",
        /// Micro lecture 微讲座.
        MicroLecture = "MICRO_LECTURE",
        /// Workshop 工作坊.
        Workshop = "WORKSHOP",
        /// Salon 沙龙.
        Salon = "SALON",
        /// Companion course 陪伴课程 by a contracted social organisation.
        Companion = "COMPANION",
        /// Preparation for the professional exam 考前辅导.
        ExamPreparation = "EXAM_PREPARATION",
    }
}

named! {
    /// In which role somebody learns.
    pub(crate) Role {
        /// Community worker 社区工作者.
        Worker = "WORKER",
        /// Steward of a block 小管家.
        Steward = "STEWARD",
        /// Building leader 楼组长.
        BuildingLeader = "BUILDING_LEADER",
        /// Member of a special committee 专业委员会委员.
        SpecialCommitteeMember = "SPECIAL_COMMITTEE_MEMBER",
        /// Backbone 骨干.
        Backbone = "BACKBONE",
        /// Of a self-organisation 自组织.
        SelfOrganisation = "SELF_ORGANISATION",
    }
}

impl Role {
    /// The role of a worker by the post that is held.
    pub(crate) fn of_post(post: Option<&str>) -> Role {
        if post == Some("STEWARD") { Role::Steward } else { Role::Worker }
    }

    /// Whether it is one of a worker.
    pub(crate) fn is_of_workers(self) -> bool {
        matches!(self, Role::Worker | Role::Steward)
    }

    /// The roles whose courses and hours are asked of it: a steward is a worker too.
    pub(crate) fn asked(self) -> &'static [Role] {
        match self {
            Role::Worker => &[Role::Worker],
            Role::Steward => &[Role::Worker, Role::Steward],
            Role::BuildingLeader => &[Role::BuildingLeader],
            Role::SpecialCommitteeMember => &[Role::SpecialCommitteeMember],
            Role::Backbone => &[Role::Backbone],
            Role::SelfOrganisation => &[Role::SelfOrganisation],
        }
    }
}

named! {
    /// The states of a course.
    pub(crate) CourseState {
        /// Drafted 草稿.
        Draft = "DRAFT",
        /// Open 开设.
        Open = "OPEN",
        /// Closed 停开.
        Closed = "CLOSED",
    }
}
named! {
    /// What is done with a course.
    pub(crate) CourseVerb {
        /// Drafted.
        Create = "create",
        /// Changed.
        Update = "update",
        /// Opened.
        Open = "open",
        /// Closed.
        Close = "close",
    }
}

/// The life of a course.
pub(crate) static COURSE: Table<CourseState, CourseVerb> = Table {
    resource: "course",
    rows: &[
        Row::new(None, CourseVerb::Create, CourseState::Draft, "workforce.courses.create", &[]),
        Row::new(
            Some(CourseState::Draft),
            CourseVerb::Update,
            CourseState::Draft,
            "workforce.courses.update",
            &[],
        ),
        Row::new(
            Some(CourseState::Draft),
            CourseVerb::Open,
            CourseState::Open,
            "workforce.courses.open",
            &[],
        ),
        Row::new(
            Some(CourseState::Open),
            CourseVerb::Update,
            CourseState::Open,
            "workforce.courses.update",
            &["for sessions planned later"],
        ),
        Row::new(
            Some(CourseState::Open),
            CourseVerb::Close,
            CourseState::Closed,
            "workforce.courses.close",
            &[],
        ),
        Row::new(
            Some(CourseState::Closed),
            CourseVerb::Open,
            CourseState::Open,
            "workforce.courses.open",
            &[],
        ),
    ],
};

named! {
    /// The states of a session.
    pub(crate) SessionState {
        /// Planned 待举办.
        Planned = "PLANNED",
        /// Held 已举办.
        Held = "HELD",
        /// Cancelled 已取消.
        Cancelled = "CANCELLED",
    }
}
named! {
    /// What is done with a session.
    pub(crate) SessionVerb {
        /// Planned.
        Create = "create",
        /// Held.
        Hold = "hold",
        /// Cancelled.
        Cancel = "cancel",
    }
}

/// The life of a session.
pub(crate) static SESSION: Table<SessionState, SessionVerb> = Table {
    resource: "trainingSession",
    rows: &[
        Row::new(
            None,
            SessionVerb::Create,
            SessionState::Planned,
            "workforce.trainingSessions.create",
            &["the course is OPEN"],
        ),
        Row::new(
            Some(SessionState::Planned),
            SessionVerb::Hold,
            SessionState::Held,
            "workforce.trainingSessions.hold",
            &["its day has come"],
        ),
        Row::new(
            Some(SessionState::Planned),
            SessionVerb::Cancel,
            SessionState::Cancelled,
            "workforce.trainingSessions.cancel",
            &["a reason"],
        ),
    ],
};

named! {
    /// The states of an enrolment.
    pub(crate) State {
        /// Has a place 已报名.
        Enrolled = "ENROLLED",
        /// On the waiting list 候补.
        Waiting = "WAITING",
        /// Withdrawn 已退出.
        Withdrawn = "WITHDRAWN",
        /// Attended 已参加.
        Attended = "ATTENDED",
        /// Didn't come 缺席.
        Absent = "ABSENT",
        /// Passed the exam 考核合格.
        Passed = "PASSED",
        /// Failed, with no attempt left 考核不合格.
        Failed = "FAILED",
    }
}
named! {
    /// What is done with an enrolment.
    pub(crate) Verb {
        /// Enrolled.
        Create = "create",
        /// Enrolled when the session was full.
        Wait = "wait",
        /// Takes a place that became free 递补.
        MoveUp = "moveUp",
        /// Withdrawn.
        Withdraw = "withdraw",
        /// Attended.
        RecordAttendance = "recordAttendance",
        /// Didn't come.
        Miss = "miss",
        /// Tried the exam.
        RecordExamAttempt = "recordExamAttempt",
        /// Passed it.
        Pass = "pass",
        /// Failed the last attempt.
        Fail = "fail",
        /// Said how it was.
        GiveFeedback = "giveFeedback",
    }
}

const FEEDBACK: &str = "workforce.enrolments.feedback";

/// The life of an enrolment.
pub(crate) static ENROLMENT: Table<State, Verb> = Table {
    resource: "enrolment",
    rows: &[
        Row::new(
            None,
            Verb::Create,
            State::Enrolled,
            "workforce.enrolments.create",
            &["a place", "until the last day for it", "once per session"],
        ),
        Row::new(None, Verb::Wait, State::Waiting, "", &["the session is full and has a waiting list"]),
        Row::new(Some(State::Waiting), Verb::MoveUp, State::Enrolled, "", &["a place became free"]),
        Row::new(
            Some(State::Waiting),
            Verb::Withdraw,
            State::Withdrawn,
            "workforce.enrolments.withdraw",
            &[],
        ),
        Row::new(
            Some(State::Enrolled),
            Verb::Withdraw,
            State::Withdrawn,
            "workforce.enrolments.withdraw",
            &["the session is PLANNED"],
        ),
        Row::new(
            Some(State::Enrolled),
            Verb::RecordAttendance,
            State::Attended,
            "workforce.enrolments.attend",
            &["the session is HELD"],
        ),
        Row::new(Some(State::Enrolled), Verb::Miss, State::Absent, "", &["0 minutes"]),
        Row::new(
            Some(State::Attended),
            Verb::RecordExamAttempt,
            State::Attended,
            "workforce.enrolments.examine",
            &["another person than the learner", "an attempt is left"],
        ),
        Row::new(Some(State::Attended), Verb::Pass, State::Passed, "", &["the pass mark is reached"]),
        Row::new(Some(State::Attended), Verb::Fail, State::Failed, "", &["the last attempt"]),
        Row::new(Some(State::Attended), Verb::GiveFeedback, State::Attended, FEEDBACK, &["once"]),
        Row::new(Some(State::Passed), Verb::GiveFeedback, State::Passed, FEEDBACK, &["once"]),
        Row::new(Some(State::Failed), Verb::GiveFeedback, State::Failed, FEEDBACK, &["once"]),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_stand() {
        assert!(COURSE.faults().is_empty(), "{:?}", COURSE.faults());
        assert!(SESSION.faults().is_empty(), "{:?}", SESSION.faults());
        assert!(ENROLMENT.faults().is_empty(), "{:?}", ENROLMENT.faults());
    }
}
