//! `order_by` (AIP-132): fields of a list, each ascending or descending.

/// A field to order by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The field.
    pub field: &'static str,
    /// Whether from the greatest to the least.
    pub descending: bool,
}

/// An order that can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("order_by: {text:?} is not one of {} with asc or desc", allowed.join(", "))]
pub struct OrderError {
    /// The part in question.
    pub text: String,
    /// The fields that may be ordered by.
    pub allowed: Vec<&'static str>,
}

/// Reads `text`, one field of `allowed`; the first of them, ascending, when empty. One field is enough for a keyset
/// page, whose second key is always the name.
///
/// # Errors
/// For another field, a word that is neither `asc` nor `desc`, or several fields.
pub fn parse(text: &str, allowed: &[&'static str]) -> Result<Order, OrderError> {
    let error = || OrderError { text: text.to_owned(), allowed: allowed.to_vec() };
    let mut words = text.split_whitespace();
    let name = words.next();
    let field = match name {
        None => allowed.first(),
        Some(name) => allowed.iter().find(|field| **field == name),
    };
    let descending = match words.next() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(error()),
    };
    match (field, words.next()) {
        (Some(field), None) => Ok(Order { field, descending }),
        _ => Err(error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_and_a_direction() {
        let allowed = ["name", "since"];
        assert_eq!(parse("", &allowed), Ok(Order { field: "name", descending: false }));
        assert_eq!(parse("since desc", &allowed), Ok(Order { field: "since", descending: true }));
        for bad in ["colour", "name up", "name, since", "name desc x"] {
            assert!(parse(bad, &allowed).is_err(), "{bad}");
        }
    }
}
