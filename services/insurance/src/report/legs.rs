//! GetLegDurations: how long claims stay in each state.

use std::collections::BTreeMap;

use chassis::{
    call::Call,
    fields,
    identity::Scope,
    refusal::{Faults, FieldFault, Refusal},
    wire,
};
use contracts::linli::insurance::v1 as pb;
use futures_util::TryStreamExt;
use kernel::calendar::Calendar;

use super::{
    Reports, encode,
    rules::{self, Legs, WorkingDays},
    store::{self, Days, LegGroup},
};
use crate::{
    claim::rules::State,
    policy::store::{day, named},
};

/// Days of a period, at most.
const LONGEST: i32 = 3_660;

/// What is asked, read and checked.
struct Question {
    town: String,
    scope: Scope,
    days: Days,
    committee: Option<String>,
}

impl Question {
    fn read(call: &Call, request: &pb::GetLegDurationsRequest) -> Result<Question, Refusal> {
        let (town, scope) = super::within(call, &request.parent)?;
        let mut faults = Faults::default();
        let committee = match request.committee.as_str() {
            "" => Some(None),
            name => faults.take(fields::committee_id("committee", town.town(), name)).map(Some),
        };
        let from = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let to = faults.take(wire::required_date("end_date", request.end_date.as_ref()));
        let days = from.zip(to).and_then(|(from, to)| faults.take(period(from, to)));
        let (days, committee) = faults.finish(days.zip(committee))?;
        Ok(Question { town: town.town().to_owned(), scope, days, committee })
    }
}

/// A period that ends after it begins and isn't too long.
fn period(from: jiff::civil::Date, to: jiff::civil::Date) -> Result<Days, FieldFault> {
    match rules::days(from, to) {
        ..=0 => Err(FieldFault::new("end_date", "ORDER", "应晚于 start_date", "must be after start_date")),
        1..=LONGEST => Ok((from, to)),
        _ => {
            let (zh, en) = ("距 start_date 超过 3,660 天", "is more than 3,660 days after start_date");
            Err(FieldFault::new("end_date", "TOO_LONG", zh, en))
        }
    }
}

/// The legs of each state, as their groups come in: those that began first, first.
#[derive(Default)]
struct Gathered {
    working: Option<WorkingDays>,
    states: BTreeMap<State, Legs>,
}

impl Gathered {
    fn take(&mut self, group: &LegGroup, calendar: &Calendar, days: Days) -> Result<(), Refusal> {
        let (entered, left) = (day(&group.entered)?, day(&group.left_on)?);
        let working = self.working.get_or_insert_with(|| WorkingDays::of(calendar, entered, days.1));
        let worked = working.taken(entered, left);
        let worked = worked.ok_or_else(|| Refusal::internal(format!("a leg from {entered} to {left}")))?;
        let number = |count: i64| u64::try_from(count).map_err(Refusal::internal);
        let many = number(group.many)?;
        let legs = self.states.entry(named(&group.state)?).or_default();
        legs.days.add(rules::days(entered, left), many);
        legs.working_days.add(worked, many);
        legs.with_term += number(group.with_term)?;
        legs.over_term += number(group.over_term)?;
        Ok(())
    }
}

impl Reports {
    /// The legs that ended in a period. They come in groups, one by one, and memory holds as many numbers of days as there are.
    pub(super) async fn legs(
        &self,
        call: &Call,
        request: &pb::GetLegDurationsRequest,
    ) -> Result<pb::LegDurations, Refusal> {
        let question = Question::read(call, request)?;
        let calendar = self.governance.calendar().await?;
        let Question { town, scope, days, committee } = &question;
        let mut query = store::legs_query(town, scope, *days, committee.as_deref());
        let mut read = self.context.db.read().await?;
        let mut gathered = Gathered::default();
        let mut groups = query.build_query_as::<LegGroup>().fetch(read.sql());
        while let Some(group) = groups.try_next().await? {
            gathered.take(&group, &calendar, *days)?;
        }
        let legs = gathered.states.iter().map(|(state, legs)| encode::leg(*state, legs)).collect();
        Ok(pb::LegDurations { legs })
    }
}
