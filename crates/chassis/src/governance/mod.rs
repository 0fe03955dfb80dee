//! Governance as the other services of the suite ask it: who holds which role, which day is a working day, committees and
//! organisations. What changes seldom is remembered, so that a service goes on while governance is down.

mod calendar;
mod kept;
mod people;
mod stewards;
mod token;

pub use token::ServiceToken;

use std::{fmt, sync::Arc, time::Duration};

use contracts::linli::governance::v1::{
    self as pb, committee_service_client::CommitteeServiceClient,
    organisation_service_client::OrganisationServiceClient,
    role_binding_service_client::RoleBindingServiceClient,
};
use jiff::{Timestamp, civil::Date};
use kernel::{
    calendar::Calendar,
    name::{CommitteeName, OrganisationName, TownName},
};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

use self::{calendar::Papers, kept::Kept};
use crate::{
    identity::{Directory, Grant, Grants, Identity, Unreachable, role},
    peer::{Peer, traced},
    refusal::{PAGE_TOKEN_INVALID, Refusal, UNAVAILABLE},
    wire,
};

/// How long a call to governance may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// When to try again.
const RETRY: Duration = Duration::from_secs(2);
/// Rows of one page.
const PAGE: i32 = 1_000;

/// Governance, asked with an account of the service's own. Cheap to clone.
#[derive(Clone)]
pub struct Governance(Arc<Inner>);

struct Inner {
    peer: Peer,
    token: ServiceToken,
    papers: Kept<Arc<Papers>>,
}

impl fmt::Debug for Governance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governance").finish_non_exhaustive()
    }
}

/// Which committees are asked for.
#[derive(Clone, Debug)]
pub struct CommitteesAsked {
    /// Of which town.
    pub town: TownName,
    /// On which day they are looked at.
    pub as_of_date: Date,
    /// The day whose declared count is shown, when it is another one; a committee without one by then shows its first.
    pub household_count_date: Option<Date>,
    /// What was known then; now when `None`. Pages that belong together take the same instant.
    pub read_time: Option<Timestamp>,
    /// The token of the page before; empty for the first.
    pub page_token: String,
}

/// A page of committees by id.
#[derive(Clone, Debug)]
pub struct CommitteePage {
    /// The committees.
    pub committees: Vec<pb::Committee>,
    /// The token of the next page; empty on the last.
    pub next_page_token: String,
}

impl Governance {
    /// Governance behind `peer`, called by `service`, whose account `token` is.
    pub fn new(service: &'static str, peer: Peer, token: ServiceToken) -> Governance {
        Governance(Arc::new(Inner { peer: traced(peer, service), token, papers: Kept::default() }))
    }

    /// The working-day calendar: remembered for 30 seconds, and for ten minutes while governance can't be asked.
    ///
    /// # Errors
    /// UNAVAILABLE when it can't be asked for longer.
    pub async fn calendar(&self) -> Result<Arc<Calendar>, Refusal> {
        let papers = self.0.papers.get(async |before| calendar::read(self, before).await).await?;
        Ok(papers.calendar.clone())
    }

    /// A committee on the business day; `None` when there is none of this name.
    ///
    /// # Errors
    /// UNAVAILABLE when governance can't be asked.
    pub async fn committee(&self, name: &CommitteeName) -> Result<Option<pb::Committee>, Refusal> {
        let request = pb::GetCommitteeRequest { name: name.to_string(), ..Default::default() };
        let mut client = CommitteeServiceClient::new(self.0.peer.clone());
        found(self.ask(request, async |request| client.get_committee(request).await).await?)
    }

    /// A page of 1,000 committees.
    ///
    /// # Errors
    /// UNAVAILABLE when governance can't be asked; PAGE_TOKEN_INVALID when the page before is older than a day.
    pub async fn committees(&self, asked: CommitteesAsked) -> Result<CommitteePage, Refusal> {
        let request = pb::ListCommitteesRequest {
            parent: asked.town.to_string(),
            page_size: PAGE,
            page_token: asked.page_token,
            as_of_date: Some(wire::to_date(asked.as_of_date)),
            household_count_date: asked.household_count_date.map(wire::to_date),
            read_time: asked.read_time.map(|at| wire::to_timestamp(at.as_microsecond())),
            ..Default::default()
        };
        let mut client = CommitteeServiceClient::new(self.0.peer.clone());
        let page = self.ask(request, async |request| client.list_committees(request).await).await?;
        let page = page.map_err(|status| match reason(&status).as_str() {
            "PAGE_TOKEN_INVALID" => {
                Refusal::new(&PAGE_TOKEN_INVALID).with("cause", "governance").because(status)
            }
            _ => refused(status),
        })?;
        Ok(CommitteePage { committees: page.committees, next_page_token: page.next_page_token })
    }

    /// An organisation, such as a department; `None` when there is none of this name.
    ///
    /// # Errors
    /// UNAVAILABLE when governance can't be asked.
    pub async fn organisation(&self, name: &OrganisationName) -> Result<Option<pb::Organisation>, Refusal> {
        let request = pb::GetOrganisationRequest { name: name.to_string() };
        let mut client = OrganisationServiceClient::new(self.0.peer.clone());
        found(self.ask(request, async |request| client.get_organisation(request).await).await?)
    }

    /// Asks with the service's token and within the deadline; the inner error is what governance answered.
    async fn ask<T, A>(
        &self,
        message: T,
        call: impl AsyncFnOnce(Request<T>) -> Result<Response<A>, Status>,
    ) -> Result<Result<A, Status>, Refusal> {
        let mut request = Request::new(message);
        request.set_timeout(DEADLINE);
        request.metadata_mut().insert("authorization", self.0.token.bearer().await?);
        match tokio::time::timeout(DEADLINE, call(request)).await {
            Ok(Ok(answer)) => Ok(Ok(answer.into_inner())),
            Ok(Err(status)) if is_away(&status) => Err(away().because(status)),
            Ok(Err(status)) => Ok(Err(status)),
            Err(elapsed) => Err(away().because(elapsed)),
        }
    }
}

/// What is there, or nothing for NOT_FOUND.
fn found<A>(answer: Result<A, Status>) -> Result<Option<A>, Refusal> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(refused(status)),
    }
}

/// What governance refused for a reason that lies with us.
fn refused(status: Status) -> Refusal {
    Refusal::internal(status)
}

/// Whether another try may help. A connection that broke within an answer is UNKNOWN or CANCELLED to tonic.
fn is_away(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Unknown
            | Code::Cancelled
    )
}

/// The refusal while governance can't be asked.
fn away() -> Refusal {
    Refusal::new(&UNAVAILABLE).with("peer", "governance").retry_after(RETRY)
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// Knows the roles of callers by asking governance; to be wrapped in a [`CachedDirectory`](crate::identity::CachedDirectory).
#[tonic::async_trait]
impl Directory for Governance {
    async fn grants(&self, identity: &Identity) -> Result<Grants, Unreachable> {
        let request = pb::ResolveGrantsRequest {
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            groups: identity.groups.clone(),
            person: identity.person.clone().unwrap_or_default(),
        };
        let mut client = RoleBindingServiceClient::new(self.0.peer.clone());
        let told = self.ask(request, async |request| client.resolve_grants(request).await).await;
        let told = told.and_then(|answer| answer.map_err(refused)).map_err(unreachable)?;
        // a role or area that a newer governance knows gives nothing here
        let grants = told
            .grants
            .iter()
            .filter_map(|grant| Some(Grant { role: role(&grant.role)?, area: grant.area.parse().ok()? }));
        let grants = grants.collect();
        Ok(Grants { person: Some(told.person).filter(|person| !person.is_empty()), grants })
    }
}

fn unreachable(refusal: Refusal) -> Unreachable {
    let cause = std::error::Error::source(&refusal).map(|cause| format!(": {cause}")).unwrap_or_default();
    Unreachable(format!("{refusal}{cause}"))
}
