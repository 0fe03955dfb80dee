//! The mix of workers 队伍结构 by age 老中青, schooling and sex (Work points 4.1): targets, gaps, what a hire or a transfer would change.

mod encode;
mod rules;
mod store;

use chassis::{
    as_of::AsOf,
    call::Call,
    context::Context,
    fields,
    governance::Governance,
    listing::{self, Asked},
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, mutate},
};
use contracts::linli::workforce::v1::{self as pb, composition_service_server::CompositionService};
use jiff::civil::Date;
use kernel::name::{TownName, WorkerName};
use serde_json::json;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use self::{
    rules::{Mix, Trait, age_on, with},
    store::Target,
};
use crate::{known, reasons::NO_POST_HELD, worker};

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Compositions {
    /// What handlers share.
    pub(crate) context: Context,
    /// Whom it asks for committees.
    pub(crate) governance: Governance,
}

/// SetCompositionTarget.
struct Set;

#[tonic::async_trait]
impl Verb for Set {
    type Request = pb::SetCompositionTargetRequest;
    type Answer = pb::CompositionTarget;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::CompositionTarget>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let default = pb::CompositionTarget::default();
        let given = request.composition_target.as_ref().unwrap_or(&default);
        let (committee, start, terms) = encode::read(town.town(), given)?;
        store::set(work.sql(), town.town(), &committee, (start, &terms)).await?;
        let target = store::said(work.sql(), town.town(), &committee, start).await?;
        let target = target.ok_or_else(|| Refusal::internal("a target vanished"))?;
        let change = Change {
            resource: target.name(),
            version: target.version,
            verb: "set",
            from_state: "",
            to_state: "",
            comment: request.comment.clone(),
            event: "compositionTarget.set",
            data: json!({"composition_target": target.name(), "committee": given.committee, "start_date": start.to_string()}),
        };
        Ok(Record {
            town: town.town().to_owned(),
            resource: target.name(),
            summary: format!("set {}", target.name()),
            changes: vec![change],
            answer: encode::target(&target)?,
        })
    }
}

/// A mix with what it is held against.
struct Held {
    committee: String,
    day: Date,
    age_on: Date,
    target: Option<Target>,
    mix: Mix,
}

impl Held {
    async fn read(sql: &mut PgConnection, town: &str, committee: &str, day: Date) -> Result<Held, Refusal> {
        let target = store::of(sql, town, committee, day).await?;
        let age_on = target.as_ref().and_then(|target| target.terms.age_on).unwrap_or(day);
        let mix = store::mix(sql, town, committee, (day, age_on)).await?;
        Ok(Held { committee: committee.to_owned(), day, age_on, target, mix })
    }

    fn encode(&self, town: &str, mix: &Mix) -> pb::Composition {
        encode::composition((town, &self.committee), (self.day, self.age_on), self.target.as_ref(), mix)
    }

    /// What one more would change, or one fewer.
    fn change(&self, town: &str, of: Trait, more: i64) -> pb::CompositionChange {
        pb::CompositionChange {
            before: Some(self.encode(town, &self.mix)),
            after: Some(self.encode(town, &with(self.mix.clone(), of, more))),
        }
    }
}

/// Refuses a committee outside the caller's areas; the town as a whole to all but the town office.
fn need_within(call: &Call, town: &str, committee: &str) -> Result<(), Refusal> {
    let scope = call.scope(town)?;
    match scope.holds_committee(committee) {
        true => Ok(()),
        false => Err(call.denied()),
    }
}

/// Somebody who might be hired: the committee's id, and what counts of him.
fn read_hire(town: &str, hire: &pb::CompositionHire) -> Result<(String, Trait), Refusal> {
    let mut faults = Faults::default();
    let committee = faults.take(fields::committee_id("hire.committee", town, &hire.committee));
    let schooling = faults.take(worker::encode::read_schooling("hire.schooling", hire.schooling()));
    let sex = faults.take(encode::read_sex("hire.sex", hire.sex()));
    let ((committee, schooling), sex) = faults.finish(committee.zip(schooling).zip(sex))?;
    Ok((committee, Trait { age: hire.age, schooling, sex }))
}

impl Compositions {
    async fn page(
        &self,
        call: &Call,
        request: &pb::ListCompositionTargetsRequest,
    ) -> Result<pb::ListCompositionTargetsResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::FILTER)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Target> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |target| vec![target.id.clone()]);
        let composition_targets = found.iter().map(encode::target).collect::<Result<_, _>>()?;
        Ok(pb::ListCompositionTargetsResponse { composition_targets, next_page_token })
    }

    async fn composition(
        &self,
        call: &Call,
        request: &pb::GetCompositionRequest,
    ) -> Result<pb::Composition, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let committee = match request.committee.is_empty() {
            true => String::new(),
            false => {
                let read = fields::committee_id("committee", town.town(), &request.committee);
                read.map_err(Refusal::one)?
            }
        };
        need_within(call, town.town(), &committee)?;
        let day = AsOf::of(call, request.as_of_date.as_ref(), None)?.day;
        let mut read = self.context.db.read().await?;
        let held = Held::read(read.sql(), town.town(), &committee, day).await?;
        Ok(held.encode(town.town(), &held.mix))
    }

    async fn preview(
        &self,
        call: &Call,
        request: &pb::PreviewCompositionRequest,
    ) -> Result<pb::PreviewCompositionResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let day = AsOf::of(call, request.as_of_date.as_ref(), None)?.day;
        let changes = match (&request.hire, &request.transfer) {
            (Some(hire), _) => vec![self.hire(call, (town.town(), day), hire).await?],
            (None, Some(transfer)) => self.transfer(call, (town.town(), day), transfer).await?,
            (None, None) => {
                let (zh, en) = ("须给出录用或调动", "a hire or a transfer is required");
                return Err(Refusal::field("hire", "REQUIRED", zh, en));
            }
        };
        Ok(pb::PreviewCompositionResponse { changes })
    }

    async fn hire(
        &self,
        call: &Call,
        (town, day): (&str, Date),
        hire: &pb::CompositionHire,
    ) -> Result<pb::CompositionChange, Refusal> {
        let (committee, of) = read_hire(town, hire)?;
        need_within(call, town, &committee)?;
        known::need_committee(&self.governance, &hire.committee).await?;
        let mut read = self.context.db.read().await?;
        Ok(Held::read(read.sql(), town, &committee, day).await?.change(town, of, 1))
    }

    async fn transfer(
        &self,
        call: &Call,
        (town, day): (&str, Date),
        transfer: &pb::CompositionTransfer,
    ) -> Result<Vec<pb::CompositionChange>, Refusal> {
        let mut faults = Faults::default();
        let name = fields::in_town("transfer.worker", &transfer.worker, town, WorkerName::town);
        let name = faults.take(name);
        let to = faults.take(fields::committee_id("transfer.committee", town, &transfer.committee));
        let (name, to) = faults.finish(name.zip(to))?;
        need_within(call, town, &to)?;
        known::need_committee(&self.governance, &transfer.committee).await?;
        let scope = call.scope(town)?;
        let mut read = self.context.db.read().await?;
        let view = worker::store::get(read.sql(), &name, &scope, day).await?;
        let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Worker", name.to_string()))?;
        let from = view.committee.clone().filter(|committee| !committee.is_empty());
        let from = from.ok_or_else(|| Refusal::new(&NO_POST_HELD).with("name", &name).with("date", day))?;
        if from == to {
            let (zh, en) = ("已在该居委会", "holds a post of this committee already");
            return Err(Refusal::one(FieldFault::new("transfer.committee", "SAME", zh, en)));
        }
        let mut changes = Vec::with_capacity(2);
        for (committee, more) in [(from, -1), (to, 1)] {
            let held = Held::read(read.sql(), town, &committee, day).await?;
            let of = store::read(age_on(view.birth()?, held.age_on), &view.schooling, &view.sex)?;
            changes.push(held.change(town, of, more));
        }
        Ok(changes)
    }
}

#[tonic::async_trait]
impl CompositionService for Compositions {
    async fn set_composition_target(
        &self,
        request: Request<pb::SetCompositionTargetRequest>,
    ) -> Result<Response<pb::CompositionTarget>, Status> {
        if let Some(target) = &request.get_ref().composition_target {
            known::need_committee(&self.governance, &target.committee).await?;
        }
        mutate::<Set>(&self.context, request).await
    }

    async fn list_composition_targets(
        &self,
        request: Request<pb::ListCompositionTargetsRequest>,
    ) -> Result<Response<pb::ListCompositionTargetsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_composition(
        &self,
        request: Request<pb::GetCompositionRequest>,
    ) -> Result<Response<pb::Composition>, Status> {
        Ok(Response::new(self.composition(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn preview_composition(
        &self,
        request: Request<pb::PreviewCompositionRequest>,
    ) -> Result<Response<pb::PreviewCompositionResponse>, Status> {
        Ok(Response::new(self.preview(&Call::of(&request)?, request.get_ref()).await?))
    }
}
