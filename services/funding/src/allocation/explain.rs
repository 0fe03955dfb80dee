//! Why an amount is this number, in words and figures: made of the facts that are stored with the allocation and of the policy, which never
//! changes.

use contracts::linli::funding::v1 as pb;
use kernel::{money::Fen, state::Named};

use super::{
    rules::{LineKind, Warning},
    store::Adjustment,
};
use crate::{
    ledger::rules::Fund,
    money::to_money,
    policy::rules::{Policy, Uplift},
};

/// The figures that a text speaks of.
#[derive(Debug)]
pub(crate) struct Figures<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) fund: Fund,
    pub(crate) months: i32,
    pub(crate) households: Option<i32>,
    pub(crate) above: i32,
    /// The rows of the uplift table that fit.
    pub(crate) uplifts: Vec<&'a Uplift>,
}

/// A text in both languages.
type Texts = (String, String);

impl Figures<'_> {
    /// How a line was computed.
    pub(crate) fn text(&self, kind: LineKind) -> Texts {
        let (zh, en) = match kind {
            LineKind::Floor => self.floor(),
            LineKind::Uplift => self.uplift(),
            LineKind::Growth => self.growth(),
            LineKind::Supplement => self.supplement(),
        };
        if self.months == 12 {
            return (zh, en);
        }
        let months = self.months;
        (format!("{zh}；按 {months}/12 个月折算"), format!("{en}; {months} of 12 months"))
    }

    fn floor(&self) -> Texts {
        let floor = self.policy.floor(self.fund);
        (format!("保底 {floor} 元"), format!("the floor of {floor} yuan"))
    }

    fn uplift(&self) -> Texts {
        if self.uplifts.is_empty() {
            return ("不符合任何增加条件".to_owned(), "no row of the uplift table fits".to_owned());
        }
        let told = self.uplifts.iter().map(|row| {
            let said = [
                row.kind.map(Named::name),
                row.management_class.map(Named::name),
                row.difficulty.map(Named::name),
            ];
            let said: Vec<&str> = said.into_iter().flatten().collect();
            format!("{} {}", said.join(" "), row.of(self.fund))
        });
        let told = told.collect::<Vec<_>>().join(" + ");
        (format!("增加额：{told} 元"), format!("uplift: {told} yuan"))
    }

    fn growth(&self) -> Texts {
        let terms = self.policy.terms();
        let parts = terms.growth.parts();
        let index = format!("{}.{:06}", parts / 1_000_000, parts % 1_000_000);
        let mut base = Vec::new();
        if terms.growth_of_floor {
            base.push(self.policy.floor(self.fund));
        }
        if terms.growth_of_uplift {
            base.extend(self.uplifts.iter().map(|row| row.of(self.fund)));
        }
        let base = Fen::sum(base).unwrap_or_default();
        (format!("增长指数 {index}，基数 {base} 元"), format!("growth index {index} on {base} yuan"))
    }

    fn supplement(&self) -> Texts {
        let threshold = self.policy.terms().household_threshold;
        let each = self.policy.supplement(self.fund);
        match (self.households, self.above) {
            (None, _) => ("没有申报户数".to_owned(), "there is no declared count of households".to_owned()),
            (Some(households), 0) => (
                format!("{households} 户，不超过 {threshold} 户"),
                format!("{households} households, not above {threshold}"),
            ),
            (Some(households), above) => (
                format!("{households} 户，超过 {threshold} 户 {above} 户 × {each} 元"),
                format!("{households} households, {above} above {threshold}, at {each} yuan"),
            ),
        }
    }
}

/// The lines of an explanation: those of the formula, then the adjustments. The supplement is the work fund's alone.
pub(crate) fn lines(
    figures: &Figures<'_>,
    computed: &[(LineKind, Fen, Fen)],
    adjustments: &[Adjustment],
) -> Vec<pb::ExplanationLine> {
    let of_fund = |kind: LineKind| kind != LineKind::Supplement || figures.fund == Fund::Work;
    let formula = computed.iter().filter(|(kind, _, _)| of_fund(*kind)).map(|(kind, year, part)| {
        let (text_zh, text_en) = figures.text(*kind);
        pb::ExplanationLine {
            kind: line_kind(*kind).into(),
            twelve_month_amount: Some(to_money(*year)),
            amount: Some(to_money(*part)),
            text_zh,
            text_en,
            ..Default::default()
        }
    });
    let by_hand = adjustments.iter().map(|adjustment| pb::ExplanationLine {
        kind: pb::ExplanationKind::Adjustment.into(),
        twelve_month_amount: Some(to_money(Fen::of(adjustment.amount_fen))),
        amount: Some(to_money(Fen::of(adjustment.amount_fen))),
        text_zh: "人工调整，不折算".to_owned(),
        text_en: "an adjustment by hand, not pro-rated".to_owned(),
        reason: adjustment.reason.clone(),
        principal: adjustment.adjusted_by.clone(),
        adjust_time: Some(chassis::wire::to_timestamp(adjustment.adjusted)),
    });
    formula.chain(by_hand).collect()
}

/// A line's kind on the wire.
pub(crate) fn line_kind(kind: LineKind) -> pb::ExplanationKind {
    match kind {
        LineKind::Floor => pb::ExplanationKind::Floor,
        LineKind::Uplift => pb::ExplanationKind::Uplift,
        LineKind::Growth => pb::ExplanationKind::Growth,
        LineKind::Supplement => pb::ExplanationKind::Supplement,
    }
}

/// A warning of an allocation on the wire.
pub(crate) fn warning(warning: Warning) -> pb::AllocationWarning {
    use pb::AllocationWarningKind as Wire;
    let (kind, zh, en) = match warning {
        Warning::NoHouseholdCount => (
            Wire::NoHouseholdCount,
            "没有申报户数，未计超户补贴",
            "there is no declared count: no supplement was computed",
        ),
        Warning::LaterHouseholdCount => (
            Wire::LaterHouseholdCount,
            "户数为该居委会首次申报，晚于政策规定之日",
            "the count is the committee's first, of a later day than the policy asks",
        ),
        Warning::NoMonths => {
            (Wire::NoMonths, "筹建较晚，本年没有计入的月份", "it began so late that no month counts")
        }
        Warning::BelowFloor => (
            Wire::BelowFloor,
            "全年金额低于保底，须由他人特批",
            "the twelve-month amount is below the floor: another person must grant an exception",
        ),
    };
    told(kind, zh.to_owned(), en.to_owned())
}

/// A warning in words.
pub(crate) fn told(kind: pb::AllocationWarningKind, zh: String, en: String) -> pb::AllocationWarning {
    pb::AllocationWarning { kind: kind.into(), text_zh: zh, text_en: en }
}
