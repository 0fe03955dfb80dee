//! The roles and what each may do. Data: a role is a named set of permissions, never a test in code.

mod table;

pub use table::ROLES;

use super::{Area, AreaTree, Grant};

/// A named set of permissions.
#[derive(Debug, PartialEq, Eq)]
pub struct Role {
    /// Its id: `committee-officer`.
    pub id: &'static str,
    /// The Chinese name.
    pub zh: &'static str,
    /// The English name.
    pub en: &'static str,
    /// Its permissions, in groups that roles share; `*` at the end stands for all that follow.
    pub permissions: &'static [&'static [&'static str]],
}

impl Role {
    /// Its permissions, one by one.
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        self.permissions.iter().flat_map(|group| group.iter().copied())
    }
}

/// The role with this id.
pub fn role(id: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.id == id)
}

/// Whether `role` holds `permission`.
pub fn allows(role: &Role, permission: &str) -> bool {
    role.all().any(|held| matches(held, permission))
}

/// Whether the pattern `held` covers `wanted`, which may be a pattern itself.
fn matches(held: &str, wanted: &str) -> bool {
    match held.strip_suffix('*') {
        Some(prefix) => wanted.starts_with(prefix),
        None => held == wanted,
    }
}

/// Roles that holders of another hand out without doing what they do: the town appoints the officers of a committee, and none of it acts
/// for the committee by that.
const APPOINTS: &[(&str, &str)] = &[("town-officer", "committee-officer")];

fn appoints(holder: &Role, wanted: &Role) -> bool {
    APPOINTS.contains(&(holder.id, wanted.id))
}

/// Whether holders of `held` hold all of `role` in all of `area`, or appoint to it: nobody grants more than that.
pub fn covers(held: &[Grant], role: &Role, area: &Area, tree: &AreaTree) -> bool {
    if held.iter().any(|grant| tree.contains(&grant.area, area) && appoints(grant.role, role)) {
        return true;
    }
    role.all().all(|wanted| {
        held.iter().any(|grant| {
            tree.contains(&grant.area, area) && grant.role.all().any(|pattern| matches(pattern, wanted))
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_unique_and_patterns_end_in_a_star_at_most() {
        for (n, role) in ROLES.iter().enumerate() {
            assert!(ROLES[..n].iter().all(|other| other.id != role.id));
            assert!(role.all().all(|p| !p.trim_end_matches('*').contains('*')));
        }
    }

    #[test]
    fn the_town_appoints_committee_officers_in_its_area_and_no_other_role_by_that() {
        let held = |area: Area| [Grant { role: role("town-officer").unwrap(), area }];
        let (town, tree) = (Area::Town("malu".to_owned()), AreaTree::default());
        let officer = role("committee-officer").unwrap();
        assert!(covers(&held(town.clone()), officer, &town, &tree));
        assert!(!covers(&held(Area::Town("other".to_owned())), officer, &town, &tree));
        assert!(!covers(&held(town.clone()), role("town-cashier").unwrap(), &town, &tree));
        for own in [
            "funding.delegations.accept",
            "funding.expenses.review",
            "funding.expenses.publish",
            "funding.expenses.answer",
        ] {
            assert!(allows(officer, own) && !allows(role("town-officer").unwrap(), own), "{own}");
        }
    }

    proptest! {
        /// Against the plain reading: every permission of the contract that the new role allows, some grant allows.
        #[test]
        fn what_may_be_granted_is_held(holder in 0..ROLES.len(), wanted in 0..ROLES.len()) {
            let area = Area::Town("malu".to_owned());
            let held = [Grant { role: &ROLES[holder], area: area.clone() }];
            let samples = ["governance.committees.merge", "governance.blocks.get", "platform.audit.list", "platform.operations.cancel", "funding.entries.post", "governance.towns.create"];
            if covers(&held, &ROLES[wanted], &area, &AreaTree::default()) && !appoints(&ROLES[holder], &ROLES[wanted]) {
                for permission in samples.iter().filter(|p| allows(&ROLES[wanted], p)) {
                    prop_assert!(allows(&ROLES[holder], permission), "{permission}");
                }
            }
        }
    }
}
