//! Areas in which a role holds, the tree that they form, and what a caller sees of a town.

use std::{collections::HashMap, fmt, str::FromStr};

use kernel::name::{BlockName, CommitteeName, CommunityName, OrganisationName, PersonName, TownName};

use super::{Grant, roles::allows};

/// Where a role holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Area {
    /// Everywhere: administrators of the installation.
    Everywhere,
    /// A town, by id.
    Town(String),
    /// A community of a town.
    Community(CommunityName),
    /// A committee of a town.
    Committee(CommitteeName),
    /// A block of a town.
    Block(BlockName),
    /// What concerns an organisation: an insurer, a department, a social organisation.
    Organisation(OrganisationName),
    /// What is kept about one person: for that person, in the methods that are about one.
    Person(PersonName),
}

/// Text that names no area.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a town, community, committee, block, organisation or person")]
pub struct AreaError;

impl Area {
    /// The town that it lies in; `None` everywhere.
    pub fn town(&self) -> Option<&str> {
        match self {
            Area::Everywhere => None,
            Area::Town(town) => Some(town),
            Area::Community(name) => Some(name.town()),
            Area::Committee(name) => Some(name.town()),
            Area::Block(name) => Some(name.town()),
            Area::Organisation(name) => Some(name.town()),
            Area::Person(name) => Some(name.town()),
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Area::Everywhere => f.write_str("everywhere"),
            Area::Town(town) => write!(f, "towns/{town}"),
            Area::Community(name) => name.fmt(f),
            Area::Committee(name) => name.fmt(f),
            Area::Block(name) => name.fmt(f),
            Area::Organisation(name) => name.fmt(f),
            Area::Person(name) => name.fmt(f),
        }
    }
}

impl FromStr for Area {
    type Err = AreaError;
    fn from_str(text: &str) -> Result<Area, AreaError> {
        if text == "everywhere" {
            return Ok(Area::Everywhere);
        }
        let town = TownName::parse(text).map(|name| Area::Town(name.town().to_owned()));
        let community = || CommunityName::parse(text).map(Area::Community);
        let committee = || CommitteeName::parse(text).map(Area::Committee);
        let block = || BlockName::parse(text).map(Area::Block);
        let organisation = || OrganisationName::parse(text).map(Area::Organisation);
        let person = || PersonName::parse(text).map(Area::Person);
        let places = town.or_else(|_| community()).or_else(|_| committee()).or_else(|_| block());
        places.or_else(|_| organisation()).or_else(|_| person()).map_err(|_| AreaError)
    }
}

/// Which committee lies in which community, which block in which committee, today.
#[derive(Clone, Debug, Default)]
pub struct AreaTree {
    /// Community of each committee.
    pub communities: HashMap<CommitteeName, CommunityName>,
    /// Committee of each block.
    pub committees: HashMap<BlockName, CommitteeName>,
}

impl AreaTree {
    /// Whether all of `inner` lies in `outer`.
    pub fn contains(&self, outer: &Area, inner: &Area) -> bool {
        match (outer, inner) {
            (Area::Everywhere, _) => true,
            (Area::Town(town), inner) => inner.town() == Some(town),
            (outer, inner) if outer == inner => true,
            (Area::Community(community), Area::Committee(committee)) => {
                self.communities.get(committee) == Some(community)
            }
            (Area::Community(_) | Area::Committee(_), Area::Block(block)) => self
                .committees
                .get(block)
                .is_some_and(|committee| self.contains(outer, &Area::Committee(committee.clone()))),
            // where somebody lives changes: a place never holds a person's own area, nor an organisation's
            (
                Area::Community(_)
                | Area::Committee(_)
                | Area::Block(_)
                | Area::Organisation(_)
                | Area::Person(_),
                _,
            ) => false,
        }
    }
}

/// What a caller sees of a town by one permission. Ids, not names: they go into SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing.
    None,
    /// All of it.
    Town,
    /// These parts, with what lies in them.
    Areas {
        /// Ids of communities.
        communities: Vec<String>,
        /// Ids of committees.
        committees: Vec<String>,
        /// Ids of blocks.
        blocks: Vec<String>,
        /// Ids of organisations: what concerns them, wherever it lies.
        organisations: Vec<String>,
    },
}

impl Scope {
    /// Whether it is the whole town; SQL takes it as `$all or …`.
    pub fn is_town(&self) -> bool {
        *self == Scope::Town
    }

    /// Whether a committee lies in it, by id.
    pub fn holds_committee(&self, committee: &str) -> bool {
        self.is_town() || self.ids().1.iter().any(|id| id == committee)
    }

    /// The ids of communities, committees and blocks, for SQL.
    pub fn ids(&self) -> (&[String], &[String], &[String]) {
        match self {
            Scope::None | Scope::Town => (&[], &[], &[]),
            Scope::Areas { communities, committees, blocks, .. } => (communities, committees, blocks),
        }
    }

    /// The ids of organisations, for SQL.
    pub fn organisations(&self) -> &[String] {
        match self {
            Scope::None | Scope::Town => &[],
            Scope::Areas { organisations, .. } => organisations,
        }
    }
}

/// What holders of `grants` see of `town` by `permission`.
pub fn scope_of(grants: &[Grant], permission: &str, town: &str) -> Scope {
    let (mut communities, mut committees, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
    let mut organisations = Vec::new();
    for grant in grants.iter().filter(|grant| allows(grant.role, permission)) {
        match &grant.area {
            Area::Everywhere => return Scope::Town,
            Area::Town(its) if its == town => return Scope::Town,
            Area::Community(name) if name.town() == town => communities.push(name.community().to_owned()),
            Area::Committee(name) if name.town() == town => committees.push(name.committee().to_owned()),
            Area::Block(name) if name.town() == town => blocks.push(name.block().to_owned()),
            Area::Organisation(name) if name.town() == town => {
                organisations.push(name.organisation().to_owned());
            }
            Area::Town(_)
            | Area::Community(_)
            | Area::Committee(_)
            | Area::Block(_)
            | Area::Organisation(_)
            | Area::Person(_) => {}
        }
    }
    if communities.is_empty() && committees.is_empty() && blocks.is_empty() && organisations.is_empty() {
        return Scope::None;
    }
    Scope::Areas { communities, committees, blocks, organisations }
}

/// Whether holders of `grants` may, by `permission`, see what is kept about `person` because it is about them.
pub fn is_own(grants: &[Grant], permission: &str, person: &PersonName) -> bool {
    let held = grants.iter().filter(|grant| allows(grant.role, permission));
    held.into_iter().any(|grant| matches!(&grant.area, Area::Person(name) if name == person))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::role;

    fn grant(id: &str, area: &str) -> Grant {
        Grant { role: role(id).unwrap(), area: area.parse().unwrap() }
    }

    #[test]
    fn a_scope_holds_for_its_town_and_its_permission_alone() {
        let grants =
            [grant("committee-officer", "towns/malu/committees/a"), grant("town-officer", "towns/other")];
        let all = |town, permission| scope_of(&grants, permission, town);
        assert_eq!(all("other", "governance.committees.merge"), Scope::Town);
        assert_eq!(all("malu", "governance.committees.merge"), Scope::None);
        assert_eq!(all("third", "governance.committees.get"), Scope::None);
        let Scope::Areas { committees, .. } = all("malu", "governance.committees.get") else { panic!() };
        assert_eq!(committees, ["a"]);
    }

    #[test]
    fn an_organisation_sees_what_concerns_it_and_no_place() {
        let grants = [grant("adjuster", "towns/malu/organisations/o-insurer-0")];
        let scope = scope_of(&grants, "governance.calendar.get", "malu");
        assert_eq!(scope.organisations(), ["o-insurer-0"]);
        assert!(!scope.is_town() && scope.ids().1.is_empty());
        assert_eq!(scope_of(&grants, "governance.calendar.get", "other"), Scope::None);
    }

    #[test]
    fn the_tree_reaches_from_town_to_block() {
        let (committee, community) =
            (CommitteeName::new("malu", "a").unwrap(), CommunityName::new("malu", "c").unwrap());
        let block = BlockName::new("malu", "b").unwrap();
        let tree = AreaTree {
            communities: [(committee.clone(), community.clone())].into(),
            committees: [(block.clone(), committee.clone())].into(),
        };
        let inner = Area::Block(block);
        for outer in [
            Area::Everywhere,
            Area::Town("malu".to_owned()),
            Area::Community(community),
            Area::Committee(committee),
        ] {
            assert!(
                tree.contains(&outer, &inner) && (outer == inner || !tree.contains(&inner, &outer)),
                "{outer}"
            );
        }
        assert!(!tree.contains(&Area::Town("other".to_owned()), &inner));
    }
}
