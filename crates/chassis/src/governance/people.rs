//! Who lived where, and who is who: asked at once, never remembered. Nothing personal comes back but names of resources.

use contracts::linli::governance::v1::{
    self as pb, estate_service_client::EstateServiceClient, household_service_client::HouseholdServiceClient,
    person_service_client::PersonServiceClient, residence_service_client::ResidenceServiceClient,
};
use jiff::civil::Date;
use kernel::name::{EstateName, HouseholdName, PersonName, TownName};

use super::{Governance, found, refused};
use crate::{refusal::Refusal, wire};

impl Governance {
    /// Where a person lived on a day; `None` when governance knows no such person.
    ///
    /// # Errors
    /// UNAVAILABLE while governance can't be asked.
    pub async fn residences(
        &self,
        person: &PersonName,
        day: Date,
    ) -> Result<Option<pb::ResidenceCheck>, Refusal> {
        let request = pb::CheckResidenceRequest {
            name: person.to_string(),
            as_of_date: Some(wire::to_date(day)),
            read_time: None,
        };
        let mut client = ResidenceServiceClient::new(self.0.peer.clone());
        found(self.ask(request, async |request| client.check_residence(request).await).await?)
    }

    /// Block, committee and steward of a household on a day; `None` when there is no such household.
    ///
    /// # Errors
    /// UNAVAILABLE while governance can't be asked.
    pub async fn household(
        &self,
        name: &HouseholdName,
        day: Date,
    ) -> Result<Option<pb::HouseholdPlace>, Refusal> {
        let request = pb::LookUpHouseholdRequest {
            name: name.to_string(),
            as_of_date: Some(wire::to_date(day)),
            read_time: None,
        };
        let mut client = HouseholdServiceClient::new(self.0.peer.clone());
        found(self.ask(request, async |request| client.look_up_household(request).await).await?)
    }

    /// An estate as it was on a day; `None` when there is none.
    ///
    /// # Errors
    /// UNAVAILABLE while governance can't be asked.
    pub async fn estate(&self, name: &EstateName, day: Date) -> Result<Option<pb::Estate>, Refusal> {
        let request = pb::GetEstateRequest {
            name: name.to_string(),
            as_of_date: Some(wire::to_date(day)),
            ..Default::default()
        };
        let mut client = EstateServiceClient::new(self.0.peer.clone());
        found(self.ask(request, async |request| client.get_estate(request).await).await?)
    }

    /// The person of an identity number 公民身份号码, which is kept nowhere on the way; `None` when nobody of the town has it.
    ///
    /// # Errors
    /// UNAVAILABLE while governance can't be asked; BAD_REQUEST is the caller's to avoid: the number is well-formed.
    pub async fn person_of(&self, town: &TownName, citizen_id: &str) -> Result<Option<PersonName>, Refusal> {
        let request = pb::SearchPeopleRequest {
            parent: town.to_string(),
            citizen_id: citizen_id.to_owned(),
            page_size: 1,
            ..Default::default()
        };
        let mut client = PersonServiceClient::new(self.0.peer.clone());
        let people = self.ask(request, async |request| client.search_people(request).await).await?;
        let people = people.map_err(refused)?.people;
        people.first().map(|person| PersonName::parse(&person.name).map_err(Refusal::internal)).transpose()
    }
}
