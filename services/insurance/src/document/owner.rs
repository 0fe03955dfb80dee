//! Whose a document is: what the tables of claims, campaigns and incidents say of who sees them. Nothing else here knows those tables.

use std::fmt;

use chassis::{
    refusal::{FieldFault, Refusal},
    wire,
};
use kernel::{
    name::{CampaignName, ClaimName, IncidentName},
    named,
    state::Named,
};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

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

    /// Its committees and insurers.
    fn sql(self) -> &'static str {
        match self {
            Kind::Claim => {
                "select array_remove(array[c.committee], '') as committees, c.insurers
                 from claim c where c.town = $1 and c.id = $2"
            }
            Kind::Campaign => {
                "select array(select m.committee from campaign_committee m where m.town = c.town and m.campaign = c.id order by m.committee)
                        as committees, array[]::text[] as insurers
                 from campaign c where c.town = $1 and c.id = $2"
            }
            Kind::Incident => {
                "select array_remove(array[i.committee], '') as committees, array[]::text[] as insurers
                 from incident i where i.town = $1 and i.id = $2"
            }
        }
    }
}

/// Who sees an owner, and so its documents, beside the town.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Owner {
    /// Ids of committees.
    pub committees: Vec<String>,
    /// Ids of insurers.
    pub insurers: Vec<String>,
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

    /// The owner, when it is there.
    ///
    /// # Errors
    /// What Postgres answered.
    pub(super) async fn find(&self, sql: &mut PgConnection) -> Result<Option<(Uuid, Owner)>, Refusal> {
        let Ok(id) = Uuid::parse_str(&self.id) else { return Ok(None) };
        Ok(owner(sql, &self.town, self.kind, id).await?.map(|owner| (id, owner)))
    }
}

/// Who sees a claim, a campaign or an incident.
///
/// # Errors
/// What Postgres answered.
pub async fn owner(
    sql: &mut PgConnection,
    town: &str,
    kind: Kind,
    id: Uuid,
) -> Result<Option<Owner>, Refusal> {
    Ok(sqlx::query_as(kind.sql()).bind(town).bind(id).fetch_optional(sql).await?)
}

/// Lets the documents of an owner be seen by whoever sees it now: called when the insurers of a claim change, or the committees of a campaign.
///
/// # Errors
/// What Postgres answered.
pub async fn follow(sql: &mut PgConnection, town: &str, kind: Kind, id: Uuid) -> Result<(), Refusal> {
    let Some(Owner { committees, insurers }) = owner(&mut *sql, town, kind, id).await? else { return Ok(()) };
    sqlx::query!(
        "update document set committees = $4, insurers = $5 where town = $1 and owner_kind = $2 and owner = $3",
        town,
        kind.name(),
        id,
        &committees,
        &insurers,
    )
    .execute(sql)
    .await?;
    Ok(())
}
