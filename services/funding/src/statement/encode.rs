//! Statements on the wire, and the words for what stands in them.

use std::collections::BTreeMap;

use chassis::{fields, refusal::Refusal, wire};
use contracts::linli::funding::v1 as pb;
use jiff::{Timestamp, civil::Date};
use kernel::{
    money::{Fen, MoneyError},
    name::CommitteeName,
    state::Named,
};

use super::rules::{Line, Movement, Period, Section, Sections};
use crate::{
    ledger::{encode::fund, rules::Fund, store::account_name},
    money::to_money,
};

/// Entries that a line names at most.
const NAMED: usize = 20;

/// A fund in Chinese.
pub(super) fn fund_zh(of: Fund) -> &'static str {
    match of {
        Fund::Work => "工作经费",
        Fund::Service => "服务群众专项经费",
        Fund::Delegated => "费随事转经费",
        Fund::ProjectPool => "项目资金池经费",
    }
}

/// A movement in Chinese.
pub(super) fn movement_zh(of: Movement) -> &'static str {
    match of {
        Movement::Opened => "期初余额录入",
        Movement::CarriedIn => "上年结转",
        Movement::Released => "拨付",
        Movement::TransferredIn => "划转转入",
        Movement::Delegated => "费随事转拨入",
        Movement::GrantedIn => "项目拨款转入",
        Movement::ReturnedIn => "项目结余转回",
        Movement::Spent => "支出",
        Movement::Refunded => "退回",
        Movement::TransferredOut => "划转转出",
        Movement::GrantedOut => "项目拨款转出",
        Movement::ReturnedOut => "收回",
        Movement::CarriedOut => "结转下年",
    }
}

/// What a statement is of.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) name: CommitteeName,
    pub(super) display_name: String,
    pub(super) year: i32,
    pub(super) quarter: i32,
    pub(super) period: Period,
    pub(super) today: Date,
    pub(super) read_time: Timestamp,
    /// The names of categories, by fund.
    pub(super) categories: BTreeMap<(Fund, String), String>,
}

impl About {
    /// The name of a category as the policies have it.
    pub(super) fn category(&self, fund: Fund, id: &str) -> String {
        self.categories.get(&(fund, id.to_owned())).cloned().unwrap_or_default()
    }
}

fn line(
    about: &About,
    of: Fund,
    (movement, category): &(Movement, Option<String>),
    line: &Line,
) -> pb::StatementLine {
    let town = about.name.town();
    let kind = pb::MovementKind::from_str_name(&format!("MOVEMENT_KIND_{}", movement.name()));
    let category = category.clone().unwrap_or_default();
    pb::StatementLine {
        kind: kind.unwrap_or_default().into(),
        category_display_name: about.category(of, &category),
        category,
        amount: Some(to_money(line.amount)),
        entry_count: fields::number(line.count),
        entries: line.entries.iter().take(NAMED).map(|id| format!("towns/{town}/entries/{id}")).collect(),
        account: account_name(town, line.account),
        entries_filter: about.period.filter(movement.entry().name()),
    }
}

/// A sum over all sections.
pub(super) fn total(
    sections: &Sections,
    of: impl Fn(&Section) -> Result<Fen, MoneyError>,
) -> Result<Fen, MoneyError> {
    let parts: Vec<Fen> = sections.values().map(of).collect::<Result<_, _>>()?;
    Fen::sum(parts)
}

/// A statement on the wire.
pub(super) fn statement(about: &About, sections: &Sections) -> Result<pb::Statement, Refusal> {
    let total = |of: fn(&Section) -> Result<Fen, MoneyError>| {
        total(sections, of).map(to_money).map_err(Refusal::internal)
    };
    let mut shown = Vec::new();
    for ((of, earmark), section) in sections {
        shown.push(pb::StatementSection {
            fund: fund(of.name()),
            earmark: earmark.as_ref().map(|earmark| earmark.name(about.name.town())).unwrap_or_default(),
            opening_amount: Some(to_money(section.opening)),
            lines: section.lines.iter().map(|(key, its)| line(about, *of, key, its)).collect(),
            closing_amount: Some(to_money(section.closing)),
            held_amount: Some(to_money(section.held)),
            spent_amount: Some(to_money(section.spent().map_err(Refusal::internal)?)),
        });
    }
    Ok(pb::Statement {
        name: format!("{}/statement", about.name),
        committee: about.name.to_string(),
        committee_display_name: about.display_name.clone(),
        fiscal_year: about.year,
        quarter: about.quarter,
        start_date: Some(wire::to_date(about.period.from)),
        end_date: Some(wire::to_date(about.period.to)),
        sections: shown,
        opening_amount: Some(total(|section| Ok(section.opening))?),
        spent_amount: Some(total(Section::spent)?),
        closing_amount: Some(total(|section| Ok(section.closing))?),
        held_amount: Some(total(|section| Ok(section.held))?),
        provisional: about.today <= about.period.to,
        read_time: Some(wire::to_timestamp(about.read_time.as_microsecond())),
    })
}
