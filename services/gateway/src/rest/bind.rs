//! Parts of a path or query as fields of a message.

use chassis::refusal::FieldFault;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage, Value};
use serde::de::value::{Error as ValueError, StrDeserializer};

/// Sets `path` (`a.b.c`, proto or JSON names) to what `text` says; adds to a repeated field.
pub(super) fn bind(message: &mut DynamicMessage, path: &str, text: &str) -> Result<(), FieldFault> {
    step(message, path, path, text)
}

fn step(message: &mut DynamicMessage, whole: &str, path: &str, text: &str) -> Result<(), FieldFault> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let descriptor = message.descriptor();
    let field = descriptor.get_field_by_name(name).or_else(|| descriptor.get_field_by_json_name(name));
    let field = field.ok_or_else(|| {
        let shown = if kernel::text::is_field_path(whole) { whole } else { "query" };
        FieldFault::new(shown, "UNKNOWN_FIELD", "没有此字段", "there is no such field")
    })?;
    if let (Some(rest), Kind::Message(_)) = (rest, field.kind()) {
        return match message.get_field_mut(&field) {
            Value::Message(inner) => step(inner, whole, rest, text),
            _ => Err(FieldFault::new(whole, "REPEATED", "不能在查询串中设置", "can't be set in a query")),
        };
    }
    if rest.is_some() {
        return Err(FieldFault::new(whole, "UNKNOWN_FIELD", "没有此字段", "there is no such field"));
    }
    let value = scalar(field.kind(), text).ok_or_else(|| {
        let kind = describe(&field.kind());
        FieldFault::new(whole, "TYPE", format!("应为 {kind}"), format!("should be {kind}"))
    })?;
    if field.is_list() {
        if let Value::List(list) = message.get_field_mut(&field) {
            list.push(value);
        }
    } else {
        message.set_field(&field, value);
    }
    Ok(())
}

fn scalar(kind: Kind, text: &str) -> Option<Value> {
    Some(match kind {
        Kind::String => Value::String(text.to_owned()),
        Kind::Bool => Value::Bool(text.parse().ok()?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(text.parse().ok()?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(text.parse().ok()?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(text.parse().ok()?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(text.parse().ok()?),
        Kind::Double => Value::F64(text.parse().ok()?),
        Kind::Float => Value::F32(text.parse().ok()?),
        Kind::Enum(names) => Value::EnumNumber(
            names.get_value_by_name(text).map(|v| v.number()).or_else(|| text.parse().ok())?,
        ),
        Kind::Bytes => return None,
        Kind::Message(message) if message.full_name() == "google.type.Date" => date(message, text)?,
        // Timestamp, Duration, FieldMask: as JSON writes them
        Kind::Message(message) if message.full_name().starts_with("google.protobuf.") => {
            let text: StrDeserializer<'_, ValueError> = StrDeserializer::new(text);
            Value::Message(DynamicMessage::deserialize(message, text).ok()?)
        }
        Kind::Message(_) => return None,
    })
}

/// `2020-10-10`, beside `date.year=2020&…`.
fn date(descriptor: MessageDescriptor, text: &str) -> Option<Value> {
    let mut message = DynamicMessage::new(descriptor);
    let mut parts = text.splitn(3, '-');
    for name in ["year", "month", "day"] {
        let part =
            parts.next().filter(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))?;
        message.set_field_by_name(name, Value::I32(part.parse().ok()?));
    }
    Some(Value::Message(message))
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Enum(names) => {
            let all: Vec<String> = names.values().map(|value| value.name().to_owned()).collect();
            all.join(" | ")
        }
        Kind::Message(message) if message.full_name() == "google.type.Date" => "2020-01-31".to_owned(),
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            "2020-01-31T00:00:00Z".to_owned()
        }
        Kind::Message(message) => message.full_name().to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}
