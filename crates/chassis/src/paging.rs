//! Keyset pages: what a List is asked, and the token of what follows.

use jiff::{SignedDuration, Timestamp};
use kernel::{
    filter::{FieldSpec, FilterError, Op, Predicate, Value},
    order::{self, Order},
    page::{PageKey, page_size},
};
use sqlx::{Postgres, QueryBuilder};

use crate::{
    call::Call,
    context::Context,
    refusal::{FILTER_SYNTAX, PAGE_TOKEN_INVALID, Refusal},
};

/// How long a token is good for.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// One page of a List.
#[derive(Debug)]
pub struct Paging {
    /// Rows wanted.
    pub size: usize,
    /// The key of the last row before; empty at the beginning.
    pub after: Vec<String>,
    key: PageKey,
    asked: Vec<String>,
    expires: Timestamp,
}

impl Paging {
    /// Opens the page that `token` leads to. `asked` is everything that the caller may not change between pages.
    ///
    /// # Errors
    /// A negative size; PAGE_TOKEN_INVALID for a token of another query, a changed or an old one.
    pub fn open(
        context: &Context,
        call: &Call,
        asked: &[&str],
        size: i32,
        token: &str,
    ) -> Result<Paging, Refusal> {
        let size = page_size(size)
            .map_err(|_| Refusal::field("page_size", "NEGATIVE", "不能为负数", "must not be negative"))?;
        let now = crate::clock::recorded_now();
        let bound: Vec<&str> = [call.method()].into_iter().chain(asked.iter().copied()).collect();
        let after = match token {
            "" => Vec::new(),
            token => context
                .pages
                .open(&bound, now, token)
                .map_err(|error| Refusal::new(&PAGE_TOKEN_INVALID).with("cause", error))?,
        };
        Ok(Paging {
            size: size as usize,
            after,
            key: context.pages.clone(),
            asked: bound.into_iter().map(str::to_owned).collect(),
            expires: now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX),
        })
    }

    /// One row more than wanted, to see whether another page follows.
    pub fn limit(&self) -> i64 {
        i64::try_from(self.size).unwrap_or(i64::MAX - 1) + 1
    }

    /// The first part of the key of the last row before.
    pub fn after_first(&self) -> Option<&str> {
        self.after.first().map(String::as_str)
    }

    /// The token of what follows the row with this key.
    pub fn token(&self, key: &[&str]) -> String {
        self.key.seal(&refs(&self.asked), self.expires, key)
    }

    /// Cuts `rows` to the page; the token of the next one, empty when there is none.
    pub fn next<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> Vec<String>) -> String {
        if rows.len() <= self.size {
            return String::new();
        }
        rows.truncate(self.size);
        let last = rows.last().map(key).unwrap_or_default();
        self.token(&refs(&last))
    }
}

fn refs(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

/// The filter of a List.
///
/// # Errors
/// FILTER_SYNTAX with the position.
pub fn filter(text: &str, fields: &[FieldSpec]) -> Result<Predicate, Refusal> {
    kernel::filter::parse(text, fields).map_err(|FilterError { position, expected }| {
        Refusal::new(&FILTER_SYNTAX).with("position", position).with("expected", expected)
    })
}

/// The order of a List.
///
/// # Errors
/// A field fault that names what is allowed.
pub fn order_by(text: &str, allowed: &[&'static str]) -> Result<Order, Refusal> {
    order::parse(text, allowed).map_err(|error| {
        let list = error.allowed.join(", ");
        Refusal::field(
            "order_by",
            "UNKNOWN_FIELD",
            format!("可用：{list}，后可加 asc 或 desc"),
            format!("allowed: {list}, with asc or desc"),
        )
    })
}

/// Appends `predicate` to a statement; columns come from the field list, every value is bound.
pub fn push_predicate(sql: &mut QueryBuilder<Postgres>, predicate: &Predicate) {
    match predicate {
        Predicate::And(all) if all.is_empty() => {
            sql.push("true");
        }
        Predicate::And(all) => push_joined(sql, all, " and "),
        Predicate::Or(any) => push_joined(sql, any, " or "),
        Predicate::Not(inner) => {
            sql.push("not coalesce(");
            push_predicate(sql, inner);
            sql.push(", false)");
        }
        Predicate::Compare { column, op, value } => push_comparison(sql, column, *op, value),
    }
}

fn push_joined(sql: &mut QueryBuilder<Postgres>, several: &[Predicate], with: &str) {
    sql.push("(");
    for (n, each) in several.iter().enumerate() {
        if n > 0 {
            sql.push(with);
        }
        push_predicate(sql, each);
    }
    sql.push(")");
}

fn push_comparison(sql: &mut QueryBuilder<Postgres>, column: &'static str, op: Op, value: &Value) {
    let sign = match op {
        Op::Eq => " = ",
        Op::Ne => " is distinct from ",
        Op::Lt => " < ",
        Op::Le => " <= ",
        Op::Gt => " > ",
        Op::Ge => " >= ",
        Op::Has => " = ",
    };
    match (op, value) {
        (Op::Has, Value::Text(text)) => {
            sql.push("strpos(").push(column).push(", ").push_bind(text.clone()).push(") > 0");
        }
        (_, Value::Text(text)) => {
            sql.push(column).push(sign).push_bind(text.clone());
        }
        (_, Value::Integer(number)) => {
            sql.push(column).push(sign).push_bind(*number);
        }
        (_, Value::Bool(truth)) => {
            sql.push(column).push(sign).push_bind(*truth);
        }
        (_, Value::Date(day)) => {
            sql.push(column).push(sign).push_bind(day.to_string()).push("::date");
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::filter::Kind;

    use super::*;

    #[test]
    fn a_filter_becomes_sql_with_every_value_bound() {
        let fields = [
            FieldSpec { name: "name", column: "c.name", kind: Kind::Text },
            FieldSpec { name: "since", column: "c.since", kind: Kind::Date },
        ];
        let predicate = filter("name:\"'; drop table x\" AND NOT since > 2020-01-01", &fields).unwrap();
        let mut sql = QueryBuilder::new("");
        push_predicate(&mut sql, &predicate);
        assert_eq!(
            sql.sql().as_str(),
            "(strpos(c.name, $1) > 0 and not coalesce(c.since > $2::date, false))"
        );
    }
}
