//! Messages and enums as JSON schemas (2020-12), as protobuf's JSON writes them.

use std::collections::BTreeMap;

use prost_reflect::{
    DescriptorPool, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    Value as Reflected,
};
use serde_json::{Map, Value, json};

use super::comments::Comments;

/// The schemas that a document refers to.
pub(super) struct Schemas<'a> {
    comments: &'a Comments,
    behavior: Option<ExtensionDescriptor>,
    rules: Option<ExtensionDescriptor>,
    done: BTreeMap<String, Value>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(pool: &DescriptorPool, comments: &'a Comments) -> Self {
        Schemas {
            comments,
            behavior: pool.get_extension_by_name("google.api.field_behavior"),
            rules: pool.get_extension_by_name("buf.validate.field"),
            done: BTreeMap::new(),
        }
    }

    /// A reference to the schema of a message, which is made when it isn't there yet.
    pub(super) fn refer(&mut self, message: &MessageDescriptor) -> Value {
        if let Some(known) = well_known(message.full_name()) {
            return known;
        }
        let name = message.full_name().to_owned();
        if !self.done.contains_key(&name) {
            self.done.insert(name.clone(), Value::Null); // so that a message may hold itself
            let schema = self.message(message);
            self.done.insert(name.clone(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// All schemas.
    pub(super) fn finish(self) -> BTreeMap<String, Value> {
        self.done
    }

    fn message(&mut self, message: &MessageDescriptor) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in message.fields() {
            let mut schema = self.field(&field);
            let comment = self.comments.of(field.full_name());
            if let Some(object) = schema.as_object_mut() {
                if !comment.is_empty() {
                    object.insert("description".to_owned(), comment.into());
                }
                if self.behaves(&field, 3) {
                    object.insert("readOnly".to_owned(), true.into());
                }
            }
            if self.is_required(&field) {
                required.push(field.json_name().to_owned());
            }
            properties.insert(field.json_name().to_owned(), schema);
        }
        let mut schema = json!({"type": "object", "description": self.comments.of(message.full_name()), "properties": properties});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    /// The schema of a field.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Value {
        if field.is_map() {
            return json!({"type": "object", "additionalProperties": true});
        }
        let one = match field.kind() {
            Kind::Double | Kind::Float => json!({"type": "number"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
            Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "minimum": 0}),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({"type": "string", "format": "int64"}),
            Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "format": "uint64"}),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Enum(values) => self.values(&values),
            Kind::Message(message) => self.refer(&message),
        };
        let limited = self.limited(field, one);
        if field.is_list() { json!({"type": "array", "items": limited}) } else { limited }
    }

    fn values(&self, values: &EnumDescriptor) -> Value {
        let names: Vec<String> = values.values().map(|value| value.name().to_owned()).collect();
        let meanings = values.values().map(|value| {
            let comment = self.comments.of(&format!("{}.{}", values.full_name(), value.name()));
            format!("- `{}`: {comment}", value.name())
        });
        json!({"type": "string", "enum": names, "description": meanings.collect::<Vec<_>>().join("\n")})
    }

    fn behaves(&self, field: &FieldDescriptor, behavior: i32) -> bool {
        let Some(extension) = &self.behavior else { return false };
        let options = field.options();
        let value = options.get_extension(extension);
        value.as_list().is_some_and(|list| list.iter().any(|value| value.as_enum_number() == Some(behavior)))
    }

    /// Whether the contract says REQUIRED.
    pub(super) fn is_required(&self, field: &FieldDescriptor) -> bool {
        self.behaves(field, 2)
    }

    /// Lengths, patterns and bounds of `buf.validate`.
    fn limited(&self, field: &FieldDescriptor, mut schema: Value) -> Value {
        let Some(extension) = &self.rules else { return schema };
        let options = field.options();
        let rules = options.get_extension(extension);
        let Some(rules) = rules.as_message() else { return schema };
        for kind in ["string", "int32", "bytes"] {
            let Some(value) = rules.get_field_by_name(kind).filter(|_| rules.has_field_by_name(kind)) else {
                continue;
            };
            let Some(rule) = value.as_message() else { continue };
            for (name, key) in [
                ("min_len", "minLength"),
                ("max_len", "maxLength"),
                ("pattern", "pattern"),
                ("gte", "minimum"),
                ("lte", "maximum"),
            ] {
                if kind != "bytes"
                    && rule.has_field_by_name(name)
                    && let Some(limit) = rule.get_field_by_name(name).and_then(|value| number_or_text(&value))
                {
                    schema[key] = limit;
                }
            }
            if kind == "string" && rule.has_field_by_name("uuid") {
                schema["format"] = "uuid".into();
            }
        }
        schema
    }
}

fn number_or_text(value: &Reflected) -> Option<Value> {
    match value {
        Reflected::U64(number) => Some((*number).into()),
        Reflected::I32(number) => Some((*number).into()),
        Reflected::String(text) => Some(text.clone().into()),
        _ => None,
    }
}

/// Types that protobuf's JSON writes in a form of their own.
fn well_known(name: &str) -> Option<Value> {
    Some(match name {
        "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
        "google.protobuf.Duration" => json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?s$"}),
        "google.protobuf.FieldMask" => json!({"type": "string", "description": "Comma-separated fields."}),
        "google.protobuf.Struct" => json!({"type": "object", "additionalProperties": true}),
        "google.protobuf.Value" => json!({}),
        "google.protobuf.ListValue" => json!({"type": "array", "items": {}}),
        "google.protobuf.Empty" => json!({"type": "object"}),
        "google.protobuf.Any" => {
            json!({"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"], "additionalProperties": true})
        }
        _ => return None,
    })
}
