//! A check of cover in words.

use crate::adjudication::{
    Step,
    words::{Words, words},
};

use super::rules::{Line, is_covered};

/// The step that says no, when one does.
fn refusing(line: &Line) -> Option<Step> {
    let rule = line.rule?;
    line.steps.iter().rev().find(|step| step.rule == rule).copied()
}

/// Why a programme doesn't cover an event, in words; nothing when it does.
pub(crate) fn reason(line: &Line) -> Option<Words> {
    refusing(line).map(words)
}

fn titles(lines: &[&Line]) -> String {
    lines.iter().map(|line| line.title.as_str()).collect::<Vec<_>>().join("、")
}

fn refusals(lines: &[&Line]) -> (String, String) {
    let told = |of: fn(Words) -> String, sign: &str| {
        let each = lines.iter().filter_map(|line| Some(format!("{}{sign}{}", line.title, of(reason(line)?))));
        each.collect::<Vec<_>>().join(if sign == "：" { "；" } else { "; " })
    };
    (told(|words| words.zh, "："), told(|words| words.en, ": "))
}

/// All of a check in one sentence.
pub(crate) fn explanation(lines: &[Line]) -> Words {
    let (yes, no): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|line| line.rule.is_none());
    let (why_zh, why_en) = refusals(&no);
    let (zh, en) = match (is_covered(lines), no.is_empty()) {
        (true, true) => (format!("{} 承保", titles(&yes)), format!("covered by {}", titles(&yes))),
        (true, false) => (
            format!("{} 承保；{why_zh}", titles(&yes)),
            format!("covered by {}; not by {why_en}", titles(&yes)),
        ),
        (false, false) => (format!("不承保：{why_zh}"), format!("not covered: {why_en}")),
        (false, true) => (
            "不承保：镇上没有已签订的保单".to_owned(),
            "not covered: the town has signed no policy".to_owned(),
        ),
    };
    Words { zh, en }
}
