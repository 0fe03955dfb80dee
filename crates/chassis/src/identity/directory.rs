//! Who holds which role: asked of governance, cached for at most 30 seconds.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;

use super::{Area, DEV_ISSUER, Grant, Identity, role};
use kernel::name::{BlockName, CommitteeName, CommunityName, OrganisationName, PersonName};

/// The roles of a caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// The person that he is, as a name.
    pub person: Option<String>,
    /// His roles.
    pub grants: Vec<Grant>,
}

/// Governance can't be asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("role bindings can't be read: {0}")]
pub struct Unreachable(pub String);

/// Knows the roles of callers.
#[tonic::async_trait]
pub trait Directory: Send + Sync {
    /// The roles of `identity`.
    async fn grants(&self, identity: &Identity) -> Result<Grants, Unreachable>;
}

/// A directory that remembers: for 30 seconds, and for ten minutes while the inner one can't be asked.
pub struct CachedDirectory {
    inner: Arc<dyn Directory>,
    fresh: Cache<String, Grants>,
    stale: Cache<String, Grants>,
}

impl CachedDirectory {
    /// Remembers the answers of `inner`.
    pub fn new(inner: Arc<dyn Directory>) -> CachedDirectory {
        let cache = |seconds| {
            Cache::builder().max_capacity(100_000).time_to_live(Duration::from_secs(seconds)).build()
        };
        CachedDirectory { inner, fresh: cache(30), stale: cache(600) }
    }
}

#[tonic::async_trait]
impl Directory for CachedDirectory {
    async fn grants(&self, identity: &Identity) -> Result<Grants, Unreachable> {
        // groups and person come with the token, so they belong to the key
        let person = identity.person.as_deref().unwrap_or_default();
        let key = format!("{}|{}|{person}", identity.principal(), identity.groups.join("|"));
        let asked = self.fresh.try_get_with(key.clone(), self.inner.grants(identity)).await;
        match asked {
            Ok(grants) => {
                self.stale.insert(key, grants.clone()).await;
                Ok(grants)
            }
            Err(error) => self.stale.get(&key).await.ok_or_else(|| (*error).clone()),
        }
    }
}

/// Adds what tokens of the development issuer say of themselves: groups like `committee-officer@310114106001`.
/// Tokens of other issuers never say anything of roles.
pub struct DevDirectory {
    inner: Arc<dyn Directory>,
    town: String,
}

impl DevDirectory {
    /// On top of `inner`; areas that don't name their town lie in `town`.
    pub fn new(inner: Arc<dyn Directory>, town: &str) -> DevDirectory {
        DevDirectory { inner, town: town.to_owned() }
    }

    fn area(&self, code: &str) -> Option<Area> {
        let town = &self.town;
        match code.split_once(':') {
            Some(("town", id)) => Some(Area::Town(id.to_owned())),
            Some(("community", id)) => CommunityName::new(town, id).ok().map(Area::Community),
            Some(("committee", id)) => CommitteeName::new(town, id).ok().map(Area::Committee),
            Some(("block", id)) => BlockName::new(town, id).ok().map(Area::Block),
            Some(("organisation", id)) => OrganisationName::new(town, id).ok().map(Area::Organisation),
            Some(("person", id)) => PersonName::new(town, id).ok().map(Area::Person),
            Some(_) => None,
            None if code == "everywhere" => Some(Area::Everywhere),
            None if code.contains('/') => code.parse().ok(),
            None if code.len() == 12 && code.bytes().all(|b| b.is_ascii_digit()) => {
                CommitteeName::new(town, code).ok().map(Area::Committee)
            }
            None => Some(Area::Town(code.to_owned())),
        }
    }
}

#[tonic::async_trait]
impl Directory for DevDirectory {
    async fn grants(&self, identity: &Identity) -> Result<Grants, Unreachable> {
        let mut grants = self.inner.grants(identity).await?;
        if identity.issuer == DEV_ISSUER {
            let said = identity.groups.iter().filter_map(|group| {
                let (id, code) = group.split_once('@')?;
                Some(Grant { role: role(id)?, area: self.area(code)? })
            });
            grants.grants.extend(said);
            grants.person = grants.person.or_else(|| identity.person.clone());
        }
        Ok(grants)
    }
}
