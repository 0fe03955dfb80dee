//! Whose a document is. Who sees it follows from its owner (`store/owners.rs`).

use std::fmt;

use chassis::{refusal::FieldFault, wire};
use kernel::{
    name::{CampaignName, ClaimName, IncidentName},
    named,
};
use uuid::Uuid;

pub use super::store::owners::follow;

named! {
    /// What a document may belong to.
    pub Kind {
        /// A claim 理赔案件.
        Claim = "CLAIM",
        /// A campaign 宣传活动, of which it is evidence.
        Campaign = "CAMPAIGN",
        /// An incident 出险, of the visit after it.
        Incident = "INCIDENT",
    }
}

impl Kind {
    /// What its names go by.
    fn collection(self) -> &'static str {
        match self {
            Kind::Claim => "claims",
            Kind::Campaign => "campaigns",
            Kind::Incident => "incidents",
        }
    }

    /// The type of the resource, for refusals.
    pub(super) fn resource(self) -> &'static str {
        match self {
            Kind::Claim => "linli.dev/Claim",
            Kind::Campaign => "linli.dev/Campaign",
            Kind::Incident => "linli.dev/Incident",
        }
    }
}

/// An owner by what it is called: its kind and id. An id that is none of ours belongs to nothing that is there.
pub(super) struct Called {
    /// The kind.
    pub(super) kind: Kind,
    town: String,
    id: String,
}

impl Called {
    /// How the one with this id is called.
    pub(super) fn named(&self, id: Uuid) -> String {
        format!("towns/{}/{}/{id}", self.town, self.kind.collection())
    }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "towns/{}/{}/{}", self.town, self.kind.collection(), self.id)
    }
}

impl Called {
    /// Reads the name of an owner in `town`.
    ///
    /// # Errors
    /// A fault of the field.
    pub(super) fn parse(field: &str, town: &str, text: &str) -> Result<Called, FieldFault> {
        let collection = text.split('/').nth(2).unwrap_or_default();
        let (kind, its, id) = match collection {
            "campaigns" => {
                let name: CampaignName = wire::parsed(field, text)?;
                (Kind::Campaign, name.town().to_owned(), name.campaign().to_owned())
            }
            "incidents" => {
                let name: IncidentName = wire::parsed(field, text)?;
                (Kind::Incident, name.town().to_owned(), name.incident().to_owned())
            }
            // whatever else it is, it is told that it is no claim
            _ => {
                let name: ClaimName = wire::parsed(field, text)?;
                (Kind::Claim, name.town().to_owned(), name.claim().to_owned())
            }
        };
        chassis::fields::same_town(field, town, &its)?;
        Ok(Called { kind, town: its, id })
    }

    /// Its id; an id that is none of ours belongs to nothing that is there.
    pub(super) fn id(&self) -> Option<Uuid> {
        Uuid::parse_str(&self.id).ok()
    }
}
