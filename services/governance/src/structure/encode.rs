//! Findings on the wire, with what is missing in the caller's language.

use chassis::{
    ambient::{Ambient, Language},
    wire,
};
use contracts::linli::governance::v1 as pb;
use kernel::state::Named;

use super::rules::{Finding, Rule};

pub(super) fn rule(rule: Rule) -> pb::FindingRule {
    pb::FindingRule::from_str_name(&format!("FINDING_RULE_{}", rule.name())).unwrap_or_default()
}

/// A finding of a town.
pub(super) fn finding(town: &str, finding: &Finding) -> pb::Finding {
    let of = |kind: &str, id: &Option<String>| {
        id.as_ref().map(|id| format!("towns/{town}/{kind}/{id}")).unwrap_or_default()
    };
    let resource = match finding.collection {
        "towns" => format!("towns/{town}"),
        collection => format!("towns/{town}/{collection}/{}", finding.id),
    };
    let seats = finding
        .seats
        .iter()
        .map(|(seat, since)| pb::VacantSeat { seat: *seat, since_date: since.map(wire::to_date) });
    pb::Finding {
        rule: rule(finding.rule).into(),
        resource,
        display_name: finding.display_name.clone(),
        committee: of("committees", &finding.place.committee),
        community: of("communities", &finding.place.community),
        body_kind: finding.kind.as_ref().map(|(kind, ..)| kind.clone()).unwrap_or_default(),
        actual: finding.actual,
        wanted: finding.wanted,
        since_date: finding.since.map(wire::to_date),
        due_date: finding.due.map(wire::to_date),
        seats: seats.collect(),
        clause: finding.clause.clone(),
        message: match Ambient::current().language {
            Language::Chinese => chinese(finding),
            Language::English => english(finding),
        },
    }
}

fn seats(finding: &Finding) -> String {
    finding.seats.iter().map(|(seat, _)| seat.to_string()).collect::<Vec<_>>().join(", ")
}

/// A name with what it belongs to: 秋霞坊 业委会.
fn named(finding: &Finding) -> String {
    match &finding.of {
        Some(of) => format!("{of} {}", finding.display_name),
        None => finding.display_name.clone(),
    }
}

fn chinese(finding: &Finding) -> String {
    let (name, Finding { actual, wanted, .. }) = (named(finding), finding);
    let kind = finding.kind.as_ref().map(|(_, zh, _)| zh.as_str()).unwrap_or_default();
    let due = finding.due.map(|due| due.to_string()).unwrap_or_default();
    match finding.rule {
        Rule::BodyMissing => format!("{name} 应有 {wanted} 个{kind}，现有 {actual} 个"),
        Rule::BodyTooMany => format!("{name} 至多 {wanted} 个{kind}，现有 {actual} 个"),
        Rule::SeatVacant => format!("{name} 共 {wanted} 席，空缺第 {} 席", seats(finding)),
        Rule::TermOver => format!("{name} 任期已终止，{wanted} 席全部空缺"),
        Rule::NoQuorum => format!("{name} 在任 {actual} 人，不足法定人数 {wanted} 人"),
        Rule::TermEnding => format!("{name} 第 {} 席任期至 {due}，尚无接任", seats(finding)),
        Rule::NotDivided if *wanted == 0 => format!("{name} 有 {actual} 幢楼未划入区块"),
        Rule::NotDivided => format!("{name} 尚未划分区块"),
        Rule::BlockForces => format!("{name} 应整合 {wanted} 支力量，现有 {actual} 支"),
        Rule::HandoverPending => format!("{name} 由主任代管，待交接"),
    }
}

fn english(finding: &Finding) -> String {
    let (name, Finding { actual, wanted, .. }) = (named(finding), finding);
    let kind = finding.kind.as_ref().map(|(.., en)| en.as_str()).unwrap_or_default();
    let due = finding.due.map(|due| due.to_string()).unwrap_or_default();
    match finding.rule {
        Rule::BodyMissing => format!("{name} should have {wanted} of {kind} and has {actual}"),
        Rule::BodyTooMany => format!("{name} can have {wanted} of {kind} and has {actual}"),
        Rule::SeatVacant => format!("of {wanted} seats of {name} these are vacant: {}", seats(finding)),
        Rule::TermOver => format!("the terms of {name} have ended: all {wanted} seats are vacant"),
        Rule::NoQuorum => format!("{name} has {actual} members, fewer than its quorum of {wanted}"),
        Rule::TermEnding => {
            format!("terms of {name} end on {due} with nobody to follow: seats {}", seats(finding))
        }
        Rule::NotDivided if *wanted == 0 => format!("{actual} buildings of {name} lie in no block"),
        Rule::NotDivided => format!("{name} is not divided into blocks"),
        Rule::BlockForces => format!("{name} should gather {wanted} forces and has {actual}"),
        Rule::HandoverPending => format!("a director covers {name} until it is handed over"),
    }
}
