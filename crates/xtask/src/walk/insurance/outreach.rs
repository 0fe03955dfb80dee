//! Campaigns: started, what was put up and asked recorded, completed; and whom they reached.

use serde_json::{Value, json};

use crate::{
    Done,
    walk::{
        Walk,
        caller::{Answer, Caller, document, list, told},
        same,
    },
};

/// The campaigns of the file, with what they are called once they are planned.
pub(super) struct Campaigns {
    data: Value,
    names: Vec<String>,
}

fn officer(walk: &Walk) -> Answer<Caller<'_>> {
    Caller::new(walk, "town-officer", "town-officer-1", None)
}

impl Campaigns {
    pub(super) fn read() -> Answer<Campaigns> {
        Ok(Campaigns { data: document("insurance/campaigns.json")?, names: Vec::new() })
    }

    /// The day on which each starts, and that on which it is recorded.
    pub(super) fn days(&self) -> Answer<Vec<(String, String)>> {
        let days = |its: &Value| match (its["start_on"].as_str(), its["record_on"].as_str()) {
            (Some(start), Some(record)) => Ok((start.to_owned(), record.to_owned())),
            _ => Err("a campaign has no days".into()),
        };
        list(&self.data, "campaigns").iter().map(days).collect()
    }

    fn its(&self, n: usize) -> Answer<&Value> {
        list(&self.data, "campaigns").get(n).ok_or_else(|| "there is no such campaign".into())
    }

    pub(super) async fn start(&mut self, walk: &Walk, n: usize) -> Done {
        let officer = officer(walk)?;
        let planned = officer.create("/campaigns", &self.its(n)?["campaign"]).await??;
        let name = told(&planned["name"]);
        officer.does(&name, "start", json!({})).await?;
        self.names.insert(n, name);
        Ok(())
    }

    pub(super) async fn record(&self, walk: &Walk, n: usize) -> Done {
        let (officer, its) = (officer(walk)?, self.its(n)?);
        let name = self.names.get(n).ok_or("a campaign that hasn't started")?;
        for placement in list(its, "placements") {
            let path = format!("/v1/{name}:recordPlacement");
            officer.post(&path, json!({"placement": placement})).await??;
        }
        for sample in list(its, "awarenessSamples") {
            let path = format!("/v1/{name}:recordAwarenessSample");
            officer.post(&path, json!({"awarenessSample": sample})).await??;
        }
        if its["complete_on"].is_string() {
            officer.does(name, "complete", json!({})).await?;
        }
        Ok(())
    }

    /// Whom the campaigns of the year reached, and where nobody was.
    pub(super) async fn told(&self, walk: &Walk) -> Done {
        let path = "/v1/towns/malu:outreachCoverage?start_date=2020-01-01&end_date=2021-01-01";
        let coverage = officer(walk)?.get(path).await?;
        let placements: usize =
            list(&self.data, "campaigns").iter().map(|its| list(its, "placements").len()).sum();
        let listed = officer(walk)?.get("/placements?page_size=1000").await?;
        same("placements", list(&listed, "placements").len(), placements)?;
        println!(
            "outreach: {} campaigns, {placements} placements; {} committees had nothing",
            self.names.len(),
            list(&coverage, "uncoveredCommittees").len()
        );
        Ok(())
    }
}
