//! Role bindings as the layers ask for them.

use std::sync::Arc;

use chassis::{
    db::Db,
    identity::{Directory, Grant, Grants, Identity, Unreachable, role},
};

use super::store;

/// Reads role bindings from governance's own tables.
#[derive(Clone, Debug)]
pub struct BindingDirectory(pub Arc<Db>);

#[tonic::async_trait]
impl Directory for BindingDirectory {
    async fn grants(&self, identity: &Identity) -> Result<Grants, Unreachable> {
        let members: Vec<String> = std::iter::once(format!("principal:{}", identity.principal()))
            .chain(identity.groups.iter().map(|group| format!("group:{group}")))
            .collect();
        let unreachable = |error: chassis::refusal::Refusal| Unreachable(error.to_string());
        let mut read = self.0.read().await.map_err(unreachable)?;
        let rows = store::of_members(read.sql(), &members).await.map_err(unreachable)?;
        let person = rows.iter().map(|(_, _, person)| person).find(|person| !person.is_empty()).cloned();
        let grants = rows
            .iter()
            .filter_map(|(id, area, _)| Some(Grant { role: role(id)?, area: area.parse().ok()? }))
            .collect();
        Ok(Grants { person, grants })
    }
}
