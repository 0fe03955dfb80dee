//! Somebody who calls: a stand-in of the demonstration, with a token.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};

use crate::walk::{Walk, demo};

pub(super) type Answer<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A stand-in with a role.
pub(super) struct Caller<'a> {
    walk: &'a Walk,
    token: String,
}

impl<'a> Caller<'a> {
    /// `person` as `role`, in the town or in a committee.
    pub(super) fn new(walk: &'a Walk, role: &str, person: &str, area: Option<&str>) -> Answer<Caller<'a>> {
        let mut arguments = vec!["token", "--as", role, "--person", person];
        arguments.extend(area.iter().flat_map(|area| ["--area", area]));
        Ok(Caller { walk, token: walk.token(&arguments)? })
    }

    /// The answer to a POST with a request id, or the reason of the refusal.
    pub(super) async fn post(&self, path: &str, mut body: Value) -> Answer<Result<Value, String>> {
        body["requestId"] = json!(uuid());
        self.ask(path, body).await
    }

    /// The same for what changes nothing.
    pub(super) async fn ask(&self, path: &str, body: Value) -> Answer<Result<Value, String>> {
        let (status, answer) = self.walk.send("POST", path, &self.token, Some(&body)).await?;
        Ok(if status == 200 { Ok(answer) } else { Err(reason(&answer)) })
    }

    /// The same where the body is the resource, and the request id stands in the query.
    pub(super) async fn create(&self, path: &str, body: &Value) -> Answer<Result<Value, String>> {
        self.put("POST", path, body).await
    }

    /// The same for a resource that is there.
    pub(super) async fn update(&self, path: &str, body: &Value) -> Answer<Result<Value, String>> {
        self.put("PATCH", path, body).await
    }

    async fn put(&self, method: &str, path: &str, body: &Value) -> Answer<Result<Value, String>> {
        let path = format!("{path}{}request_id={}", if path.contains('?') { '&' } else { '?' }, uuid());
        let (status, answer) = self.walk.send(method, &path, &self.token, Some(body)).await?;
        Ok(if status == 200 { Ok(answer) } else { Err(reason(&answer)) })
    }

    /// A verb on a resource as it is now.
    pub(super) async fn act(&self, name: &str, verb: &str, mut more: Value) -> Answer<Result<Value, String>> {
        more["etag"] = self.get(&format!("/v1/{name}")).await?["etag"].clone();
        self.post(&format!("/v1/{name}:{verb}"), more).await
    }

    /// The same, when it must work.
    pub(super) async fn does(&self, name: &str, verb: &str, more: Value) -> Answer<Value> {
        self.act(name, verb, more).await?.map_err(|reason| format!("{verb} {name}: {reason}").into())
    }

    pub(super) async fn get(&self, path: &str) -> Answer<Value> {
        let (status, answer) = self.walk.send("GET", path, &self.token, None).await?;
        if status == 200 { Ok(answer) } else { Err(format!("GET {path}: {status} {answer}").into()) }
    }

    /// The reason for which a GET is refused, when it is.
    pub(super) async fn refused(&self, path: &str) -> Answer<Option<String>> {
        let (status, answer) = self.walk.send("GET", path, &self.token, None).await?;
        Ok((status != 200).then(|| reason(&answer)))
    }

    /// Waits until an operation has ended.
    pub(super) async fn wait(&self, operation: &Value) -> Answer<Value> {
        let name = operation.as_str().or_else(|| operation["name"].as_str()).unwrap_or_default();
        loop {
            let answer = self.get(&format!("/v1/{name}:wait?timeout=10s")).await?;
            match (answer["done"].as_bool(), answer.get("error")) {
                (_, Some(error)) if !error.is_null() => return Err(format!("{name}: {error}").into()),
                (Some(true), _) => return Ok(answer),
                _ => {}
            }
        }
    }
}

/// The reason of a refusal.
fn reason(answer: &Value) -> String {
    let details = answer["error"]["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    let info = details.iter().find_map(|detail| detail["reason"].as_str());
    match info {
        // what the walk did wrong itself
        None | Some("BAD_REQUEST") => answer.to_string(),
        Some(reason) => reason.to_owned(),
    }
}

fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// An amount as the files write it, as the wire does. What isn't a number of yuan with decimals is a fault of the file.
pub(super) fn money(text: &str) -> Answer<Value> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (units, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let nanos: i64 = format!("{decimals:0<9}").parse()?;
    let units: i64 = units.parse()?;
    Ok(json!({"currencyCode": "CNY", "units": (sign * units).to_string(), "nanos": sign * nanos}))
}

/// An amount of the wire in fen.
pub(super) fn fen(money: &Value) -> i64 {
    let units: i64 = money["units"].as_str().and_then(|units| units.parse().ok()).unwrap_or(0);
    units * 100 + money["nanos"].as_i64().unwrap_or(0) / 10_000_000
}

/// Fen as the files write an amount.
pub(super) fn shown(fen: i64) -> String {
    format!("{}{}.{:02}", if fen < 0 { "-" } else { "" }, fen.abs() / 100, fen.abs() % 100)
}

/// An amount of the wire, as the files write it.
pub(super) fn yuan(money: &Value) -> String {
    shown(fen(money))
}

/// A date of the wire.
pub(super) fn day(date: &Value) -> Answer<jiff::civil::Date> {
    let part = |name: &str| date[name].as_i64().unwrap_or_default();
    Ok(format!("{:04}-{:02}-{:02}", part("year"), part("month"), part("day")).parse()?)
}

/// A date as the files write it, as the wire does.
pub(super) fn date(text: &str) -> Answer<Value> {
    let day: jiff::civil::Date = text.parse()?;
    Ok(json!({"year": day.year(), "month": day.month(), "day": day.day()}))
}

/// A row of a file, by its columns.
pub(super) type Row = BTreeMap<String, String>;

/// The rows of a file of the demonstration: `funding/expenses.csv`.
pub(super) fn rows(file: &str) -> Answer<Vec<Row>> {
    let path = demo().join(file);
    let mut reader = csv::Reader::from_path(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let rows = reader.deserialize().collect::<Result<_, csv::Error>>();
    rows.map_err(|error| format!("{}: {error}", path.display()).into())
}

/// A JSON file of it.
pub(super) fn document(file: impl AsRef<Path>) -> Answer<Value> {
    Ok(serde_json::from_str(&std::fs::read_to_string(demo().join(file))?)?)
}

/// A text or number of an answer, as people read it.
pub(super) fn told(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The items of a list.
pub(super) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map(Vec::as_slice).unwrap_or_default()
}
