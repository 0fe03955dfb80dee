//! Refusals: every error that leaves a service, from one catalogue, with the details of AIP-193.
//!
//! A [`Reason`] is a static row of the catalogue; a [`Refusal`] is one occurrence of it with its values. What is
//! shown outside (reason, texts, metadata) is apart from what is logged (the `source`).

mod catalogue;
mod status;

pub use catalogue::*;

use std::{collections::BTreeMap, error::Error, fmt, time::Duration};
use tonic::Code;

/// A row of the error catalogue.
#[derive(Debug)]
pub struct Reason {
    /// UPPER_SNAKE, the `reason` of `google.rpc.ErrorInfo`.
    pub name: &'static str,
    /// `linli.<service>` or `linli.common`, the `domain` of `ErrorInfo`.
    pub domain: &'static str,
    /// The gRPC code that goes with it.
    pub code: Code,
    /// The keys of the metadata that an occurrence may carry; `{key}` in the texts stands for the value.
    pub metadata: &'static [&'static str],
    /// The Chinese text.
    pub zh: &'static str,
    /// The English text.
    pub en: &'static str,
    /// What the caller can do next, in Chinese.
    pub next_zh: &'static str,
    /// What the caller can do next, in English.
    pub next_en: &'static str,
}

/// Declares reasons of one domain and the list `ALL` of them.
///
/// ```ignore
/// reasons! { "linli.governance";
///     STEWARD_GAP: FailedPrecondition [block, days]
///         "区块 {block} 在 {days} 无小管家" / "block {block} would have no steward on {days}"
///         next "…" / "…";
/// }
/// ```
#[macro_export]
macro_rules! reasons {
    ($domain:literal; $($name:ident: $code:ident [$($key:ident),*] $zh:literal / $en:literal next $next_zh:literal / $next_en:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`: ", $en)]
            pub static $name: $crate::refusal::Reason = $crate::refusal::Reason {
                name: stringify!($name), domain: $domain, code: ::tonic::Code::$code, metadata: &[$(stringify!($key)),*],
                zh: $zh, en: $en, next_zh: $next_zh, next_en: $next_en,
            };
        )*
        /// Every reason of this domain, for the catalogue.
        pub static ALL: &[&$crate::refusal::Reason] = &[$(&$name),*];
    };
}

/// One field of a request that offends, for `google.rpc.BadRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The path from the request, proto names: `committee.display_name`, `rows[3].code`.
    pub field: String,
    /// UPPER_SNAKE: REQUIRED, TOO_LONG, PATTERN, ….
    pub reason: &'static str,
    /// The Chinese text.
    pub zh: String,
    /// The English text.
    pub en: String,
}

impl FieldFault {
    /// A fault of `field`, told in both languages.
    pub fn new(
        field: impl Into<String>,
        reason: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        FieldFault { field: field.into(), reason, zh: zh.into(), en: en.into() }
    }
}

/// An occurrence of a [`Reason`].
#[derive(Debug)]
pub struct Refusal(Box<Inner>);

#[derive(Debug)]
struct Inner {
    reason: &'static Reason,
    metadata: BTreeMap<&'static str, String>,
    fields: Vec<FieldFault>,
    violations: Vec<(&'static str, String, String)>,
    resource: Option<(&'static str, String)>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Refusal {
    /// An occurrence of `reason`.
    pub fn new(reason: &'static Reason) -> Refusal {
        Refusal(Box::new(Inner {
            reason,
            metadata: BTreeMap::new(),
            fields: Vec::new(),
            violations: Vec::new(),
            resource: None,
            retry_after: None,
            source: None,
        }))
    }

    /// `BAD_REQUEST` with all offending fields.
    pub fn fields(fields: Vec<FieldFault>) -> Refusal {
        let mut refusal = Refusal::new(&BAD_REQUEST).with("count", fields.len());
        refusal.0.fields = fields;
        refusal
    }

    /// `BAD_REQUEST` with the one fault that there is.
    pub fn one(fault: FieldFault) -> Refusal {
        Refusal::fields(vec![fault])
    }

    /// `BAD_REQUEST` for one field.
    pub fn field(
        field: impl Into<String>,
        reason: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Refusal {
        Refusal::fields(vec![FieldFault::new(field, reason, zh, en)])
    }

    /// `NOT_FOUND` for a resource, shown only to callers who may see all of the town.
    pub fn not_found(kind: &'static str, name: impl Into<String>) -> Refusal {
        let name = name.into();
        let mut refusal = Refusal::new(&NOT_FOUND).with("name", &name);
        refusal.0.resource = Some((kind, name));
        refusal
    }

    /// `INTERNAL`: what went wrong inside is logged, never shown.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Refusal {
        Refusal::new(&INTERNAL).because(source)
    }

    /// Names the one offending field of a request, for a reason of its own.
    #[must_use]
    pub fn at_field(self, fault: FieldFault) -> Refusal {
        self.at_fields(vec![fault])
    }

    /// The same for several.
    #[must_use]
    pub fn at_fields(mut self, faults: Vec<FieldFault>) -> Refusal {
        self.0.fields = faults;
        self
    }

    /// Adds a value to the metadata; `key` stands in the reason's list.
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Refusal {
        debug_assert!(self.0.reason.metadata.contains(&key), "{key} is not a key of {}", self.0.reason.name);
        self.0.metadata.insert(key, value.to_string());
        self
    }

    /// Adds what a caller typed where a name of ours belongs: it is repeated only when it reads like one.
    #[must_use]
    pub fn with_typed(self, key: &'static str, text: &str) -> Refusal {
        self.with(key, kernel::text::repeatable(text))
    }

    /// Adds a `PreconditionFailure` violation: type (`STATE`, `FOUR_EYES`, …), subject (a name), description.
    pub fn violating(
        mut self,
        kind: &'static str,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Refusal {
        self.0.violations.push((kind, subject.into(), description.into()));
        self
    }

    /// Says when to try again (`RetryInfo`).
    pub fn retry_after(mut self, after: Duration) -> Refusal {
        self.0.retry_after = Some(after);
        self
    }

    /// Keeps what caused it, for the log.
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Refusal {
        self.0.source = Some(source.into());
        self
    }

    /// The row of the catalogue.
    pub fn reason(&self) -> &'static Reason {
        self.0.reason
    }

    /// A value of the metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.0.metadata.get(key).map(String::as_str)
    }

    /// The text in Chinese and in English.
    pub fn texts(&self) -> (String, String) {
        (status::fill(self.0.reason.zh, &self.0.metadata), status::fill(self.0.reason.en, &self.0.metadata))
    }

    /// The constraint of the database that refused, when it was one.
    pub fn constraint(&self) -> Option<&str> {
        let error = self.0.source.as_ref()?.downcast_ref::<sqlx::Error>()?;
        error.as_database_error()?.constraint()
    }

    /// Whether the database gave it up because it collided with another transaction (deadlock, serialisation): the whole
    /// transaction is worth another try.
    pub fn is_collision(&self) -> bool {
        let source = self.0.source.as_ref().and_then(|source| source.downcast_ref::<sqlx::Error>());
        let code = source.and_then(sqlx::Error::as_database_error).and_then(|error| error.code());
        matches!(code.as_deref(), Some("40001" | "40P01"))
    }

    /// Whether the database gave up because a number was too large for its column.
    pub fn is_out_of_range(&self) -> bool {
        let source = self.0.source.as_ref().and_then(|source| source.downcast_ref::<sqlx::Error>());
        let code = source.and_then(sqlx::Error::as_database_error).and_then(|error| error.code());
        code.as_deref() == Some("22003")
    }

    /// BAD_REQUEST with a single fault that bears the name of one of `own` is that reason instead, at the same field.
    #[must_use]
    pub fn by_its_own(self, own: &[&'static Reason]) -> Refusal {
        let [only] = self.offending() else { return self };
        match own.iter().find(|reason| reason.name == only.reason) {
            Some(reason) => Refusal::new(reason).with("field", &only.field).at_field(only.clone()),
            None => self,
        }
    }

    /// The offending fields of a `BAD_REQUEST`.
    pub fn offending(&self) -> &[FieldFault] {
        &self.0.fields
    }
}

/// Collects field faults, so that all are reported at once.
#[derive(Default, Debug)]
pub struct Faults(Vec<FieldFault>);

impl Faults {
    /// Notes a fault.
    pub fn push(&mut self, fault: FieldFault) {
        self.0.push(fault);
    }

    /// The value, or a noted fault and nothing.
    pub fn take<T>(&mut self, result: Result<T, FieldFault>) -> Option<T> {
        result.map_err(|fault| self.0.push(fault)).ok()
    }

    /// The value, or nothing after noting all of its faults.
    pub fn take_all<T>(&mut self, result: Result<T, Vec<FieldFault>>) -> Option<T> {
        result.map_err(|all| all.into_iter().for_each(|fault| self.push(fault))).ok()
    }

    /// Whether nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` when nothing was noted, else the refusal that lists every fault.
    ///
    /// # Errors
    /// `BAD_REQUEST` when a fault was noted or the value is missing.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Refusal> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Refusal::fields(self.0)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&status::fill(self.0.reason.en, &self.0.metadata))
    }
}

impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|e| &**e as &(dyn Error + 'static))
    }
}
