//! Who calls: tokens verified, roles found, areas compared.

mod area;
mod dev;
mod directory;
mod jwks;
mod roles;
mod verifier;

pub use area::{Area, AreaError, AreaTree, Scope, is_own, scope_of};
pub use dev::{DEV_ISSUER, DevClaims, DevIssuer, NotLoopback, refuse_unless_loopback};
pub use directory::{CachedDirectory, DevDirectory, Directory, Grants, Unreachable};
pub use jwks::JwksSource;
pub use roles::{ROLES, Role, allows, covers, role};
pub use verifier::{Identity, IssuerConfig, Unverified, Verifier, bearer};

/// A role in an area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The role.
    pub role: &'static Role,
    /// The area.
    pub area: Area,
}
