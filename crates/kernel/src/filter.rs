//! A subset of AIP-160 filters, parsed and typed; SQL is made of it with every value bound.
//!
//! Supported: `field = value`, `!= < <= > >=`, `:` (text contains, enum or text equals a word), `AND`, `OR`, `NOT`,
//! `-`, parentheses, juxtaposition as AND. As AIP-160 has it, OR binds tighter than AND. Values: words, quoted
//! strings with `\"` and `\\`, integers, dates `2020-01-31`, `true`, `false`, names of enums. A date with a
//! time is no date; U+0000 stands nowhere, because the text of Postgres can't hold it.

use jiff::civil::Date;

/// Bytes of a filter at most.
pub const MAX_LENGTH: usize = 4_096;
const MAX_DEPTH: usize = 32;
const MAX_COMPARISONS: usize = 64;

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A civil date.
    Date,
    /// True or false.
    Bool,
    /// One of these names.
    Enum(&'static [&'static str]),
    /// A name `towns/{town}/{collection}/{id}`; the column holds the id alone, so that an index serves it.
    Name {
        /// `blocks`
        collection: &'static str,
        /// The SQL expression for the town.
        town: &'static str,
    },
}

/// A field that may be asked about.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Its name in the contract.
    pub name: &'static str,
    /// The SQL expression for it.
    pub column: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `:`
    Has,
}

/// A value, typed by its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, also the name of an enum value.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A civil date.
    Date(Date),
    /// True or false.
    Bool(bool),
}

/// A filter that is ready to become SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// All of them; of none: everything.
    And(Vec<Predicate>),
    /// One of them.
    Or(Vec<Predicate>),
    /// Not that.
    Not(Box<Predicate>),
    /// A column compared with a value.
    Compare {
        /// The SQL expression, from the field list.
        column: &'static str,
        /// How.
        op: Op,
        /// With what.
        value: Value,
    },
}

/// A filter that can't be understood: where, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: expected {expected}")]
pub struct FilterError {
    /// The character, counted from 1.
    pub position: usize,
    /// What should stand there.
    pub expected: String,
}

/// Parses `text` against `fields`.
///
/// # Errors
/// At the first place that can't be understood.
pub fn parse(text: &str, fields: &[FieldSpec]) -> Result<Predicate, FilterError> {
    if text.len() > MAX_LENGTH {
        return Err(FilterError { position: 1, expected: format!("at most {MAX_LENGTH} bytes") });
    }
    if let Some(at) = text.chars().position(|c| c == '\0') {
        return Err(FilterError { position: at + 1, expected: "text without U+0000".to_owned() });
    }
    let mut parser = Parser { chars: text.chars().collect(), at: 0, fields, depth: 0, comparisons: 0 };
    parser.space();
    if parser.peek().is_none() {
        return Ok(Predicate::And(Vec::new()));
    }
    let predicate = parser.expression()?;
    match parser.peek() {
        None => Ok(predicate),
        Some(_) => Err(parser.expected("AND, OR or the end")),
    }
}

struct Parser<'f> {
    chars: Vec<char>,
    at: usize,
    fields: &'f [FieldSpec],
    depth: usize,
    comparisons: usize,
}

impl Parser<'_> {
    fn expected(&self, what: impl Into<String>) -> FilterError {
        FilterError { position: self.at + 1, expected: what.into() }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Takes a keyword that stands alone.
    fn keyword(&mut self, word: &str) -> bool {
        let end = self.at + word.len();
        let here = self.chars.get(self.at..end).is_some_and(|c| c.iter().copied().eq(word.chars()));
        let alone = self.chars.get(end).is_none_or(|c| c.is_whitespace() || *c == '(');
        if here && alone {
            self.at = end;
            self.space();
        }
        here && alone
    }

    /// expression = sequence { AND sequence }
    fn expression(&mut self) -> Result<Predicate, FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.expected(format!("at most {MAX_DEPTH} levels of parentheses")));
        }
        let mut all = vec![self.factor()?];
        while self.peek().is_some_and(|c| c != ')') {
            let _ = self.keyword("AND"); // or juxtaposition
            all.push(self.factor()?);
        }
        self.depth -= 1;
        Ok(one_or(all, Predicate::And))
    }

    /// factor = term { OR term }
    fn factor(&mut self) -> Result<Predicate, FilterError> {
        let mut any = vec![self.term()?];
        while self.keyword("OR") {
            any.push(self.term()?);
        }
        Ok(one_or(any, Predicate::Or))
    }

    /// term = [NOT | -] ( "(" expression ")" | comparison )
    fn term(&mut self) -> Result<Predicate, FilterError> {
        let negated = self.keyword("NOT") || self.take('-');
        let inner = if self.take('(') {
            self.space();
            let inner = self.expression()?;
            if !self.take(')') {
                return Err(self.expected(")"));
            }
            self.space();
            inner
        } else {
            self.comparison()?
        };
        Ok(if negated { Predicate::Not(Box::new(inner)) } else { inner })
    }

    fn take(&mut self, c: char) -> bool {
        let here = self.peek() == Some(c);
        if here {
            self.at += 1;
        }
        here
    }

    fn comparison(&mut self) -> Result<Predicate, FilterError> {
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return Err(self.expected(format!("at most {MAX_COMPARISONS} comparisons")));
        }
        let start = self.at;
        let name = self.word(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        let Some(field) = self.fields.iter().find(|field| field.name == name) else {
            self.at = start;
            let names: Vec<&str> = self.fields.iter().map(|field| field.name).collect();
            return Err(self.expected(format!("one of the fields {}", names.join(", "))));
        };
        self.space();
        let op = self.op()?;
        self.space();
        let start = self.at;
        let text = self.value()?;
        let end = std::mem::replace(&mut self.at, start);
        let predicate = match field.kind {
            Kind::Name { collection, town } => self.named(field.column, (collection, town), op, &text)?,
            _ => Predicate::Compare { column: field.column, op, value: self.typed(field, op, &text)? },
        };
        self.at = end;
        self.space();
        Ok(predicate)
    }

    /// A name as its two parts.
    fn named(
        &self,
        column: &'static str,
        (collection, town_column): (&'static str, &'static str),
        op: Op,
        text: &str,
    ) -> Result<Predicate, FilterError> {
        let parts: Vec<&str> = text.split('/').collect();
        let ["towns", town, kind, id] = parts[..] else {
            return Err(self.expected(format!("a name like towns/{{town}}/{collection}/{{id}}")));
        };
        if kind != collection {
            return Err(self.expected(format!("a name like towns/{{town}}/{collection}/{{id}}")));
        }
        let equal = |column, text: &str| Predicate::Compare {
            column,
            op: Op::Eq,
            value: Value::Text(text.to_owned()),
        };
        let both = Predicate::And(vec![equal(town_column, town), equal(column, id)]);
        match op {
            Op::Eq | Op::Has => Ok(both),
            Op::Ne => Ok(Predicate::Not(Box::new(both))),
            Op::Lt | Op::Le | Op::Gt | Op::Ge => Err(self.expected("= or != for a name")),
        }
    }

    fn op(&mut self) -> Result<Op, FilterError> {
        for (text, op) in [
            ("!=", Op::Ne),
            ("<=", Op::Le),
            (">=", Op::Ge),
            ("=", Op::Eq),
            ("<", Op::Lt),
            (">", Op::Gt),
            (":", Op::Has),
        ] {
            if self.chars[self.at..].iter().take(text.len()).copied().eq(text.chars()) {
                self.at += text.len();
                return Ok(op);
            }
        }
        Err(self.expected("one of = != < <= > >= :"))
    }

    fn word(&mut self, good: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&good) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn value(&mut self) -> Result<String, FilterError> {
        if !self.take('"') {
            let word = self.word(|c| !c.is_whitespace() && !"()\"".contains(c));
            return if word.is_empty() { Err(self.expected("a value")) } else { Ok(word) };
        }
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.expected("a closing quotation mark")),
                Some('"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some('\\') => {
                    self.at += 1;
                    let c = self
                        .peek()
                        .filter(|c| "\\\"".contains(*c))
                        .ok_or_else(|| self.expected("\\ or \" after \\"))?;
                    text.push(c);
                }
                Some(c) => text.push(c),
            }
            self.at += 1;
        }
    }

    fn typed(&self, field: &FieldSpec, op: Op, text: &str) -> Result<Value, FilterError> {
        let ordered = matches!(op, Op::Lt | Op::Le | Op::Gt | Op::Ge);
        match field.kind {
            Kind::Text | Kind::Name { .. } => Ok(Value::Text(text.to_owned())),
            Kind::Integer => text.parse().map(Value::Integer).map_err(|_| self.expected("a whole number")),
            Kind::Date => {
                civil_date(text).map(Value::Date).ok_or_else(|| self.expected("a date like 2020-01-31"))
            }
            Kind::Bool if ordered => Err(self.expected("= or != for a boolean")),
            Kind::Bool => text.parse().map(Value::Bool).map_err(|_| self.expected("true or false")),
            Kind::Enum(_) if ordered => Err(self.expected("= or != for an enum")),
            Kind::Enum(names) if names.contains(&text) => Ok(Value::Text(text.to_owned())),
            Kind::Enum(names) => Err(self.expected(format!("one of {}", names.join(", ")))),
        }
    }
}

/// A day written `YYYY-MM-DD`, of the years 0001 to 9999. Other ISO forms, which drop a time or take a year that a
/// database doesn't have, are refused.
fn civil_date(text: &str) -> Option<Date> {
    let written = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    let day: Date = text.parse().ok().filter(|_| written)?;
    (day.year() > 0).then_some(day)
}

fn one_or(mut several: Vec<Predicate>, join: fn(Vec<Predicate>) -> Predicate) -> Predicate {
    if several.len() == 1 { several.remove(0) } else { join(several) }
}

#[cfg(test)]
mod tests;
