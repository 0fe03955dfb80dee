//! JSON that is taken as it is meant: no key twice, no depth without end, no field that the contract doesn't know.

use std::{collections::HashSet, fmt};

use chassis::refusal::{FieldFault, INVALID_ENCODING, Refusal};
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Levels of objects and lists at most.
const DEPTH: usize = 64;

/// Reads a message.
pub(super) fn read(
    descriptor: MessageDescriptor,
    bytes: &[u8],
    field: &str,
) -> Result<DynamicMessage, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Refusal::new(&INVALID_ENCODING).with("cause", format!("not UTF-8 at byte {}", error.valid_up_to()))
    })?;
    let mut strict = serde_json::Deserializer::from_str(text);
    Strict(DEPTH)
        .deserialize(&mut strict)
        .and_then(|()| strict.end())
        .map_err(|error| refusal(field, &error))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(descriptor, &mut reader, &options)
        .map_err(|error| refusal(field, &error))
}

/// Where and what, without the value: it may be personal.
fn refusal(field: &str, error: &serde_json::Error) -> Refusal {
    let what = scrub(&error.to_string());
    let place = if field.is_empty() { "body" } else { field };
    Refusal::fields(vec![FieldFault::new(place, "JSON", format!("JSON 有误：{what}"), what)])
}

/// What stands in quotation marks (`invalid type: string "…"`) came from the caller. What stands between backticks or
/// apostrophes is a name of ours, a key that we don't know, or a value (``integer `3101…` ``): repeated when it reads like a
/// field. Our own words are ASCII.
fn scrub(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '`', '\'']) {
        let (before, quoted) = rest.split_at(at);
        let mark = &quoted[..1];
        let (inside, after) = quoted[1..].split_once(mark).unwrap_or((&quoted[1..], ""));
        out.push_str(before);
        out.push_str(if mark != "\"" && kernel::text::is_field_path(inside) { inside } else { "…" });
        rest = after;
    }
    out.push_str(rest);
    let ours = out.chars().filter(|c| c.is_ascii() || *c == '…').take(300).collect::<String>();
    kernel::ids::without_numbers(&ours).into_owned()
}

/// Walks a value and keeps nothing of it.
#[derive(Clone, Copy)]
struct Strict(usize);

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Strict, E> {
        self.0.checked_sub(1).map(Strict).ok_or_else(|| E::custom(format_args!("more than {DEPTH} levels")))
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let (inner, mut keys) = (self.deeper()?, HashSet::new());
        while let Some(key) = object.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("the key `{key}` stands there twice")));
            }
            object.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(text: &str) -> Result<(), String> {
        let mut reader = serde_json::Deserializer::from_str(text);
        Strict(DEPTH).deserialize(&mut reader).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_stand_once_and_depth_has_an_end() {
        assert!(walk(r#"{"a": [1, "x", null, {"a": 1.5}]}"#).is_ok());
        assert!(walk(r#"{"a": {"b": 1, "b": 2}}"#).unwrap_err().contains("`b` stands there twice"));
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(walk(&deep).unwrap_err().contains("levels"));
    }

    #[test]
    fn what_the_caller_wrote_is_not_repeated() {
        assert_eq!(
            scrub(r#"invalid type: string "310199…", expected i32"#),
            "invalid type: string …, expected i32"
        );
        for (said, told) in [
            (
                "invalid type: integer `310199195112050137`, expected a string",
                "invalid type: integer …, expected a string",
            ),
            ("unrecognized field name '钱甲子' at line 1", "unrecognized field name … at line 1"),
            ("unrecognized field name 'favourite' at line 1", "unrecognized field name favourite at line 1"),
            ("unrecognized enum value '钱'甲子' at", "unrecognized enum value … at"),
            ("a key `open", "a key …"),
        ] {
            let found = scrub(said);
            assert!(found == told || !found.contains(['钱', '甲', '3']), "{said}: {found}");
        }
    }
}
