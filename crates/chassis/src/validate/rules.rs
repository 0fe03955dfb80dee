//! The annotations of a message, read once into a form that is quick to check.

use std::{collections::HashMap, sync::Arc};

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};
use regex::Regex;

/// An annotation that nothing here enforces.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: the rule {rule} is not enforced")]
pub struct Unknown {
    /// The field.
    pub field: String,
    /// The rule.
    pub rule: String,
}

/// What holds for the fields of a message.
#[derive(Debug, Default)]
pub(super) struct MessageRules {
    pub(super) fields: Vec<FieldRules>,
    /// Whether it is a `google.type.Date`, which must be real.
    pub(super) date: bool,
}

/// What holds for a field.
#[derive(Debug)]
pub(super) struct FieldRules {
    pub(super) field: FieldDescriptor,
    pub(super) required: bool,
    /// Whether the other rules wait until there is a value.
    pub(super) skip_empty: bool,
    pub(super) items: Option<(u64, u64)>,
    pub(super) each: Vec<Rule>,
    pub(super) inner: Option<Arc<MessageRules>>,
}

/// A rule on one value.
#[derive(Debug)]
pub(super) enum Rule {
    MinChars(u64),
    MaxChars(u64),
    MaxBytes(u64),
    Pattern(Regex),
    Uuid,
    AtLeast(i64),
    AtMost(i64),
    Defined,
    NotIn(Vec<i32>),
}

pub(super) struct Reader {
    behavior: Option<ExtensionDescriptor>,
    rules: Option<ExtensionDescriptor>,
    done: HashMap<String, Arc<MessageRules>>,
    open: Vec<String>,
}

/// `REQUIRED` of google.api.FieldBehavior.
const REQUIRED: i32 = 2;
/// `OUTPUT_ONLY`: what a caller sends there is not looked at.
const OUTPUT_ONLY: i32 = 3;
/// `IGNORE_IF_ZERO_VALUE` of buf.validate.Ignore.
const IF_ZERO: i32 = 1;

impl Reader {
    pub(super) fn new(pool: &DescriptorPool) -> Reader {
        Reader {
            behavior: pool.get_extension_by_name("google.api.field_behavior"),
            rules: pool.get_extension_by_name("buf.validate.field"),
            done: HashMap::new(),
            open: Vec::new(),
        }
    }

    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Result<Arc<MessageRules>, Unknown> {
        let name = message.full_name().to_owned();
        if let Some(rules) = self.done.get(&name) {
            return Ok(rules.clone());
        }
        if self.open.contains(&name) || name.starts_with("google.protobuf.") {
            return Ok(Arc::default()); // a message within itself, or one that protobuf itself checks
        }
        self.open.push(name.clone());
        let fields = message.fields().filter(|field| !self.behaves(field, OUTPUT_ONLY)).collect::<Vec<_>>();
        let fields = fields.into_iter().map(|field| self.field(field)).collect::<Result<Vec<_>, _>>()?;
        self.open.pop();
        let rules = Arc::new(MessageRules { fields, date: name == "google.type.Date" });
        self.done.insert(name, rules.clone());
        Ok(rules)
    }

    fn behaves(&self, field: &FieldDescriptor, behavior: i32) -> bool {
        let Some(extension) = &self.behavior else { return false };
        let options = field.options();
        let value = options.get_extension(extension);
        value.as_list().is_some_and(|list| list.iter().any(|value| value.as_enum_number() == Some(behavior)))
    }

    fn field(&mut self, field: FieldDescriptor) -> Result<FieldRules, Unknown> {
        let inner = match field.kind() {
            Kind::Message(message) if !field.is_map() => Some(self.message(&message)?),
            _ => None,
        };
        let required = self.behaves(&field, REQUIRED);
        let mut rules =
            FieldRules { required, skip_empty: true, items: None, each: Vec::new(), inner, field };
        let options = rules.field.options();
        let given = self.rules.as_ref().map(|extension| options.get_extension(extension).into_owned());
        if let Some(Value::Message(given)) = given {
            read(&given, &mut rules)?;
        }
        Ok(rules)
    }
}

/// Reads one `buf.validate.FieldRules`. Rules on values wait for a value: an empty one is REQUIRED's business.
fn read(given: &DynamicMessage, rules: &mut FieldRules) -> Result<(), Unknown> {
    for (kind, value) in given.fields() {
        match (kind.name(), value) {
            ("required", Value::Bool(true)) => rules.required = true,
            ("ignore", Value::EnumNumber(number)) => {
                rules.skip_empty = *number == IF_ZERO || rules.skip_empty
            }
            ("string" | "bytes" | "int32" | "int64" | "enum" | "repeated", Value::Message(inner)) => {
                for (name, value) in inner.fields() {
                    one(kind.name(), name.name(), value, rules)?;
                }
            }
            (other, _) => {
                return Err(Unknown { field: rules.field.full_name().to_owned(), rule: other.to_owned() });
            }
        }
    }
    Ok(())
}

fn one(kind: &str, name: &str, value: &Value, rules: &mut FieldRules) -> Result<(), Unknown> {
    let unknown = || Unknown { field: rules.field.full_name().to_owned(), rule: format!("{kind}.{name}") };
    let rule = match (kind, name, value) {
        ("string", "min_len", Value::U64(n)) => Rule::MinChars(*n),
        ("string", "max_len", Value::U64(n)) => Rule::MaxChars(*n),
        ("string", "pattern", Value::String(text)) => Rule::Pattern(Regex::new(text).map_err(|_| unknown())?),
        ("string", "uuid", Value::Bool(true)) => Rule::Uuid,
        ("bytes", "max_len", Value::U64(n)) => Rule::MaxBytes(*n),
        ("int32", "gte", Value::I32(n)) => Rule::AtLeast((*n).into()),
        ("int32", "lte", Value::I32(n)) => Rule::AtMost((*n).into()),
        ("int64", "gte", Value::I64(n)) => Rule::AtLeast(*n),
        ("int64", "lte", Value::I64(n)) => Rule::AtMost(*n),
        ("enum", "defined_only", Value::Bool(true)) => Rule::Defined,
        ("enum", "not_in", Value::List(list)) => Rule::NotIn(list.iter().filter_map(Value::as_i32).collect()),
        ("repeated", "min_items", Value::U64(n)) => {
            rules.items = Some((*n, rules.items.map_or(u64::MAX, |(_, most)| most)));
            return Ok(());
        }
        ("repeated", "max_items", Value::U64(n)) => {
            rules.items = Some((rules.items.map_or(0, |(least, _)| least), *n));
            return Ok(());
        }
        // the rules of each item
        ("repeated", "items", Value::Message(inner)) => return read(inner, rules),
        _ => return Err(unknown()),
    };
    rules.each.push(rule);
    Ok(())
}
