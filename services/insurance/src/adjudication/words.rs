//! The words of a trace, in Chinese and in English, and the clause that each rule rests on.

use jiff::{Span, civil::Date};
use kernel::money::Fen;

use super::{Rule, Step};

/// A rule in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Rule {
    /// What the rule rests on: a part of the policy, or of the work points.
    pub fn clause(self) -> &'static str {
        match self {
            Rule::InPeriod | Rule::EventBeforePolicy | Rule::EventAfterPolicy => {
                "保险期间 period of the policy"
            }
            Rule::ResidentOnDay
            | Rule::NotResidentOnDay
            | Rule::GroundNotCovered
            | Rule::InPlace
            | Rule::NotInPlace
            | Rule::NotInDwelling => "被保险人 insured (Work points 3.4)",
            Rule::WithinWaitingDays => "等待期 waiting days",
            Rule::ReportedInTime | Rule::ReportedLate => "报案期限 reporting term",
            Rule::DocumentsMissing => "索赔材料 documents of a claim",
            Rule::PerilNotCovered | Rule::GradeMissing | Rule::FixedSum | Rule::GradeShare => {
                "保障责任 benefits"
            }
            Rule::LeftOfLoss => "损失补偿 no loss is paid twice",
            Rule::HighestFixed => "定额给付 the highest fixed benefit",
            Rule::Deductible | Rule::NothingLeft => "免赔额 deductible",
            Rule::Share => "赔付比例 share",
            Rule::CapBenefitPersonYear
            | Rule::CapBenefitHouseholdYear
            | Rule::CapBenefitEvent
            | Rule::CapPersonYear
            | Rule::CapHouseholdYear
            | Rule::CapEvent
            | Rule::CapYear
            | Rule::CapExhausted => "责任限额 limits",
            Rule::Approved => "核定赔付 benefit",
        }
    }
}

fn day(days: i64) -> String {
    const FIRST: Date = Date::constant(1970, 1, 1);
    let day = Span::new().try_days(days).and_then(|span| FIRST.checked_add(span));
    day.map_or_else(|_| days.to_string(), |day| day.to_string())
}

fn yuan(fen: i64) -> String {
    Fen::of(fen).to_string()
}

fn percent(parts: i64) -> String {
    let (whole, rest) = (parts / 10_000, parts % 10_000);
    if rest == 0 { format!("{whole}%") } else { format!("{whole}.{rest:04}%") }
}

/// A step in words.
pub fn words(step: Step) -> Words {
    let Step { rule, input, effect } = step;
    let (zh, en) = match rule {
        Rule::InPeriod => (
            format!("出险日 {} 在保险期间内（至 {} 前）", day(input), day(effect)),
            format!("the event of {} lies in the policy, which ends before {}", day(input), day(effect)),
        ),
        Rule::EventBeforePolicy => (
            format!("出险日 {} 早于保险起期 {}", day(input), day(effect)),
            format!("the event of {} came before the policy, which began on {}", day(input), day(effect)),
        ),
        Rule::EventAfterPolicy => (
            format!("出险日 {} 不早于保险止期 {}", day(input), day(effect)),
            format!("the event of {} came when the policy had ended on {}", day(input), day(effect)),
        ),
        Rule::ResidentOnDay => (
            format!("出险日 {} 居住在本镇（自 {} 起）", day(input), day(effect)),
            format!("resident in the town on {}, since {}", day(input), day(effect)),
        ),
        Rule::NotResidentOnDay => (
            format!("出险日 {} 不在本镇居住", day(input)),
            format!("not resident in the town on {}", day(input)),
        ),
        Rule::GroundNotCovered => (
            format!("出险日 {} 的居住依据不在承保范围", day(input)),
            format!("resident on {} on a ground that the policy doesn't cover", day(input)),
        ),
        Rule::WithinWaitingDays => (
            format!("居住 {input} 天，未满等待期 {effect} 天"),
            format!("resident for {input} days of the {effect} waiting days"),
        ),
        Rule::InPlace => {
            (format!("{} 在承保场所内出险", day(input)), format!("in an insured place on {}", day(input)))
        }
        Rule::NotInPlace => (
            format!("{} 不在承保场所内出险", day(input)),
            format!("not in an insured place on {}", day(input)),
        ),
        Rule::NotInDwelling => (
            format!("出险日 {} 不居住在出险房屋内", day(input)),
            format!("did not live in the dwelling on {}", day(input)),
        ),
        Rule::ReportedInTime => (
            format!("出险后 {input} 天报案，在 {effect} 天内"),
            format!("reported {input} days after the event, within {effect}"),
        ),
        Rule::ReportedLate => (
            format!("出险后 {input} 天报案，超过 {effect} 天"),
            format!("reported {input} days after the event, more than {effect}"),
        ),
        Rule::DocumentsMissing => {
            ("索赔材料不齐".to_owned(), "documents that the peril asks for are missing".to_owned())
        }
        Rule::PerilNotCovered => {
            ("不属于本保险的保障责任".to_owned(), "the policy doesn't cover the peril".to_owned())
        }
        Rule::GradeMissing => ("缺少伤残等级".to_owned(), "the grade of disability is missing".to_owned()),
        Rule::LeftOfLoss => (
            format!("损失 {} 元，先行赔付后余 {} 元", yuan(input), yuan(effect)),
            format!("of the loss of {} yuan, {} are left by what was paid before", yuan(input), yuan(effect)),
        ),
        Rule::Deductible => (
            format!("扣除免赔额 {} 元，余 {} 元", yuan(input), yuan(effect)),
            format!("above the deductible of {} yuan: {}", yuan(input), yuan(effect)),
        ),
        Rule::Share => (
            format!("按 {} 计 {} 元", percent(input), yuan(effect)),
            format!("{} of it: {} yuan", percent(input), yuan(effect)),
        ),
        Rule::FixedSum => {
            (format!("定额 {} 元", yuan(input)), format!("a fixed sum of {} yuan", yuan(input)))
        }
        Rule::GradeShare => (
            format!("按伤残等级 {} 计 {} 元", percent(input), yuan(effect)),
            format!("{} by the grade of disability: {} yuan", percent(input), yuan(effect)),
        ),
        Rule::HighestFixed => (
            format!("同一人同一事故已付定额 {} 元，就高补足 {} 元", yuan(input), yuan(effect)),
            format!(
                "{} yuan of fixed benefits were paid for this event, {} are left of the highest",
                yuan(input),
                yuan(effect)
            ),
        ),
        Rule::CapBenefitPersonYear => {
            limit("该责任每人每年限额", "the benefit's limit of a person and year", input)
        }
        Rule::CapBenefitHouseholdYear => {
            limit("该责任每户每年限额", "the benefit's limit of a household and year", input)
        }
        Rule::CapBenefitEvent => limit("该责任每次事故限额", "the benefit's limit of an event", input),
        Rule::CapPersonYear => limit("每人每年限额", "the limit of a person and year", input),
        Rule::CapHouseholdYear => limit("每户每年限额", "the limit of a household and year", input),
        Rule::CapEvent => limit("每次事故限额", "the limit of an event", input),
        Rule::CapYear => limit("保险年度限额", "the limit of the policy's year", input),
        Rule::CapExhausted => ("限额已用完".to_owned(), "a limit is used up".to_owned()),
        Rule::NothingLeft => (
            "扣除免赔额与先行赔付后无余额".to_owned(),
            "deductible and earlier payments leave nothing".to_owned(),
        ),
        Rule::Approved => (
            format!("核定 {} 元，赔付 {} 元", yuan(input), yuan(effect)),
            format!("{} yuan before limits, {} to pay", yuan(input), yuan(effect)),
        ),
    };
    Words { zh, en }
}

fn limit(zh: &str, en: &str, left: i64) -> (String, String) {
    (format!("{zh}余 {} 元", yuan(left)), format!("{en} leaves {} yuan", yuan(left)))
}
