//! Identity and permission: the token is verified here, in each service; the permission of the method is read from
//! its option in the contract and must be held somewhere, or the call ends before its body is looked at.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::HeaderMap;
use prost_reflect::DescriptorPool;
use tonic::Status;

use crate::{
    call::{Call, Caller},
    clock::Clock,
    identity::{Directory, Unverified, Verifier, allows, bearer},
    refusal::{Refusal, UNAUTHENTICATED, UNAVAILABLE, UNKNOWN_METHOD},
    telemetry::method_name,
};

/// The explicit permission of methods that need no login.
const PUBLIC: &str = "public";

/// The permission of each method, from the contracts.
#[derive(Debug)]
pub struct Permissions(HashMap<String, String>);

impl Permissions {
    /// Reads the option `(linli.common.v1.permission)` of every method in `pool`.
    pub fn read(pool: &DescriptorPool) -> Permissions {
        let Some(option) = pool.get_extension_by_name("linli.common.v1.permission") else {
            return Permissions(HashMap::new());
        };
        let methods = pool.services().flat_map(|service| {
            let name = service.full_name().to_owned();
            service
                .methods()
                .map(move |method| (format!("{name}/{}", method.name()), method))
                .collect::<Vec<_>>()
        });
        let permissions = methods.filter_map(|(name, method)| {
            let options = method.options();
            let value = options.get_extension(&option);
            value.as_str().filter(|text| !text.is_empty()).map(|text| (name, text.to_owned()))
        });
        Permissions(permissions.collect())
    }

    /// The permission of `package.Service/Method`.
    pub fn of(&self, method: &str) -> Option<&str> {
        self.0.get(method).map(String::as_str)
    }
}

/// Lets callers in, or not.
pub struct Gatekeeper {
    /// The service: `governance`.
    pub service: &'static str,
    /// What each method takes.
    pub permissions: Permissions,
    /// Verifies tokens.
    pub verifier: Verifier,
    /// Knows who holds which role.
    pub directory: Arc<dyn Directory>,
    /// The business clock that calls carry.
    pub clock: Clock,
}

impl std::fmt::Debug for Gatekeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gatekeeper").field("service", &self.service).finish_non_exhaustive()
    }
}

pub(super) async fn admit(
    State(keeper): State<Arc<Gatekeeper>>,
    mut request: Request,
    next: Next,
) -> Response {
    let method = request.uri().path().trim_start_matches('/').to_owned();
    // the body of a request can't be shared between threads, its headers can
    let headers = request.headers().clone();
    match keeper.caller(&method, &headers).await {
        Ok(call) => {
            if let Some(call) = call {
                request.extensions_mut().insert(call);
            }
            next.run(request).await
        }
        Err(refusal) => Status::from(refusal).into_http(),
    }
}

impl Gatekeeper {
    async fn caller(&self, method: &str, headers: &HeaderMap) -> Result<Option<Call>, Refusal> {
        if method.starts_with("grpc.") {
            return Ok(None); // health and reflection
        }
        let permission = self
            .permissions
            .of(method)
            .ok_or_else(|| Refusal::new(&UNKNOWN_METHOD).with("method", method_name(method)))?;
        if permission == PUBLIC {
            return Ok(None);
        }
        let token = bearer(headers).map_err(refuse)?;
        let identity = self.verifier.verify(token).await.map_err(refuse)?;
        let grants = self
            .directory
            .grants(&identity)
            .await
            .map_err(|error| Refusal::new(&UNAVAILABLE).with("peer", "governance").because(error))?;
        let caller = Caller { principal: identity.principal(), grants: Arc::new(grants) };
        let held = caller.grants.grants.iter().any(|grant| allows(grant.role, permission));
        let call = Call::new(caller, self.service, method, permission, self.clock.clone());
        if held { Ok(Some(call)) } else { Err(call.denied()) }
    }
}

/// A token that doesn't hold, as a refusal.
fn refuse(unverified: Unverified) -> Refusal {
    match unverified {
        Unverified::KeysUnavailable => Refusal::new(&UNAVAILABLE).with("peer", "issuer"),
        other => {
            tracing::warn!(target: "linli::security", cause = other.cause(), "token refused");
            Refusal::new(&UNAUTHENTICATED).with("cause", other.cause())
        }
    }
}
