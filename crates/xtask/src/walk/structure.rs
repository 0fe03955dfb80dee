//! The structure: declared counts, the register, stewards by day and by address, what is missing.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::Value;

use super::{Walk, files::Files, same, same_set};
use crate::Done;

/// The day of the walk: the week after the work points were published.
const DAY: &str = "2020-06-01";
/// A day between a member who left and the one who was elected for the seat.
const BETWEEN: &str = "2020-04-20";
/// The committees that the files hold in depth.
const DEEP: [&str; 3] = ["310114106001", "310114106026", "310114106045"];

pub(super) async fn walk(walk: &Walk) -> Done {
    let files = Files::read()?;
    walk.command(&["clock", "set", DAY])?;
    counts(walk, &files).await?;
    cards(walk, &files).await?;
    stewards(walk, &files).await?;
    addresses(walk, &files).await?;
    for day in [DAY, BETWEEN] {
        missing(walk, &files, day).await?;
    }
    Ok(())
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn id(name: &Value) -> &str {
    name.as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_default()
}

/// The declared count of every committee that exists on the day.
async fn counts(walk: &Walk, files: &Files) -> Done {
    let answer = walk.get("/committees?page_size=1000").await?;
    let answered: BTreeSet<(String, i64)> = list(&answer, "committees")
        .iter()
        .map(|its| (id(&its["name"]).to_owned(), its["householdCount"]["households"].as_i64().unwrap_or(-1)))
        .collect();
    let expected = files.declared(DAY);
    println!("{DAY}: {} committees with their declared households", expected.len());
    same_set("declared counts", &answered, &expected)
}

/// Households and residents of the register, as the cards count them.
async fn cards(walk: &Walk, files: &Files) -> Done {
    for committee in DEEP {
        let card = walk.get(&format!("/committees/{committee}/card")).await?;
        let number = |field: &str| card[field].as_i64().unwrap_or(0);
        let (households, residents) = files.register(committee, DAY);
        same(committee, (number("registeredHouseholds"), number("residents")), (households, residents))?;
        let by_age = list(&card, "ages").iter().map(|group| {
            ["men", "women", "unknown"].iter().map(|sex| group[sex].as_i64().unwrap_or(0)).sum::<i64>()
        });
        same("residents by age", by_age.sum::<i64>(), residents)?;
        println!("{committee}: {households} households, {residents} residents by the register");
    }
    Ok(())
}

/// Each stewardship on its first day, and on its last or the year's.
async fn stewards(walk: &Walk, files: &Files) -> Done {
    let mut asked = 0;
    for row in &files.stewardships {
        let last = match row["to"].as_str() {
            "" => "2020-12-31".to_owned(),
            to => to.parse::<Date>()?.yesterday()?.to_string(),
        };
        for day in [row["from"].as_str(), last.as_str()] {
            let answer = walk.get(&format!("/blocks/{}:steward?as_of_date={day}", row["block"])).await?;
            same(&format!("{} on {day}", row["block"]), id(&answer["worker"]), row["worker"].as_str())?;
            asked += 1;
        }
    }
    println!("{asked} stewards 小管家 of a day");
    Ok(())
}

/// Which block and which steward an address had: one call each, on two days.
async fn addresses(walk: &Walk, files: &Files) -> Done {
    let mut asked = 0;
    for household in files.households.iter().step_by(17) {
        for day in [DAY, "2020-10-11"] {
            let path = format!("/households/{}:lookUp?as_of_date={day}", household["code"]);
            let answer = walk.get(&path).await?;
            let (block, worker) = (id(&answer["steward"]["block"]), id(&answer["steward"]["worker"]));
            let expected = files.steward(household, day);
            let expected = expected.as_ref().map(|(block, worker)| (block.as_str(), worker.as_str()));
            same(&path, (block, worker), expected.unwrap_or_default())?;
            asked += 1;
        }
    }
    println!("{asked} addresses with block and steward of a day");
    Ok(())
}

/// What the check finds: vacant seats, blocks without forces, the missing project group, and nothing else of the deep ones.
async fn missing(walk: &Walk, files: &Files, day: &str) -> Done {
    let path = format!("/structure:check?page_size=1000&as_of_date={day}");
    let mut findings = Vec::new();
    let mut token = String::new();
    loop {
        let page = walk.get(&format!("{path}&page_token={token}")).await?;
        findings.extend(list(&page, "findings").iter().cloned());
        token = page["nextPageToken"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            break;
        }
    }
    let rule = |finding: &Value| {
        finding["rule"].as_str().unwrap_or_default().trim_start_matches("FINDING_RULE_").to_owned()
    };
    let of = |wanted: &str| findings.iter().filter(|finding| rule(finding) == wanted).collect::<Vec<_>>();
    let answered: BTreeSet<(String, Vec<i64>)> = of("SEAT_VACANT")
        .into_iter()
        .map(|finding| {
            let seats = list(finding, "seats").iter().filter_map(|seat| seat["seat"].as_i64()).collect();
            (id(&finding["resource"]).to_owned(), seats)
        })
        .collect();
    let vacant = files.vacant(day);
    let expected: BTreeSet<(String, Vec<i64>)> =
        vacant.iter().map(|(body, _, seats)| (body.clone(), seats.clone())).collect();
    same_set(&format!("vacant seats on {day}"), &answered, &expected)?;
    let answered: BTreeSet<String> =
        of("BLOCK_FORCES").into_iter().map(|finding| id(&finding["resource"]).to_owned()).collect();
    same_set(&format!("blocks without forces on {day}"), &answered, &files.without_forces(day))?;
    for committee in DEEP {
        let its = findings.iter().filter(|finding| id(&finding["committee"]) == committee);
        let found: Vec<String> = its.clone().map(rule).filter(|rule| rule == "BODY_MISSING").collect();
        let expected = usize::from(!files.has(committee, "PROJECT_GROUP"));
        same(&format!("bodies that {committee} lacks on {day}"), found.len(), expected)?;
        for finding in its {
            let part = |name: &str| finding["sinceDate"][name].as_i64().unwrap_or_default();
            println!(
                "{day} {committee}: {} (since {}-{:02}-{:02}, {})",
                finding["message"].as_str().unwrap_or_default(),
                part("year"),
                part("month"),
                part("day"),
                finding["clause"].as_str().unwrap_or_default(),
            );
        }
    }
    Ok(())
}
