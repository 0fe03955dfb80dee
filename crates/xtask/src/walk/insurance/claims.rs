//! A claim up to its decision: reported with its documents, accepted or a double, surveyed, assessed.

use serde_json::{Value, json};

use super::{
    Case, Year,
    agenda::{Agenda, Step},
    id, ids, payee, short, state,
};
use crate::{
    Done,
    walk::{
        caller::{Answer, Caller, Row, list, money, told},
        same,
    },
};

/// What the row says of a claim that isn't: `DUPLICATE`, `REFUSED`.
fn expected(row: &Row) -> &str {
    &row["expected_outcome"]
}

/// The reason that a note begins with: `CAP_EXHAUSTED: …`.
pub(super) fn reason(row: &Row) -> &str {
    let end = row["note"].find(|c: char| !c.is_ascii_uppercase() && c != '_');
    row["note"].get(..end.unwrap_or(row["note"].len())).unwrap_or_default()
}

/// A whole in parts per million.
const WHOLE: usize = 1_000_000;

impl<'a> Year<'a> {
    /// The claim as its row says it. Where the insured is dead, the household claims, and each of it has his part.
    fn draft(&self, row: &Row, peril: &str) -> Answer<Value> {
        let people = |code: &str| format!("towns/malu/people/{code}");
        let incident = self.known.get(&row["incident"]).ok_or("an incident that isn't known")?;
        let mut claim = json!({
            "incident": incident["name"],
            "insured": people(&row["person"]),
            "household": format!("towns/malu/households/{}", row["household"]),
            "payee": payee(),
        });
        if !row["claimed_yuan"].is_empty() {
            claim["claimedAmount"] = money(&row["claimed_yuan"])?;
        }
        if ["DEATH", "DROWNING"].contains(&peril) {
            let mut heirs = self.files.at_home(&row["household"], &row["reported_on"]);
            heirs.retain(|code| *code != row["person"]);
            let (Some(first), count) = (heirs.first(), heirs.len()) else { return Ok(claim) };
            claim["claimant"] = json!(people(first));
            let share = |n: usize| WHOLE / count + if n == 0 { WHOLE % count } else { 0 };
            let heir = |(n, code): (usize, &&str)| json!({"person": people(code), "sharePpm": share(n), "relation": "FAMILY"});
            claim["beneficiaries"] = heirs.iter().enumerate().map(heir).collect();
        }
        Ok(claim)
    }

    /// Reports a claim and uploads its documents; or is refused, and nothing is stored.
    pub(super) async fn report(&mut self, agenda: &mut Agenda, code: &str) -> Done {
        let row = self.claims.get(code).ok_or("no such claim")?.clone();
        let incident = self.known.get(&row["incident"]).ok_or("an incident that isn't known")?.clone();
        let (peril, committee) = (told(&incident["peril"]), id(&incident["committee"]).to_owned());
        let reporter = Caller::new(self.walk, "committee-officer", "w-001", Some(&committee))?;
        let reported = reporter.create("/claims", &self.draft(&row, &peril)?).await?;
        if expected(&row) == "REFUSED" {
            return self.refused(&row, reported).await;
        }
        let claim = reported.map_err(|reason| format!("{code}: {reason}"))?;
        same(code, state(&claim), "REPORTED")?;
        let case = Case {
            name: told(&claim["name"]),
            number: told(&claim["number"]),
            committee,
            insurers: ids(&claim, "insurers"),
            row,
        };
        let all = list(&claim, "requiredDocuments").iter().map(|its| told(&its["kind"]));
        let without = without(&case.row);
        let kinds: Vec<String> = all.filter(|kind| !without.contains(&kind.as_str())).collect();
        if expected(&case.row) != "DUPLICATE" {
            for kind in &kinds {
                self.upload(&reporter, &case.name, kind).await?;
            }
        }
        self.cases.insert(code.to_owned(), case);
        agenda.then(Step::Accept(code.to_owned()))
    }

    /// A refusal by the reason of the note; nothing is stored of it.
    async fn refused(&self, row: &Row, reported: Result<Value, String>) -> Done {
        same(&row["code"], reported.err().as_deref(), Some(reason(row)))?;
        let incident = self.known.get(&row["incident"]).ok_or("an incident that isn't known")?;
        let path = format!("/claims?filter=incident%20%3D%20{}", told(&incident["name"]));
        let stored = self.officer(1)?.get(&path).await?;
        same(&format!("claims stored of {}", row["incident"]), list(&stored, "claims").len(), 0)?;
        let incident = self.officer(1)?.get(&format!("/v1/{}", told(&incident["name"]))).await?;
        same(&row["incident"], short(&incident["state"], "INCIDENT_STATE_"), "VERIFIED")?;
        println!("{}: refused, {}; nothing is stored", row["code"], reason(row));
        Ok(())
    }

    /// Accepts it; a double is refused, and dismissed.
    pub(super) async fn accept(&mut self, agenda: &mut Agenda, code: &str) -> Done {
        let (case, officer) = (self.case(code)?, self.officer(1)?);
        let accepted = officer.act(&case.name, "accept", json!({})).await?;
        if expected(&case.row) == "DUPLICATE" {
            same(code, accepted.err().as_deref(), Some("DUPLICATE_CLAIM"))?;
            let double = self.read(code).await?;
            let first = self.cases.iter().find(|(_, other)| double["duplicateOf"] == other.name.as_str());
            let first = first.map(|(first, _)| first.clone()).ok_or("a double of nothing")?;
            let dismissed =
                officer.does(&case.name, "dismiss", json!({"comment": format!("与 {first} 重复")})).await?;
            same(code, state(&dismissed), "DISMISSED")?;
            println!("{code} {}: a double of {first}, dismissed", case.number);
            return Ok(());
        }
        let accepted = accepted.map_err(|reason| format!("{code}: {reason}"))?;
        same(code, state(&accepted), "ACCEPTED")?;
        agenda.then(Step::Survey(code.to_owned()))
    }

    pub(super) async fn survey(&mut self, agenda: &mut Agenda, code: &str) -> Done {
        let case = self.case(code)?;
        let found = json!({"survey": format!("现场查勘,与报案相符(示例 {code})")});
        self.handler(case, 1)?.does(&case.name, "survey", found).await?;
        agenda.then(Step::Assess(code.to_owned()))
    }

    pub(super) async fn assess(&mut self, agenda: &mut Agenda, code: &str) -> Done {
        let case = self.case(code)?;
        let mut loss = json!({});
        if !case.row["claimed_yuan"].is_empty() {
            loss["assessedAmount"] = money(&case.row["claimed_yuan"])?;
        }
        if !case.row["disability_grade"].is_empty() {
            loss["disabilityGrade"] = json!(case.row["disability_grade"].parse::<i32>()?);
        }
        let assessed = self.handler(case, 2)?.does(&case.name, "assess", loss).await?;
        same(code, state(&assessed), "ASSESSED")?;
        agenda.then(Step::Adjudicate(code.to_owned()))
    }
}

/// Kinds of documents that the family doesn't bring at first.
pub(super) fn without(row: &Row) -> &'static [&'static str] {
    if expected(row) == "REJECTED_THEN_APPEALED_AND_PAID" { &["INVOICES"] } else { &[] }
}
