//! What the structure lacks 短板, the card of a committee, the town at a glance, names by pinyin (Work points 1.1-1.3).

mod card;
mod encode;
mod overview;
pub mod rules;
mod search;
mod settings;
pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    identity::Scope,
    paging::Paging,
    refusal::{FieldFault, Refusal},
    wire,
    work::mutate,
};
use contracts::linli::governance::v1::{self as pb, structure_service_server::StructureService};
use kernel::{
    name::{CommitteeName, CommunityName, TownName},
    state::Named,
};
use rules::{Finding, Rule, Settings};
use store::Target;
use tonic::{Request, Response, Status};

use crate::{as_of::AsOf, committee, community, fields::number};

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Structures(pub Context);

/// What a check is of.
#[derive(Debug)]
enum Part {
    Town(TownName),
    Community(CommunityName),
    Committee(CommitteeName),
}

impl Part {
    fn read(text: &str) -> Result<Part, Refusal> {
        if let Ok(name) = text.parse() {
            return Ok(Part::Community(name));
        }
        match text.parse() {
            Ok(name) => Ok(Part::Committee(name)),
            Err(_) => Ok(Part::Town(wire::name("name", text)?)),
        }
    }

    fn town(&self) -> &str {
        match self {
            Part::Town(name) => name.town(),
            Part::Community(name) => name.town(),
            Part::Committee(name) => name.town(),
        }
    }

    fn target<'a>(&'a self, scope: &'a Scope, as_of: &'a AsOf) -> Target<'a> {
        let (community, committee) = match self {
            Part::Town(_) => (None, None),
            Part::Community(name) => (Some(name.community()), None),
            Part::Committee(name) => (None, Some(name.committee())),
        };
        Target { town: self.town(), scope, as_of, community, committee }
    }
}

/// How often each rule found something, in the order of the rules.
fn counts<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> Vec<pb::RuleCount> {
    let count = |rule: Rule| findings.clone().filter(|finding| finding.rule == rule).count();
    let counts = Rule::ALL
        .iter()
        .map(|rule| pb::RuleCount { rule: encode::rule(*rule).into(), findings: number(count(*rule)) });
    counts.filter(|count| count.findings > 0).collect()
}

impl Structures {
    async fn check(
        &self,
        call: &Call,
        request: &pb::CheckStructureRequest,
    ) -> Result<pb::CheckStructureResponse, Refusal> {
        let part = Part::read(&request.name)?;
        let scope = call.scope(part.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        known(&request.rules)?;
        let bound =
            [&request.name, &format!("{} {:?}", request.term_notice_days, request.rules), &as_of.key()];
        let bound = bound.map(String::as_str);
        let paging = Paging::open(&self.0, call, &bound, request.page_size, &request.page_token)?;
        let mut read = self.0.db.read().await?;
        need(read.sql(), call, &part, &scope, &as_of).await?;
        let snapshot = store::load(read.sql(), &part.target(&scope, &as_of)).await?;
        let kept = store::kept(read.sql(), part.town()).await?.settings;
        let notice =
            if request.term_notice_days > 0 { request.term_notice_days } else { kept.term_notice_days };
        let mut findings = rules::check(&snapshot, as_of.day, Settings { term_notice_days: notice, ..kept });
        if !request.rules.is_empty() {
            findings.retain(|finding| request.rules.contains(&encode::rule(finding.rule).into()));
        }
        let counts = counts(findings.iter());
        findings
            .retain(|finding| paging.after.is_empty() || finding.key().as_slice() > paging.after.as_slice());
        findings.truncate(paging.size + 1);
        let next_page_token = paging.next(&mut findings, |finding| finding.key().to_vec());
        Ok(pb::CheckStructureResponse {
            findings: findings.iter().map(|finding| encode::finding(part.town(), finding)).collect(),
            counts,
            as_of_date: Some(wire::to_date(as_of.day)),
            next_page_token,
        })
    }
}

/// Refuses rules that there are not: a check that looks at nothing would find nothing.
fn known(rules: &[i32]) -> Result<(), Refusal> {
    let good =
        |rule: &i32| pb::FindingRule::try_from(*rule).is_ok_and(|rule| rule != pb::FindingRule::Unspecified);
    let unknown = rules.iter().enumerate().filter(|(_, rule)| !good(rule));
    let faults: Vec<FieldFault> = unknown
        .map(|(n, _)| FieldFault::new(format!("rules[{n}]"), "UNKNOWN_VALUE", "没有此规则", "no such rule"))
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Refusal::fields(faults)) }
}

/// Refuses what isn't there, or isn't the caller's.
async fn need(
    sql: &mut sqlx::PgConnection,
    call: &Call,
    part: &Part,
    scope: &Scope,
    as_of: &AsOf,
) -> Result<(), Refusal> {
    match part {
        Part::Town(name) => {
            let town = crate::town::store::get(sql, name.town()).await?;
            town.map(|_| ()).ok_or_else(|| call.missing(scope, "linli.dev/Town", name.to_string()))
        }
        Part::Community(name) => {
            let found = community::one(sql, name, scope, false).await?;
            let missing = || call.missing(scope, "linli.dev/Community", name.to_string());
            let own = scope.is_town() || scope.ids().0.iter().any(|id| id == name.community());
            found.filter(|_| own).map(|_| ()).ok_or_else(missing)
        }
        Part::Committee(name) => {
            let found = committee::store::get(sql, name, scope, as_of).await?;
            let missing = || call.missing(scope, "linli.dev/Committee", name.to_string());
            found.map(|_| ()).ok_or_else(missing)
        }
    }
}

#[tonic::async_trait]
impl StructureService for Structures {
    async fn check_structure(
        &self,
        request: Request<pb::CheckStructureRequest>,
    ) -> Result<Response<pb::CheckStructureResponse>, Status> {
        Ok(Response::new(self.check(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_committee_card(
        &self,
        request: Request<pb::GetCommitteeCardRequest>,
    ) -> Result<Response<pb::CommitteeCard>, Status> {
        Ok(Response::new(self.card(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_town_overview(
        &self,
        request: Request<pb::GetTownOverviewRequest>,
    ) -> Result<Response<pb::TownOverview>, Status> {
        Ok(Response::new(self.overview(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn search_names(
        &self,
        request: Request<pb::SearchNamesRequest>,
    ) -> Result<Response<pb::SearchNamesResponse>, Status> {
        Ok(Response::new(self.search(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_structure_settings(
        &self,
        request: Request<pb::GetStructureSettingsRequest>,
    ) -> Result<Response<pb::StructureSettings>, Status> {
        Ok(Response::new(self.settings(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn update_structure_settings(
        &self,
        request: Request<pb::UpdateStructureSettingsRequest>,
    ) -> Result<Response<pb::StructureSettings>, Status> {
        mutate::<settings::Update>(&self.0, request).await
    }
}
