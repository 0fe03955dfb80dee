//! A call as a handler sees it: who calls, which method, what he may see, which day it is.

use std::sync::Arc;

use jiff::civil::Date;
use kernel::name::PersonName;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Clock,
    identity::{Area, Grant, Grants, Scope, is_own, role, scope_of},
    refusal::{NOT_FOUND, PERMISSION_DENIED, Refusal, UNAUTHENTICATED},
};

/// Who calls, resolved from the token and the role bindings.
#[derive(Clone, Debug)]
pub struct Caller {
    /// `issuer|subject`.
    pub principal: String,
    /// His person and roles.
    pub grants: Arc<Grants>,
}

/// One call. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Call(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    caller: Caller,
    service: &'static str,
    method: String,
    permission: String,
    clock: Clock,
}

impl Call {
    /// A call of `method` (`linli.governance.v1.BlockService/HandOverBlock`) that takes `permission`.
    pub fn new(caller: Caller, service: &'static str, method: &str, permission: &str, clock: Clock) -> Call {
        Call(Arc::new(Inner {
            caller,
            service,
            method: method.to_owned(),
            permission: permission.to_owned(),
            clock,
        }))
    }

    /// The call that the layers put into `request`.
    ///
    /// # Errors
    /// UNAUTHENTICATED when they put none: a method that is public, or a service without its layers.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Call, Refusal> {
        let missing = || Refusal::new(&UNAUTHENTICATED).with("cause", "no caller");
        request.extensions().get::<Call>().cloned().ok_or_else(missing)
    }

    /// `issuer|subject` of the caller.
    pub fn principal(&self) -> &str {
        &self.0.caller.principal
    }

    /// The caller's person, when he is mapped to one.
    pub fn person(&self) -> Option<&str> {
        self.0.caller.grants.person.as_deref()
    }

    /// The caller's roles.
    pub fn grants(&self) -> &[Grant] {
        &self.0.caller.grants.grants
    }

    /// The service that is called: `governance`.
    pub fn service(&self) -> &'static str {
        self.0.service
    }

    /// The full method.
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// The permission that the method takes.
    pub fn permission(&self) -> &str {
        &self.0.permission
    }

    /// The business day in Asia/Shanghai.
    pub fn today(&self) -> Date {
        self.0.clock.today()
    }

    /// The business clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The same caller in another method: what `available_actions` asks.
    pub fn may(&self, permission: &str, town: &str) -> Scope {
        scope_of(self.grants(), permission, town)
    }

    /// The part of `town` in which the caller holds the method's permission.
    ///
    /// # Errors
    /// PERMISSION_DENIED when there is none, whether or not the town exists.
    pub fn scope(&self, town: &str) -> Result<Scope, Refusal> {
        match self.may(self.permission(), town) {
            Scope::None => Err(self.denied()),
            scope => Ok(scope),
        }
    }

    /// The part of the town in which the caller may see `person`: all of it when that is the caller himself.
    ///
    /// # Errors
    /// PERMISSION_DENIED when there is none.
    pub fn scope_about(&self, person: &PersonName) -> Result<Scope, Refusal> {
        if is_own(self.grants(), self.permission(), person) {
            return Ok(Scope::Town);
        }
        self.scope(person.town())
    }

    /// The whole of `town`, for methods that are not about one part of it.
    ///
    /// # Errors
    /// PERMISSION_DENIED for callers of a part of it.
    pub fn whole_town(&self, town: &str) -> Result<(), Refusal> {
        match self.may(self.permission(), town) {
            Scope::Town => Ok(()),
            Scope::None | Scope::Areas { .. } => Err(self.denied()),
        }
    }

    /// What is about no town, for callers who hold the permission everywhere.
    ///
    /// # Errors
    /// PERMISSION_DENIED for all others.
    pub fn everywhere(&self) -> Result<(), Refusal> {
        // no town is called so: only what is held everywhere reaches it
        self.whole_town("-")
    }

    /// The refusal for what the caller may not do or see.
    pub fn denied(&self) -> Refusal {
        tracing::warn!(
            target: "linli::security",
            principal = self.principal(),
            rpc.method = self.method(),
            permission = self.permission(),
            "access refused"
        );
        Refusal::new(&PERMISSION_DENIED).with("permission", self.permission())
    }

    /// The refusal for what isn't there: whoever sees only a part of the town learns no more than that it isn't his.
    pub fn missing(&self, scope: &Scope, kind: &'static str, name: impl Into<String>) -> Refusal {
        match scope {
            Scope::Town => Refusal::not_found(kind, name),
            Scope::None | Scope::Areas { .. } => self.denied(),
        }
    }

    /// What an operation keeps of the call that began it.
    pub fn memo(&self) -> CallMemo {
        CallMemo {
            principal: self.principal().to_owned(),
            person: self.0.caller.grants.person.clone(),
            grants: self.grants().iter().map(|g| (g.role.id.to_owned(), g.area.to_string())).collect(),
            method: self.method().to_owned(),
            permission: self.permission().to_owned(),
        }
    }
}

/// Whether `refusal` says that something isn't there.
pub fn is_not_found(refusal: &Refusal) -> bool {
    std::ptr::eq(refusal.reason(), &NOT_FOUND)
}

/// A call as an operation keeps it: the caller's rights are those of the moment in which he began it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallMemo {
    principal: String,
    person: Option<String>,
    grants: Vec<(String, String)>,
    method: String,
    permission: String,
}

impl CallMemo {
    /// The call again, in `service`.
    pub fn recall(self, service: &'static str, clock: Clock) -> Call {
        let grants = self
            .grants
            .iter()
            .filter_map(|(id, area)| Some(Grant { role: role(id)?, area: area.parse::<Area>().ok()? }))
            .collect();
        let grants = Arc::new(Grants { person: self.person, grants });
        Call::new(
            Caller { principal: self.principal, grants },
            service,
            &self.method,
            &self.permission,
            clock,
        )
    }
}
