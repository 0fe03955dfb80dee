//! Cover checks 承保核查: whether an event is covered on its day, and why (Work points 3.4). Nobody enrols.

pub(crate) mod encode;
mod known;
pub(crate) mod rules;
mod words;

pub(crate) use known::{Known, Subject, known};
pub(crate) use rules::Met;

use std::str::FromStr;

use chassis::{
    call::Call,
    context::Context,
    fields,
    governance::Governance,
    refusal::{Faults, FieldFault, Refusal},
    wire,
};
use contracts::linli::insurance::v1::{self as pb, cover_service_server::CoverService};
use jiff::civil::Date;
use kernel::{
    name::{EstateName, HouseholdName, PersonName, TownName},
    text::is_code,
};
use tonic::{Request, Response, Status};

use crate::policy::store::covering::covering;

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Covers {
    /// What handlers share.
    pub(crate) context: Context,
    /// Who knows people, households and estates.
    pub(crate) governance: Governance,
}

/// The code of a peril by its form; whether a policy knows it is the policy's affair.
///
/// # Errors
/// A fault of the field.
pub(crate) fn peril(field: &str, text: &str) -> Result<String, FieldFault> {
    match text {
        "" => Err(FieldFault::new(field, "REQUIRED", "必填", "required")),
        text if is_code(text, 40) => Ok(text.to_owned()),
        _ => Err(FieldFault::new(field, "FORMAT", "险种代码如 FIRE", "a peril looks like FIRE")),
    }
}

/// A name in the town, or nothing for an empty field.
///
/// # Errors
/// A fault of the field.
pub(crate) fn optional<N>(
    field: &str,
    text: &str,
    town: &str,
    of: impl Fn(&N) -> &str,
) -> Result<Option<N>, FieldFault>
where
    N: FromStr,
    N::Err: std::fmt::Display,
{
    if text.is_empty() { Ok(None) } else { fields::in_town(field, text, town, of).map(Some) }
}

struct Asked {
    subject: Subject,
    day: Date,
    peril: String,
}

impl Asked {
    fn parse(call: &Call, town: &str, request: &pb::CheckCoverRequest) -> Result<Asked, Refusal> {
        let mut faults = Faults::default();
        let person = faults.take(optional("person", &request.person, town, PersonName::town));
        let household = faults.take(optional("household", &request.household, town, HouseholdName::town));
        let estate = faults.take(optional("estate", &request.estate, town, EstateName::town));
        let day = faults.take(wire::date("date", request.date.as_ref()));
        let peril = faults.take(peril("peril", &request.peril));
        if request.person.is_empty() && request.household.is_empty() && request.estate.is_empty() {
            let (zh, en) = ("人员、住户、小区至少填一项", "a person, a household or an estate is needed");
            faults.push(FieldFault::new("person", "REQUIRED", zh, en));
        }
        let all = person.zip(household).zip(estate).zip(day).zip(peril);
        let ((((person, household), estate), day), peril) = faults.finish(all)?;
        let day = day.unwrap_or_else(|| call.today());
        Ok(Asked { subject: Subject { person, household, estate }, day, peril })
    }
}

impl Covers {
    async fn check(&self, call: &Call, request: &pb::CheckCoverRequest) -> Result<pb::CoverCheck, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let town = town.town();
        call.scope(town)?;
        let Asked { subject, day, peril } = Asked::parse(call, town, request)?;
        let known = known(&self.governance, town, &subject, day).await?;
        known.need_all(&subject)?;
        let coverings = covering(self.context.db.read().await?.sql(), town, day).await?;
        let lines = rules::judge_all(&known.met(&subject), day, &peril, &coverings);
        Ok(encode::check(town, day, &lines))
    }
}

#[tonic::async_trait]
impl CoverService for Covers {
    async fn check_cover(
        &self,
        request: Request<pb::CheckCoverRequest>,
    ) -> Result<Response<pb::CoverCheck>, Status> {
        Ok(Response::new(self.check(&Call::of(&request)?, request.get_ref()).await?))
    }
}
