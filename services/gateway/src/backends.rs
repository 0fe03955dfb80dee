//! Which service answers which method.

use std::{collections::HashMap, sync::Arc};

use chassis::{
    peer::Peer,
    refusal::{Refusal, UNKNOWN_METHOD},
};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};

/// The package of methods that every service has.
const SHARED: &str = "linli.platform.";

/// The services behind the gateway, by name: `governance`.
#[derive(Clone)]
pub struct Backends(Arc<HashMap<String, Peer>>);

impl Backends {
    /// These services.
    pub fn new(peers: HashMap<String, Peer>) -> Backends {
        Backends(Arc::new(peers))
    }

    /// The names of the services.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A service by its name.
    pub(crate) fn named(&self, service: &str) -> Option<Peer> {
        self.0.get(service).cloned()
    }

    /// The service of a package of its own; `None` for methods that every service has.
    pub(crate) fn by_package(&self, path: &str) -> Option<Peer> {
        let package = path.strip_prefix("/linli.")?.split('.').next()?;
        self.named(package)
    }

    /// The service that a message goes to: by the package, or by `services/{service}/…` in its name or parent.
    pub(crate) fn for_message(
        &self,
        method: &MethodDescriptor,
        message: &DynamicMessage,
    ) -> Result<Peer, Refusal> {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        if !path[1..].starts_with(SHARED) {
            return self.by_package(&path).ok_or_else(|| unknown(&path));
        }
        let text =
            |name: &str| message.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned));
        let name = text("name").or_else(|| text("parent")).unwrap_or_default();
        let service =
            name.strip_prefix("services/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        self.named(service).ok_or_else(|| unknown(&path))
    }

    /// Whether the body must be looked at to find the service.
    pub(crate) fn is_shared(path: &str) -> bool {
        path.trim_start_matches('/').starts_with(SHARED)
    }
}

fn unknown(path: &str) -> Refusal {
    Refusal::new(&UNKNOWN_METHOD).with("method", chassis::telemetry::method_name(path))
}

/// The method of a gRPC path.
pub(crate) fn method_of(pool: &DescriptorPool, path: &str) -> Option<MethodDescriptor> {
    let (service, method) = path.trim_start_matches('/').split_once('/')?;
    pool.get_service_by_name(service)?.methods().find(|candidate| candidate.name() == method)
}
