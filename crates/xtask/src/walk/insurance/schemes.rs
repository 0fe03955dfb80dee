//! Programmes, policies and settings: drafted by one officer of the town, signed by another before the year begins.

use serde_json::json;

use super::id;
use crate::{
    Done,
    walk::{
        Walk,
        caller::{Caller, document, list, told, yuan},
        same,
    },
};

/// The day on which the contracts of 2020 are signed.
const DAY: &str = "2019-12-20";

pub(super) async fn walk(walk: &Walk) -> Done {
    walk.command(&["clock", "set", DAY])?;
    let drafter = Caller::new(walk, "town-officer", "town-officer-1", None)?;
    let signer = Caller::new(walk, "town-officer", "town-officer-2", None)?;
    for its in list(&document("insurance/programmes.json")?, "programmes") {
        let path = format!("/programmes?programme_id={}", told(&its["id"]));
        let programme = drafter.create(&path, &its["programme"]).await??;
        println!("programme {} {}", id(&programme["name"]), told(&programme["displayName"]));
    }
    for its in list(&document("insurance/policies.json")?, "policies") {
        let path = format!("/policies?policy_id={}", told(&its["id"]));
        let drafted = drafter.create(&path, &its["policy"]).await??;
        let name = told(&drafted["name"]);
        let own = drafter.act(&name, "sign", json!({})).await?;
        same("a policy signed by who drafted it", own.err().as_deref(), Some("MAKER_IS_CHECKER"))?;
        let signed = signer.does(&name, "sign", json!({})).await?;
        same(&name, signed["state"].as_str(), Some("POLICY_STATE_SIGNED"))?;
        println!(
            "policy {}: {} benefits, premium {}",
            told(&signed["number"]),
            list(&signed["terms"], "benefits").len(),
            yuan(&signed["premiumTotal"])
        );
    }
    let mut settings = document("insurance/claim_settings.json")?["claimSettings"].take();
    settings["etag"] = drafter.get("/claimSettings").await?["etag"].clone();
    let settings = drafter.update("/claimSettings", &settings).await??;
    same("the term of an appeal", settings["appealDays"].as_i64(), Some(15))
}
