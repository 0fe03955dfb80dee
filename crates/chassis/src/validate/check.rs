//! A message against its rules.

use prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value};

use super::rules::{FieldRules, MessageRules, Rule};
use crate::refusal::FieldFault;

/// Faults that one refusal carries at most: a hostile list can't make an answer without end.
const MOST: usize = 200;

pub(super) fn message(
    message: &DynamicMessage,
    rules: &MessageRules,
    path: &str,
    faults: &mut Vec<FieldFault>,
) {
    for rules in &rules.fields {
        if faults.len() >= MOST {
            return;
        }
        let name = if path.is_empty() {
            rules.field.name().to_owned()
        } else {
            format!("{path}.{}", rules.field.name())
        };
        field(message, rules, name, faults);
    }
}

fn field(message: &DynamicMessage, rules: &FieldRules, path: String, faults: &mut Vec<FieldFault>) {
    let value = message.get_field(&rules.field);
    let absent = !message.has_field(&rules.field);
    if absent && rules.required && !may_be_zero(rules) {
        faults.push(FieldFault::new(path, "REQUIRED", "必填", "required"));
        return;
    }
    match value.as_ref() {
        Value::List(list) => {
            if let Some((least, most)) = rules.items
                && !(least..=most).contains(&(list.len() as u64))
                && !absent
            {
                faults.push(FieldFault::new(
                    path.clone(),
                    "ITEMS",
                    format!("应有 {least} 至 {most} 项"),
                    format!("should have {least} to {most} items"),
                ));
            }
            for (n, item) in list.iter().enumerate() {
                one(item, rules, &format!("{path}[{n}]"), faults);
            }
        }
        Value::Map(_) => {}
        _ if absent && rules.skip_empty => {}
        value => one(value, rules, &path, faults),
    }
}

/// A number whose bounds say that zero is a value, as protobuf can't tell zero from absent.
fn may_be_zero(rules: &FieldRules) -> bool {
    let number = !matches!(rules.field.kind(), Kind::String | Kind::Bytes | Kind::Message(_) | Kind::Enum(_));
    number && !rules.each.iter().any(|rule| matches!(rule, Rule::AtLeast(least) if *least > 0))
}

fn one(value: &Value, rules: &FieldRules, path: &str, faults: &mut Vec<FieldFault>) {
    faults.extend(
        rules
            .each
            .iter()
            .filter_map(|rule| broken(rule, value, rules))
            .map(|(reason, zh, en)| FieldFault::new(path, reason, zh, en)),
    );
    if let (Value::Message(inner), Some(its)) = (value, &rules.inner) {
        if its.date && !is_real(inner) {
            faults.push(FieldFault::new(path, "DATE", "不是真实日期", "not a real date"));
        }
        message(inner, its, path, faults);
    }
}

/// What is wrong with a value by a rule. The value itself is never repeated: it may be personal.
fn broken(rule: &Rule, value: &Value, rules: &FieldRules) -> Option<(&'static str, String, String)> {
    let chars = |value: &Value| value.as_str().map(|text| text.chars().count() as u64);
    match rule {
        Rule::MinChars(least) => chars(value).filter(|n| n < least).map(|n| {
            ("TOO_SHORT", format!("共 {n} 个字符，至少 {least}"), format!("{n} characters, at least {least}"))
        }),
        Rule::MaxChars(most) => chars(value).filter(|n| n > most).map(|n| {
            ("TOO_LONG", format!("共 {n} 个字符，最多 {most}"), format!("{n} characters, {most} at most"))
        }),
        Rule::MaxBytes(most) => {
            let n = value.as_bytes().map(|bytes| bytes.len() as u64)?;
            (n > *most).then(|| {
                ("TOO_LONG", format!("共 {n} 字节，最多 {most}"), format!("{n} bytes, {most} at most"))
            })
        }
        Rule::Pattern(pattern) => {
            let good = value.as_str().is_none_or(|text| pattern.is_match(text));
            (!good).then(|| ("PATTERN", format!("应符合 {pattern}"), format!("should match {pattern}")))
        }
        Rule::Uuid => {
            let good =
                value.as_str().is_none_or(|text| text.len() == 36 && uuid::Uuid::parse_str(text).is_ok());
            (!good).then(|| ("UUID", "应为 UUID".to_owned(), "should be a UUID".to_owned()))
        }
        Rule::AtLeast(least) => {
            let low = number(value).is_some_and(|n| n < *least);
            low.then(|| ("TOO_SMALL", format!("至少为 {least}"), format!("at least {least}")))
        }
        Rule::AtMost(most) => {
            let high = number(value).is_some_and(|n| n > *most);
            high.then(|| ("TOO_LARGE", format!("最多为 {most}"), format!("{most} at most")))
        }
        Rule::Defined => {
            let Kind::Enum(names) = rules.field.kind() else { return None };
            let known = value.as_enum_number().is_none_or(|number| names.get_value(number).is_some());
            (!known).then(|| ("UNKNOWN_VALUE", "未知取值".to_owned(), "not a value of this enum".to_owned()))
        }
        Rule::NotIn(list) => {
            let bad = value.as_enum_number().is_some_and(|number| list.contains(&number));
            bad.then(|| {
                ("NOT_ALLOWED", "不允许的取值".to_owned(), "this value is not allowed here".to_owned())
            })
        }
    }
}

/// A whole number of either width.
fn number(value: &Value) -> Option<i64> {
    value.as_i32().map(i64::from).or_else(|| value.as_i64())
}

fn is_real(date: &DynamicMessage) -> bool {
    let part = |name: &str| date.get_field_by_name(name).and_then(|value| value.as_i32()).unwrap_or_default();
    let number = || {
        Some((
            i16::try_from(part("year")).ok()?,
            i8::try_from(part("month")).ok()?,
            i8::try_from(part("day")).ok()?,
        ))
    };
    debug_assert_eq!(date.descriptor().full_name(), "google.type.Date");
    number().is_some_and(|(year, month, day)| jiff::civil::Date::new(year, month, day).is_ok())
}
