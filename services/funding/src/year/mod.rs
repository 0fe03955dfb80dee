//! Fiscal years 会计年度 and their end 年终结转 (Work points 3.3).

mod acts;
mod carry;
mod close;
pub mod rules;
pub(crate) mod store;

pub(crate) use acts::opened;
pub(crate) use close::CloseYear;

use std::collections::BTreeMap;

use chassis::{
    call::Call,
    context::Context,
    fields,
    identity::Scope,
    listing::{self, Asked},
    operations::{Worker, name as operation_name},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::mutate,
};
use contracts::{
    google::longrunning as lro,
    linli::{
        common::v1::Obstacle,
        funding::v1::{self as pb, fiscal_year_service_server::FiscalYearService},
    },
};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    money::Fen,
    name::FiscalYearName,
    state::Named,
};
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use self::{
    rules::{Class, Line, State, TABLE, Verb, plan},
    store::Year,
};
use crate::{
    actor::Actor,
    delegation::day,
    ledger::{encode::fund, rules::Fund},
    money::to_money,
};

const FILTER: &[FieldSpec] = &[
    FieldSpec { name: "state", column: "y.state", kind: Kind::Enum(store::STATES) },
    FieldSpec { name: "year", column: "y.year", kind: Kind::Integer },
];

/// Obstacles that are shown at most.
const SHOWN: i64 = 100;

/// The gRPC service.
#[derive(Clone)]
pub struct FiscalYears {
    /// What handlers share.
    pub context: Context,
    /// The worker, to be woken.
    pub worker: Worker,
}

/// A year as a List shows it.
fn encode(year: &Year) -> Result<pb::FiscalYear, Refusal> {
    let date = |text: &Option<String>| text.as_deref().map(|text| day(text).map(wire::to_date)).transpose();
    let state = pb::FiscalYearState::from_str_name(&format!("FISCAL_YEAR_STATE_{}", year.state));
    Ok(pb::FiscalYear {
        name: year.name(),
        year: year.year,
        state: state.unwrap_or_default().into(),
        proposer: year.proposed_by.clone(),
        propose_date: date(&year.proposed_on)?,
        approver: year.approved_by.clone(),
        approve_date: date(&year.approved_on)?,
        operation: year.operation.map(|id| operation_name("funding", id)).unwrap_or_default(),
        entries_filter: format!("subject = \"{}\"", year.name()),
        etag: Etag::of(year.version).to_string(),
        create_time: Some(wire::to_timestamp(year.created)),
        update_time: Some(wire::to_timestamp(year.updated)),
        ..Default::default()
    })
}

fn lines(lines: &BTreeMap<(Fund, Class), Line>) -> Vec<pb::YearEndLine> {
    let encode = |((of, class), line): (&(Fund, Class), &Line)| pb::YearEndLine {
        fund: fund(of.name()),
        earmark: class.name().to_owned(),
        accounts: fields::number(line.accounts),
        carried_amount: Some(to_money(line.carried)),
        returned_amount: Some(to_money(line.returned)),
    };
    lines.iter().map(encode).collect()
}

/// A year with what stands in its way, what its end would do, and what it has done.
async fn view(sql: &mut PgConnection, year: &Year) -> Result<pb::FiscalYear, Refusal> {
    let mut answer = encode(year)?;
    let open = store::obstacles(&mut *sql, &year.town, year.year, SHOWN).await?;
    answer.obstacle_count = fields::number(open.first().map_or(0, |one| one.many));
    let obstacles = open.into_iter().map(|one| pb::YearObstacle {
        name: one.name,
        kind: one.kind,
        subject: one.subject,
        amount: Some(to_money(Fen::of(one.amount_fen))),
    });
    answer.obstacles = obstacles.collect();
    if year.state()? != State::Closed {
        let carried = carry::carried(&mut *sql, &year.town, year.year).await?;
        let left = store::left(&mut *sql, &year.town, year.year).await?;
        answer.plan = lines(&plan(&left, |fund| carried.contains(&fund)).map_err(Refusal::internal)?);
    }
    let mut done: BTreeMap<(Fund, Class), Line> = BTreeMap::new();
    for ((fund, class, accounts, amount), fate) in store::done(sql, &year.town, year.year).await? {
        done.entry((fund, class)).or_default().add(fate, accounts, amount).map_err(Refusal::internal)?;
    }
    answer.done = lines(&done);
    Ok(answer)
}

impl FiscalYears {
    async fn read(&self, call: &Call, name: &str) -> Result<pb::FiscalYear, Refusal> {
        let name: FiscalYearName = wire::name("name", name)?;
        let scope = call.scope(name.town())?;
        let missing = || call.missing(&scope, "linli.dev/FiscalYear", name.to_string());
        let number = acts::number(&name).ok_or_else(missing)?;
        let mut read = self.context.db.read().await?;
        let found = store::get(read.sql(), name.town(), number, false).await?.ok_or_else(missing)?;
        // what is left in the whole town is not for those who see a part of it
        if !scope.is_town() {
            return encode(&found);
        }
        let mut answer = view(read.sql(), &found).await?;
        let grounds = Grounds {
            who: Actor::of(call),
            something_open: answer.obstacle_count > 0,
            earlier: store::earlier_open(read.sql(), &found).await?,
            under_way: acts::is_under_way(read.sql(), &found).await?,
        };
        let hindered = |verb| hindrance(verb, &found, &grounds);
        let mut actions =
            available_unless(&TABLE, found.state()?, call, name.town(), Scope::is_town, hindered);
        actions.retain(|action| action.verb != Verb::Close.name());
        answer.available_actions = actions;
        answer.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(answer)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListFiscalYearsRequest,
    ) -> Result<pb::ListFiscalYearsResponse, Refusal> {
        let (asked, paging) = Asked::read(&self.context, call, listing::request_undated!(request), FILTER)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Year> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |year| vec![year.year.to_string()]);
        let fiscal_years = found.iter().map(encode).collect::<Result<_, _>>()?;
        Ok(pb::ListFiscalYearsResponse { fiscal_years, next_page_token })
    }
}

/// What the steps of a year rest on beside itself.
struct Grounds {
    who: Actor,
    /// Something stands in the way of its end.
    something_open: bool,
    /// The first year before that isn't closed.
    earlier: Option<i32>,
    /// The operation of its end is at work, or has done it.
    under_way: bool,
}

/// What stands in the way beside state and permission.
fn hindrance(verb: Verb, year: &Year, grounds: &Grounds) -> Option<Hindrance> {
    let open = grounds.something_open.then(|| {
        let (zh, en) = ("尚有未办结事项，见 obstacles", "things are open still: see obstacles");
        Hindrance::new(Obstacle::Missing, zh, en)
    });
    let approved = || acts::need_unapproved(year).err().map(|why| Hindrance::of(Obstacle::State, &why));
    let earlier = || {
        let refused = acts::need_earlier_closed(year, grounds.earlier).err();
        refused.map(|why| Hindrance::of(Obstacle::Missing, &why))
    };
    let under_way = || approved().filter(|_| grounds.under_way);
    let another =
        || acts::need_another(year, &grounds.who).err().map(|why| Hindrance::of(Obstacle::FourEyes, &why));
    match verb {
        Verb::Propose => open.or_else(earlier),
        Verb::CancelClose => approved(),
        Verb::ApproveClose => open.or_else(under_way).or_else(another),
        Verb::Open | Verb::Close => None,
    }
}

#[tonic::async_trait]
impl FiscalYearService for FiscalYears {
    async fn get_fiscal_year(
        &self,
        request: Request<pb::GetFiscalYearRequest>,
    ) -> Result<Response<pb::FiscalYear>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, &request.get_ref().name).await?))
    }

    async fn list_fiscal_years(
        &self,
        request: Request<pb::ListFiscalYearsRequest>,
    ) -> Result<Response<pb::ListFiscalYearsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn propose_fiscal_year_close(
        &self,
        request: Request<pb::ProposeFiscalYearCloseRequest>,
    ) -> Result<Response<pb::FiscalYear>, Status> {
        mutate::<acts::Propose>(&self.context, request).await
    }

    async fn cancel_fiscal_year_close(
        &self,
        request: Request<pb::CancelFiscalYearCloseRequest>,
    ) -> Result<Response<pb::FiscalYear>, Status> {
        mutate::<acts::Cancel>(&self.context, request).await
    }

    async fn approve_fiscal_year_close(
        &self,
        request: Request<pb::ApproveFiscalYearCloseRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let answer = mutate::<acts::Approve>(&self.context, request).await;
        self.worker.wake();
        answer
    }
}
