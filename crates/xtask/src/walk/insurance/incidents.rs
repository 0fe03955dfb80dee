//! Incidents: reported on their day, verified with the cover of that day, and those that nobody claims for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Year, id, short};
use crate::{
    Done,
    walk::{
        caller::{Answer, Caller, Row, date, list, money, told},
        same, same_set,
    },
};

/// The day on which the town looks for families without a claim.
pub(super) const LOOKED_AT: &str = "2020-11-25";
/// Days that a family may take before it is looked for.
const WAITED: i64 = 7;

fn place(row: &Row) -> (&'static str, String) {
    let place = &row["place"];
    match place {
        code if code.starts_with("h-") => ("placeHousehold", format!("towns/malu/households/{code}")),
        code if code.starts_with("e-") => ("placeEstate", format!("towns/malu/estates/{code}")),
        text => ("placeText", text.clone()),
    }
}

fn report(row: &Row) -> Answer<Value> {
    let (field, place) = place(row);
    let mut incident = json!({
        "peril": row["peril"],
        "happenDate": date(&row["happened_on"])?,
        field: place,
        "description": row["what"],
        "source": format!("INCIDENT_SOURCE_{}", row["reported_by"]),
        "person": format!("towns/malu/people/{}", row["person"]),
        "household": format!("towns/malu/households/{}", row["household"]),
    });
    if !row["loss_yuan"].is_empty() {
        incident["estimatedLoss"] = money(&row["loss_yuan"])?;
    }
    if row["reported_by"] == "FINDING" {
        incident["sourceReference"] = json!(format!("towns/malu/findings/f-{}", row["code"]));
    }
    Ok(incident)
}

impl<'a> Year<'a> {
    /// Who brings a report: the steward within his block; elsewhere, and for the family, the officer of the committee; of police, fire service
    /// and findings the town hears.
    fn reporter(&self, row: &Row) -> Answer<Caller<'a>> {
        let home = if row["place"].starts_with("h-") { &row["place"] } else { &row["household"] };
        let home = self.files.household(home);
        let committee = self.files.estate(&row["place"]).or(home.map(|(_, committee)| committee));
        match row["reported_by"].as_str() {
            "STEWARD" if row["place"].starts_with("h-") => {
                let steward = home.and_then(|(home, _)| self.files.steward(home, &row["happened_on"]));
                let (block, worker) = steward.ok_or("a household without a steward")?;
                Caller::new(self.walk, "steward", &worker, Some(&format!("block:{block}")))
            }
            "STEWARD" | "FAMILY" => Caller::new(self.walk, "committee-officer", "w-001", committee),
            _ => self.officer(1),
        }
    }

    /// Whether the cover check says beforehand what the verification is to say.
    async fn checked(&self, row: &Row) -> Done {
        let mut path = format!(
            "/v1/towns/malu:checkCover?person=towns/malu/people/{}&peril={}&date={}",
            row["person"], row["peril"], row["happened_on"]
        );
        match place(row) {
            ("placeHousehold", name) => path.push_str(&format!("&household={name}")),
            ("placeEstate", name) => path.push_str(&format!("&estate={name}")),
            _ => {}
        }
        let check = self.officer(1)?.get(&path).await?;
        same(&format!("cover of {}", row["code"]), check["covered"] == true, row["state"] == "VERIFIED")?;
        if row["state"] == "NOT_COVERED" {
            println!("{} {}: {}", row["code"], row["what"], told(&check["explanationEn"]));
        }
        Ok(())
    }

    /// Reports and verifies what happens today.
    pub(super) async fn incident(&mut self, code: &str) -> Done {
        let row = self.incidents.get(code).ok_or("no such incident")?;
        self.checked(row).await?;
        let reported = self.reporter(row)?.create("/incidents", &report(row)?).await?;
        let reported = reported.map_err(|reason| format!("{code}: {reason}"))?;
        let name = told(&reported["name"]);
        let verified = self.officer(2)?.does(&name, "verify", json!({})).await?;
        same(code, short(&verified["state"], "INCIDENT_STATE_"), row["state"].as_str())?;
        self.known.insert(code.to_owned(), verified);
        Ok(())
    }

    /// The incidents that have waited for a claim on a day, by the files.
    fn waiting(&self, today: &str) -> Answer<BTreeSet<String>> {
        let day: jiff::civil::Date = today.parse()?;
        let until = day.checked_sub(jiff::ToSpan::days(WAITED))?.to_string();
        let claimed: BTreeSet<&String> = self
            .claims
            .values()
            .filter(|claim| claim["expected_outcome"] != "REFUSED" && claim["reported_on"].as_str() <= today)
            .map(|claim| &claim["incident"])
            .collect();
        let waits = |row: &&Row| {
            row["state"] == "VERIFIED" && row["happened_on"] <= until && !claimed.contains(&row["code"])
        };
        Ok(self.incidents.values().filter(waits).map(|row| row["code"].clone()).collect())
    }

    /// The code of an incident by its name.
    fn code_of(&self, name: &Value) -> &str {
        let its = self.known.iter().find(|(_, incident)| incident["name"] == *name);
        its.map_or("", |(code, _)| code)
    }

    /// What is listed of families without a claim is what the files say, each with the steward of its block on that day.
    pub(super) async fn unclaimed(&self, today: &str) -> Answer<Vec<Value>> {
        let answer = self.officer(1)?.get("/incidents:unclaimed").await?;
        let listed = list(&answer, "unclaimedIncidents");
        let codes: BTreeSet<String> =
            listed.iter().map(|its| self.code_of(&its["incident"]["name"]).to_owned()).collect();
        same_set("incidents without a claim", &codes, &self.waiting(today)?)?;
        for its in listed {
            let code = self.code_of(&its["incident"]["name"]);
            let row = self.incidents.get(code).ok_or("an incident of nobody's")?;
            let (household, _) = self.files.household(&row["household"]).ok_or("no such household")?;
            let steward = self.files.steward(household, today).map(|(_, worker)| worker);
            same(&format!("who visits the family of {code}"), Some(id(&its["visitor"])), steward.as_deref())?;
        }
        Ok(listed.to_vec())
    }

    /// Looks for families without a claim, and sends their stewards to them.
    pub(super) async fn visit(&mut self, today: &str) -> Done {
        for its in self.unclaimed(today).await? {
            let (name, visitor) = (told(&its["incident"]["name"]), told(&its["visitor"]));
            let officer = self.officer(1)?;
            officer.does(&name, "assignVisit", json!({"visitor": visitor})).await?;
            let visit = json!({"result": "VISIT_RESULT_NOT_AT_HOME"});
            officer.does(&name, "recordVisit", visit).await?;
            println!(
                "{today}: {} {} has waited {} days for a claim; {visitor} of {} visits the family",
                self.code_of(&its["incident"]["name"]),
                told(&its["incident"]["number"]),
                told(&its["waitingDays"]),
                told(&its["blockTitle"]),
            );
        }
        Ok(())
    }
}
