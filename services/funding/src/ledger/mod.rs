//! The ledger: accounts, entries, holds, their proof (Work points 3.3).

mod acts;
pub(crate) mod encode;
pub(crate) mod rules;
pub(crate) mod store;

pub(crate) use acts::uuid;

use chassis::{
    call::Call,
    context::Context,
    listing::{self, Asked},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::mutate,
};
use contracts::linli::{
    common::v1::Obstacle,
    funding::v1::{self as pb, ledger_service_server::LedgerService},
};
use kernel::{
    filter::{FieldSpec, Kind},
    money::Fen,
    name::{AccountName, CommitteeName, EntryName, HoldName, TownName},
    state::Named,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use self::{
    rules::{AccountKind, EntryKind, Fund, HOLDS, HoldState, HoldVerb},
    store::{
        verify::{self, Row, Verified},
        views::{self, AccountView, EntryView, HoldView, Moving},
    },
};
use crate::{actor::Actor, money::to_money};

const ACCOUNTS: &[FieldSpec] = &[
    FieldSpec { name: "kind", column: "a.kind", kind: Kind::Enum(AccountKind::NAMES) },
    FieldSpec { name: "fund", column: "a.fund", kind: Kind::Enum(Fund::NAMES) },
    FieldSpec { name: "fiscal_year", column: "a.fiscal_year", kind: Kind::Integer },
    FieldSpec {
        name: "committee",
        column: "a.committee",
        kind: Kind::Name { collection: "committees", town: "a.town" },
    },
    FieldSpec { name: "earmark", column: views::earmark_shown!("a"), kind: Kind::Text },
    FieldSpec { name: "category", column: "coalesce(a.category, '')", kind: Kind::Text },
];
const ENTRIES: &[FieldSpec] = &[
    FieldSpec { name: "kind", column: "e.kind", kind: Kind::Enum(EntryKind::NAMES) },
    FieldSpec { name: "fiscal_year", column: "e.fiscal_year", kind: Kind::Integer },
    FieldSpec { name: "subject", column: "e.subject", kind: Kind::Text },
    FieldSpec { name: "book_date", column: "e.booked_on", kind: Kind::Date },
];
const HOLD_FIELDS: &[FieldSpec] = &[
    FieldSpec { name: "state", column: views::STATE_NOW, kind: Kind::Enum(HoldState::NAMES) },
    FieldSpec {
        name: "account",
        column: "h.account::text",
        kind: Kind::Name { collection: "accounts", town: "h.town" },
    },
    FieldSpec { name: "subject", column: "h.subject", kind: Kind::Text },
    FieldSpec {
        name: "committee",
        column: "a.committee",
        kind: Kind::Name { collection: "committees", town: "a.town" },
    },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Ledger(pub Context);

impl Ledger {
    async fn account(&self, call: &Call, request: &pb::GetAccountRequest) -> Result<pb::Account, Refusal> {
        let name: AccountName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let missing = || call.missing(&scope, "linli.dev/Account", name.to_string());
        let read_time = wire::instant("read_time", request.read_time.as_ref())
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let id = uuid(name.account()).ok_or_else(missing)?;
        let mut read = self.0.db.read().await?;
        let found = views::account(read.sql(), (name.town(), id), &scope, read_time, call.today()).await?;
        encode::account(name.town(), &found.ok_or_else(missing)?, read_time.is_none())
    }

    async fn accounts(
        &self,
        call: &Call,
        request: &pb::ListAccountsRequest,
    ) -> Result<pb::ListAccountsResponse, Refusal> {
        let asked =
            listing::Request { read_time: request.read_time.as_ref(), ..listing::request_undated!(request) };
        let (asked, paging) = Asked::read(&self.0, call, asked, ACCOUNTS)?;
        let mut read = self.0.db.read().await?;
        let mut found: Vec<AccountView> =
            views::accounts_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |view| vec![view.id.to_string()]);
        let now = asked.as_of.read_time.is_none();
        let accounts = found.iter().map(|view| encode::account(&asked.town, view, now));
        Ok(pb::ListAccountsResponse { accounts: accounts.collect::<Result<_, _>>()?, next_page_token })
    }

    async fn entry(&self, call: &Call, request: &pb::GetEntryRequest) -> Result<pb::Entry, Refusal> {
        let name: EntryName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let missing = || call.missing(&scope, "linli.dev/Entry", name.to_string());
        let id = uuid(name.entry()).ok_or_else(missing)?;
        let mut read = self.0.db.read().await?;
        let found = views::entry(read.sql(), (name.town(), id), &scope).await?.ok_or_else(missing)?;
        let postings = views::postings(read.sql(), name.town(), &[id]).await?;
        Ok(encode::entries(name.town(), &[found], &postings)?.remove(0))
    }

    async fn entries(
        &self,
        call: &Call,
        request: &pb::ListEntriesRequest,
    ) -> Result<pb::ListEntriesResponse, Refusal> {
        // account and committee are bound to the page like the filter
        let bound = format!("{}\n{}\n{}", request.filter, request.account, request.committee);
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read_bound(&self.0, call, asked, ENTRIES, &bound)?;
        let moving = moving(&asked.town, request)?;
        let mut read = self.0.db.read().await?;
        let mut found: Vec<EntryView> =
            views::entries_query(&asked, &moving).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |view| vec![view.id.to_string()]);
        let ids: Vec<Uuid> = found.iter().map(|view| view.id).collect();
        let postings = views::postings(read.sql(), &asked.town, &ids).await?;
        Ok(pb::ListEntriesResponse {
            entries: encode::entries(&asked.town, &found, &postings)?,
            next_page_token,
        })
    }

    async fn hold(&self, call: &Call, request: &pb::GetHoldRequest) -> Result<pb::Hold, Refusal> {
        let name: HoldName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let missing = || call.missing(&scope, "linli.dev/Hold", name.to_string());
        let id = uuid(name.hold()).ok_or_else(missing)?;
        let mut read = self.0.db.read().await?;
        let view = views::hold(read.sql(), (name.town(), id), &scope, call.today()).await?;
        let view = view.ok_or_else(missing)?;
        let state: HoldState = store::named(&view.state)?;
        let sees = |scope: &chassis::identity::Scope| {
            scope.is_town() || view.committee.as_ref().is_some_and(|id| scope.ids().1.contains(id))
        };
        let (who, made_by) = (Actor::of(call), Actor::new(&view.held_by, &view.held_person));
        let hindered = |verb: HoldVerb| {
            let another = acts::need_own(&request.name, view.into_account, &view.subject).err();
            let another = another.map(|why| Hindrance::of(Obstacle::Missing, &why));
            let checker = || acts::need_another(&request.name, &who, &made_by).err();
            match verb {
                HoldVerb::Post => {
                    another.or_else(|| checker().map(|why| Hindrance::of(Obstacle::FourEyes, &why)))
                }
                HoldVerb::Create | HoldVerb::Void | HoldVerb::Expire => another,
            }
        };
        Ok(pb::Hold {
            available_actions: available_unless(&HOLDS, state, call, name.town(), sees, hindered),
            timeline: timeline::read(read.sql(), name.town(), &request.name).await?,
            ..encode::hold(name.town(), &view)?
        })
    }

    async fn holds(
        &self,
        call: &Call,
        request: &pb::ListHoldsRequest,
    ) -> Result<pb::ListHoldsResponse, Refusal> {
        let (asked, paging) = Asked::read(&self.0, call, listing::request_undated!(request), HOLD_FIELDS)?;
        let mut read = self.0.db.read().await?;
        let mut found: Vec<HoldView> =
            views::holds_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |view| vec![view.id.to_string()]);
        let holds = found.iter().map(|view| encode::hold(&asked.town, view)).collect::<Result<_, _>>()?;
        Ok(pb::ListHoldsResponse { holds, next_page_token })
    }

    async fn verify(
        &self,
        call: &Call,
        request: &pb::VerifyLedgerRequest,
    ) -> Result<pb::VerifyLedgerResponse, Refusal> {
        let town: TownName = wire::name("name", &request.name)?;
        call.whole_town(town.town())?;
        let found = verify::verify(self.0.db.read().await?.sql(), town.town()).await?;
        Ok(verified(&town, &found))
    }
}

fn moving(town: &str, request: &pb::ListEntriesRequest) -> Result<Moving, Refusal> {
    let nothing = Some(Uuid::nil());
    let account = match request.account.as_str() {
        "" => None,
        text => {
            let name: AccountName = wire::name("account", text)?;
            if name.town() == town { uuid(name.account()).or(nothing) } else { nothing }
        }
    };
    let committee = match request.committee.as_str() {
        "" => None,
        text => Some(wire::name::<CommitteeName>("committee", text)?.committee().to_owned()),
    };
    Ok(Moving { account, committee })
}

fn verified(town: &TownName, found: &Verified) -> pb::VerifyLedgerResponse {
    let (first_bad_row, fault) = match found.fault {
        None => (String::new(), pb::LedgerFault::Unspecified),
        Some((row, fault)) => {
            let row = match row {
                Row::Entry(id) => format!("{town}/entries/{id}"),
                Row::Account(id) => format!("{town}/accounts/{id}"),
            };
            (
                row,
                pb::LedgerFault::from_str_name(&format!("LEDGER_FAULT_{}", fault.name())).unwrap_or_default(),
            )
        }
    };
    pb::VerifyLedgerResponse {
        intact: found.fault.is_none() && found.total == 0,
        first_bad_row,
        fault: fault.into(),
        entries: found.entries,
        postings: found.postings,
        accounts: found.accounts,
        total: Some(to_money(Fen::of(found.total))),
        sealed: found.sealed,
        unsealed: found.unsealed,
        head_hash: found.head.clone(),
    }
}

#[tonic::async_trait]
impl LedgerService for Ledger {
    async fn get_account(
        &self,
        request: Request<pb::GetAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        Ok(Response::new(self.account(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_accounts(
        &self,
        request: Request<pb::ListAccountsRequest>,
    ) -> Result<Response<pb::ListAccountsResponse>, Status> {
        Ok(Response::new(self.accounts(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_entry(&self, request: Request<pb::GetEntryRequest>) -> Result<Response<pb::Entry>, Status> {
        Ok(Response::new(self.entry(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_entries(
        &self,
        request: Request<pb::ListEntriesRequest>,
    ) -> Result<Response<pb::ListEntriesResponse>, Status> {
        Ok(Response::new(self.entries(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn reverse_entry(
        &self,
        request: Request<pb::ReverseEntryRequest>,
    ) -> Result<Response<pb::Entry>, Status> {
        mutate::<acts::Reverse>(&self.0, request).await
    }

    async fn get_hold(&self, request: Request<pb::GetHoldRequest>) -> Result<Response<pb::Hold>, Status> {
        Ok(Response::new(self.hold(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_holds(
        &self,
        request: Request<pb::ListHoldsRequest>,
    ) -> Result<Response<pb::ListHoldsResponse>, Status> {
        Ok(Response::new(self.holds(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_hold(
        &self,
        request: Request<pb::CreateHoldRequest>,
    ) -> Result<Response<pb::Hold>, Status> {
        mutate::<acts::Create>(&self.0, request).await
    }

    async fn post_hold(&self, request: Request<pb::PostHoldRequest>) -> Result<Response<pb::Hold>, Status> {
        mutate::<acts::Post>(&self.0, request).await
    }

    async fn void_hold(&self, request: Request<pb::VoidHoldRequest>) -> Result<Response<pb::Hold>, Status> {
        mutate::<acts::Void>(&self.0, request).await
    }

    async fn verify_ledger(
        &self,
        request: Request<pb::VerifyLedgerRequest>,
    ) -> Result<Response<pb::VerifyLedgerResponse>, Status> {
        Ok(Response::new(self.verify(&Call::of(&request)?, request.get_ref()).await?))
    }
}
