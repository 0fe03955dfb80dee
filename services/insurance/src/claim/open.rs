//! Reporting a claim 报案.

use chassis::{
    actor::Actor,
    amount::{amount, finish as told_by_name},
    call::Call,
    fields,
    governance::Governance,
    payee::Payee,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Record, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    ids::CitizenId,
    money::Fen,
    name::{HouseholdName, IncidentName, PersonName, TownName},
    state::Named,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    edit::{Days, Told, change, enter, record},
    rules::{self, State, Verb},
    settings::code,
    store::{self, Beneficiary, Row, day},
};
use crate::{
    cover, incident,
    policy::store::covering::{Covering, covering},
    reasons::{
        CITIZEN_ID_INVALID, CITIZEN_UNKNOWN, CLAIM_ABOVE_SUM_INSURED, CLAIM_BEFORE_EVENT,
        CLAIM_HOUSEHOLD_NEEDED, CLAIM_INCIDENT_OF_ANOTHER, CLAIM_OF_ANOTHER_DAY, CLAIMANT_NOT_OF_HOUSEHOLD,
        PEER_UNKNOWN,
    },
    terms::Object,
};

/// The parts of a whole.
const WHOLE: i64 = 1_000_000;

/// What a claim says.
struct New {
    incident: IncidentName,
    insured: PersonName,
    claimant: PersonName,
    household: Option<HouseholdName>,
    claimed: Option<Fen>,
    reported_on: Date,
    /// The day of the event as it is said.
    happened: Option<Date>,
    beneficiaries: Vec<Beneficiary>,
    payee: Payee,
}

pub(super) fn claimed(faults: &mut Faults, given: &pb::Claim) -> Option<Option<Fen>> {
    match &given.claimed_amount {
        None => Some(None),
        Some(money) => faults.take(amount("claim.claimed_amount", Some(money)).map(Some)),
    }
}

/// The beneficiaries that are said: each once, together the whole.
pub(super) fn beneficiaries(faults: &mut Faults, town: &str, given: &[pb::Beneficiary]) -> Vec<Beneficiary> {
    let mut all: Vec<Beneficiary> = Vec::new();
    for (n, one) in given.iter().enumerate() {
        let at = |field: &str| format!("claim.beneficiaries[{n}].{field}");
        let person = faults.take(fields::in_town(&at("person"), &one.person, town, PersonName::town));
        let relation = match one.relation.as_str() {
            "" => Some(String::new()),
            text => faults.take(code(&at("relation"), text)),
        };
        let Some((person, relation)) = person.zip(relation) else { continue };
        let person = person.person().to_owned();
        if all.iter().any(|other| other.person == person) {
            faults.push(FieldFault::new(at("person"), "TWICE", "重复的受益人", "is there twice"));
        }
        all.push(Beneficiary { person, share_ppm: one.share_ppm, relation });
    }
    let sum: i64 = given.iter().map(|one| i64::from(one.share_ppm)).sum();
    if !given.is_empty() && sum != WHOLE {
        let (zh, en) = ("各受益人份额合计须为 1000000", "the parts must add up to 1,000,000");
        faults.push(FieldFault::new("claim.beneficiaries", "SHARES", zh, format!("{en}, not {sum}")));
    }
    all
}

fn reported_on(call: &Call, given: &pb::Claim) -> Result<Date, FieldFault> {
    let day = wire::date("claim.report_date", given.report_date.as_ref())?.unwrap_or_else(|| call.today());
    if day > call.today() {
        return Err(FieldFault::new("claim.report_date", "FUTURE_DATE", "晚于今天", "after today"));
    }
    Ok(day)
}

impl New {
    /// Of a request; `insured` is whom an identity number was found to be.
    fn parse(
        call: &Call,
        town: &str,
        given: &pb::Claim,
        insured: Option<PersonName>,
    ) -> Result<New, Refusal> {
        let mut faults = Faults::default();
        let incident =
            faults.take(fields::in_town("claim.incident", &given.incident, town, IncidentName::town));
        let insured = insured.or_else(|| {
            faults.take(fields::in_town("claim.insured", &given.insured, town, PersonName::town))
        });
        let claimant = match given.claimant.as_str() {
            "" => insured.clone(),
            text => faults.take(fields::in_town("claim.claimant", text, town, PersonName::town)),
        };
        let household = match given.household.as_str() {
            "" => Some(None),
            text => {
                faults.take(fields::in_town("claim.household", text, town, HouseholdName::town).map(Some))
            }
        };
        let claimed = claimed(&mut faults, given);
        let reported_on = faults.take(reported_on(call, given));
        let happened = faults.take(wire::date("claim.happen_date", given.happen_date.as_ref()));
        let mut beneficiaries = beneficiaries(&mut faults, town, &given.beneficiaries);
        let payee = faults.take_all(Payee::parse("claim.payee", given.payee.as_ref()));
        let days = reported_on.zip(happened);
        let all = incident.zip(insured).zip(claimant).zip(household).zip(claimed).zip(days).zip(payee);
        let ((((((incident, insured), claimant), household), claimed), (reported_on, happened)), payee) =
            told_by_name(faults, all)?;
        if beneficiaries.is_empty() {
            let person = claimant.person().to_owned();
            let relation = if claimant == insured { "SELF".to_owned() } else { String::new() };
            beneficiaries.push(Beneficiary { person, share_ppm: 1_000_000, relation });
        }
        Ok(New {
            incident,
            insured,
            claimant,
            household,
            claimed,
            reported_on,
            happened,
            beneficiaries,
            payee,
        })
    }
}

/// What was read of governance before a claim is reported.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The working days.
    pub(crate) days: Days,
    /// Whom the identity number is of.
    insured: Option<PersonName>,
    /// The households in which the insured lived on the day of the event.
    homes: Vec<String>,
    /// People that governance doesn't know.
    unknown: Vec<String>,
}

/// The person of an identity number, when one is given.
async fn insured(
    governance: &Governance,
    town: &TownName,
    given: &pb::Claim,
) -> Result<Option<PersonName>, Refusal> {
    let field = "claim.insured_citizen_id";
    if given.insured_citizen_id.is_empty() {
        return Ok(None);
    }
    if CitizenId::parse(&given.insured_citizen_id).is_err() {
        return Err(Refusal::new(&CITIZEN_ID_INVALID).with("field", field));
    }
    let found = governance.person_of(town, &given.insured_citizen_id).await?;
    found.map(Some).ok_or_else(|| Refusal::new(&CITIZEN_UNKNOWN).with("field", field))
}

/// Reads what a claim rests on; what is no name is told with the other faults of the request.
///
/// # Errors
/// UNAVAILABLE while governance can't be asked; CITIZEN_ID_INVALID, CITIZEN_UNKNOWN.
pub(crate) async fn known(
    sql: &mut PgConnection,
    governance: &Governance,
    call: &Call,
    request: &pb::CreateClaimRequest,
) -> Result<Known, Refusal> {
    let default = pb::Claim::default();
    let given = request.claim.as_ref().unwrap_or(&default);
    let town: TownName = wire::name("parent", &request.parent)?;
    let scope = call.scope(town.town())?;
    let mut known = Known { days: governance.calendar().await?, ..Known::default() };
    known.insured = insured(governance, &town, given).await?;
    let insured = known.insured.clone().or_else(|| PersonName::parse(&given.insured).ok());
    let incident = match IncidentName::parse(&given.incident) {
        Ok(name) if name.town() == town.town() => incident::store::get(sql, &name, &scope, false).await?,
        _ => None,
    };
    let on = incident.map_or(Ok(call.today()), |incident| day(&incident.happened_on))?;
    if let Some(insured) = &insured {
        let subject = cover::Subject { person: Some(insured.clone()), ..cover::Subject::default() };
        let its = cover::known(governance, town.town(), &subject, on).await?;
        if !its.person_known {
            known.unknown.push(insured.to_string());
        }
        known.homes = its.homes;
    }
    let others = given.beneficiaries.iter().map(|one| &one.person).chain([&given.claimant]);
    let others = others.filter(|text| insured.as_ref().is_none_or(|insured| **text != insured.to_string()));
    known.unknown.extend(unknown(governance, town.town(), others, on).await?);
    Ok(known)
}

/// Those of `people` that governance doesn't know; what is no name of the town is told with the other faults of the request.
///
/// # Errors
/// UNAVAILABLE while governance can't be asked.
pub(super) async fn unknown(
    governance: &Governance,
    town: &str,
    people: impl Iterator<Item = &String>,
    on: Date,
) -> Result<Vec<String>, Refusal> {
    let mut unknown = Vec::new();
    for person in people.filter_map(|text| PersonName::parse(text).ok()).filter(|name| name.town() == town) {
        if governance.residences(&person, on).await?.is_none() {
            unknown.push(person.to_string());
        }
    }
    Ok(unknown)
}

/// Refuses a claim of people that governance doesn't know.
///
/// # Errors
/// PEER_UNKNOWN with the first of them.
pub(super) fn need_known(unknown: &[String]) -> Result<(), Refusal> {
    match unknown.first() {
        None => Ok(()),
        Some(name) => Err(Refusal::new(&PEER_UNKNOWN).with("name", name)),
    }
}

/// What the policies that the day meets say the peril is about.
fn object(coverings: &[Covering], peril: &str) -> Object {
    let benefits = coverings.iter().filter_map(|covering| covering.terms.benefit(peril));
    benefits
        .map(|benefit| benefit.object)
        .find(|object| *object == Object::Dwelling)
        .unwrap_or(Object::Person)
}

/// The household of a claim. Of a dwelling it is the one that was damaged, and the insured lived in it on that day.
fn household(
    town: &str,
    new: &New,
    met: &incident::store::Row,
    object: Object,
    known: &Known,
) -> Result<String, Refusal> {
    let said = new.household.as_ref().map(|name| name.household().to_owned());
    if object == Object::Person {
        // limits of a household are those of the one that he lives in
        let home = |id: &String| known.homes.contains(&format!("towns/{town}/households/{id}"));
        let first = || known.homes.first().and_then(|name| name.rsplit('/').next()).map(str::to_owned);
        return Ok(said.filter(home).or_else(first).unwrap_or_else(|| met.household.clone()));
    }
    let damaged = if met.place_kind == "HOUSEHOLD" { Some(met.place.clone()) } else { said.clone() };
    let Some(damaged) = damaged.map(|place| place.rsplit('/').next().unwrap_or_default().to_owned()) else {
        return Err(Refusal::new(&CLAIM_HOUSEHOLD_NEEDED).with("peril", &met.peril));
    };
    let name = format!("towns/{town}/households/{damaged}");
    if said.is_some_and(|said| said != damaged) || !known.homes.contains(&name) {
        return Err(Refusal::new(&CLAIMANT_NOT_OF_HOUSEHOLD)
            .with("household", name)
            .with("happened", &met.happened_on));
    }
    Ok(damaged)
}

/// Refuses a loss that is claimed above the sum insured 保险金额. Where a policy that bears a part of the loss sets none, any loss will do.
pub(super) fn need_within_sum(
    coverings: &[Covering],
    peril: &str,
    claimed: Option<Fen>,
) -> Result<(), Refusal> {
    let benefits = coverings.iter().filter_map(|covering| covering.terms.benefit(peril));
    let sums: Vec<Option<Fen>> =
        benefits.filter(|benefit| benefit.form.is_loss()).map(|benefit| benefit.sum_insured).collect();
    let Some(most) = sums.into_iter().collect::<Option<Vec<Fen>>>().and_then(|sums| sums.into_iter().max())
    else {
        return Ok(());
    };
    match claimed {
        Some(amount) if amount > most => {
            Err(Refusal::new(&CLAIM_ABOVE_SUM_INSURED).with("amount", amount).with("sum", most))
        }
        _ => Ok(()),
    }
}

/// The insurers whose policies were in force on the day of the event and know the peril.
pub(crate) fn insurers(coverings: &[Covering], peril: &str, happened: Date) -> Vec<String> {
    let meets = |covering: &&Covering| covering.holds(happened) && covering.terms.benefit(peril).is_some();
    let its = coverings.iter().filter(meets);
    let mut all: Vec<String> = its.map(|covering| covering.insurer.clone()).collect();
    all.sort();
    all.dedup();
    all
}

/// CreateClaim.
pub(super) struct Create;

#[tonic::async_trait]
impl VerbGiven for Create {
    type Given = Known;
    type Request = pb::CreateClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &Known,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let (town, call) = (town.town(), work.call().clone());
        let scope = call.scope(town)?;
        let default = pb::Claim::default();
        let given = request.claim.as_ref().unwrap_or(&default);
        let new = New::parse(&call, town, given, known.insured.clone())?;
        let met = incident::store::get(work.sql(), &new.incident, &scope, true).await?;
        let met = met.ok_or_else(|| call.missing(&scope, "linli.dev/Incident", new.incident.to_string()))?;
        need_known(&known.unknown)?;
        let mut row = first(work, town, &new, &met, known).await?;
        let (_, opened) = incident::open_claim(work, town, row.incident, &row.name()).await?;
        row.set_payee(work.vault(), &new.payee)?;
        enter(work, &mut row, State::Reported, &known.days).await?;
        let year = call.today().year();
        row.number = rules::number(year, store::next_number(work.sql(), town, year).await?);
        store::create(work.sql(), &row).await?;
        store::set_beneficiaries(work.sql(), town, row.id, &new.beneficiaries).await?;
        let told = Told { verb: Verb::Report, event: "claim.reported", comment: "" };
        let mut changes = vec![change(&row, "", told)?];
        changes.extend(opened);
        record(work, &row, changes).await
    }
}

/// The row of a new claim.
async fn first(
    work: &mut Work,
    town: &str,
    new: &New,
    met: &incident::store::Row,
    known: &Known,
) -> Result<Row, Refusal> {
    let happened = day(&met.happened_on)?;
    if let Some(said) = new.happened.filter(|said| *said != happened) {
        return Err(Refusal::new(&CLAIM_OF_ANOTHER_DAY)
            .with("incident", &new.incident)
            .with("happened", happened)
            .with("said", said));
    }
    if new.reported_on < happened {
        return Err(Refusal::new(&CLAIM_BEFORE_EVENT)
            .with("incident", &new.incident)
            .with("happened", happened));
    }
    if !met.person.is_empty() && met.person != new.insured.person() {
        return Err(Refusal::new(&CLAIM_INCIDENT_OF_ANOTHER).with("incident", &new.incident));
    }
    let coverings = covering(work.sql(), town, happened).await?;
    need_within_sum(&coverings, &met.peril, new.claimed)?;
    let object = object(&coverings, &met.peril);
    let who = Actor::of(work.call());
    let recorded = chassis::clock::recorded_now().as_microsecond();
    Ok(Row {
        town: town.to_owned(),
        id: Uuid::now_v7(),
        incident: met.id,
        event: met.event,
        peril: met.peril.clone(),
        object: object.name().to_owned(),
        happened_on: met.happened_on.clone(),
        reported_on: new.reported_on.to_string(),
        place_kind: met.place_kind.clone(),
        place: met.place.clone(),
        insured: new.insured.person().to_owned(),
        claimant: new.claimant.person().to_owned(),
        household: household(town, new, met, object, known)?,
        committee: met.committee.clone(),
        insurers: insurers(&coverings, &met.peril, happened),
        claimed_fen: new.claimed.map(Fen::fen),
        reported_by: who.principal,
        reported_person: who.person,
        version: 1,
        created: recorded,
        updated: recorded,
        ..Row::default()
    })
}
