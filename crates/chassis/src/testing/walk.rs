//! Every RPC of a service, called with requests that its contract accepts, made from the descriptors alone: what is added to a
//! contract is walked by itself.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

use bytes::Bytes;
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    ReflectMessage, Value,
};
use tonic::{Code, Status, client::Grpc};
use tonic_types::StatusExt;

use super::raw::Raw;
use crate::peer::Peer;

/// Methods that every service has and that are about no town.
const TOWNLESS: &[&str] = &["ListTables"];

/// What a service adds to the texts of every service: the text of a field that no path binds, about what is called by the id.
pub type Text = fn(field: &str, id: &str) -> Option<String>;

/// The RPCs of one service.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The service: `governance`, of which the package is `linli.governance.*`.
    pub service: &'static str,
    /// Fields that must hold something of this service's own.
    pub text: Text,
}

/// Those whom a service must refuse, by their tokens.
#[derive(Clone, Debug)]
pub struct Strangers {
    /// An administrator of another town.
    pub elsewhere: String,
    /// Somebody of this town who holds none of the permissions but `allowed`.
    pub powerless: String,
    /// The permissions that the powerless one holds.
    pub allowed: &'static [&'static str],
    /// Methods that are about no town, with why they answer.
    pub townless: &'static [(&'static str, &'static str)],
}

impl Walk {
    /// Every method that the service has, those of every service among them, with its permission.
    ///
    /// # Panics
    /// When a method has none.
    pub fn methods(&self) -> Vec<(MethodDescriptor, String)> {
        let pool = DescriptorPool::decode(contracts::DESCRIPTORS).unwrap();
        let option = pool.get_extension_by_name("linli.common.v1.permission").unwrap();
        let own = format!("linli.{}.", self.service);
        let ours = |name: &str| name.starts_with(&own) || name.starts_with("linli.platform.");
        let services = pool.services().filter(|service| ours(service.full_name()));
        let all = services.flat_map(|service| service.methods().collect::<Vec<_>>());
        all.map(|method| {
            let permission = method.options().get_extension(&option).as_str().unwrap().to_owned();
            (method, permission)
        })
        .collect()
    }

    /// A request that the contract accepts, about what is called `id`: required fields filled, names under `malu`.
    pub fn filled(&self, method: &MethodDescriptor, id: &str) -> DynamicMessage {
        let mut message = self.sample(&method.input(), id);
        if let Some((field, name)) = self.bound(method, id) {
            bind(&mut message, &field, name);
        }
        message
    }

    fn sample(&self, message: &MessageDescriptor, id: &str) -> DynamicMessage {
        let behavior = message.parent_pool().get_extension_by_name("google.api.field_behavior").unwrap();
        let mut filled = DynamicMessage::new(message.clone());
        for field in message.fields() {
            let options = field.options();
            let value = options.get_extension(&behavior);
            let required = value
                .as_list()
                .is_some_and(|list| list.iter().any(|value| value.as_enum_number() == Some(2)));
            let named = field.name() == "name"
                && message.fields().any(|other| other.name() == "etag")
                && message.fields().count() > 3;
            if required || named {
                let one = self.value_of(&field, id);
                filled.set_field(&field, if field.is_list() { Value::List(vec![one]) } else { one });
            }
        }
        filled
    }

    fn value_of(&self, field: &FieldDescriptor, id: &str) -> Value {
        let of = |inner: MessageDescriptor, values: &[(&str, Value)]| {
            let mut message = DynamicMessage::new(inner);
            for (name, value) in values {
                message.set_field_by_name(name, value.clone());
            }
            Value::Message(message)
        };
        match field.kind() {
            Kind::String => Value::String(
                (self.text)(field.name(), id).or_else(|| text(field.name(), id)).unwrap_or("x".to_owned()),
            ),
            Kind::Bytes => Value::Bytes(Bytes::from_static(b"x")),
            Kind::Bool => Value::Bool(true),
            Kind::Int32 => Value::I32(i32::try_from(least(field)).unwrap()),
            Kind::Int64 => Value::I64(least(field)),
            Kind::Enum(_) => Value::EnumNumber(1),
            Kind::Message(inner) => match inner.full_name() {
                "google.protobuf.FieldMask" => {
                    of(inner, &[("paths", Value::List(vec![Value::String("display_name".to_owned())]))])
                }
                "google.type.Date" => {
                    let parts = [("year", 2020), ("month", 1), ("day", 2)];
                    of(inner, &parts.map(|(part, n)| (part, Value::I32(n))))
                }
                "google.type.Money" => {
                    let cny = Value::String("CNY".to_owned());
                    of(inner, &[("currency_code", cny), ("units", Value::I64(1))])
                }
                _ => Value::Message(self.sample(&inner, id)),
            },
            other => panic!("{}: {other:?}", field.full_name()),
        }
    }

    /// The name that the path of a method binds: `towns/malu/committees/{id}` for `{name=towns/*/committees/*}`, by field
    /// (`name`, `parent`, or `name` within `body`).
    fn bound(&self, method: &MethodDescriptor, id: &str) -> Option<(Vec<String>, String)> {
        let http = method.parent_pool().get_extension_by_name("google.api.http").unwrap();
        let rule = method.options().get_extension(&http).as_message().unwrap().clone();
        let path = ["get", "post", "patch", "delete"]
            .into_iter()
            .find(|verb| rule.has_field_by_name(verb))
            .map(|verb| rule.get_field_by_name(verb).unwrap().as_str().unwrap().to_owned())?;
        let (field, pattern) = path.split_once('{')?.1.split_once('}')?.0.split_once('=')?;
        let mut collection = "";
        let name = pattern.split('/').map(|segment| {
            let filled = match (segment, collection) {
                ("*", "towns") => "malu",
                ("*", "services") => self.service,
                ("*", _) => id,
                (fixed, _) => fixed,
            };
            collection = segment;
            filled
        });
        let name = name.collect::<Vec<_>>().join("/");
        Some((field.split('.').map(str::to_owned).collect(), name))
    }

    /// Calls every RPC by whom it must refuse: nobody learns what exists. What is called `c1` is there, whatever it is, and
    /// nothing is called `nothing`. How many methods it asked about towns.
    ///
    /// # Panics
    /// When one answers otherwise.
    pub async fn refuses(&self, peer: &Peer, strangers: &Strangers) -> usize {
        let Strangers { elsewhere, powerless, allowed, townless } = strangers;
        let forged = format!("{}x", elsewhere.trim_end_matches(|c: char| c.is_ascii_alphanumeric()));
        let townless: Vec<&str> =
            TOWNLESS.iter().copied().chain(townless.iter().map(|(name, _)| *name)).collect();
        let mut seen = 0;
        for (method, permission) in self.methods().into_iter().filter(|(_, p)| p != "public") {
            let name = method.full_name().to_owned();
            let call = async |id: &str, token: Option<&str>| {
                send(peer, &method, &self.filled(&method, id), token).await.expect_err(&name)
            };
            let none = call("c1", None).await;
            let told = (none.code(), reason(&none));
            assert_eq!(told, (Code::Unauthenticated, "UNAUTHENTICATED".to_owned()), "{name} without a token");
            let wrong = call("c1", Some(&forged)).await;
            assert_eq!(wrong.code(), Code::Unauthenticated, "{name} with a wrong token");
            if !allowed.contains(&permission.as_str()) {
                let denied = call("c1", Some(powerless)).await;
                assert_eq!(denied.code(), Code::PermissionDenied, "{name} without the permission");
            }
            if townless.contains(&method.name()) {
                continue;
            }
            // what is there and what isn't: the same answer, to the letter
            let mut answers = Vec::new();
            for id in ["c1", "nothing"] {
                let refused = call(id, Some(elsewhere)).await;
                answers.push((refused.code(), reason(&refused), refused.message().to_owned()));
            }
            assert_eq!(answers[0], answers[1], "{name}");
            assert_eq!(answers[0].0, Code::PermissionDenied, "{name} by another town: {answers:?}");
            seen += 1;
        }
        seen
    }
}

/// The least number above nothing that a field takes.
fn least(field: &FieldDescriptor) -> i64 {
    let rules = field.parent_pool().get_extension_by_name("buf.validate.field").unwrap();
    let options = field.options();
    let rules = options.get_extension(&rules);
    let kinds = ["int32", "int64"].into_iter().filter_map(|kind| {
        let rules = rules.as_message()?.get_field_by_name(kind)?.as_message()?.clone();
        let least = rules.has_field_by_name("gte").then(|| rules.get_field_by_name("gte"))??;
        least.as_i32().map(i64::from).or_else(|| least.as_i64())
    });
    kinds.max().unwrap_or_default().max(1)
}

/// Puts `name` into the field of a message that `path` leads to.
fn bind(message: &mut DynamicMessage, path: &[String], name: String) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        message.set_field_by_name(first, Value::String(name));
    } else if let Some(Value::Message(inner)) = message.get_field_by_name_mut(first) {
        bind(inner, rest, name);
    }
}

/// What stands in a field that no path binds, in any service.
fn text(field: &str, id: &str) -> Option<String> {
    let of = |kind: &str| Some(format!("towns/malu/{kind}/{id}"));
    match field {
        "request_id" => Some("01890a5d-ac96-774b-bcce-b302099a8057".to_owned()),
        "etag" => Some("v1".to_owned()),
        "parent" | "town" => Some("towns/malu".to_owned()),
        "committee" => of("committees"),
        "community" => of("communities"),
        "block" => of("blocks"),
        "person" => of("people"),
        "worker" => of("workers"),
        other if other.ends_with("_id") => Some(id.to_owned()),
        _ => None,
    }
}

/// The message as often as it has fields of text, its parts' too, each time with `typed` in another one.
pub fn with_each(message: &DynamicMessage, typed: &str) -> Vec<(String, DynamicMessage)> {
    let mut all = Vec::new();
    for field in message.descriptor().fields() {
        let mut changed = message.clone();
        match (field.kind(), message.get_field(&field).as_ref()) {
            (Kind::String, _) => {
                let value = Value::String(typed.to_owned());
                changed.set_field(&field, if field.is_list() { Value::List(vec![value]) } else { value });
                all.push((field.name().to_owned(), changed));
            }
            (Kind::Message(_), Value::Message(part)) if message.has_field(&field) => {
                for (path, part) in with_each(part, typed) {
                    let mut changed = message.clone();
                    changed.set_field(&field, Value::Message(part));
                    all.push((format!("{}.{path}", field.name()), changed));
                }
            }
            (_, _) => {}
        }
    }
    all
}

/// The reason of an error.
pub fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// Calls a method with a message of its own.
///
/// # Errors
/// What it answered.
///
/// # Panics
/// When the token can't stand in a header.
pub async fn send(
    peer: &Peer,
    method: &MethodDescriptor,
    message: &DynamicMessage,
    token: Option<&str>,
) -> Result<(), Status> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name()).parse().unwrap();
    let mut request = tonic::Request::new(Bytes::from(message.encode_to_vec()));
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let mut grpc = Grpc::new(peer.clone());
    grpc.ready().await?;
    if method.is_server_streaming() {
        grpc.server_streaming(request, path, Raw).await.map(|_| ())
    } else {
        grpc.unary(request, path, Raw).await.map(|_| ())
    }
}
