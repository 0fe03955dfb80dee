//! The end of the walk: who is left without a claim, what each insurer sees, every decision made again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Case, Year, state};
use crate::{
    Done,
    walk::{
        caller::{Answer, document, fen, list, shown, told, yuan},
        same, same_set,
    },
};

pub(super) async fn walk(year: &Year<'_>) -> Done {
    left(year).await?;
    for insurer in ["o-insurer-0", "o-insurer-1"] {
        seen(year, insurer).await?;
    }
    println!("cl-01: {} documents read back as they were written", year.read_back("cl-01").await?);
    year.campaigns.told(year.walk).await?;
    summary(year).await?;
    again(year).await
}

/// Who still has no claim, by the day that the clock shows, and was visited.
async fn left(year: &Year<'_>) -> Done {
    let clock = year.walk.command(&["clock"])?;
    let today = clock.split_whitespace().find(|word| word.parse::<jiff::civil::Date>().is_ok());
    let listed = year.unclaimed(today.ok_or("the clock tells no day")?).await?;
    for its in &listed {
        same("visits to a family without a claim", list(its, "visits").len(), 1)?;
    }
    println!("{} incidents are left without a claim, each visited", listed.len());
    Ok(())
}

/// The perils that the policies of an insurer know.
fn perils(insurer: &str) -> Answer<BTreeSet<String>> {
    let policies = document("insurance/policies.json")?;
    let its = list(&policies, "policies").iter().map(|its| &its["policy"]);
    let its = its.filter(|policy| policy["insurer"] == format!("towns/malu/organisations/{insurer}"));
    let benefits = its.flat_map(|policy| list(&policy["terms"], "benefits"));
    Ok(benefits.map(|benefit| told(&benefit["peril"])).collect())
}

/// The years of an insurer's policies, which are whole ones.
fn years(insurer: &str) -> Answer<BTreeSet<String>> {
    let policies = document("insurance/policies.json")?;
    let its = list(&policies, "policies").iter().map(|its| &its["policy"]);
    let its = its.filter(|policy| policy["insurer"] == format!("towns/malu/organisations/{insurer}"));
    Ok(its.map(|policy| policy["startDate"]["year"].to_string()).collect())
}

/// An adjuster sees the claims that his insurer's policies meet on the day of the event, with its lines alone, and no other.
async fn seen(year: &Year<'_>, insurer: &str) -> Done {
    let (adjuster, perils, years) = (year.adjuster(insurer, 6)?, perils(insurer)?, years(insurer)?);
    let meets = |case: &Case| {
        let incident = year.incidents.get(&case.row["incident"]);
        let in_year = |day: &str| years.iter().any(|year| day.starts_with(year));
        incident.is_some_and(|row| perils.contains(&row["peril"]) && in_year(&row["happened_on"]))
    };
    let expected: BTreeSet<String> =
        year.cases.values().filter(|case| meets(case)).map(|case| case.number.clone()).collect();
    let listed = adjuster.get("/claims?page_size=1000").await?;
    let numbers = list(&listed, "claims").iter().map(|claim| told(&claim["number"])).collect();
    same_set(&format!("the claims that {insurer} sees"), &numbers, &expected)?;
    let mut denied = 0;
    for case in year.cases.values() {
        let path = format!("/v1/{}", case.name);
        if meets(case) {
            let claim = adjuster.get(&path).await?;
            let lines = list(&claim, "decisions").iter().flat_map(|its| list(its, "lines"));
            let others =
                lines.filter(|line| line["insurer"] != format!("towns/malu/organisations/{insurer}"));
            same(&format!("lines of others that {insurer} sees of {}", case.number), others.count(), 0)?;
        } else {
            let reason = adjuster.refused(&path).await?;
            same(&format!("{} for {insurer}", case.number), reason.as_deref(), Some("PERMISSION_DENIED"))?;
            denied += 1;
        }
    }
    println!("{insurer} sees {} claims, and is denied {denied} others", expected.len());
    Ok(())
}

/// Every claim is at its end, and what was paid is what the files say.
async fn summary(year: &Year<'_>) -> Done {
    let (mut outcomes, mut paid) = (BTreeMap::<&str, usize>::new(), 0);
    for (code, row) in &year.claims {
        let outcome = row["expected_outcome"].as_str();
        *outcomes.entry(outcome).or_default() += 1;
        if outcome == "REFUSED" {
            continue;
        }
        let claim = year.read(code).await?;
        same(code, state(&claim), if outcome == "DUPLICATE" { "DISMISSED" } else { "CLOSED" })?;
        same(code, claim["appealed"] == true, outcome == "REJECTED_THEN_APPEALED_AND_PAID")?;
        paid += fen(&claim["paidAmount"]);
    }
    let expected = year.claims.values().flat_map(|row| [&row["expected_cci"], &row["expected_li"]]);
    let expected = expected.filter(|text| !text.is_empty()).map(|text| text.replace('.', "").parse::<i64>());
    same("paid in all", shown(paid), shown(expected.sum::<Result<i64, _>>()?))?;
    let told: Vec<String> = outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    println!("claims as claims.csv says: {}", told.join(", "));
    let (files, lines) = year.paid;
    println!("paid: {} by {lines} lines of {files} payment files", shown(paid));
    Ok(())
}

/// Every decision of 2020 comes out as it stands.
async fn again(year: &Year<'_>) -> Done {
    let officer = year.officer(1)?;
    let operation = officer.post("/claims:readjudicate", json!({"year": 2020})).await??;
    let ended = officer.wait(&operation).await?;
    let report: &Value = &ended["response"];
    let mut decisions = 0;
    for code in year.cases.keys() {
        let claim = year.read(code).await?;
        if claim["happenDate"]["year"] == 2020 {
            decisions += list(&claim, "decisions").len();
        }
    }
    same("decisions made again", told(&report["decisions"]), decisions.to_string())?;
    same("decisions that differ", told(&report["different"]), "0".to_owned())?;
    println!(
        "{decisions} decisions of 2020 made again: every one comes out as it stands, {} in all",
        yuan(&report["approvedAmount"])
    );
    Ok(())
}
