//! The known claims of 2020 under the two schemes of Work points 3.4: each comes out as its row expects, in the order in which they
//! were reported, with what was paid before.

use std::collections::HashMap;

use jiff::civil::{Date, date};
use tabular::{Cells, Column, Limits, read_csv};

use super::*;
use crate::terms::{Ground, Object};

const CLAIMS: &[u8] = include_bytes!("../../../../deploy/demo/insurance/claims.csv");
const INCIDENTS: &[u8] = include_bytes!("../../../../deploy/demo/insurance/incidents.csv");
const RESIDENTS: &[u8] = include_bytes!("../../../../deploy/demo/residents.csv");

/// The rows of a file as maps from column to text.
fn rows(bytes: &[u8], columns: &[&'static str]) -> Vec<HashMap<&'static str, String>> {
    let columns =
        columns.iter().map(|name| Column { name, required: true, max_chars: 1_000, personal: false });
    let columns: Vec<Column> = columns.collect();
    let table = read_csv(bytes, &columns, Limits::default()).unwrap();
    assert!(table.rows.len() == table.total, "every row is whole");
    let row = |row| {
        let cells = Cells::new(row, &columns);
        columns.iter().map(|column| (column.name, cells.raw(column.name).to_owned())).collect()
    };
    table.rows.iter().map(row).collect()
}

fn yuan(text: &str) -> Fen {
    if text.is_empty() { Fen::ZERO } else { Fen::of_yuan(text).unwrap() }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A benefit without limits, for residents.
fn benefit(peril: &str, object: Object, form: Form) -> Benefit {
    Benefit {
        peril: peril.to_owned(),
        object,
        insured_by: InsuredBy::Residence,
        form,
        sum_insured: None,
        waiting_days: 0,
        limit_person_year: None,
        limit_household_year: None,
        limit_event: None,
    }
}

fn loss(deductible: i64, percent: i64) -> Form {
    Form::Loss { deductible: Fen::of(deductible * 100), share: Ppm::of(percent * 10_000) }
}

fn a_year(limit: i64, benefit: Benefit) -> Benefit {
    let limit = Some(Fen::of(limit * 100));
    match benefit.object {
        Object::Person => Benefit { limit_person_year: limit, ..benefit },
        Object::Dwelling => Benefit { limit_household_year: limit, ..benefit },
    }
}

fn terms(report_within_days: u16, benefits: Vec<Benefit>, (person, year): (Option<i64>, i64)) -> Terms {
    Terms {
        grounds: vec![Ground::Registered, Ground::ResidencePermit],
        report_within_days,
        benefits,
        limit_person_year: person.map(|limit| Fen::of(limit * 100)),
        limit_year: Some(Fen::of(year * 100)),
        ..Terms::default()
    }
}

/// 社区综合保险 for 2020.
fn community() -> Terms {
    use Object::{Dwelling, Person};
    let injury = a_year(20_000, benefit("PUBLIC_AREA_INJURY", Person, loss(0, 100)));
    let benefits = vec![
        a_year(30_000, benefit("FIRE", Dwelling, loss(500, 60))),
        a_year(10_000, benefit("BURST_PIPE", Dwelling, loss(200, 80))),
        a_year(30_000, benefit("TYPHOON", Dwelling, loss(500, 60))),
        Benefit { limit_event: Some(Fen::of(20_000_000)), ..injury },
    ];
    terms(30, benefits, (None, 3_000_000))
}

/// 民生综合保险 for 2020.
fn livelihood() -> Terms {
    use Object::{Dwelling, Person};
    let fixed = |sum: i64| Form::Fixed(Fen::of(sum * 100));
    let parts = [100, 90, 80, 70, 60, 50, 40, 30, 20, 10].map(|percent| Ppm::of(percent * 10_000));
    let by_grade = Form::ByGrade { sum: Fen::of(20_000_000), parts };
    let benefits = vec![
        benefit("DEATH", Person, fixed(200_000)),
        benefit("DISABILITY", Person, by_grade),
        a_year(100_000, benefit("HIT_AND_RUN", Person, loss(0, 100))),
        benefit("DROWNING", Person, fixed(30_000)),
        a_year(30_000, benefit("PUBLIC_AREA_INJURY", Person, loss(0, 80))),
        benefit("RESCUE", Person, fixed(250_000)),
        a_year(60_000, benefit("FIRE", Dwelling, loss(0, 80))),
        a_year(60_000, benefit("TYPHOON", Dwelling, loss(0, 80))),
    ];
    terms(60, benefits, (Some(250_000), 5_000_000))
}

/// A claim that was decided.
struct Decided {
    code: String,
    decision: Decision,
    /// What its row expects of each scheme; nothing where it expects none.
    expected: Option<[Fen; 2]>,
    outcome: String,
}

/// What was paid of each cap: by rank, cap and what it is of.
type Used = HashMap<(i32, Cap, String), Fen>;

/// What a cap is of.
fn key(cap: Cap, peril: &str, claim: &HashMap<&'static str, String>) -> String {
    match cap {
        Cap::BenefitPersonYear => format!("{peril} {}", claim["person"]),
        Cap::BenefitHouseholdYear => format!("{peril} {}", claim["household"]),
        Cap::BenefitEvent => format!("{peril} {}", claim["incident"]),
        Cap::PersonYear => claim["person"].clone(),
        Cap::HouseholdYear => claim["household"].clone(),
        Cap::Event => claim["incident"].clone(),
        Cap::Year => String::new(),
    }
}

/// Where a person lived on a day.
fn residences(residents: &[HashMap<&'static str, String>], person: &str, on: Date) -> Vec<Residence> {
    let his = residents.iter().filter(|row| row["code"] == person && day(&row["from"]) <= on);
    let then = his.filter(|row| row["to"].is_empty() || on < day(&row["to"]));
    let ground = |text: &str| kernel::state::Named::from_name(text).unwrap();
    then.map(|row| Residence { ground: ground(&row["ground"]), since: day(&row["from"]) }).collect()
}

/// Decides every claim that comes to a decision: not the duplicate, nor the one about another's dwelling, which is never stored.
fn decide() -> Vec<Decided> {
    let incidents = rows(INCIDENTS, &["code", "happened_on", "peril"]);
    let residents = rows(RESIDENTS, &["code", "ground", "from", "to"]);
    let columns = [
        "code",
        "incident",
        "reported_on",
        "person",
        "household",
        "claimed_yuan",
        "disability_grade",
        "expected_cci",
        "expected_li",
        "expected_outcome",
    ];
    let schemes = [(1, community()), (2, livelihood())];
    let mut used = Used::new();
    let mut fixed: HashMap<(String, String), Fen> = HashMap::new();
    let mut decided = Vec::new();
    for claim in rows(CLAIMS, &columns) {
        if ["DUPLICATE", "REFUSED"].contains(&claim["expected_outcome"].as_str()) {
            continue;
        }
        let incident = incidents.iter().find(|incident| incident["code"] == claim["incident"]).unwrap();
        let (peril, event_on) = (incident["peril"].as_str(), day(&incident["happened_on"]));
        let before = fixed.entry((claim["person"].clone(), claim["incident"].clone())).or_insert(Fen::ZERO);
        let facts = Facts {
            event_on,
            reported_on: day(&claim["reported_on"]),
            assessed: yuan(&claim["claimed_yuan"]),
            grade: claim["disability_grade"].parse().ok(),
            residences: residences(&residents, &claim["person"], event_on),
            dwelling: None,
            in_place: true,
            documents_complete: true,
            fixed_before: *before,
        };
        let mut covers: Vec<Cover<'_>> = Vec::new();
        for (rank, terms) in &schemes {
            let drawn =
                |cap: Cap| used.get(&(*rank, cap, key(cap, peril, &claim))).copied().unwrap_or(Fen::ZERO);
            let benefit = terms.benefit(peril);
            let caps = benefit.map(|benefit| Caps::of(benefit, terms, drawn)).unwrap_or_default();
            let (from, to) = (date(2020, 1, 1), date(2021, 1, 1));
            covers.push(Cover { rank: *rank, from, to, terms, benefit, caps });
        }
        let decision = adjudicate(&facts, &mut covers);
        for (line, cover) in decision.lines.iter().zip(&covers) {
            for cap in Cap::ORDER {
                let drawn = used.entry((cover.rank, cap, key(cap, peril, &claim))).or_insert(Fen::ZERO);
                *drawn = add(*drawn, line.approved);
            }
            if cover.benefit.is_some_and(|benefit| !benefit.form.is_loss()) {
                *before = add(*before, line.approved);
            }
        }
        let expected = (!claim["expected_cci"].is_empty())
            .then(|| [yuan(&claim["expected_cci"]), yuan(&claim["expected_li"])]);
        let (code, outcome) = (claim["code"].clone(), claim["expected_outcome"].clone());
        decided.push(Decided { code, decision, expected, outcome });
    }
    decided
}

#[test]
fn every_known_claim_comes_out_as_its_row_expects() {
    let decided = decide();
    for claim in &decided {
        let paid: Vec<Fen> = claim.decision.lines.iter().map(|line| line.approved).collect();
        let expected = claim.expected.unwrap_or([Fen::ZERO; 2]);
        assert_eq!(paid, expected, "{}: {:?}", claim.code, claim.decision);
        let outcome = match claim.outcome.as_str() {
            "PAID" | "OBJECTED_THEN_PAID" | "REJECTED_THEN_APPEALED_AND_PAID" => Outcome::Approved,
            "PAID_IN_PART" => Outcome::InPart,
            "REJECTED" => Outcome::Rejected,
            other => panic!("{other} is no outcome"),
        };
        assert_eq!(claim.decision.outcome, outcome, "{}", claim.code);
    }
    assert_eq!(decided.iter().filter(|claim| claim.expected.is_some()).count(), 14);
}

#[test]
fn what_is_refused_is_refused_by_the_rule_that_its_row_names() {
    let decided = decide();
    let rule =
        |code: &str| decided.iter().find(|claim| claim.code == code).and_then(|claim| claim.decision.rule);
    assert_eq!(rule("cl-12"), Some(Rule::CapExhausted));
    assert_eq!(rule("cl-13"), Some(Rule::EventBeforePolicy));
    assert_eq!(rule("cl-15"), Some(Rule::ReportedLate));
    assert_eq!(rule("cl-16"), Some(Rule::NotResidentOnDay));
}
