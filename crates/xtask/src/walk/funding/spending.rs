//! The expenses of 2020, each by the people of its row: applied, reviewed, noticed, approved, paid, settled, or refused as the row says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    Done,
    walk::{
        Walk,
        caller::{Answer, Caller, Row, date, day, fen, list, money, rows, shown},
        same,
    },
};

/// Where a step of an expense is due on a later day.
enum Later {
    /// Its notice is over: it is approved, paid and settled.
    Finish(String),
}

pub(super) async fn walk(walk: &Walk) -> Done {
    let mut rows = rows("funding/expenses.csv")?;
    rows.sort_by(|one, other| {
        (&one["applied_on"], &one["code"]).cmp(&(&other["applied_on"], &other["code"]))
    });
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut later: BTreeMap<(String, String), (Row, Later)> = BTreeMap::new();
    for row in rows {
        let today = row["applied_on"].clone();
        while let Some(entry) = later.first_entry().filter(|entry| entry.key().0 <= today) {
            let ((day, _), (row, Later::Finish(name))) = entry.remove_entry();
            walk.command(&["clock", "set", &day])?;
            finish(walk, &row, &name).await?;
        }
        // the books of 2019 are looked at in 2020: nobody goes back in time
        if row["expected"] != "REFUSED" || row["applied_on"].starts_with("2020") {
            walk.command(&["clock", "set", &today])?;
        }
        if let Some((day, name)) = one(walk, &row).await? {
            later.insert((day, row["code"].clone()), (row.clone(), Later::Finish(name)));
        }
        *outcomes.entry(row["expected"].clone()).or_default() += 1;
    }
    for ((day, _), (row, Later::Finish(name))) in later {
        walk.command(&["clock", "set", &day])?;
        finish(walk, &row, &name).await?;
    }
    let told: Vec<String> = outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    println!("expenses as expenses.csv says: {}", told.join(", "));
    Ok(())
}

/// The caller of a step: the persons of the committee act for it, those of the town for the town.
fn caller<'a>(walk: &'a Walk, row: &Row, column: &str) -> Answer<Caller<'a>> {
    match column {
        "approver" => Caller::new(walk, "town-officer", &row[column], None),
        "payer" => Caller::new(walk, "town-cashier", &row[column], None),
        _ => Caller::new(walk, "committee-officer", &row[column], Some(&row["committee"])),
    }
}

fn application(row: &Row) -> Answer<Value> {
    let year: i32 = row["applied_on"].get(..4).unwrap_or_default().parse()?;
    Ok(json!({
        "committee": format!("towns/malu/committees/{}", row["committee"]),
        "fund": format!("FUND_{}", row["fund"]),
        "fiscalYear": year,
        "category": row["category"],
        "amount": money(&row["amount_yuan"])?,
        "purpose": row["purpose"],
        "payee": {"displayName": "示例收款单位", "bank": "示例银行", "accountNumber": "6200000000000000"},
    }))
}

fn refused(row: &Row, answer: Result<Value, String>) -> Done {
    let reason = row["note"].split(':').next().unwrap_or_default();
    same(&format!("{} {}", row["code"], row["purpose"]), answer.err().as_deref(), Some(reason))
}

/// One expense, as far as it comes on its day; the day on which its notice is over and its name, when it has one.
async fn one(walk: &Walk, row: &Row) -> Answer<Option<(String, String)>> {
    let checker = row["note"].contains("MAKER_IS_CHECKER");
    let applied = caller(walk, row, "applicant")?.create("/expenses", &application(row)?).await?;
    if row["expected"] == "REFUSED" && !checker {
        refused(row, applied)?;
        return Ok(None);
    }
    let applied = applied.map_err(|reason| format!("{}: {reason}", row["code"]))?;
    let name = applied["name"].as_str().unwrap_or_default().to_owned();
    if checker {
        by_the_same_person(walk, row, &name).await?;
        return Ok(None);
    }
    match row["expected"].as_str() {
        "WITHDRAWN" => {
            let applicant = caller(walk, row, "applicant")?;
            let withdrawn = applicant.does(&name, "withdraw", json!({"comment": row["note"]})).await?;
            state(row, &withdrawn, "WITHDRAWN")?;
        }
        "REJECTED" => {
            caller(walk, row, "reviewer")?.does(&name, "review", json!({})).await?;
            let approver = caller(walk, row, "approver")?;
            let rejected = approver.does(&name, "reject", json!({"comment": row["note"]})).await?;
            state(row, &rejected, "REJECTED")?;
        }
        _ => {
            caller(walk, row, "reviewer")?.does(&name, "review", json!({})).await?;
            let read = caller(walk, row, "approver")?.get(&format!("/v1/{name}")).await?;
            if read["noticeRequired"] == json!(true) {
                return Ok(Some((notice(walk, row, &name).await?, name)));
            }
            finish(walk, row, &name).await?;
        }
    }
    Ok(None)
}

fn state(row: &Row, expense: &Value, wanted: &str) -> Done {
    let state = expense["state"].as_str().unwrap_or_default().trim_start_matches("EXPENSE_STATE_");
    same(&row["code"], state, wanted)
}

/// Follows the chain up to the step that the row's person may not do; then the expense is taken back.
async fn by_the_same_person(walk: &Walk, row: &Row, name: &str) -> Done {
    let steps = [
        ("reviewer", "review", json!({})),
        ("approver", "approve", json!({})),
        ("payer", "pay", json!({"bankReference": "x"})),
    ];
    for (column, verb, more) in steps {
        let earlier =
            ["applicant", "reviewer", "approver"].into_iter().take_while(|former| *former != column);
        let same_person = earlier.into_iter().any(|former| row[former] == row[column]);
        let answer = caller(walk, row, column)?.act(name, verb, more).await?;
        if same_person {
            refused(row, answer)?;
            let applicant = caller(walk, row, "applicant")?;
            let withdrawn = applicant.does(name, "withdraw", json!({"comment": row["note"]})).await?;
            return state(row, &withdrawn, "WITHDRAWN");
        }
        answer.map_err(|reason| format!("{} {verb}: {reason}", row["code"]))?;
    }
    Err(format!("{}: nobody was refused", row["code"]).into())
}

/// Publishes the notice; what comes before its end is refused; an objection holds it until it is answered. The day after it.
async fn notice(walk: &Walk, row: &Row, name: &str) -> Answer<String> {
    let reviewer = caller(walk, row, "reviewer")?;
    let early = caller(walk, row, "approver")?.act(name, "approve", json!({})).await?;
    same("approved without its notice", early.err().as_deref(), Some("NOTICE_REQUIRED"))?;
    let noticed = reviewer.does(name, "publishNotice", json!({})).await?;
    let end = day(&noticed["noticeEndDate"])?;
    let early = caller(walk, row, "approver")?.act(name, "approve", json!({})).await?;
    same("approved within its notice", early.err().as_deref(), Some("NOTICE_RUNNING"))?;
    if row["expected"] == "OBJECTED" {
        let neighbour = Caller::new(walk, "community-officer", "w-050", None)?;
        neighbour.does(name, "object", json!({"text": "请说明慰问对象的确定办法"})).await?;
        let objected = reviewer.get(&format!("/v1/{name}")).await?;
        state(row, &objected, "OBJECTED")?;
        let held = caller(walk, row, "approver")?.act(name, "approve", json!({})).await?;
        same("approved with an objection", held.err().as_deref(), Some("OBJECTION_OPEN"))?;
        let open = list(&objected, "objections").first().map(|objection| objection["id"].clone());
        let answer = json!({"objection": open, "answer": "名单经居民代表会议讨论并公示"});
        reviewer.does(name, "answerObjection", answer).await?;
    }
    println!("{}: notice until {end}", row["code"]);
    Ok(end.tomorrow()?.to_string())
}

/// Approves, pays and settles an expense.
async fn finish(walk: &Walk, row: &Row, name: &str) -> Done {
    caller(walk, row, "approver")?.does(name, "approve", json!({})).await?;
    let reference = json!({"bankReference": format!("示例-{}", row["code"])});
    let paid = caller(walk, row, "payer")?.does(name, "pay", reference).await?;
    same(&row["code"], shown(fen(&paid["amount"])), row["amount_yuan"].clone())?;
    let vouchers = json!({"vouchers": [voucher(walk, &row["code"], &row["amount_yuan"])?]});
    let settled = caller(walk, row, "applicant")?.does(name, "settle", vouchers).await?;
    state(row, &settled, "SETTLED")
}

/// A voucher of today that proves an amount.
pub(super) fn voucher(walk: &Walk, code: &str, amount: &str) -> Answer<Value> {
    let clock = walk.command(&["clock"])?;
    let today = clock.split_whitespace().find(|word| word.parse::<jiff::civil::Date>().is_ok());
    Ok(json!({
        "number": format!("示例发票-{code}"),
        "issuer": "示例收款单位",
        "issueDate": date(today.ok_or("the clock tells no day")?)?,
        "amount": money(amount)?,
    }))
}
