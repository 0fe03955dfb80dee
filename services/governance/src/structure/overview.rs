//! A town at a glance.

use std::collections::{BTreeMap, HashSet};

use chassis::{call::Call, refusal::Refusal, wire};
use contracts::linli::governance::v1 as pb;
use kernel::name::TownName;

use super::{
    Structures, counts,
    rules::{self, Finding, Owner, Rule, Snapshot},
    store::{self, Target},
};
use crate::{as_of::AsOf, fields::number, town};

/// What a town of a demonstration says of itself.
pub(super) fn notice(town: &town::store::Town) -> String {
    if town.demonstration { crate::demo::MARK.to_owned() } else { String::new() }
}

impl Structures {
    pub(super) async fn overview(
        &self,
        call: &Call,
        request: &pb::GetTownOverviewRequest,
    ) -> Result<pb::TownOverview, Refusal> {
        let name: TownName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let town = town::store::get(read.sql(), name.town()).await?;
        let town = town.ok_or_else(|| call.missing(&scope, "linli.dev/Town", name.to_string()))?;
        let target =
            Target { town: name.town(), scope: &scope, as_of: &as_of, community: None, committee: None };
        let snapshot = store::load(read.sql(), &target).await?;
        let settings = store::kept(read.sql(), name.town()).await?.settings;
        let declared = store::declared(read.sql(), &target).await?;
        let named = store::communities(read.sql(), name.town()).await?;
        let findings = rules::check(&snapshot, as_of.day, settings);
        let at = Glance { town: name.town(), snapshot: &snapshot, findings: &findings, as_of: &as_of };
        let own = findings.iter().filter(|finding| finding.place.community.is_none());
        let town_bodies = at.bodies(|owner| owner.level == "TOWN");
        let communities = named
            .iter()
            .filter(|(id, _)| snapshot.owners.iter().any(|owner| owner.place.community.as_ref() == Some(id)))
            .map(|(id, display_name)| at.community(id, display_name, &declared));
        Ok(pb::TownOverview {
            town: name.to_string(),
            display_name: town.display_name.clone(),
            as_of_date: Some(wire::to_date(as_of.day)),
            communities: communities.collect(),
            town_bodies,
            town_findings: counts(own),
            notice: notice(&town),
        })
    }
}

struct Glance<'a> {
    town: &'a str,
    snapshot: &'a Snapshot,
    findings: &'a [Finding],
    as_of: &'a AsOf,
}

impl Glance<'_> {
    /// Bodies on the day whose owner is wanted.
    fn bodies(&self, wanted: impl Fn(&Owner) -> bool) -> i32 {
        let day = self.as_of.day;
        let owners: HashSet<(&str, &str)> = self
            .snapshot
            .owners
            .iter()
            .filter(|owner| wanted(owner))
            .map(|owner| (owner.level, owner.id.as_str()))
            .collect();
        let there = self.snapshot.bodies.iter().filter(|body| {
            let of = body.owned.iter().find(|(days, _)| days.contains(day));
            of.is_some_and(|(_, id)| owners.contains(&(body.level.as_str(), id.as_str())))
        });
        number(there.count())
    }

    fn community(
        &self,
        id: &str,
        display_name: &str,
        declared: &BTreeMap<String, i64>,
    ) -> pb::CommunityAtAGlance {
        let day = self.as_of.day;
        let within = |owner: &Owner| owner.place.community.as_deref() == Some(id);
        let committees: Vec<&Owner> =
            self.snapshot.owners.iter().filter(|o| o.level == "COMMITTEE" && within(o)).collect();
        let ids: HashSet<&str> = committees.iter().map(|owner| owner.id.as_str()).collect();
        let of = |committee: &str| ids.contains(committee);
        let blocks =
            self.snapshot.blocks.iter().filter(|block| {
                block.owned.iter().any(|(days, committee)| days.contains(day) && of(committee))
            });
        let its = self.findings.iter().filter(|f| f.place.community.as_deref() == Some(id));
        let pending = its.clone().filter(|finding| finding.rule == Rule::HandoverPending);
        pb::CommunityAtAGlance {
            community: format!("towns/{}/communities/{id}", self.town),
            display_name: display_name.to_owned(),
            founded: number(committees.iter().filter(|owner| owner.must).count()),
            preparing: number(committees.iter().filter(|owner| !owner.must).count()),
            declared_households: committees.iter().filter_map(|owner| declared.get(&owner.id)).sum(),
            blocks: number(blocks.count()),
            handovers_pending: number(pending.count()),
            bodies: self.bodies(within),
            findings: counts(its),
        }
    }
}
