//! The policy of 2020, its allocation by what was known before a count was corrected, and the difference after the correction.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    Done,
    walk::{
        Walk,
        caller::{Answer, Caller, document, fen, list, rows, shown, told, yuan},
        same,
    },
};

/// The day after the work points were published.
const DAY: &str = "2020-05-26";
/// The committee whose count of 31 December 2019 was corrected later.
const CORRECTED: &str = "310114106006";

/// A column of the expected table with the kind of line that it has.
type Column = (&'static str, &'static str);

/// The lines of the expected table, by fund: its columns and the kinds of the lines.
const FUNDS: [(&str, &str, &[Column]); 2] = [
    (
        "WORK",
        "work_fund",
        &[("work_floor", "FLOOR"), ("work_uplift", "UPLIFT"), ("work_supplement", "SUPPLEMENT")],
    ),
    ("SERVICE", "service_fund", &[("service_floor", "FLOOR"), ("service_uplift", "UPLIFT")]),
];

pub(super) async fn walk(walk: &Walk) -> Done {
    walk.command(&["clock", "set", DAY])?;
    let drafter = Caller::new(walk, "town-officer", "town-officer-2", None)?;
    let officer = Caller::new(walk, "town-officer", "town-officer-1", None)?;
    let policy = publish(&drafter, &officer, &document("funding/policy_2020.json")?, "2020-v1").await?;
    println!("policy {} version {} is published", told(&policy["name"]), told(&policy["version"]));

    // by what was known an instant before the correction
    let corrected = drafter.get(&format!("/committees/{CORRECTED}/householdCounts")).await?;
    let recorded =
        list(&corrected, "householdCounts").iter().find(|count| count["validDate"]["year"] == 2019);
    let recorded = recorded.and_then(|count| count["recordTime"].as_str()).ok_or("no count of 2019")?;
    let before = recorded.parse::<jiff::Timestamp>()? - jiff::SignedDuration::from_micros(1);
    let year_end = json!({"year": 2020, "month": 12, "day": 31});
    let run = json!({"fiscalYear": 2020, "purpose": "2020年度核定", "readTime": before.to_string(), "asOfDate": year_end});
    let run = released(&drafter, &officer, &run).await?;
    compare(&drafter, &run).await?;

    let run = json!({"fiscalYear": 2020, "purpose": "户数更正后补差", "asOfDate": year_end});
    let second = released(&drafter, &officer, &run).await?;
    let changed = allocations(&drafter, &second).await?;
    let changed = changed
        .iter()
        .filter(|its| yuan(&its["difference"]) != "0.00")
        .map(|its| (its["committee"].as_str().unwrap_or_default().to_owned(), yuan(&its["difference"])));
    let expected = vec![(format!("towns/malu/committees/{CORRECTED}"), "-5000.00".to_owned())];
    same("differences after the correction", changed.collect::<Vec<_>>(), expected)?;
    println!("the correction of {CORRECTED} is booked as -5000.00 by a second run");
    Ok(())
}

/// Drafts a policy and has somebody else publish it.
pub(super) async fn publish(
    drafter: &Caller<'_>,
    officer: &Caller<'_>,
    document: &Value,
    id: &str,
) -> Answer<Value> {
    let path = format!("/fundingPolicies?funding_policy_id={id}");
    let drafted = drafter.create(&path, document).await??;
    let name = drafted["name"].as_str().unwrap_or_default();
    let by_himself = drafter.act(name, "publish", json!({})).await?;
    same("a policy published by who drafted it", by_himself.err().as_deref(), Some("MAKER_IS_CHECKER"))?;
    officer.does(name, "publish", json!({})).await
}

/// Makes a run, computes it, submits, approves and releases it.
async fn released(maker: &Caller<'_>, checker: &Caller<'_>, run: &Value) -> Answer<Value> {
    let made = maker.create("/allocationRuns", run).await??;
    let name = made["name"].as_str().unwrap_or_default().to_owned();
    maker.wait(&made["operation"]).await?;
    maker.does(&name, "submit", json!({})).await?;
    let by_himself = maker.act(&name, "approve", json!({})).await?;
    same("a run approved by who made it", by_himself.err().as_deref(), Some("MAKER_IS_CHECKER"))?;
    checker.does(&name, "approve", json!({})).await?;
    let releasing = checker.does(&name, "release", json!({})).await?;
    checker.wait(&releasing["operation"]).await?;
    let run = checker.get(&format!("/v1/{name}")).await?;
    same("the state of the run", run["state"].as_str(), Some("ALLOCATION_RUN_STATE_RELEASED"))?;
    Ok(run)
}

async fn allocations(caller: &Caller<'_>, run: &Value) -> Answer<Vec<Value>> {
    let name = run["name"].as_str().unwrap_or_default();
    let answer =
        caller.get(&format!("/allocations?page_size=1000&filter=allocation_run%20%3D%20{name}")).await?;
    Ok(list(&answer, "allocations").to_vec())
}

/// Holds every allocation, line by line, against the table that was computed apart.
async fn compare(caller: &Caller<'_>, run: &Value) -> Done {
    let mut answered: BTreeMap<(String, String), Value> = BTreeMap::new();
    for allocation in allocations(caller, run).await? {
        let committee = allocation["committee"].as_str().and_then(|name| name.rsplit('/').next());
        let fund = allocation["fund"].as_str().unwrap_or_default().trim_start_matches("FUND_").to_owned();
        answered.insert((committee.unwrap_or_default().to_owned(), fund), allocation);
    }
    let expected = rows("funding/funding_expected_2020.csv")?;
    same("allocations", answered.len(), expected.len() * FUNDS.len())?;
    for row in &expected {
        for (fund, total, lines) in FUNDS {
            let committee = &row["committee"];
            let what = format!("{committee} {fund}");
            let its = answered.get(&(committee.clone(), fund.to_owned()));
            let its = its.ok_or_else(|| format!("{what}: not allocated"))?;
            same(&what, yuan(&its["amount"]), row[total].clone())?;
            for (column, kind) in lines {
                let wanted = format!("EXPLANATION_KIND_{kind}");
                let amounts = list(its, "lines")
                    .iter()
                    .filter(|line| line["kind"].as_str() == Some(&wanted))
                    .map(|line| fen(&line["amount"]));
                let amount = shown(amounts.sum());
                same(&format!("{what} {kind}"), amount, row[*column].clone())?;
            }
        }
    }
    println!("{} committees, both funds, line by line as funding_expected_2020.csv says", expected.len());
    Ok(())
}
