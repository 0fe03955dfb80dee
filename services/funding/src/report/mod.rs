//! The questions that people ask of the money (Work points 3.3).

pub(crate) mod rules;
mod store;

use chassis::{
    call::Call,
    context::Context,
    fields,
    governance::Governance,
    identity::Scope,
    paging::{self, Paging},
    refusal::Refusal,
    wire,
};
use contracts::linli::funding::v1::{self as pb, report_service_server::ReportService};
use jiff::civil::Date;
use kernel::{
    filter::{FieldSpec, Kind},
    money::Fen,
    name::{CommitteeName, TownName},
    state::Named,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use self::rules::{OPEN, party, share_ppm};
use crate::{
    delegation::day,
    expense::recount::for_reading,
    ledger::{
        encode::fund,
        rules::{Earmark, Fund},
        store::{account_name, named},
    },
    money::to_money,
};

const OVERDUE: &[FieldSpec] = &[
    FieldSpec {
        name: "committee",
        column: "x.committee",
        kind: Kind::Name { collection: "committees", town: "x.town" },
    },
    FieldSpec { name: "state", column: "x.state", kind: Kind::Enum(OPEN) },
    FieldSpec { name: "due_date", column: "x.due", kind: Kind::Date },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Reports {
    /// What handlers share.
    pub context: Context,
    /// Who knows the working days, by which terms are counted.
    pub governance: Governance,
}

/// Who must act, on the wire.
fn party_of(state: &str, before_notice: bool, notice_runs: bool) -> pb::Party {
    let name = party(state, before_notice, notice_runs).map(Named::name).unwrap_or_default();
    pb::Party::from_str_name(&format!("PARTY_{name}")).unwrap_or_default()
}

/// The sum of amounts, on the wire.
fn sum(all: impl IntoIterator<Item = i64>) -> Result<contracts::google::r#type::Money, Refusal> {
    Fen::sum(all.into_iter().map(Fen::of)).map(to_money).map_err(Refusal::internal)
}

impl Reports {
    async fn spendable(
        &self,
        call: &Call,
        request: &pb::GetSpendableRequest,
    ) -> Result<pb::Spendable, Refusal> {
        let name: CommitteeName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        if !scope.is_town() && !scope.ids().1.iter().any(|id| id == name.committee()) {
            return Err(call.denied());
        }
        let today = call.today();
        let year = if request.fiscal_year == 0 { today.year().into() } else { request.fiscal_year };
        let mut read = self.context.db.read().await?;
        let found = store::spendable(read.sql(), &name, year, today).await?;
        // what it may spend on from now on; what a policy before allowed and was paid, its account keeps
        let policy = crate::policy::store::in_force(read.sql(), name.town(), year).await?;
        let open = crate::year::store::is_open(read.sql(), name.town(), year).await?;
        let mut accounts = Vec::new();
        for account in &found {
            let earmark = account.earmark.as_deref().map(str::parse::<Earmark>).transpose();
            let earmark = earmark.map_err(Refusal::internal)?;
            let allowed = policy.as_ref().zip(Fund::from_name(&account.fund));
            let allowed = allowed.map(|(policy, fund)| policy.allowed(fund)).unwrap_or_default();
            let categories = allowed.into_iter().map(|(category, display_name)| pb::SpendableCategory {
                category: category.to_owned(),
                display_name: display_name.to_owned(),
            });
            accounts.push(pb::SpendableAccount {
                account: account_name(name.town(), account.id),
                fund: fund(&account.fund),
                earmark: earmark.map(|earmark| earmark.name(name.town())).unwrap_or_default(),
                earmark_display_name: account.title.clone().unwrap_or_default(),
                balance: Some(to_money(Fen::of(account.balance_fen))),
                held: Some(to_money(Fen::of(account.held_fen))),
                available: Some(to_money(Fen::of(account.balance_fen - account.held_fen))),
                categories: categories.collect(),
            });
        }
        let available = found.iter().map(|account| account.balance_fen - account.held_fen);
        Ok(pb::Spendable {
            committee: name.to_string(),
            fiscal_year: year,
            open,
            accounts,
            available: Some(sum(available)?),
        })
    }

    async fn waiting(&self, call: &Call, parent: &str) -> Result<pb::Waiting, Refusal> {
        let (town, scope) = within(call, parent)?;
        for_reading(&self.context, &self.governance, call, town.town()).await?;
        let today = call.today();
        let mut read = self.context.db.read().await?;
        let mut query = store::waiting_query(town.town(), &scope, today);
        let found: Vec<store::Waiting> = query.build_query_as().fetch_all(read.sql()).await?;
        let mut lines = Vec::new();
        for line in &found {
            lines.push(pb::WaitingLine {
                party: party_of(&line.state, line.before_notice, line.notice_runs).into(),
                state: line.state.clone(),
                count: line.many,
                amount: Some(to_money(Fen::of(line.amount_fen))),
                oldest_due_date: line.oldest_due.as_deref().map(day).transpose()?.map(wire::to_date),
                overdue_count: line.overdue,
                filter: format!("state = {}", line.state),
            });
        }
        lines.sort_by_key(|line| line.party);
        Ok(pb::Waiting { lines, count: found.iter().map(|line| line.many).sum() })
    }

    async fn overdue(
        &self,
        call: &Call,
        request: &pb::ListOverdueExpensesRequest,
    ) -> Result<pb::ListOverdueExpensesResponse, Refusal> {
        let (town, scope) = within(call, &request.parent)?;
        for_reading(&self.context, &self.governance, call, town.town()).await?;
        let filter = paging::filter(&request.filter, OVERDUE)?;
        let bound = [town.town(), &request.filter];
        let paging = Paging::open(&self.context, call, &bound, request.page_size, &request.page_token)?;
        let after = match paging.after.as_slice() {
            [due, id] => Uuid::parse_str(id).ok().map(|id| (due.clone(), id)),
            _ => None,
        };
        let today = call.today();
        let mut query = store::overdue_query((town.town(), &scope, today), &filter, after, paging.limit());
        let mut read = self.context.db.read().await?;
        let mut found: Vec<store::Overdue> = query.build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.due.clone(), row.id.to_string()]);
        let overdue_expenses =
            found.iter().map(|row| overdue(&town, row, today)).collect::<Result<_, _>>()?;
        Ok(pb::ListOverdueExpensesResponse { overdue_expenses, next_page_token })
    }

    async fn spending(&self, call: &Call, request: &pb::GetSpendingRequest) -> Result<pb::Spending, Refusal> {
        let (town, scope) = within(call, &request.parent)?;
        let mut read = self.context.db.read().await?;
        let mut query = store::spending_query(town.town(), &scope, request.fiscal_year);
        let found: Vec<store::Spent> = query.build_query_as().fetch_all(read.sql()).await?;
        let mut lines = Vec::new();
        for spent in &found {
            let of: Fund = named(&spent.fund)?;
            let of_fund =
                found.iter().filter(|other| other.fund == spent.fund).map(|other| Fen::of(other.amount_fen));
            let whole = Fen::sum(of_fund).map_err(Refusal::internal)?;
            lines.push(pb::SpendingLine {
                fund: fund(of.name()),
                category: spent.category.clone(),
                display_name: spent.display_name.clone(),
                amount: Some(to_money(Fen::of(spent.amount_fen))),
                committees: spent.committees,
                share_ppm: share_ppm(Fen::of(spent.amount_fen), whole),
            });
        }
        let total = sum(found.iter().map(|spent| spent.amount_fen))?;
        Ok(pb::Spending { fiscal_year: request.fiscal_year, lines, total: Some(total) })
    }

    async fn hand_overs(
        &self,
        call: &Call,
        request: &pb::ListPendingHandOversRequest,
    ) -> Result<pb::ListPendingHandOversResponse, Refusal> {
        let (town, scope) = within(call, &request.parent)?;
        let paging =
            Paging::open(&self.context, call, &[town.town()], request.page_size, &request.page_token)?;
        let after = paging.after_first().and_then(|id| Uuid::parse_str(id).ok());
        let mut read = self.context.db.read().await?;
        let mut query = store::hand_overs_query(town.town(), &scope, after, paging.limit());
        let mut found: Vec<store::HandOver> = query.build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
        let pending_hand_overs = found.into_iter().map(|row| {
            let kind = pb::HandOverKind::from_str_name(&format!("HAND_OVER_KIND_{}", row.kind));
            let collection = if row.kind == "DISCLOSURE" { "expenses" } else { "projectGrants" };
            pb::PendingHandOver {
                kind: kind.unwrap_or_default().into(),
                resource: format!("{town}/{collection}/{}", row.id),
                target: row.target,
                committee: format!("{town}/committees/{}", row.committee),
            }
        });
        Ok(pb::ListPendingHandOversResponse {
            pending_hand_overs: pending_hand_overs.collect(),
            next_page_token,
        })
    }
}

/// The town that is asked about, and what the caller sees of it.
fn within(call: &Call, parent: &str) -> Result<(TownName, Scope), Refusal> {
    let town: TownName = wire::name("parent", parent)?;
    let scope = call.scope(town.town())?;
    Ok((town, scope))
}

fn overdue(town: &TownName, row: &store::Overdue, today: Date) -> Result<pb::OverdueExpense, Refusal> {
    let due = day(&row.due)?;
    Ok(pb::OverdueExpense {
        expense: format!("{town}/expenses/{}", row.id),
        number: row.number.clone(),
        committee: format!("{town}/committees/{}", row.committee),
        state: row.state.clone(),
        party: party_of(&row.state, row.before_notice, row.notice_runs).into(),
        due_date: Some(wire::to_date(due)),
        days_overdue: fields::number(today.since(due).map_or(0, |span| span.get_days())),
        amount: Some(to_money(Fen::of(row.amount_fen))),
    })
}

#[tonic::async_trait]
impl ReportService for Reports {
    async fn get_spendable(
        &self,
        request: Request<pb::GetSpendableRequest>,
    ) -> Result<Response<pb::Spendable>, Status> {
        Ok(Response::new(self.spendable(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_waiting(
        &self,
        request: Request<pb::GetWaitingRequest>,
    ) -> Result<Response<pb::Waiting>, Status> {
        Ok(Response::new(self.waiting(&Call::of(&request)?, &request.get_ref().parent).await?))
    }

    async fn list_overdue_expenses(
        &self,
        request: Request<pb::ListOverdueExpensesRequest>,
    ) -> Result<Response<pb::ListOverdueExpensesResponse>, Status> {
        Ok(Response::new(self.overdue(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_spending(
        &self,
        request: Request<pb::GetSpendingRequest>,
    ) -> Result<Response<pb::Spending>, Status> {
        Ok(Response::new(self.spending(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_pending_hand_overs(
        &self,
        request: Request<pb::ListPendingHandOversRequest>,
    ) -> Result<Response<pb::ListPendingHandOversResponse>, Status> {
        Ok(Response::new(self.hand_overs(&Call::of(&request)?, request.get_ref()).await?))
    }
}
