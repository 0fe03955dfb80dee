//! Tasks that departments hand down 费随事转: the money comes with the task, and a committee may decline it (Work points 3.3).

mod acts;
mod encode;
mod given;
mod offer;
pub mod rules;
pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    governance::Governance,
    identity::Scope,
    listing::{self, Asked},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::{mutate, mutate_given},
};
use contracts::linli::{
    common::v1::Obstacle,
    funding::v1::{self as pb, delegation_service_server::DelegationService},
};
use jiff::civil::Date;
use kernel::{
    money::Fen,
    name::{DelegationName, DelegationShareName},
};
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use self::{
    encode::Books,
    rules::{TABLE, Verb},
    store::Share,
};
use crate::{
    actor::Actor,
    ledger::{rules::Fund, store as ledger},
    money::to_money,
    policy::store::category_names,
};

pub(crate) use encode::day;

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Delegations {
    /// What handlers share.
    pub context: Context,
    /// Whom it asks for working days and committees.
    pub governance: Governance,
}

async fn books(
    sql: &mut PgConnection,
    town: &str,
    delegation: &str,
    committee: Option<&str>,
) -> Result<Books, Refusal> {
    Ok(Books {
        sums: store::sums(&mut *sql, town, delegation, committee).await?,
        held: store::held(&mut *sql, town, delegation).await?,
        categories: category_names(sql, town, Fund::Delegated).await?,
    })
}

/// A share with its provenance.
async fn view_share(
    sql: &mut PgConnection,
    found: &Share,
    today: Date,
) -> Result<pb::DelegationShare, Refusal> {
    let books = books(&mut *sql, &found.town, &found.delegation, Some(&found.committee)).await?;
    let mut share = encode::share(found, today)?;
    share.provenance = Some(encode::traced(found, &books)?.1);
    share.account = encode::account(&found.town, &ledger::since(sql, &found.town, &found.key()).await?);
    Ok(share)
}

/// A delegation with the shares that `scope` holds.
async fn view(
    sql: &mut PgConnection,
    name: &DelegationName,
    scope: &Scope,
    today: Date,
) -> Result<pb::Delegation, Refusal> {
    let found = store::get(&mut *sql, name, scope).await?;
    let found = found.ok_or_else(|| Refusal::not_found("linli.dev/Delegation", name.to_string()))?;
    let mut answer = encode::delegation(&found)?;
    let books = books(&mut *sql, name.town(), name.delegation(), None).await?;
    let (mut offered, mut spent, mut returned) = (Vec::new(), Vec::new(), Vec::new());
    for share in store::shares_of(&mut *sql, name, scope).await? {
        let (traced, provenance) = encode::traced(&share, &books)?;
        offered.push(share.amount());
        spent.push(traced.spent_amount().map_err(Refusal::internal)?);
        returned.push(traced.returned.amount);
        let shown = pb::DelegationShare { provenance: Some(provenance), ..encode::share(&share, today)? };
        answer.shares.push(shown);
    }
    let sum = |all: Vec<Fen>| Fen::sum(all).map(to_money).map_err(Refusal::internal);
    answer.offered_amount = Some(sum(offered)?);
    answer.spent_amount = Some(sum(spent)?);
    answer.returned_amount = Some(sum(returned)?);
    Ok(answer)
}

impl Delegations {
    async fn read(&self, call: &Call, name: &str) -> Result<pb::Delegation, Refusal> {
        let name: DelegationName = wire::name("name", name)?;
        let scope = call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        if store::get(read.sql(), &name, &scope).await?.is_none() {
            return Err(call.missing(&scope, "linli.dev/Delegation", name.to_string()));
        }
        let mut answer = view(read.sql(), &name, &scope, call.today()).await?;
        answer.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(answer)
    }

    async fn read_share(&self, call: &Call, name: &str) -> Result<pb::DelegationShare, Refusal> {
        let name: DelegationShareName = wire::name("name", name)?;
        let scope = call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        let found = store::share(read.sql(), &name, &scope, false).await?;
        let found =
            found.ok_or_else(|| call.missing(&scope, "linli.dev/DelegationShare", name.to_string()))?;
        let mut share = view_share(read.sql(), &found, call.today()).await?;
        let sees = |scope: &Scope| scope.is_town() || scope.ids().1.contains(&found.committee);
        let held = ledger::since(read.sql(), name.town(), &found.key())
            .await?
            .iter()
            .any(|account| account.held > Fen::ZERO);
        let hindered = |verb| {
            let foreign = acts::need_own(call, &found, verb).err();
            let foreign = foreign.map(|why| Hindrance::of(Obstacle::Permission, &why));
            foreign.or_else(|| hindrance(verb, &found, held, &Actor::of(call)))
        };
        share.available_actions = available_unless(&TABLE, found.state()?, call, name.town(), sees, hindered);
        share.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(share)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListDelegationsRequest,
    ) -> Result<pb::ListDelegationsResponse, Refusal> {
        let (asked, paging) =
            Asked::read(&self.context, call, listing::request_undated!(request), encode::FILTER)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<store::Delegation> =
            store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |delegation| vec![delegation.id.clone()]);
        let delegations = found.iter().map(encode::delegation).collect::<Result<_, _>>()?;
        Ok(pb::ListDelegationsResponse { delegations, next_page_token })
    }

    async fn page_of_shares(
        &self,
        call: &Call,
        request: &pb::ListDelegationSharesRequest,
    ) -> Result<pb::ListDelegationSharesResponse, Refusal> {
        let (asked, paging) =
            Asked::read(&self.context, call, listing::request_undated!(request), encode::SHARE_FILTER)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Share> =
            store::shares_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |share| vec![share.id.to_string()]);
        let shares = found.iter().map(|share| encode::share(share, asked.today));
        let delegation_shares = shares.collect::<Result<_, _>>()?;
        Ok(pb::ListDelegationSharesResponse { delegation_shares, next_page_token })
    }
}

/// What stands in the way beside state and permission; `held` says whether money of the share is.
fn hindrance(verb: Verb, of: &Share, held: bool, who: &Actor) -> Option<Hindrance> {
    let missing = |why: Refusal| Hindrance::of(Obstacle::Missing, &why);
    let four_eyes = |why: Refusal| Hindrance::of(Obstacle::FourEyes, &why);
    match verb {
        Verb::Fund => acts::need_unfunded(of).err().map(missing),
        Verb::Accept => {
            let another = acts::need_another_than_offered(of, who).err().map(four_eyes);
            another.or_else(|| acts::need_funded(of).err().map(missing))
        }
        Verb::Settle => {
            let another = acts::need_another(of, who).err().map(four_eyes);
            let (zh, en) = ("尚有冻结的经费", "money of it is held");
            another.or_else(|| held.then(|| Hindrance::new(Obstacle::Missing, zh, en)))
        }
        Verb::Create | Verb::Decline | Verb::Withdraw => None,
    }
}

#[tonic::async_trait]
impl DelegationService for Delegations {
    async fn get_delegation(
        &self,
        request: Request<pb::GetDelegationRequest>,
    ) -> Result<Response<pb::Delegation>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, &request.get_ref().name).await?))
    }

    async fn list_delegations(
        &self,
        request: Request<pb::ListDelegationsRequest>,
    ) -> Result<Response<pb::ListDelegationsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_delegation(
        &self,
        request: Request<pb::CreateDelegationRequest>,
    ) -> Result<Response<pb::Delegation>, Status> {
        let call = Call::of(&request)?;
        // whoever may not create learns nothing of what governance has
        let town: kernel::name::TownName = wire::name("parent", &request.get_ref().parent)?;
        call.whole_town(town.town())?;
        let given = given::read(&self.governance, request.get_ref(), call.today()).await?;
        mutate_given::<acts::Create>(&self.context, &given, request).await
    }

    async fn get_delegation_share(
        &self,
        request: Request<pb::GetDelegationShareRequest>,
    ) -> Result<Response<pb::DelegationShare>, Status> {
        Ok(Response::new(self.read_share(&Call::of(&request)?, &request.get_ref().name).await?))
    }

    async fn list_delegation_shares(
        &self,
        request: Request<pb::ListDelegationSharesRequest>,
    ) -> Result<Response<pb::ListDelegationSharesResponse>, Status> {
        Ok(Response::new(self.page_of_shares(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn fund_delegation_share(
        &self,
        request: Request<pb::FundDelegationShareRequest>,
    ) -> Result<Response<pb::DelegationShare>, Status> {
        mutate::<acts::Fund>(&self.context, request).await
    }

    async fn accept_delegation_share(
        &self,
        request: Request<pb::AcceptDelegationShareRequest>,
    ) -> Result<Response<pb::DelegationShare>, Status> {
        mutate::<acts::Accept>(&self.context, request).await
    }

    async fn decline_delegation_share(
        &self,
        request: Request<pb::DeclineDelegationShareRequest>,
    ) -> Result<Response<pb::DelegationShare>, Status> {
        mutate::<acts::Decline>(&self.context, request).await
    }

    async fn withdraw_delegation_share(
        &self,
        request: Request<pb::WithdrawDelegationShareRequest>,
    ) -> Result<Response<pb::DelegationShare>, Status> {
        mutate::<acts::Withdraw>(&self.context, request).await
    }

    async fn settle_delegation_share(
        &self,
        request: Request<pb::SettleDelegationShareRequest>,
    ) -> Result<Response<pb::DelegationShare>, Status> {
        mutate::<acts::Settle>(&self.context, request).await
    }
}
