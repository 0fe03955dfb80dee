//! Every RPC of every contract, called by whom it must refuse: nobody learns what exists.

use bytes::Bytes;
use jiff::civil::date;
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};
use tonic::{Code, Status, client::Grpc};

use crate::harness::{Service, reason, service, with};

/// Methods that are about no town, with why they answer.
const TOWNLESS: &[(&str, &str)] = &[
    ("ListTowns", "answers the caller's own towns only"),
    ("ListRoles", "the roles are the same everywhere"),
    ("GetCalendarPaper", "papers are national"),
    ("ListCalendarPapers", "papers are national"),
    ("ListCalendarDays", "papers are national"),
    ("ComputeTerm", "papers are national"),
    ("ListTables", "what a file must look like is the same everywhere"),
];

/// Every method of the contracts with its permission.
pub(crate) fn methods() -> Vec<(MethodDescriptor, String)> {
    let pool = DescriptorPool::decode(contracts::DESCRIPTORS).unwrap();
    let option = pool.get_extension_by_name("linli.common.v1.permission").unwrap();
    let all = pool
        .services()
        .filter(|service| service.full_name().starts_with("linli."))
        .flat_map(|service| service.methods().collect::<Vec<_>>());
    all.map(|method| {
        let permission = method.options().get_extension(&option).as_str().unwrap().to_owned();
        (method, permission)
    })
    .collect()
}

/// A message that the contract accepts: every required field filled, names under `malu`.
fn sample(message: &MessageDescriptor, id: &str) -> DynamicMessage {
    let pool = message.parent_pool();
    let behavior = pool.get_extension_by_name("google.api.field_behavior").unwrap();
    let mut filled = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let options = field.options();
        let value = options.get_extension(&behavior);
        let required =
            value.as_list().is_some_and(|list| list.iter().any(|value| value.as_enum_number() == Some(2)));
        let named = field.name() == "name"
            && message.fields().any(|other| other.name() == "etag")
            && message.fields().count() > 3;
        if required || named {
            let one = value_of(&field, id);
            filled.set_field(&field, if field.is_list() { Value::List(vec![one]) } else { one });
        }
    }
    filled
}

fn value_of(field: &FieldDescriptor, id: &str) -> Value {
    match field.kind() {
        Kind::String => Value::String(text(field.name(), id)),
        Kind::Bytes => Value::Bytes(Bytes::from_static(b"x")),
        Kind::Int32 => Value::I32(1),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Message(inner) if inner.full_name() == "google.protobuf.FieldMask" => {
            let mut mask = DynamicMessage::new(inner);
            mask.set_field_by_name("paths", Value::List(vec![Value::String("display_name".to_owned())]));
            Value::Message(mask)
        }
        Kind::Message(inner) if inner.full_name() == "google.type.Date" => {
            let mut date = DynamicMessage::new(inner);
            for (part, n) in [("year", 2020), ("month", 1), ("day", 2)] {
                date.set_field_by_name(part, Value::I32(n));
            }
            Value::Message(date)
        }
        Kind::Message(inner) => Value::Message(sample(&inner, id)),
        other => panic!("{}: {other:?}", field.full_name()),
    }
}

/// The name that the path of a method binds: `towns/malu/committees/{id}` for `{name=towns/*/committees/*}`, by field
/// (`name`, `parent`, or `name` within `body`).
fn bound(method: &MethodDescriptor, id: &str) -> Option<(Vec<String>, String)> {
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
            ("*", "services") => "governance",
            ("*", _) => id,
            (fixed, _) => fixed,
        };
        collection = segment;
        filled
    });
    let name = name.collect::<Vec<_>>().join("/");
    Some((field.split('.').map(str::to_owned).collect(), name))
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

/// A request that the contract accepts, about what is called `id`.
pub(crate) fn filled(method: &MethodDescriptor, id: &str) -> DynamicMessage {
    let mut message = sample(&method.input(), id);
    if let Some((field, name)) = bound(method, id) {
        bind(&mut message, &field, name);
    }
    message
}

/// What stands in a field that no path binds.
fn text(field: &str, id: &str) -> String {
    let of = |kind: &str| format!("towns/malu/{kind}/{id}");
    match field {
        "request_id" => "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        "etag" => "v1".to_owned(),
        "parent" | "town" | "area" | "owner" => "towns/malu".to_owned(),
        "committee" | "into" => of("committees"),
        "community" => of("communities"),
        "block" => of("blocks"),
        "person" => of("people"),
        "household" => of("households"),
        "estate" | "estates" => of("estates"),
        "building" | "buildings" => of("buildings"),
        "worker" => of("workers"),
        "citizen_id" => "310199195112050137".to_owned(),
        "unified_social_credit_code" => "91310199MA90010063".to_owned(),
        "member" => "group:x".to_owned(),
        "role" => "steward".to_owned(),
        "table" => "committees".to_owned(),
        other if other.ends_with("_id") => id.to_owned(),
        _ => "x".to_owned(),
    }
}

async fn call(
    service: &Service,
    method: &MethodDescriptor,
    id: &str,
    token: Option<&str>,
) -> Result<(), Status> {
    send(service, method, &filled(method, id), token).await
}

/// Calls a method with a message of its own.
pub(crate) async fn send(
    service: &Service,
    method: &MethodDescriptor,
    message: &DynamicMessage,
    token: Option<&str>,
) -> Result<(), Status> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name()).parse().unwrap();
    let bytes = Bytes::from(message.encode_to_vec());
    let request =
        token.map_or_else(|| tonic::Request::new(bytes.clone()), |token| with(bytes.clone(), token));
    let mut grpc = Grpc::new(service.peer.clone());
    grpc.ready().await?;
    if method.is_server_streaming() {
        grpc.server_streaming(request, path, raw::Raw).await.map(|_| ())
    } else {
        grpc.unary(request, path, raw::Raw).await.map(|_| ())
    }
}

#[tokio::test]
async fn every_rpc_refuses_strangers_and_tells_them_nothing() {
    let service = service(date(2020, 6, 1)).await;
    service.committee("c1", date(2016, 1, 1)).await;
    service.block("c1", "c1", date(2020, 1, 1)).await;
    service.sql("insert into community (town, id, display_name) values ('malu', 'c1', '丙')").await;
    let elsewhere = service.token("stranger", "administrator", "town:other");
    let forged = format!("{}x", elsewhere.trim_end_matches(|c: char| c.is_ascii_alphanumeric()));
    let powerless = service.token("adjuster", "adjuster", "malu");
    let mut seen = 0;
    for (method, permission) in methods().into_iter().filter(|(_, permission)| permission != "public") {
        let name = method.full_name().to_owned();
        let none = call(&service, &method, "c1", None).await.expect_err(&name);
        assert_eq!(
            (none.code(), reason(&none).as_str()),
            (Code::Unauthenticated, "UNAUTHENTICATED"),
            "{name} without a token"
        );
        let wrong = call(&service, &method, "c1", Some(&forged)).await.expect_err(&name);
        assert_eq!(wrong.code(), Code::Unauthenticated, "{name} with a wrong token");
        if !["governance.calendar.get", "governance.caller.get"].contains(&permission.as_str()) {
            let denied = call(&service, &method, "c1", Some(&powerless)).await.expect_err(&name);
            assert_eq!(denied.code(), Code::PermissionDenied, "{name} without the permission");
        }
        if TOWNLESS.iter().any(|(townless, _)| *townless == method.name()) {
            continue;
        }
        // what is there and what isn't: the same answer, to the letter
        let mut answers = Vec::new();
        for id in ["c1", "nothing"] {
            let refused = call(&service, &method, id, Some(&elsewhere)).await.expect_err(&name);
            answers.push((refused.code(), reason(&refused), refused.message().to_owned()));
        }
        assert_eq!(answers[0], answers[1], "{name}");
        assert_eq!(answers[0].0, Code::PermissionDenied, "{name} by another town: {answers:?}");
        seen += 1;
    }
    assert!(seen > 30, "{seen} methods");
}

#[tokio::test]
async fn a_list_shows_the_callers_area_alone() {
    use contracts::linli::governance::v1 as pb;
    let service = service(date(2020, 6, 1)).await;
    for id in ["310114106001", "310114106002"] {
        service.committee(id, date(2016, 1, 1)).await;
    }
    service.block("b1", "310114106001", date(2020, 1, 1)).await;
    service.block("b2", "310114106002", date(2020, 1, 1)).await;
    let token = service.token("officer", "committee-officer", "310114106001");
    let request = pb::ListCommitteesRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let seen =
        service.committees().list_committees(with(request, &token)).await.unwrap().into_inner().committees;
    assert_eq!(
        seen.iter().map(|committee| committee.name.as_str()).collect::<Vec<_>>(),
        ["towns/malu/committees/310114106001"]
    );
    let request = pb::ListBlocksRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let seen = service.blocks().list_blocks(with(request, &token)).await.unwrap().into_inner().blocks;
    assert_eq!(seen.iter().map(|block| block.name.as_str()).collect::<Vec<_>>(), ["towns/malu/blocks/b1"]);
    for name in ["towns/malu/blocks/b2", "towns/malu/blocks/none"] {
        let request = pb::GetBlockRequest { name: name.to_owned(), ..Default::default() };
        assert_eq!(
            service.blocks().get_block(with(request, &token)).await.unwrap_err().code(),
            Code::PermissionDenied
        );
    }
}

#[tokio::test]
async fn nobody_grants_more_than_he_holds_and_the_first_administrator_is_named_once() {
    use contracts::linli::governance::v1::{
        self as pb, role_binding_service_client::RoleBindingServiceClient,
    };
    let service = service(date(2020, 6, 1)).await;
    let grant = async |role: &str, area: &str| {
        let binding = pb::RoleBinding {
            member: "principal:urn:x|y".to_owned(),
            role: role.to_owned(),
            area: area.to_owned(),
            ..Default::default()
        };
        let request = pb::CreateRoleBindingRequest {
            parent: "towns/malu".to_owned(),
            role_binding: Some(binding),
            request_id: crate::harness::uuid(),
            validate_only: false,
        };
        RoleBindingServiceClient::new(service.peer.clone())
            .create_role_binding(service.officer(request))
            .await
            .map(|_| ())
    };
    assert!(grant("committee-officer", "towns/malu").await.is_ok());
    for (role, area) in
        [("administrator", "towns/malu"), ("auditor", "towns/malu"), ("committee-officer", "everywhere")]
    {
        assert_eq!(reason(&grant(role, area).await.unwrap_err()), "MORE_THAN_HELD", "{role} in {area}");
    }
    let operator = chassis::testing::call(
        "ops",
        "operator",
        "towns/malu",
        "linli admin bootstrap",
        "public",
        &service.clock,
    );
    let first =
        governance::access::bootstrap(&service.db.context, &operator, "malu", "urn:x|first").await.unwrap();
    assert_eq!(first.role, "administrator");
    let second = governance::access::bootstrap(&service.db.context, &operator, "malu", "urn:x|second")
        .await
        .unwrap_err();
    assert_eq!(second.reason().name, "BOOTSTRAPPED");
}

/// Messages as bytes.
mod raw {
    use bytes::{Buf, BufMut, Bytes};
    use tonic::{
        Status,
        codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    };

    #[derive(Clone, Copy)]
    pub(crate) struct Raw;

    impl Codec for Raw {
        type Encode = Bytes;
        type Decode = Bytes;
        type Encoder = Raw;
        type Decoder = Raw;
        fn encoder(&mut self) -> Raw {
            Raw
        }
        fn decoder(&mut self) -> Raw {
            Raw
        }
    }

    impl Encoder for Raw {
        type Item = Bytes;
        type Error = Status;
        fn encode(&mut self, bytes: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
            to.put(bytes);
            Ok(())
        }
    }

    impl Decoder for Raw {
        type Item = Bytes;
        type Error = Status;
        fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
            Ok(Some(from.copy_to_bytes(from.remaining())))
        }
    }
}
