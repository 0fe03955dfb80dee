//! The roles and what each may do. Data: a role is a named set of permissions, never a test in code.

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
    /// Its permissions; `*` at the end stands for all that follow.
    pub permissions: &'static [&'static str],
}

/// What everybody with a role in the structure may read.
const READ: [&str; 24] = [
    "governance.towns.get",
    "governance.towns.list",
    "governance.communities.get",
    "governance.communities.list",
    "governance.committees.get",
    "governance.committees.list",
    "governance.blocks.get",
    "governance.blocks.list",
    "governance.stewardships.get",
    "governance.stewardships.list",
    "governance.calendar.get",
    "governance.roles.list",
    "governance.caller.get",
    "governance.organisations.get",
    "governance.organisations.list",
    "governance.estates.get",
    "governance.estates.list",
    "governance.buildings.get",
    "governance.buildings.list",
    "governance.households.get",
    "governance.households.list",
    "governance.bodies.get",
    "governance.bodies.list",
    "governance.structure.check",
];

macro_rules! reading_and {
    ($($more:literal),* $(,)?) => {
        &[READ[0], READ[1], READ[2], READ[3], READ[4], READ[5], READ[6], READ[7], READ[8], READ[9], READ[10], READ[11], READ[12], READ[13], READ[14], READ[15], READ[16], READ[17], READ[18], READ[19], READ[20], READ[21], READ[22], READ[23], $($more),*]
    };
}

/// All roles.
pub static ROLES: &[Role] = &[
    Role {
        id: "administrator",
        zh: "系统管理员",
        en: "administrator",
        permissions: &["governance.*", "funding.*", "insurance.*", "workforce.*", "platform.*"],
    },
    Role {
        id: "town-officer",
        zh: "镇社区办",
        en: "town officer",
        permissions: reading_and!(
            "governance.communities.*",
            "governance.committees.*",
            "governance.blocks.*",
            "governance.stewardships.*",
            "governance.organisations.*",
            "governance.estates.*",
            "governance.buildings.*",
            "governance.households.*",
            "governance.people.*",
            "governance.residences.*",
            "governance.bodies.*",
            "governance.towns.update",
            "governance.roleBindings.*",
            "platform.imports.*",
            "platform.exports.*",
            "platform.operations.*",
            "platform.events.list",
        ),
    },
    Role { id: "town-cashier", zh: "镇出纳", en: "town cashier", permissions: reading_and!() },
    Role { id: "department", zh: "职能部门", en: "department", permissions: reading_and!() },
    Role {
        id: "community-officer",
        zh: "镇管社区干部",
        en: "community officer",
        permissions: reading_and!(
            "governance.stewardships.*",
            "governance.blocks.update",
            "governance.blocks.correct",
            "governance.committees.count",
            "governance.bodies.*",
            "governance.people.get",
            "governance.people.search",
            "governance.residences.list",
            "governance.residences.check",
        ),
    },
    Role {
        id: "committee-officer",
        zh: "居委会干部",
        en: "committee officer",
        permissions: reading_and!(
            "governance.blocks.*",
            "governance.stewardships.handOver",
            "governance.stewardships.cover",
            "governance.stewardships.endPost",
            "governance.committees.count",
            "governance.buildings.update",
            "governance.households.create",
            "governance.households.update",
            "governance.people.get",
            "governance.people.search",
            "governance.people.create",
            "governance.people.update",
            "governance.people.reveal",
            "governance.residences.*",
            "governance.bodies.*",
        ),
    },
    Role {
        id: "steward",
        zh: "小管家",
        en: "steward",
        permissions: reading_and!(
            "governance.people.get",
            "governance.people.search",
            "governance.residences.list",
            "governance.residences.check",
        ),
    },
    Role {
        id: "organisation-department",
        zh: "组织部门",
        en: "organisation department",
        permissions: reading_and!(),
    },
    Role {
        id: "supervision-member",
        zh: "监督委员会成员",
        en: "supervision member",
        permissions: reading_and!(),
    },
    Role {
        id: "adjuster",
        zh: "理赔员",
        en: "adjuster",
        permissions: &["governance.calendar.get", "governance.caller.get"],
    },
    Role {
        id: "auditor",
        zh: "审计",
        en: "auditor",
        permissions: reading_and!(
            "governance.roleBindings.get",
            "governance.roleBindings.list",
            "platform.audit.*",
            "platform.events.list",
            "platform.operations.get",
            "platform.operations.list",
            "platform.exports.*"
        ),
    },
    Role {
        id: "operator",
        zh: "运维",
        en: "operator",
        permissions: &[
            "platform.operations.*",
            "platform.events.*",
            "platform.audit.verify",
            "platform.imports.list",
            "governance.calendar.get",
            "governance.roles.list",
            "governance.caller.get",
        ],
    },
];

/// The role with this id.
pub fn role(id: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.id == id)
}

/// Whether `role` holds `permission`.
pub fn allows(role: &Role, permission: &str) -> bool {
    role.permissions.iter().any(|held| matches(held, permission))
}

/// Whether the pattern `held` covers `wanted`, which may be a pattern itself.
fn matches(held: &str, wanted: &str) -> bool {
    match held.strip_suffix('*') {
        Some(prefix) => wanted.starts_with(prefix),
        None => held == wanted,
    }
}

/// Whether holders of `held` hold all of `role` in all of `area`: nobody grants more than that.
pub fn covers(held: &[Grant], role: &Role, area: &Area, tree: &AreaTree) -> bool {
    role.permissions.iter().all(|wanted| {
        held.iter().any(|grant| {
            tree.contains(&grant.area, area)
                && grant.role.permissions.iter().any(|pattern| matches(pattern, wanted))
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
            assert!(role.permissions.iter().all(|p| !p.trim_end_matches('*').contains('*')));
        }
    }

    proptest! {
        /// Against the plain reading: every permission of the contract that the new role allows, some grant allows.
        #[test]
        fn what_may_be_granted_is_held(holder in 0..ROLES.len(), wanted in 0..ROLES.len()) {
            let area = Area::Town("malu".to_owned());
            let held = [Grant { role: &ROLES[holder], area: area.clone() }];
            let samples = ["governance.committees.merge", "governance.blocks.get", "platform.audit.list", "platform.operations.cancel", "funding.entries.post", "governance.towns.create"];
            if covers(&held, &ROLES[wanted], &area, &AreaTree::default()) {
                for permission in samples.iter().filter(|p| allows(&ROLES[wanted], p)) {
                    prop_assert!(allows(&ROLES[holder], permission), "{permission}");
                }
            }
        }
    }
}
