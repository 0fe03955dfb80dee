//! Reporting an incident.

use chassis::{
    actor::Actor,
    amount::{amount, finish as told_by_name},
    call::Call,
    fields,
    governance::Governance,
    identity::Scope,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, VerbGiven, Work},
};
use contracts::linli::insurance::v1::{self as pb, incident::Place};
use jiff::civil::Date;
use kernel::{
    money::Fen,
    name::{EstateName, HouseholdName, IncidentName, PersonName, TownName},
    state::Named,
    text::display_name,
};
use uuid::Uuid;

use super::{
    edit::{data, record, sees},
    rules::{self, PlaceKind, Source, State, Verb},
    sealed::{description_place, words},
    store::{self, Row},
};
use crate::{
    cover::{self, Known, Subject, known, optional},
    reasons::{EVENT_IN_FUTURE, EVENT_KNOWN, EVENT_OF_ANOTHER_DAY, INCIDENT_KNOWN},
};

/// Characters of a place in words, and of a reference.
const SHORT: usize = 200;
/// Characters of what happened.
const DESCRIPTION: usize = 200;

/// Where it happened.
#[derive(Debug)]
enum Where {
    Household(HouseholdName),
    Estate(EstateName),
    Text(String),
}

impl Where {
    fn kind(&self) -> PlaceKind {
        match self {
            Where::Household(_) => PlaceKind::Household,
            Where::Estate(_) => PlaceKind::Estate,
            Where::Text(_) => PlaceKind::Text,
        }
    }

    fn key(&self) -> &str {
        match self {
            Where::Household(name) => name.household(),
            Where::Estate(name) => name.estate(),
            Where::Text(text) => text,
        }
    }
}

/// What a report says.
#[derive(Debug)]
struct New {
    peril: String,
    happened_on: Date,
    place: Where,
    description: String,
    source: Source,
    source_reference: String,
    person: Option<PersonName>,
    /// The family's.
    household: Option<HouseholdName>,
    loss: Option<Fen>,
    event: Option<IncidentName>,
    reported_on: Date,
}

/// Words that stand in clear: seen by everybody, and no number of an identity card in them.
fn plain(field: &str, text: &str) -> Result<String, FieldFault> {
    let text = display_name(text, SHORT)
        .map_err(|error| FieldFault::new(field, "TEXT", "须为 1 至 200 个可见字符", error.to_string()))?;
    if kernel::ids::holds_number(text) {
        let (zh, en) = ("不得含证件号码", "must hold no identity number");
        return Err(FieldFault::new(field, "PERSONAL", zh, en));
    }
    Ok(text.to_owned())
}

fn place(town: &str, given: Option<&Place>) -> Result<Where, FieldFault> {
    match given {
        None => {
            let (zh, en) = ("出险地点须填一项", "one place is needed");
            Err(FieldFault::new("incident.place_household", "REQUIRED", zh, en))
        }
        Some(Place::PlaceHousehold(text)) => {
            fields::in_town("incident.place_household", text, town, HouseholdName::town).map(Where::Household)
        }
        Some(Place::PlaceEstate(text)) => {
            fields::in_town("incident.place_estate", text, town, EstateName::town).map(Where::Estate)
        }
        Some(Place::PlaceText(text)) => plain("incident.place_text", text).map(Where::Text),
    }
}

fn source(given: i32) -> Result<Source, FieldFault> {
    let name = pb::IncidentSource::try_from(given).unwrap_or_default().as_str_name();
    Source::from_name(name.trim_start_matches("INCIDENT_SOURCE_"))
        .ok_or_else(|| FieldFault::new("incident.source", "REQUIRED", "必填", "required"))
}

/// Of a finding the name in the town; of others the number of their record.
fn source_reference(town: &str, source: i32, text: &str) -> Result<String, FieldFault> {
    const FIELD: &str = "incident.source_reference";
    const PATTERN: &str = "towns/{town}/findings/{finding}";
    if text.is_empty() {
        return Ok(String::new());
    }
    if source != i32::from(pb::IncidentSource::Finding) {
        return plain(FIELD, text);
    }
    let [its_town, _] = kernel::name::matches::<2>(PATTERN, text)
        .map_err(|error| FieldFault::new(FIELD, "FORMAT", format!("格式不符：{error}"), error.to_string()))?;
    fields::same_town(FIELD, town, &its_town)?;
    Ok(text.to_owned())
}

/// A day that isn't over today's.
fn past(field: &'static str, today: Date, day: Date) -> Result<Date, FieldFault> {
    match day {
        day if day <= today => Ok(day),
        _ => Err(FieldFault::new(field, "EVENT_IN_FUTURE", "晚于今天", "after today")),
    }
}

fn happened_on(call: &Call, given: &pb::Incident) -> Result<Date, FieldFault> {
    let day = wire::required_date("incident.happen_date", given.happen_date.as_ref())?;
    past("incident.happen_date", call.today(), day)
}

/// The day of the report: today, unless another one is said; never before the event.
fn reported_on(call: &Call, given: &pb::Incident) -> Result<Date, FieldFault> {
    const FIELD: &str = "incident.report_date";
    let day = wire::date(FIELD, given.report_date.as_ref())?.unwrap_or_else(|| call.today());
    let day = match day <= call.today() {
        true => day,
        false => return Err(FieldFault::new(FIELD, "FUTURE_DATE", "晚于今天", "after today")),
    };
    match wire::date("incident.happen_date", given.happen_date.as_ref()) {
        Ok(Some(event)) if event > day && event <= call.today() => {
            Err(FieldFault::new(FIELD, "ORDER", "早于出险日", "before the event"))
        }
        Ok(_) | Err(_) => Ok(day),
    }
}

impl New {
    fn parse(call: &Call, town: &str, given: Option<&pb::Incident>) -> Result<New, Refusal> {
        let default = pb::Incident::default();
        let given = given.unwrap_or(&default);
        let mut faults = Faults::default();
        let peril = faults.take(cover::peril("incident.peril", &given.peril));
        let happened_on = faults.take(happened_on(call, given));
        let place = faults.take(place(town, given.place.as_ref()));
        let description = faults.take(words("incident.description", &given.description, DESCRIPTION));
        let source = faults.take(source(given.source));
        let reference = faults.take(source_reference(town, given.source, &given.source_reference));
        let person = faults.take(optional("incident.person", &given.person, town, PersonName::town));
        let household =
            faults.take(optional("incident.household", &given.household, town, HouseholdName::town));
        let loss = match given.estimated_loss.as_ref() {
            None => Some(None),
            loss => faults.take(amount("incident.estimated_loss", loss).map(Some)),
        };
        let event = faults.take(optional("incident.event", &given.event, town, IncidentName::town));
        let reported_on = faults.take(reported_on(call, given));
        let what = peril.zip(happened_on).zip(place).zip(description).zip(source).zip(reference);
        let whom = person.zip(household).zip(loss).zip(event).zip(reported_on);
        let (what, whom) = told_by_name(faults, what.zip(whom)).map_err(in_future)?;
        let (((((peril, happened_on), place), description), source), source_reference) = what;
        let ((((person, household), loss), event), reported_on) = whom;
        // of a dwelling, the family is the one that lives there unless another one is named
        let household = household.or_else(|| match &place {
            Where::Household(name) => Some(name.clone()),
            Where::Estate(_) | Where::Text(_) => None,
        });
        Ok(New {
            peril,
            happened_on,
            place,
            description,
            source,
            source_reference,
            person,
            household,
            loss,
            event,
            reported_on,
        })
    }

    fn subject(&self) -> Subject {
        let (household, estate) = match &self.place {
            Where::Household(name) => (Some(name.clone()), None),
            Where::Estate(name) => (self.household.clone(), Some(name.clone())),
            Where::Text(_) => (self.household.clone(), None),
        };
        Subject { person: self.person.clone(), household, estate }
    }
}

/// An event that is yet to come is told by its own reason when nothing else is wrong.
fn in_future(refusal: Refusal) -> Refusal {
    match refusal.offending() {
        [only] if only.reason == "EVENT_IN_FUTURE" => {
            Refusal::new(&EVENT_IN_FUTURE).with("field", &only.field).at_field(only.clone())
        }
        _ => refusal,
    }
}

/// What governance says of a report, read before its unit of work; nothing of one that isn't well-formed, which the work tells.
pub(super) async fn before(
    governance: &Governance,
    call: &Call,
    request: &pb::CreateIncidentRequest,
) -> Result<Known, Refusal> {
    let Ok(town) = TownName::parse(&request.parent) else { return Ok(Known::default()) };
    if call.scope(town.town()).is_err() {
        return Ok(Known::default());
    }
    let Ok(new) = New::parse(call, town.town(), request.incident.as_ref()) else {
        return Ok(Known::default());
    };
    let subject = new.subject();
    let found = known(governance, town.town(), &subject, new.happened_on).await?;
    // the family's own household, where another one burnt
    if let Some(home) = new.household.filter(|home| subject.household.as_ref() != Some(home)) {
        let its = Subject { household: Some(home), ..Subject::default() };
        known(governance, town.town(), &its, new.happened_on).await?.need_all(&its)?;
    }
    Ok(found)
}

/// CreateIncident.
pub(super) struct Report;

#[tonic::async_trait]
impl VerbGiven for Report {
    type Given = Known;
    type Request = pb::CreateIncidentRequest;
    type Answer = pb::Incident;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &Known,
        request: &Self::Request,
    ) -> Result<Record<pb::Incident>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let (town, call) = (town.town(), work.call().clone());
        let scope = call.scope(town)?;
        let new = New::parse(&call, town, request.incident.as_ref())?;
        known.need_all(&new.subject())?;
        let mut row = first(&call, town, &new, known);
        if !sees(&scope, &row) {
            return Err(call.denied());
        }
        need_new(work, &row).await?;
        row.event = event(work, &scope, &new, &row).await?.unwrap_or(row.id);
        let vault = work.vault();
        row.description = vault.seal(&description_place(&row.name()), new.description.as_bytes())?;
        row.data_key = vault.sealing_column()?;
        let year = call.today().year();
        row.number = rules::number(year, store::next_number(work.sql(), town, year).await?);
        store::create(work.sql(), &row, year).await?;
        let change = reported(&row, &request.comment);
        record(&row, vec![change])
    }
}

/// The event of a report: that which its place met on that day, else that of the incident that it names; nothing for one of its own.
///
/// # Errors
/// NOT_FOUND; EVENT_OF_ANOTHER_DAY; EVENT_KNOWN for another one than its place's.
async fn event(work: &mut Work, scope: &Scope, new: &New, row: &Row) -> Result<Option<Uuid>, Refusal> {
    let known = store::event_of(work.sql(), row).await?;
    let Some(name) = &new.event else { return Ok(known) };
    let named = store::get(work.sql(), name, scope, false).await?;
    let named = named.ok_or_else(|| work.call().missing(scope, "linli.dev/Incident", name.to_string()))?;
    if named.happened_on()? != new.happened_on {
        return Err(Refusal::new(&EVENT_OF_ANOTHER_DAY)
            .with("event", name)
            .with("happened", &named.happened_on));
    }
    match known.filter(|known| *known != named.event) {
        Some(known) => Err(Refusal::new(&EVENT_KNOWN).with("event", store::name_of(name.town(), known))),
        None => Ok(Some(named.event)),
    }
}

/// Refuses what was reported before; whoever reports the same at the same time waits.
///
/// # Errors
/// INCIDENT_KNOWN, with the first report.
pub(super) async fn need_new(work: &mut Work, row: &Row) -> Result<(), Refusal> {
    store::lock_event(work.sql(), row).await?;
    match store::same(work.sql(), row).await? {
        None => Ok(()),
        Some((name, number)) => Err(Refusal::new(&INCIDENT_KNOWN).with("name", name).with("number", number)),
    }
}

/// The change that tells of a report. A finding is told by its name, for the service that has it.
fn reported(row: &Row, comment: &str) -> Change {
    let mut data = data(row);
    if row.source == Source::Finding.name() {
        data["finding"] = row.source_reference.clone().into();
    }
    Change {
        resource: row.name(),
        version: row.version,
        verb: Verb::Report.name(),
        from_state: "",
        to_state: State::Reported.name(),
        comment: comment.to_owned(),
        event: "incident.reported",
        data,
    }
}

/// The row of a report.
fn first(call: &Call, town: &str, new: &New, known: &Known) -> Row {
    let (who, id) = (Actor::of(call), Uuid::now_v7());
    let recorded = chassis::clock::recorded_now().as_microsecond();
    Row {
        town: town.to_owned(),
        id,
        state: State::Reported.name().to_owned(),
        peril: new.peril.clone(),
        happened_on: new.happened_on.to_string(),
        place_kind: new.place.kind().name().to_owned(),
        place: new.place.key().to_owned(),
        source: new.source.name().to_owned(),
        source_reference: new.source_reference.clone(),
        person: new.person.as_ref().map(|name| name.person().to_owned()).unwrap_or_default(),
        household: new.household.as_ref().map(|name| name.household().to_owned()).unwrap_or_default(),
        committee: known.committee.clone(),
        block: known.block.clone(),
        event: id,
        loss_fen: new.loss.map(Fen::fen),
        reported_on: new.reported_on.to_string(),
        reported_by: who.principal,
        reported_person: who.person,
        version: 1,
        created: recorded,
        updated: recorded,
        ..Row::default()
    }
}
