//! The delegated tasks 费随事转 of 2020: accepted, declined, refused for want of money, spent, settled; and a project's grant.

use serde_json::{Value, json};

use super::spending::voucher;
use crate::{
    Done,
    walk::{
        Walk,
        caller::{Answer, Caller, Row, date, fen, list, money, rows, shown, yuan},
        same,
    },
};

/// The day of the tasks: after the last of them was offered.
const DAY: &str = "2020-12-01";
/// What `d-01` says of the first committee: spent, in fen.
const SPENT: i64 = 987_654;

pub(super) async fn walk(walk: &Walk) -> Done {
    walk.command(&["clock", "set", DAY])?;
    let department = Caller::new(walk, "department", "department-1", None)?;
    for row in rows("funding/delegations.csv")? {
        let path = format!("/delegations?delegation_id={}", row["code"]);
        let offered = department
            .create(&path, &offer(&row)?)
            .await?
            .map_err(|reason| format!("{}: {reason}", row["code"]))?;
        for share in list(&offered, "shares") {
            answer(walk, &row, share).await?;
        }
        if row["note"].starts_with("spent") {
            spend(walk, &department, &row, &offered).await?;
        }
        println!("{} {}: {}", row["code"], row["task"], row["expected"]);
    }
    grant(walk).await
}

fn offer(row: &Row) -> Answer<Value> {
    let offers = row["committees"].split(';').map(|committee| {
        let committee = format!("towns/malu/committees/{committee}");
        Ok(json!({"committee": committee, "amount": money(&row["amount_yuan_each"])?}))
    });
    Ok(json!({
        "department": row["department"],
        "displayName": row["task"],
        "fiscalYear": 2020,
        "offerDate": date(&row["offered_on"])?,
        "evidence": format!("示例文号-{}", row["code"]),
        "offers": offers.collect::<Answer<Vec<Value>>>()?,
    }))
}

/// The officer of a share's committee.
fn officer<'a>(walk: &'a Walk, share: &Value, person: &str) -> Answer<Caller<'a>> {
    let committee = share["committee"].as_str().and_then(|name| name.rsplit('/').next());
    Caller::new(walk, "committee-officer", person, committee)
}

async fn answer(walk: &Walk, row: &Row, share: &Value) -> Done {
    let name = share["name"].as_str().unwrap_or_default();
    let officer = officer(walk, share, "w-001")?;
    let wanted = match row["expected"].as_str() {
        "REFUSED" => {
            let refused = officer.act(name, "accept", json!({})).await?;
            let reason = row["note"].split(':').next();
            return same(&row["code"], refused.err().as_deref(), reason);
        }
        "DECLINED" => {
            officer.does(name, "decline", json!({"comment": row["note"]})).await?;
            "DELEGATION_SHARE_STATE_DECLINED"
        }
        _ => {
            officer.does(name, "accept", json!({})).await?;
            "DELEGATION_SHARE_STATE_ACCEPTED"
        }
    };
    let share = officer.get(&format!("/v1/{name}")).await?;
    same(&row["code"], share["state"].as_str(), Some(wanted))
}

/// Spends of the first share what the file says, settles it, and looks where its money came from and went.
async fn spend(walk: &Walk, department: &Caller<'_>, row: &Row, offered: &Value) -> Done {
    let share = list(offered, "shares").first().ok_or("no share")?;
    let applicant = officer(walk, share, "w-007")?;
    let application = json!({
        "committee": share["committee"],
        "fund": "FUND_DELEGATED",
        "fiscalYear": 2020,
        "earmark": offered["name"],
        "category": "PUBLIC_SERVICE",
        "amount": money(&shown(SPENT))?,
        "purpose": row["task"],
        "payee": {"displayName": "示例收款单位", "bank": "示例银行", "accountNumber": "6200000000000000"},
    });
    let expense = applicant.create("/expenses", &application).await??;
    let name = expense["name"].as_str().unwrap_or_default();
    officer(walk, share, "w-001")?.does(name, "review", json!({})).await?;
    Caller::new(walk, "town-officer", "town-officer-1", None)?.does(name, "approve", json!({})).await?;
    let cashier = Caller::new(walk, "town-cashier", "town-cashier-1", None)?;
    cashier.does(name, "pay", json!({"bankReference": "示例-费随事转"})).await?;
    let proof = json!({"vouchers": [voucher(walk, &row["code"], &shown(SPENT))?]});
    applicant.does(name, "settle", proof).await?;
    let settled = department.does(share["name"].as_str().unwrap_or_default(), "settle", json!({})).await?;
    let provenance = &settled["provenance"];
    let spent: i64 = list(provenance, "spent").iter().map(|step| fen(&step["amount"])).sum();
    same("spent on the task", shown(spent), shown(SPENT))?;
    let returned = fen(&share["amount"]) - SPENT;
    same("returned to the department", yuan(&provenance["returned"]["amount"]), shown(returned))?;
    println!("{}: {} spent, {} returned", row["code"], shown(spent), shown(returned));
    Ok(())
}

/// A project's grant from the service fund: proposed by the committee, granted by the town, closed.
async fn grant(walk: &Walk) -> Done {
    let committee = "310114106026";
    let proposer = Caller::new(walk, "committee-officer", "w-008", Some(committee))?;
    let proposal = json!({
        "project": "towns/malu/projects/p-2020-01",
        "committee": format!("towns/malu/committees/{committee}"),
        "source": "PROJECT_GRANT_SOURCE_SERVICE_FUND",
        "fiscalYear": 2020,
        "amount": money("8000.00")?,
        "purpose": "楼道微更新(示例)",
    });
    let proposed = proposer.create("/projectGrants", &proposal).await??;
    let name = proposed["name"].as_str().unwrap_or_default();
    let officer = Caller::new(walk, "town-officer", "town-officer-1", None)?;
    officer.does(name, "grant", json!({})).await?;
    let closed = officer.does(name, "close", json!({"comment": "未动用,收回"})).await?;
    same("returned of the grant", yuan(&closed["returnedAmount"]), "8000.00".to_owned())
}
