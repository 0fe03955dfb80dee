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
    /// Its permissions, in groups that roles share; `*` at the end stands for all that follow.
    pub permissions: &'static [&'static [&'static str]],
}

impl Role {
    /// Its permissions, one by one.
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        self.permissions.iter().flat_map(|group| group.iter().copied())
    }
}

/// What everybody with a role in the structure may read.
const READ: &[&str] = &[
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
    "governance.structure.get",
];

/// What everybody with a role in the structure may read of its money, within his area.
const READ_FUNDS: &[&str] = &[
    "funding.accounts.get",
    "funding.accounts.list",
    "funding.entries.get",
    "funding.entries.list",
    "funding.holds.get",
    "funding.holds.list",
    "funding.policies.get",
    "funding.policies.list",
    "funding.allocations.get",
    "funding.allocations.list",
    "funding.expenses.get",
    "funding.expenses.list",
    "funding.delegations.get",
    "funding.delegations.list",
    "funding.grants.get",
    "funding.grants.list",
    "funding.years.get",
    "funding.years.list",
    "funding.statements.get",
    "funding.reports.get",
];

/// What everybody with a role in the structure may read of its insurance, within his area.
const READ_INSURANCE: &[&str] = &[
    "insurance.programmes.get",
    "insurance.programmes.list",
    "insurance.policies.get",
    "insurance.policies.list",
    "insurance.cover.check",
    "insurance.incidents.get",
    "insurance.incidents.list",
    "insurance.incidents.report",
    "insurance.claims.get",
    "insurance.claims.list",
    "insurance.settings.get",
    "insurance.campaigns.get",
    "insurance.campaigns.list",
    "insurance.reports.get",
];

/// What officers of a committee and of the town do for the families of claims.
const CLAIM: &[&str] = &[
    "insurance.incidents.verify",
    "insurance.incidents.close",
    "insurance.incidents.visit",
    "insurance.claims.create",
    "insurance.claims.update",
    "insurance.claims.withdraw",
    "insurance.claims.object",
    "insurance.claims.appeal",
    "insurance.claims.confirm",
    "insurance.claims.reveal",
    "insurance.documents.*",
    "insurance.campaigns.*",
];

/// What officers of a committee and of the town do with an expense, each once.
const SPEND: &[&str] = &[
    "funding.expenses.create",
    "funding.expenses.update",
    "funding.expenses.withdraw",
    "funding.expenses.object",
    "funding.expenses.requestRevision",
    "funding.expenses.reject",
    "funding.expenses.settle",
    "funding.expenses.disclose",
    "funding.payees.reveal",
];

/// All roles.
pub static ROLES: &[Role] = &[
    Role {
        id: "administrator",
        zh: "系统管理员",
        en: "administrator",
        permissions: &[&["governance.*", "funding.*", "insurance.*", "workforce.*", "platform.*"]],
    },
    Role {
        id: "town-officer",
        zh: "镇社区办",
        en: "town officer",
        permissions: &[
            READ,
            READ_FUNDS,
            READ_INSURANCE,
            SPEND,
            CLAIM,
            &[
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
                "governance.structure.*",
                "governance.towns.update",
                "governance.roleBindings.*",
                "funding.entries.reverse",
                "funding.holds.*",
                "funding.expenses.approve",
                "funding.expenses.reencrypt",
                "funding.payments.get",
                "funding.payments.list",
                "funding.ledger.verify",
                "funding.policies.*",
                "funding.allocationRuns.*",
                "funding.allocations.*",
                "funding.delegations.create",
                "funding.delegations.fund",
                "funding.delegations.withdraw",
                "funding.delegations.settle",
                "funding.delegations.administer",
                "funding.grants.*",
                "funding.years.*",
                "insurance.programmes.*",
                "insurance.policies.*",
                "insurance.settings.*",
                "insurance.claims.accept",
                "insurance.claims.dismiss",
                "insurance.claims.survey",
                "insurance.claims.assess",
                "insurance.claims.requestDocuments",
                "insurance.claims.adjudicate",
                "insurance.claims.publish",
                "insurance.claims.answer",
                "insurance.claims.close",
                "insurance.claims.reopen",
                "insurance.claims.readjudicate",
                "insurance.claims.reencrypt",
                "insurance.payments.get",
                "insurance.payments.list",
                "platform.imports.*",
                "platform.exports.*",
                "platform.operations.*",
                "platform.events.list",
            ],
        ],
    },
    Role {
        id: "town-cashier",
        zh: "镇出纳",
        en: "town cashier",
        permissions: &[
            READ,
            READ_FUNDS,
            READ_INSURANCE,
            &["funding.holds.post", "funding.expenses.pay", "funding.payments.*", "funding.payees.reveal"],
        ],
    },
    Role {
        id: "department",
        zh: "职能部门",
        en: "department",
        permissions: &[
            READ,
            &[
                "funding.delegations.get",
                "funding.delegations.list",
                "funding.delegations.create",
                "funding.delegations.fund",
                "funding.delegations.withdraw",
                "funding.delegations.settle",
            ],
        ],
    },
    Role {
        id: "community-officer",
        zh: "镇管社区干部",
        en: "community officer",
        permissions: &[
            READ,
            READ_FUNDS,
            READ_INSURANCE,
            &[
                "governance.stewardships.*",
                "governance.blocks.update",
                "governance.blocks.correct",
                "governance.committees.count",
                "governance.bodies.*",
                "funding.expenses.object",
                "governance.people.get",
                "governance.people.search",
                "governance.residences.list",
                "governance.residences.check",
            ],
        ],
    },
    Role {
        id: "committee-officer",
        zh: "居委会干部",
        en: "committee officer",
        permissions: &[
            READ,
            READ_FUNDS,
            READ_INSURANCE,
            SPEND,
            CLAIM,
            &[
                // what a committee decides on before the town does, is decided in the committee
                "funding.expenses.review",
                "funding.expenses.publish",
                "funding.expenses.answer",
                "funding.delegations.accept",
                "funding.delegations.decline",
                "funding.grants.propose",
                "funding.grants.withdraw",
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
            ],
        ],
    },
    Role {
        id: "steward",
        zh: "小管家",
        en: "steward",
        permissions: &[
            READ,
            READ_FUNDS,
            READ_INSURANCE,
            &[
                "funding.expenses.object",
                "governance.people.get",
                "governance.people.search",
                "governance.residences.list",
                "governance.residences.check",
            ],
        ],
    },
    // bound to a person's own area: what is kept about him, and by whom it was read
    Role {
        id: "resident",
        zh: "居民本人",
        en: "resident",
        permissions: &[&[
            "governance.people.get",
            "governance.people.export",
            "governance.calendar.get",
            "governance.caller.get",
        ]],
    },
    Role {
        id: "organisation-department",
        zh: "组织部门",
        en: "organisation department",
        permissions: &[READ, READ_FUNDS, READ_INSURANCE],
    },
    Role {
        id: "supervision-member",
        zh: "监督委员会成员",
        en: "supervision member",
        permissions: &[READ, READ_FUNDS, READ_INSURANCE, &["funding.expenses.object"]],
    },
    Role {
        id: "adjuster",
        zh: "理赔员",
        en: "adjuster",
        // bound to its insurer: the claims under that insurer's policies, and nothing else
        permissions: &[&[
            "governance.calendar.get",
            "governance.caller.get",
            "insurance.programmes.get",
            "insurance.programmes.list",
            "insurance.policies.get",
            "insurance.policies.list",
            "insurance.claims.get",
            "insurance.claims.list",
            "insurance.claims.survey",
            "insurance.claims.assess",
            "insurance.claims.requestDocuments",
            "insurance.claims.adjudicate",
            "insurance.claims.reveal",
            "insurance.documents.get",
            "insurance.documents.list",
            "insurance.documents.read",
            "insurance.payments.*",
            "insurance.settings.get",
            "insurance.reports.get",
        ]],
    },
    Role {
        id: "auditor",
        zh: "审计",
        en: "auditor",
        permissions: &[
            READ,
            READ_FUNDS,
            READ_INSURANCE,
            &[
                "governance.roleBindings.get",
                "governance.roleBindings.list",
                "funding.ledger.verify",
                "funding.payments.get",
                "funding.payments.list",
                "funding.allocationRuns.get",
                "funding.allocationRuns.list",
                "platform.audit.*",
                "platform.events.list",
                "platform.operations.get",
                "platform.operations.list",
                // which tables there are to export
                "platform.imports.list",
                "platform.exports.*",
            ],
        ],
    },
    Role {
        id: "operator",
        zh: "运维",
        en: "operator",
        permissions: &[&[
            "platform.operations.*",
            "platform.events.*",
            "platform.audit.verify",
            "platform.imports.list",
            "governance.calendar.get",
            "governance.roles.list",
            "governance.caller.get",
        ]],
    },
    // for the suite's own services, which ask governance about everybody: bound everywhere, to their accounts alone
    Role {
        id: "service",
        zh: "服务账户",
        en: "service account",
        permissions: &[
            READ,
            &["governance.grants.resolve", "governance.people.search", "governance.residences.check"],
        ],
    },
];

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
