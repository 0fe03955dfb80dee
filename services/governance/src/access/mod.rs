//! Role bindings: who holds which role in which area.

mod acts;
mod directory;
pub(crate) mod store;

pub use acts::bootstrap;
pub use directory::BindingDirectory;

use std::sync::Arc;

use chassis::{
    call::Call,
    context::Context,
    identity::{Area, Directory, Grants, Identity, ROLES},
    paging::Paging,
    refusal::{Refusal, UNAVAILABLE},
    wire,
    work::mutate,
};
use contracts::linli::governance::v1::{self as pb, role_binding_service_server::RoleBindingService};
use kernel::{
    etag::Etag,
    name::{RoleBindingName, TownName},
};
use tonic::{Request, Response, Status};

use store::Binding;

/// The gRPC service.
#[derive(Clone)]
pub struct RoleBindings {
    /// What handlers share.
    pub context: Context,
    /// What governance's own layers go by, so that others are told the same; not remembered here, because they remember it.
    pub directory: Arc<dyn Directory>,
}

fn encode(binding: &Binding) -> pb::RoleBinding {
    pb::RoleBinding {
        name: format!("towns/{}/roleBindings/{}", binding.town, binding.id),
        member: binding.member.clone(),
        role: binding.role.clone(),
        area: binding.area.clone(),
        person: binding.person.clone(),
        etag: Etag::of(binding.version).to_string(),
        create_time: Some(wire::to_timestamp(binding.created)),
        update_time: Some(wire::to_timestamp(binding.updated)),
        delete_time: binding.deleted.map(wire::to_timestamp),
    }
}

impl RoleBindings {
    async fn read(
        &self,
        call: &Call,
        request: &pb::GetRoleBindingRequest,
    ) -> Result<pb::RoleBinding, Refusal> {
        let name: RoleBindingName = wire::name("name", &request.name)?;
        call.whole_town(name.town())?;
        let binding = store::get(self.context.db.read().await?.sql(), &name).await?;
        Ok(encode(&binding.ok_or_else(|| Refusal::not_found("linli.dev/RoleBinding", name.to_string()))?))
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListRoleBindingsRequest,
    ) -> Result<pb::ListRoleBindingsResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        call.whole_town(town.town())?;
        let paging =
            Paging::open(&self.context, call, &[town.town()], request.page_size, &request.page_token)?;
        let mut found = store::list(
            self.context.db.read().await?.sql(),
            town.town(),
            paging.after_first(),
            paging.limit(),
        )
        .await?;
        let next_page_token = paging.next(&mut found, |binding| vec![binding.id.clone()]);
        Ok(pb::ListRoleBindingsResponse {
            role_bindings: found.iter().map(encode).collect(),
            next_page_token,
        })
    }
}

impl RoleBindings {
    async fn resolve(
        &self,
        call: &Call,
        request: &pb::ResolveGrantsRequest,
    ) -> Result<pb::ResolveGrantsResponse, Refusal> {
        call.everywhere()?;
        let identity = Identity {
            issuer: request.issuer.clone(),
            subject: request.subject.clone(),
            groups: request.groups.clone(),
            person: Some(request.person.clone()).filter(|person| !person.is_empty()),
            expires: 0,
        };
        let held = self.directory.grants(&identity).await;
        let held =
            held.map_err(|error| Refusal::new(&UNAVAILABLE).with("peer", "database").because(error))?;
        let mut grants: Vec<pb::CallerGrant> = held.grants.iter().map(granted).collect();
        grants.extend(self.within_communities(call, &held).await?);
        Ok(pb::ResolveGrantsResponse { person: held.person.unwrap_or_default(), grants })
    }

    /// One grant more for each committee of a community in which a role is held.
    async fn within_communities(&self, call: &Call, held: &Grants) -> Result<Vec<pb::CallerGrant>, Refusal> {
        let of = |grant: &chassis::identity::Grant| match &grant.area {
            Area::Community(name) => {
                Some((grant.role.id, name.town().to_owned(), name.community().to_owned()))
            }
            Area::Everywhere
            | Area::Town(_)
            | Area::Committee(_)
            | Area::Block(_)
            | Area::Organisation(_)
            | Area::Person(_) => None,
        };
        let communities: Vec<_> = held.grants.iter().filter_map(of).collect();
        if communities.is_empty() {
            return Ok(Vec::new());
        }
        let (towns, ids): (Vec<String>, Vec<String>) =
            communities.iter().map(|(_, town, id)| (town.clone(), id.clone())).unzip();
        let mut read = self.context.db.read().await?;
        let lie = store::committees_in(read.sql(), &towns, &ids, &call.today().to_string()).await?;
        let within = communities.iter().flat_map(|(role, town, id)| {
            let here = lie.iter().filter(move |row| row.town == *town && row.community == *id);
            here.map(|row| pb::CallerGrant {
                role: (*role).to_owned(),
                area: format!("towns/{}/committees/{}", row.town, row.committee),
            })
        });
        Ok(within.collect())
    }
}

/// A role in an area, for the wire.
fn granted(grant: &chassis::identity::Grant) -> pb::CallerGrant {
    pb::CallerGrant { role: grant.role.id.to_owned(), area: grant.area.to_string() }
}

fn caller(call: &Call, request: &pb::GetCallerRequest) -> Result<pb::Caller, Refusal> {
    let town: TownName = wire::name("name", &request.name)?;
    call.scope(town.town())?;
    let here = call.grants().iter().filter(|grant| grant.area.town().is_none_or(|its| its == town.town()));
    Ok(pb::Caller {
        name: town.to_string(),
        principal: call.principal().to_owned(),
        person: call.person().unwrap_or_default().to_owned(),
        grants: here.map(granted).collect(),
    })
}

fn roles() -> pb::ListRolesResponse {
    let roles = ROLES.iter().map(|role| pb::Role {
        role_id: role.id.to_owned(),
        display_name_zh: role.zh.to_owned(),
        display_name_en: role.en.to_owned(),
        permissions: role.all().map(str::to_owned).collect(),
    });
    pb::ListRolesResponse { roles: roles.collect(), next_page_token: String::new() }
}

#[tonic::async_trait]
impl RoleBindingService for RoleBindings {
    async fn get_role_binding(
        &self,
        request: Request<pb::GetRoleBindingRequest>,
    ) -> Result<Response<pb::RoleBinding>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_role_bindings(
        &self,
        request: Request<pb::ListRoleBindingsRequest>,
    ) -> Result<Response<pb::ListRoleBindingsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_role_binding(
        &self,
        request: Request<pb::CreateRoleBindingRequest>,
    ) -> Result<Response<pb::RoleBinding>, Status> {
        mutate::<acts::Create>(&self.context, request).await
    }

    async fn delete_role_binding(
        &self,
        request: Request<pb::DeleteRoleBindingRequest>,
    ) -> Result<Response<pb::RoleBinding>, Status> {
        mutate::<acts::Withdraw>(&self.context, request).await
    }

    async fn list_roles(
        &self,
        request: Request<pb::ListRolesRequest>,
    ) -> Result<Response<pb::ListRolesResponse>, Status> {
        Call::of(&request)?;
        Ok(Response::new(roles()))
    }

    async fn get_caller(
        &self,
        request: Request<pb::GetCallerRequest>,
    ) -> Result<Response<pb::Caller>, Status> {
        Ok(Response::new(caller(&Call::of(&request)?, request.get_ref())?))
    }

    async fn resolve_grants(
        &self,
        request: Request<pb::ResolveGrantsRequest>,
    ) -> Result<Response<pb::ResolveGrantsResponse>, Status> {
        Ok(Response::new(self.resolve(&Call::of(&request)?, request.get_ref()).await?))
    }
}
