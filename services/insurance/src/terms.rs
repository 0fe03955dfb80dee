//! What a policy 保单 promises: whom it covers, against what, how much. Data of each policy version; nothing here knows a figure.

use jiff::civil::Date;
use kernel::{
    money::{Fen, Ppm},
    named,
};

named! {
    /// On what ground somebody lives in the town.
    pub Ground {
        /// Registered 户籍.
        Registered = "REGISTERED",
        /// By residence permit 居住证.
        ResidencePermit = "RESIDENCE_PERMIT",
    }
}

named! {
    /// What a benefit is for.
    pub Object {
        /// A person 人身.
        Person = "PERSON",
        /// A dwelling with what is in it 房屋.
        Dwelling = "DWELLING",
    }
}

named! {
    /// What makes somebody insured.
    pub InsuredBy {
        /// He lives in the town on the day of the event 居住.
        Residence = "RESIDENCE",
        /// It happened in a place of the town, to whomever 场所.
        Place = "PLACE",
    }
}

/// Grades of disability 伤残等级: 1 is the gravest, 10 the lightest.
pub const GRADES: usize = 10;

/// How much a benefit is before limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A fixed sum 定额.
    Fixed(Fen),
    /// A part of a sum by the grade of disability 按伤残等级.
    ByGrade {
        /// The sum of which the parts are.
        sum: Fen,
        /// The part of each grade, the gravest first.
        parts: [Ppm; GRADES],
    },
    /// A share of the loss above a deductible 按损失比例.
    Loss {
        /// What the insured bears of each loss 免赔额.
        deductible: Fen,
        /// What the insurer bears of the rest 赔付比例.
        share: Ppm,
    },
}

impl Form {
    /// Whether it is a share of a loss: what one programme pays of that, the next doesn't see.
    pub fn is_loss(self) -> bool {
        matches!(self, Form::Loss { .. })
    }
}

/// A row of a benefit table 保障责任.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benefit {
    /// The peril, a code of the policy's own: `FIRE`.
    pub peril: String,
    /// What for.
    pub object: Object,
    /// What makes somebody insured.
    pub insured_by: InsuredBy,
    /// How much.
    pub form: Form,
    /// What one loss may be claimed at, at most 保险金额; of a share of the loss alone.
    pub sum_insured: Option<Fen>,
    /// Days that must have passed since the insured began to live in the town 等待期.
    pub waiting_days: u16,
    /// At most, for a person and year.
    pub limit_person_year: Option<Fen>,
    /// At most, for a household and year.
    pub limit_household_year: Option<Fen>,
    /// At most, for an event, whomever it met.
    pub limit_event: Option<Fen>,
}

/// What a version of a policy promises.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The grounds on which residents are insured.
    pub grounds: Vec<Ground>,
    /// Days after the event within which it must be reported 报案期限.
    pub report_within_days: u16,
    /// The benefit table; one row for each peril and object.
    pub benefits: Vec<Benefit>,
    /// At most, for a person and year, over all benefits.
    pub limit_person_year: Option<Fen>,
    /// At most, for a household and year, over all benefits.
    pub limit_household_year: Option<Fen>,
    /// At most, for an event, over all benefits.
    pub limit_event: Option<Fen>,
    /// At most, in the policy's year, over everything.
    pub limit_year: Option<Fen>,
}

impl Terms {
    /// The benefit of a peril.
    pub fn benefit(&self, peril: &str) -> Option<&Benefit> {
        self.benefits.iter().find(|benefit| benefit.peril == peril)
    }
}

/// A residence in the town, as the register has it on the day of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residence {
    /// On what ground.
    pub ground: Ground,
    /// Since when without a gap on this ground.
    pub since: Date,
}
