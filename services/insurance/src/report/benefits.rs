//! ListBenefitsByCommittee: committee by committee, as governance lists them, whether anybody claimed or not.

use std::collections::HashMap;

use chassis::{
    amount::to_money,
    call::Call,
    governance::{CommitteePage, CommitteesAsked},
    identity::Scope,
    paging::Paging,
    refusal::Refusal,
};
use contracts::linli::{
    governance::v1::{self as governance, CommitteeState},
    insurance::v1 as pb,
};
use kernel::{money::Fen, name::TownName};

use super::{
    Reports, encode,
    store::{self, Benefits, Days},
};

/// Pages of governance, of 1,000 committees each, that one call reads at most; the next page goes on from there.
const MOST_PAGES: usize = 10;

/// What is asked.
struct Question {
    town: TownName,
    scope: Scope,
    happened: Days,
}

impl Question {
    /// Whether the caller is told of a committee: of his own, and to an insurer of all.
    fn asks(&self, committee: &str) -> bool {
        let all = self.scope.is_town() || !self.scope.organisations().is_empty();
        all || self.scope.ids().1.iter().any(|id| id == committee)
    }
}

fn id(committee: &governance::Committee) -> &str {
    committee.name.rsplit('/').next().unwrap_or_default()
}

/// Whether it is there on the day; one that isn't is told of when somebody claimed in it.
fn is_there(committee: &governance::Committee) -> bool {
    match committee.state() {
        CommitteeState::Preparing | CommitteeState::Founded => true,
        CommitteeState::Merged | CommitteeState::Dissolved | CommitteeState::Unspecified => false,
    }
}

/// What is left of governance's page behind the committee that was told last.
fn behind(page: CommitteePage, last: &str) -> (Vec<governance::Committee>, String) {
    let told = page.committees.iter().position(|committee| id(committee) == last).map_or(0, |at| at + 1);
    (page.committees.into_iter().skip(told).collect(), page.next_page_token)
}

fn shown(town: &TownName, display_name: String, its: &Benefits) -> pb::CommitteeBenefits {
    pb::CommitteeBenefits {
        committee: encode::named(town, "committees", &its.committee),
        display_name,
        claims: its.claims,
        rejected_claims: its.rejected,
        approved_amount: Some(to_money(Fen::of(its.approved_fen))),
        paid_amount: Some(to_money(Fen::of(its.paid_fen))),
        households: its.households,
        paid_households: its.paid_households,
    }
}

impl Reports {
    /// What was got in committees of these ids.
    async fn benefits(
        &self,
        question: &Question,
        committees: &[String],
    ) -> Result<HashMap<String, Benefits>, Refusal> {
        let query =
            store::benefits_query(question.town.town(), &question.scope, question.happened, committees);
        let mut read = self.context.db.read().await?;
        let rows: Vec<Benefits> = store::rows(read.sql(), query).await?;
        Ok(rows.into_iter().map(|row| (row.committee.clone(), row)).collect())
    }

    /// Committees of a page of governance with what was got in them; those that aren't there any more only with claims.
    async fn told(
        &self,
        question: &Question,
        committees: Vec<governance::Committee>,
    ) -> Result<Vec<pb::CommitteeBenefits>, Refusal> {
        let ids: Vec<String> = committees.iter().map(|committee| id(committee).to_owned()).collect();
        let mut found = self.benefits(question, &ids).await?;
        let told = committees.into_iter().filter_map(|committee| {
            let its = found.remove(id(&committee));
            let its = its.or_else(|| {
                let nothing = Benefits { committee: id(&committee).to_owned(), ..Benefits::default() };
                is_there(&committee).then_some(nothing)
            });
            its.map(|its| shown(&question.town, committee.display_name, &its))
        });
        Ok(told.collect())
    }

    /// A page of benefits. Its token holds the token of governance's page and the committee that was told last.
    pub(super) async fn by_committee(
        &self,
        call: &Call,
        request: &pb::ListBenefitsByCommitteeRequest,
    ) -> Result<pb::ListBenefitsByCommitteeResponse, Refusal> {
        let (town, scope) = super::within(call, &request.parent)?;
        let year = super::year(call, request.year);
        let question = Question { town, scope, happened: super::days_of(year)? };
        let bound = [question.town.town(), &year.to_string()];
        let paging = Paging::open(&self.context, call, &bound, request.page_size, &request.page_token)?;
        let (mut token, mut last) = match paging.after.as_slice() {
            [token, last] => (token.clone(), last.clone()),
            _ => (String::new(), String::new()),
        };
        let (mut benefits, mut next_page_token) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let asked = CommitteesAsked {
                town: question.town.clone(),
                as_of_date: call.today(),
                household_count_date: None,
                read_time: None,
                page_token: token.clone(),
            };
            let (mut committees, following) = behind(self.governance.committees(asked).await?, &last);
            committees.retain(|committee| question.asks(id(committee)));
            let room = paging.size - benefits.len();
            let mut found = self.told(&question, committees).await?;
            let more = found.len() > room;
            found.truncate(room);
            benefits.extend(found);
            if more {
                let told = benefits.last().map_or("", |one: &pb::CommitteeBenefits| &one.committee);
                next_page_token = paging.token(&[&token, told.rsplit('/').next().unwrap_or_default()]);
                break;
            }
            if following.is_empty() {
                next_page_token.clear();
                break;
            }
            (token, last) = (following, String::new());
            next_page_token = paging.token(&[&token, ""]);
        }
        let no_committee = self.outside(&question).await?;
        Ok(pb::ListBenefitsByCommitteeResponse { benefits, next_page_token, no_committee })
    }

    /// What lies in no committee, for callers who aren't of some.
    async fn outside(&self, question: &Question) -> Result<Option<pb::CommitteeBenefits>, Refusal> {
        if !question.asks("") {
            return Ok(None);
        }
        let found = self.benefits(question, &[String::new()]).await?;
        Ok(found.values().next().map(|its| shown(&question.town, String::new(), its)))
    }
}
