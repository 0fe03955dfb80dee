//! The faults of a policy, all at once.

use kernel::{
    money::Fen,
    text::{NAME_CHARS, display_name, is_code},
};

use super::{CarryOver, Terms};
use crate::ledger::rules::Fund;

/// What is wrong with a field, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) field: String,
    pub(crate) reason: &'static str,
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// The most that an amount of a policy may be: a billion yuan. With at most 50 uplift rows, growth of ten and a million households a
/// sum over 100,000 committees still fits an account.
const MOST: Fen = Fen::of(100_000_000_000);
/// The most that a household may add: 100,000 yuan.
const MOST_PER_HOUSEHOLD: Fen = Fen::of(10_000_000);
/// The most that a base may grow: tenfold.
const MOST_GROWTH: i64 = 10_000_000;
/// Rows of the uplift table.
const ROWS: usize = 50;
/// Households of a committee, as governance counts them.
const HOUSEHOLDS: i32 = 1_000_000;
/// Working days of a term.
const DAYS: i32 = 250;

#[derive(Default)]
struct Found(Vec<Fault>);

impl Found {
    fn unless(&mut self, good: bool, field: impl Into<String>, reason: &'static str, zh: &str, en: &str) {
        if !good {
            self.0.push(Fault { field: field.into(), reason, zh: zh.to_owned(), en: en.to_owned() });
        }
    }

    fn amount(&mut self, field: impl Into<String>, amount: Fen, most: Fen) {
        let field = field.into();
        self.unless(amount >= Fen::ZERO, field.clone(), "NEGATIVE", "不能为负", "must not be below zero");
        self.unless(amount <= most, field, "TOO_LARGE", "金额过大", "is too large");
    }

    fn within(&mut self, field: impl Into<String>, number: i32, least: i32, most: i32) {
        let (zh, en) = (format!("须在 {least} 至 {most} 之间"), format!("must be from {least} to {most}"));
        self.unless((least..=most).contains(&number), field, "RANGE", &zh, &en);
    }
}

/// Every fault of a policy.
pub(super) fn faults(terms: &Terms) -> Vec<Fault> {
    let mut found = Found::default();
    let named = display_name(&terms.display_name, NAME_CHARS).is_ok();
    found.unless(named, "display_name", "TEXT", "须为可读名称", "must be readable text");
    dates(&mut found, terms);
    amounts(&mut found, terms);
    uplifts(&mut found, terms);
    kinds(&mut found, terms);
    carry_overs(&mut found, terms);
    categories(&mut found, terms);
    spending(&mut found, terms);
    found.0
}

fn dates(found: &mut Found, terms: &Terms) {
    let year = terms.fiscal_year;
    found.within("fiscal_year", year, 2000, 2200);
    found.unless(
        i32::from(terms.effective_from.year()) == year,
        "effective_date",
        "OUTSIDE_YEAR",
        "须在该会计年度内",
        "must lie in the fiscal year",
    );
    found.unless(
        [year - 1, year].contains(&terms.households_as_of.year().into()),
        "households_as_of_date",
        "OUTSIDE_YEAR",
        "须在该会计年度或上一年度内",
        "must lie in the fiscal year or the one before",
    );
    found.within("pro_rating.month_counts_until_day", terms.month_counts_until_day, 1, 31);
}

fn amounts(found: &mut Found, terms: &Terms) {
    found.amount("work_floor", terms.work_floor, MOST);
    found.amount("service_floor", terms.service_floor, MOST);
    found.amount("supplement_per_household", terms.supplement_per_household, MOST_PER_HOUSEHOLD);
    found.amount("project_pool", terms.project_pool, MOST);
    found.amount("public_notice_above", terms.public_notice_above.unwrap_or(Fen::ZERO), MOST);
    found.within("household_threshold", terms.household_threshold, 0, HOUSEHOLDS);
    found.unless(
        (1..=MOST_GROWTH).contains(&terms.growth.parts()),
        "growth_index_ppm",
        "RANGE",
        "须大于 0，不超过 10000000",
        "must be above 0 and at most 10000000",
    );
}

fn uplifts(found: &mut Found, terms: &Terms) {
    found.unless(terms.uplifts.len() <= ROWS, "uplifts", "TOO_MANY", "最多 50 行", "50 rows at most");
    for (n, row) in terms.uplifts.iter().enumerate() {
        let field = |name: &str| format!("uplifts[{n}]{name}");
        found.amount(field(".work_fund"), row.work, MOST);
        found.amount(field(".service_fund"), row.service, MOST);
        let says = row.difficulty.is_some() || row.management_class.is_some() || row.kind.is_some();
        found.unless(
            says,
            field(""),
            "NO_CONDITION",
            "须至少有一个条件；人人都有的应计入保底",
            "needs a condition: what everybody gets belongs to the floor",
        );
        found.unless(
            row.work != Fen::ZERO || row.service != Fen::ZERO,
            field(""),
            "NOTHING",
            "两项金额不能都为零",
            "adds nothing to either fund",
        );
        let key = |row: &super::Uplift| (row.difficulty, row.management_class, row.kind);
        let twice = terms.uplifts[..n].iter().any(|other| key(other) == key(row));
        found.unless(
            !twice,
            field(""),
            "REPEATED",
            "条件与前面的行相同",
            "has the conditions of a row before",
        );
    }
}

fn kinds(found: &mut Found, terms: &Terms) {
    let kinds = &terms.eligible_kinds;
    found.unless(!kinds.is_empty(), "eligible_kinds", "REQUIRED", "至少一类", "one kind at least");
    let once = kinds.iter().enumerate().all(|(n, kind)| !kinds[..n].contains(kind));
    found.unless(once, "eligible_kinds", "REPEATED", "每类只填一次", "each kind once");
}

fn carry_overs(found: &mut Found, terms: &Terms) {
    for (n, (fund, what)) in terms.carry_overs.iter().enumerate() {
        let field = format!("carry_overs[{n}]");
        let twice = terms.carry_overs[..n].iter().any(|(other, _)| other == fund);
        found.unless(!twice, field.clone(), "REPEATED", "每项经费只填一次", "each fund once");
        // delegated money follows its task, which ends as its department says
        found.unless(
            *fund != Fund::Delegated || *what == CarryOver::Return,
            field,
            "FITS_NOT",
            "费随事转随任务了结，不由政策结转",
            "delegated money follows its task, not the policy",
        );
    }
}

/// Whether `text` may be the id of a category, as the ledger has it.
fn is_category(text: &str) -> bool {
    is_code(text, 63)
}

fn categories(found: &mut Found, terms: &Terms) {
    let rows = &terms.categories;
    for (n, row) in rows.iter().enumerate() {
        let field = |name: &str| format!("categories[{n}]{name}");
        let (zh, en) = ("应为大写字母、数字与下划线", "must be upper-case letters, digits and underscores");
        found.unless(is_category(&row.id), field(".category"), "FORMAT", zh, en);
        let named = display_name(&row.display_name, NAME_CHARS).is_ok();
        found.unless(named, field(".display_name"), "TEXT", "须为可读名称", "must be readable text");
        let twice = rows[..n].iter().any(|other| (other.fund, &other.id) == (row.fund, &row.id));
        found.unless(!twice, field(""), "REPEATED", "同一经费下类别重复", "stands twice in its fund");
    }
    for fund in [Fund::Work, Fund::Service] {
        found.unless(
            rows.iter().any(|row| row.fund == fund && row.allowed),
            "categories",
            "NOTHING_ALLOWED",
            "工作经费与服务群众专项经费须各有至少一个许可类别",
            "work fund and service fund each need a category that they may pay",
        );
    }
}

fn spending(found: &mut Found, terms: &Terms) {
    for (n, id) in terms.public_notice_always_for.iter().enumerate() {
        let field = format!("public_notice_always_for[{n}]");
        let known = terms.categories.iter().any(|row| row.id == *id);
        found.unless(known, field.clone(), "UNKNOWN", "不在 categories 中", "is not among the categories");
        let twice = terms.public_notice_always_for[..n].contains(id);
        found.unless(!twice, field, "REPEATED", "重复", "stands twice");
    }
    found.within("public_notice_working_days", terms.public_notice_days, 0, DAYS);
    let asks = terms.public_notice_above.is_some() || !terms.public_notice_always_for.is_empty();
    found.unless(
        !asks || terms.public_notice_days > 0,
        "public_notice_working_days",
        "REQUIRED",
        "要求公示时须填写公示工作日",
        "say how long a notice lasts",
    );
    let fields = ["review", "approve", "pay", "settle", "disclose"];
    for (name, days) in fields.iter().zip(terms.days) {
        found.within(format!("expense_terms.{name}_working_days"), days, 1, DAYS);
    }
}
