//! Role bindings: who holds which role in which area.

mod acts;
mod directory;
pub(crate) mod store;

pub use acts::bootstrap;
pub use directory::BindingDirectory;

use chassis::{
    call::Call, context::Context, identity::ROLES, paging::Paging, refusal::Refusal, wire, work::mutate,
};
use contracts::linli::governance::v1::{self as pb, role_binding_service_server::RoleBindingService};
use kernel::{
    etag::Etag,
    name::{RoleBindingName, TownName},
};
use tonic::{Request, Response, Status};

use store::Binding;

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct RoleBindings(pub Context);

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
        let binding = store::get(self.0.db.read().await?.sql(), &name).await?;
        Ok(encode(&binding.ok_or_else(|| Refusal::not_found("linli.dev/RoleBinding", name.to_string()))?))
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListRoleBindingsRequest,
    ) -> Result<pb::ListRoleBindingsResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        call.whole_town(town.town())?;
        let paging = Paging::open(&self.0, call, &[town.town()], request.page_size, &request.page_token)?;
        let mut found =
            store::list(self.0.db.read().await?.sql(), town.town(), paging.after_first(), paging.limit())
                .await?;
        let next_page_token = paging.next(&mut found, |binding| vec![binding.id.clone()]);
        Ok(pb::ListRoleBindingsResponse {
            role_bindings: found.iter().map(encode).collect(),
            next_page_token,
        })
    }
}

fn caller(call: &Call, request: &pb::GetCallerRequest) -> Result<pb::Caller, Refusal> {
    let town: TownName = wire::name("name", &request.name)?;
    call.scope(town.town())?;
    let here = call.grants().iter().filter(|grant| grant.area.town().is_none_or(|its| its == town.town()));
    Ok(pb::Caller {
        name: town.to_string(),
        principal: call.principal().to_owned(),
        person: call.person().unwrap_or_default().to_owned(),
        grants: here
            .map(|grant| pb::CallerGrant { role: grant.role.id.to_owned(), area: grant.area.to_string() })
            .collect(),
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
        mutate::<acts::Create>(&self.0, request).await
    }

    async fn delete_role_binding(
        &self,
        request: Request<pb::DeleteRoleBindingRequest>,
    ) -> Result<Response<pb::RoleBinding>, Status> {
        mutate::<acts::Withdraw>(&self.0, request).await
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
}
