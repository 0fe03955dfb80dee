//! The statement of a committee, what it may still spend, the year's close, and the ledger's proof.

use serde_json::{Value, json};

use super::allocation::publish;
use crate::{
    Done,
    walk::{
        Walk,
        caller::{Answer, Caller, document, fen, list, rows, shown, told, yuan},
        same,
    },
};

/// The committee whose statement is printed.
const COMMITTEE: &str = "310114106001";

pub(super) async fn walk(walk: &Walk) -> Done {
    walk.command(&["clock", "set", "2020-12-31"])?;
    let officer = Caller::new(walk, "town-officer", "town-officer-1", None)?;
    let other = Caller::new(walk, "town-officer", "town-officer-2", None)?;
    statement(&officer).await?;
    by_category(&officer).await?;
    let waiting = officer.get("/expenses:waiting").await?;
    for line in list(&waiting, "lines") {
        println!(
            "waiting for {}: {} of {}",
            told(&line["party"]),
            told(&line["count"]),
            yuan(&line["amount"])
        );
    }

    let mut next = document("funding/policy_2020.json")?;
    for (field, value) in [("fiscalYear", json!(2021)), ("displayName", json!("2021年经费办法(示例数据)"))]
    {
        next[field] = value;
    }
    next["effectiveDate"] = json!({"year": 2021, "month": 1, "day": 1});
    next["householdsAsOfDate"] = json!({"year": 2020, "month": 12, "day": 31});
    publish(&other, &officer, &next, "2021-v1").await?;
    close(&other, &officer).await?;

    let auditor = Caller::new(walk, "auditor", "auditor-1", None)?;
    let verified = auditor.get("/ledger:verify").await?;
    same("the ledger", verified["intact"].as_bool(), Some(true))?;
    same("the sum of all postings", yuan(&verified["total"]), "0.00".to_owned())?;
    println!(
        "the ledger is intact: {} entries, {} postings",
        told(&verified["entries"]),
        told(&verified["postings"])
    );
    Ok(())
}

/// The statement of the year: what came in, what was spent by category, what is left; it adds up to what the files say.
async fn statement(officer: &Caller<'_>) -> Done {
    let path = format!("/committees/{COMMITTEE}/statement?fiscal_year=2020");
    let statement = officer.get(&path).await?;
    for section in list(&statement, "sections") {
        println!(
            "{COMMITTEE} {} {}: opening {}",
            told(&section["fund"]),
            told(&section["earmark"]),
            yuan(&section["openingAmount"])
        );
        for line in list(section, "lines") {
            println!("  {} {} {}", told(&line["kind"]), told(&line["category"]), yuan(&line["amount"]));
        }
        println!("  closing {}, held {}", yuan(&section["closingAmount"]), yuan(&section["heldAmount"]));
    }
    for fund in ["WORK", "SERVICE"] {
        let sections = list(&statement, "sections").iter();
        let spent: i64 = sections
            .filter(|section| section["fund"].as_str() == Some(&format!("FUND_{fund}")))
            .map(|section| fen(&section["spentAmount"]))
            .sum();
        same(&format!("spent of {fund}"), shown(spent), shown(spent_by_the_files(fund)?))?;
    }
    Ok(())
}

/// What a committee spent of a fund by the files: what was settled, and what was paid once its objection was answered.
fn spent_by_the_files(fund: &str) -> Answer<i64> {
    let rows = rows("funding/expenses.csv")?;
    let paid = rows.iter().filter(|row| ["SETTLED", "OBJECTED"].contains(&row["expected"].as_str()));
    let its = paid.filter(|row| row["committee"] == COMMITTEE && row["fund"] == fund);
    its.map(|row| Ok(row["amount_yuan"].replace('.', "").parse::<i64>()?)).sum()
}

async fn by_category(officer: &Caller<'_>) -> Done {
    let spending = officer.get("/expenditure:summarise?fiscal_year=2020").await?;
    for line in list(&spending, "lines") {
        println!("town {} {} {}", told(&line["fund"]), told(&line["displayName"]), yuan(&line["amount"]));
    }
    Ok(())
}

/// Closes the year by two people: the work fund goes back, the service fund is carried over.
async fn close(proposer: &Caller<'_>, approver: &Caller<'_>) -> Done {
    let year = "towns/malu/fiscalYears/2020";
    let left = spendable(approver, 2020).await?;
    proposer.does(year, "propose", json!({})).await?;
    let by_himself = proposer.act(year, "approveClose", json!({})).await?;
    same("a close approved by who proposed it", by_himself.err().as_deref(), Some("MAKER_IS_CHECKER"))?;
    let operation = approver.does(year, "approveClose", json!({})).await?;
    approver.wait(&operation).await?;
    let closed = approver.get(&format!("/v1/{year}")).await?;
    same("the state of 2020", closed["state"].as_str(), Some("FISCAL_YEAR_STATE_CLOSED"))?;
    let carried = spendable(approver, 2021).await?;
    let of = |accounts: &Value, fund: &str| -> i64 {
        let its = list(accounts, "accounts").iter();
        its.filter(|account| account["fund"].as_str() == Some(fund))
            .map(|account| fen(&account["balance"]))
            .sum()
    };
    same("carried of the service fund", of(&carried, "FUND_SERVICE"), of(&left, "FUND_SERVICE"))?;
    same("carried of the work fund", of(&carried, "FUND_WORK"), 0)?;
    println!("2020 is closed: {} of the service fund carried into 2021", shown(of(&carried, "FUND_SERVICE")));
    Ok(())
}

async fn spendable(caller: &Caller<'_>, year: i32) -> Answer<Value> {
    caller.get(&format!("/committees/{COMMITTEE}:spendable?fiscal_year={year}")).await
}
