//! GetOutreachCoverage: committee by committee, as governance lists them.

use std::collections::HashMap;

use chassis::{
    call::Call,
    fields,
    governance::{CommitteePage, CommitteesAsked},
    identity::Scope,
    paging::Paging,
    refusal::{Faults, FieldFault, Refusal},
    wire,
};
use contracts::linli::{governance::v1 as governance, insurance::v1 as pb};
use jiff::civil::Date;
use kernel::{
    name::{CommitteeName, ProgrammeName, TownName},
    periods::Period,
};

use super::{
    Campaigns, encode,
    rules::coverage::{Placed, coverage},
    store::coverage::{Of, last_samples, placed},
};

/// Pages of governance, of 1,000 committees each, that one call reads at most; the next page goes on from there.
const MOST_PAGES: usize = 10;

/// What is asked, read and checked.
struct Question {
    town: TownName,
    scope: Scope,
    from: Date,
    to: Date,
    period: Period,
    committee: Option<String>,
    programme: Option<String>,
    uncovered_only: bool,
    /// The day on which committees are looked at.
    day: Date,
}

impl Question {
    fn read(call: &Call, request: &pb::GetOutreachCoverageRequest) -> Result<Question, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let mut faults = Faults::default();
        let committee = match request.committee.as_str() {
            "" => Some(None),
            name => faults.take(fields::committee_id("committee", town.town(), name)).map(Some),
        };
        let programme = match request.programme.as_str() {
            "" => Some(None),
            name => faults
                .take(fields::in_town("programme", name, town.town(), ProgrammeName::town))
                .map(|name: ProgrammeName| Some(name.programme().to_owned())),
        };
        let from = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let to = faults.take(wire::required_date("end_date", request.end_date.as_ref()));
        let period = from.zip(to).and_then(|(from, to)| {
            let period = Period::new(from, Some(to));
            faults.take(period.map_err(|error| {
                FieldFault::new("end_date", "ORDER", "应晚于 start_date", error.to_string())
            }))
        });
        let days = from.zip(to).zip(period);
        let (((from, to), period), (committee, programme)) =
            faults.finish(days.zip(committee.zip(programme)))?;
        if committee.as_ref().is_some_and(|committee| !scope.holds_committee(committee)) {
            return Err(call.denied());
        }
        let last = to.yesterday().map_err(Refusal::internal)?;
        let (uncovered_only, day) = (request.uncovered_only, last.min(call.today()));
        Ok(Question { town, scope, from, to, period, committee, programme, uncovered_only, day })
    }

    /// Everything that a page's token is bound to.
    fn bound(&self) -> [String; 6] {
        [
            self.town.to_string(),
            self.from.to_string(),
            self.to.to_string(),
            self.committee.clone().unwrap_or_default(),
            self.programme.clone().unwrap_or_default(),
            self.uncovered_only.to_string(),
        ]
    }

    /// Whether a committee is asked about: open on the day, and the caller's.
    fn asks(&self, committee: &governance::Committee) -> bool {
        let open = match committee.state() {
            governance::CommitteeState::Preparing | governance::CommitteeState::Founded => true,
            governance::CommitteeState::Merged
            | governance::CommitteeState::Dissolved
            | governance::CommitteeState::Unspecified => false,
        };
        let id = id(committee);
        open && self.scope.holds_committee(id) && self.committee.as_deref().is_none_or(|asked| asked == id)
    }
}

fn id(committee: &governance::Committee) -> &str {
    committee.name.rsplit('/').next().unwrap_or_default()
}

/// What is left of governance's page behind the committee that was told last.
fn behind(page: CommitteePage, last: &str) -> (Vec<governance::Committee>, String) {
    let told = page.committees.iter().position(|committee| id(committee) == last).map_or(0, |at| at + 1);
    (page.committees.into_iter().skip(told).collect(), page.next_page_token)
}

impl Campaigns {
    /// Committees with what was done in them.
    async fn committees(
        &self,
        question: &Question,
        committees: &[governance::Committee],
    ) -> Result<Vec<pb::CommitteeCoverage>, Refusal> {
        let ids: Vec<String> = committees.iter().map(|committee| id(committee).to_owned()).collect();
        let town = question.town.town();
        let of = Of { town, committees: &ids, programme: question.programme.as_deref() };
        let mut read = self.context.db.read().await?;
        let mut by_committee: HashMap<String, Vec<Placed>> = HashMap::new();
        for (committee, placed) in placed(read.sql(), of, (question.from, question.to)).await? {
            by_committee.entry(committee).or_default().push(placed);
        }
        let samples = last_samples(read.sql(), of, question.to).await?;
        let samples: HashMap<&str, _> =
            samples.iter().map(|sample| (sample.committee.as_str(), sample)).collect();
        let told = committees.iter().map(|committee| {
            let declared = committee.household_count.as_ref().map(|count| count.households);
            let placed = by_committee.get(id(committee)).map(Vec::as_slice).unwrap_or_default();
            let found = coverage(placed, question.period, declared.map(i64::from));
            let sample = samples.get(id(committee)).map(|sample| encode::sample(sample)).transpose()?;
            let names = (committee.name.clone(), committee.display_name.clone());
            Ok(encode::coverage(names, &found, declared, sample))
        });
        told.collect()
    }

    /// A page of coverage. Its token holds the token of governance's page and the committee that was told last.
    pub(super) async fn coverage(
        &self,
        call: &Call,
        request: &pb::GetOutreachCoverageRequest,
    ) -> Result<pb::OutreachCoverage, Refusal> {
        let question = Question::read(call, request)?;
        let bound = question.bound();
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        let paging = Paging::open(&self.context, call, &bound, request.page_size, &request.page_token)?;
        let (mut token, mut last) = match paging.after.as_slice() {
            [token, last] => (token.clone(), last.clone()),
            _ => (String::new(), String::new()),
        };
        let mut told: Vec<pb::CommitteeCoverage> = Vec::new();
        let mut next = String::new();
        for _ in 0..MOST_PAGES {
            let asked = CommitteesAsked {
                town: question.town.clone(),
                as_of_date: question.day,
                household_count_date: None,
                read_time: None,
                page_token: token.clone(),
            };
            let (mut committees, following) = behind(self.governance.committees(asked).await?, &last);
            committees.retain(|committee| question.asks(committee));
            let room = paging.size - told.len();
            if !question.uncovered_only {
                committees.truncate(room + 1);
            }
            let mut found = self.committees(&question, &committees).await?;
            found.retain(|committee| committee.uncovered || !question.uncovered_only);
            let more = found.len() > room;
            found.truncate(room);
            told.extend(found);
            if more {
                last = told.last().map(|committee| last_id(&committee.committee)).unwrap_or_default();
                next = paging.token(&[&token, &last]);
                break;
            }
            if following.is_empty() {
                next.clear();
                break;
            }
            (token, last) = (following, String::new());
            next = paging.token(&[&token, ""]);
        }
        let uncovered = told.iter().filter(|committee| committee.uncovered);
        let uncovered_committees = uncovered.map(|committee| committee.committee.clone()).collect();
        Ok(pb::OutreachCoverage { committees: told, uncovered_committees, next_page_token: next })
    }
}

fn last_id(name: &str) -> String {
    CommitteeName::parse(name).map(|name| name.committee().to_owned()).unwrap_or_default()
}
