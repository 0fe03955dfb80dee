//! What governance knows of whom and what an event met, on its day. Read before a unit of work, never within one.

use chassis::{governance::Governance, refusal::Refusal};
use contracts::{google::r#type as google, linli::governance::v1 as governance};
use jiff::{
    ToSpan,
    civil::{Date, date},
};
use kernel::name::{BlockName, CommitteeName, EstateName, HouseholdName, PersonName};

use super::rules::Met;
use crate::{
    adjudication::Dwelling,
    reasons::PEER_UNKNOWN,
    terms::{Ground, Residence},
};

/// Whom and what an event met; what isn't named is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The person.
    pub(crate) person: Option<PersonName>,
    /// The dwelling.
    pub(crate) household: Option<HouseholdName>,
    /// The estate in whose public area it happened.
    pub(crate) estate: Option<EstateName>,
}

impl Subject {
    /// Of ids of a town; an empty one names nothing.
    ///
    /// # Errors
    /// INTERNAL when an id is none.
    pub(crate) fn named(town: &str, person: &str, household: &str, estate: &str) -> Result<Subject, Refusal> {
        let given = |id: &str| !id.is_empty();
        let person = given(person).then(|| PersonName::new(town, person)).transpose();
        let household = given(household).then(|| HouseholdName::new(town, household)).transpose();
        let estate = given(estate).then(|| EstateName::new(town, estate)).transpose();
        Ok(Subject {
            person: person.map_err(Refusal::internal)?,
            household: household.map_err(Refusal::internal)?,
            estate: estate.map_err(Refusal::internal)?,
        })
    }
}

/// What governance knows of a subject on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Where the person lived on the day: one row for each ground, with the day since when he lived in the town on it without a gap.
    pub(crate) residences: Vec<Residence>,
    /// The names of the households in which he lived on the day.
    pub(crate) homes: Vec<String>,
    /// The id of the committee that the event lies in: of the estate, else of the household, else of the person's home; empty when unknown.
    pub(crate) committee: String,
    /// The id of the block within that committee: of the household, else of the person's home; empty when unknown.
    pub(crate) block: String,
    /// Whether governance has the person, whenever he lived where; false when none is named.
    pub(crate) person_known: bool,
    /// Whether it has the household, whenever it began; false when none is named.
    pub(crate) household_known: bool,
    /// Whether the household was there on the day.
    pub(crate) household_there: bool,
    /// Whether it has the estate, whenever it began; false when none is named.
    pub(crate) estate_known: bool,
    /// Whether the estate was there on the day.
    pub(crate) estate_there: bool,
}

impl Known {
    /// Refuses a subject of which governance doesn't know everything that is named.
    ///
    /// # Errors
    /// PEER_UNKNOWN with the first name that it doesn't know.
    pub(crate) fn need_all(&self, subject: &Subject) -> Result<(), Refusal> {
        let unknown = |name: Option<String>, known: bool| name.filter(|_| !known);
        let person = unknown(subject.person.as_ref().map(ToString::to_string), self.person_known);
        let household = || unknown(subject.household.as_ref().map(ToString::to_string), self.household_known);
        let estate = || unknown(subject.estate.as_ref().map(ToString::to_string), self.estate_known);
        match person.or_else(household).or_else(estate) {
            None => Ok(()),
            Some(name) => Err(Refusal::new(&PEER_UNKNOWN).with("name", name)),
        }
    }

    /// The same for the rules of cover.
    pub(crate) fn met(&self, subject: &Subject) -> Met {
        let dwelling = |name: &HouseholdName| match &subject.person {
            _ if !self.household_there => Dwelling::Absent,
            Some(_) if !self.homes.contains(&name.to_string()) => Dwelling::OfOthers,
            Some(_) | None => Dwelling::There,
        };
        Met {
            residences: subject.person.as_ref().map(|_| self.residences.clone()),
            dwelling: subject.household.as_ref().map(dwelling),
            in_estate: self.estate_there,
        }
    }

    fn add_homes(&mut self, places: &[governance::ResidencePlace]) {
        let homes = places.iter().filter_map(|place| place.residence.as_ref());
        self.homes = homes.map(|residence| residence.household.clone()).collect();
        if let Some(first) = places.first() {
            self.lies_in(&first.committee, &first.block);
        }
    }

    /// Where it lies, unless that is known better; a block only within the committee.
    fn lies_in(&mut self, committee: &str, block: &str) {
        let committee = CommitteeName::parse(committee).map(|name| name.committee().to_owned());
        let block = BlockName::parse(block).map(|name| name.block().to_owned()).unwrap_or_default();
        let Ok(committee) = committee else { return };
        if self.committee.is_empty() {
            self.committee = committee;
        } else if self.committee != committee {
            return;
        }
        if self.block.is_empty() {
            self.block = block;
        }
    }
}

/// What governance knows of `subject` on `day`.
///
/// # Errors
/// UNAVAILABLE while governance can't be asked.
pub(crate) async fn known(
    governance: &Governance,
    town: &str,
    subject: &Subject,
    day: Date,
) -> Result<Known, Refusal> {
    let mut known = Known::default();
    if let Some(estate) = subject.estate.as_ref().filter(|name| name.town() == town) {
        let its = governance.estate(estate, day).await?;
        known.estate_there = its.is_some();
        // what began later is known all the same
        let its = match its {
            None => governance.estate(estate, LAST).await?,
            Some(its) => Some(its),
        };
        known.estate_known = its.is_some();
        known.lies_in(&its.unwrap_or_default().committee, "");
    }
    if let Some(household) = subject.household.as_ref().filter(|name| name.town() == town) {
        let its = governance.household(household, day).await?;
        known.household_there = its.is_some();
        let its = match its {
            None => governance.household(household, LAST).await?,
            Some(its) => Some(its),
        };
        known.household_known = its.is_some();
        let its = its.and_then(|its| its.household).unwrap_or_default();
        known.lies_in(&its.committee, &its.block);
    }
    if let Some(person) = subject.person.as_ref().filter(|name| name.town() == town)
        && let Some(check) = governance.residences(person, day).await?
    {
        known.person_known = true;
        known.add_homes(&check.residences);
        for place in &check.residences {
            let Some(residence) = place.residence.as_ref().and_then(residence) else { continue };
            known.residences.push(without_gap(governance, person, residence).await?);
        }
    }
    Ok(known)
}

/// The last day that is asked about: whatever is to begin has begun by then.
const LAST: Date = date(2200, 12, 31);
/// The first day that is asked about.
const FIRST: Date = date(1900, 1, 1);
/// Moves within the town that are followed back at most.
const MOVES: usize = 24;

/// A residence as the register has it.
fn residence(its: &governance::Residence) -> Option<Residence> {
    let ground = match its.ground() {
        governance::ResidenceGround::Registered => Ground::Registered,
        governance::ResidenceGround::ResidencePermit => Ground::ResidencePermit,
        governance::ResidenceGround::Unspecified => return None,
    };
    Some(Residence { ground, since: civil(its.start_date.as_ref()?)? })
}

fn civil(day: &google::Date) -> Option<Date> {
    Date::new(day.year.try_into().ok()?, day.month.try_into().ok()?, day.day.try_into().ok()?).ok()
}

/// Who moves within the town keeps the days that he lived there before: a row that follows on another one of the same ground goes back
/// to its first day.
async fn without_gap(
    governance: &Governance,
    person: &PersonName,
    mut its: Residence,
) -> Result<Residence, Refusal> {
    for _ in 0..MOVES {
        let Some(before) = its.since.checked_sub(1.day()).ok().filter(|day| *day >= FIRST) else { break };
        let check = governance.residences(person, before).await?.unwrap_or_default();
        let rows = check.residences.iter().filter_map(|place| place.residence.as_ref().and_then(residence));
        let Some(earlier) = rows.into_iter().find(|row| row.ground == its.ground) else { break };
        its.since = earlier.since;
    }
    Ok(its)
}
