//! The insurance of 2020, walked: signed, publicised, what happened reported and verified, each claim from the report to the payment.

mod agenda;
mod claims;
mod decisions;
mod documents;
mod ending;
mod incidents;
mod outreach;
mod payments;
mod schemes;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::agenda::{Agenda, Step};
use super::{
    Walk,
    caller::{Answer, Caller, Row, list, rows},
    files::Files,
};
use crate::Done;

/// A claim of the file, as far as it has come.
pub(super) struct Case {
    row: Row,
    /// `towns/malu/claims/…`.
    name: String,
    number: String,
    committee: String,
    /// Ids of the insurers whose policies it meets.
    insurers: Vec<String>,
}

/// The year, as far as it has come.
struct Year<'a> {
    walk: &'a Walk,
    files: Files,
    incidents: BTreeMap<String, Row>,
    claims: BTreeMap<String, Row>,
    /// What each incident is called, by its code.
    known: BTreeMap<String, Value>,
    /// The claims that were stored, by their codes.
    cases: BTreeMap<String, Case>,
    campaigns: outreach::Campaigns,
    /// Files of payments, and their lines.
    paid: (usize, usize),
}

pub(super) async fn walk(walk: &Walk) -> Done {
    schemes::walk(walk).await?;
    let mut year = Year::new(walk)?;
    let mut agenda = year.agenda()?;
    let mut today = String::new();
    while let Some((day, step)) = agenda.next() {
        if day != today {
            walk.command(&["clock", "set", &day])?;
            today = day;
        }
        year.step(&mut agenda, &today, step).await?;
    }
    ending::walk(&year).await
}

impl<'a> Year<'a> {
    fn new(walk: &'a Walk) -> Answer<Year<'a>> {
        let by_code = |file: &str| -> Answer<BTreeMap<String, Row>> {
            Ok(rows(file)?.into_iter().map(|row| (row["code"].clone(), row)).collect())
        };
        Ok(Year {
            walk,
            files: Files::read()?,
            incidents: by_code("insurance/incidents.csv")?,
            claims: by_code("insurance/claims.csv")?,
            known: BTreeMap::new(),
            cases: BTreeMap::new(),
            campaigns: outreach::Campaigns::read()?,
            paid: (0, 0),
        })
    }

    /// What the files say of the year's days.
    fn agenda(&self) -> Answer<Agenda> {
        let mut agenda = Agenda::read()?;
        for (code, row) in &self.incidents {
            agenda.on(&row["happened_on"], Step::Incident(code.clone()));
        }
        for (code, row) in &self.claims {
            agenda.on(&row["reported_on"], Step::Report(code.clone()));
        }
        for (n, (start, record)) in self.campaigns.days()?.into_iter().enumerate() {
            agenda.on(&start, Step::Start(n));
            agenda.on(&record, Step::Record(n));
        }
        agenda.on(incidents::LOOKED_AT, Step::Unclaimed);
        Ok(agenda)
    }

    async fn step(&mut self, agenda: &mut Agenda, today: &str, step: Step) -> Done {
        match step {
            Step::Start(n) => self.campaigns.start(self.walk, n).await,
            Step::Record(n) => self.campaigns.record(self.walk, n).await,
            Step::Incident(code) => self.incident(&code).await,
            Step::Unclaimed => self.visit(today).await,
            Step::Report(code) => self.report(agenda, &code).await,
            Step::Accept(code) => self.accept(agenda, &code).await,
            Step::Survey(code) => self.survey(agenda, &code).await,
            Step::Assess(code) => self.assess(agenda, &code).await,
            Step::Adjudicate(code) => self.adjudicate(agenda, &code).await,
            Step::Appeal(code) => self.appeal(agenda, &code).await,
            Step::Publish(code) => self.publish(agenda, &code).await,
            Step::Object(code) => self.object(&code).await,
            Step::Pay(codes) => self.pay(agenda, today, codes).await,
            Step::Confirm(code) => self.confirm(agenda, &code).await,
            Step::Close(code) => self.close(&code).await,
        }
    }

    fn case(&self, code: &str) -> Answer<&Case> {
        self.cases.get(code).ok_or_else(|| format!("{code} is no claim that was stored").into())
    }

    fn officer(&self, n: u8) -> Answer<Caller<'a>> {
        Caller::new(self.walk, "town-officer", &format!("town-officer-{n}"), None)
    }

    /// An officer of the committee of a claim.
    fn committee(&self, case: &Case, person: &str) -> Answer<Caller<'a>> {
        Caller::new(self.walk, "committee-officer", person, Some(&case.committee))
    }

    /// Somebody of an insurer.
    fn adjuster(&self, insurer: &str, n: u8) -> Answer<Caller<'a>> {
        let person = format!("{insurer}-adjuster-{n}");
        Caller::new(self.walk, "adjuster", &person, Some(&format!("organisation:{insurer}")))
    }

    /// Who surveys, assesses and decides: an adjuster of an insurer that the claim meets; where it meets none, the town.
    fn handler(&self, case: &Case, n: u8) -> Answer<Caller<'a>> {
        match case.insurers.first() {
            Some(insurer) => self.adjuster(insurer, n),
            None => self.officer(n + 2),
        }
    }

    /// A claim as the town sees it.
    async fn read(&self, code: &str) -> Answer<Value> {
        self.officer(1)?.get(&format!("/v1/{}", self.case(code)?.name)).await
    }
}

/// The last part of a name.
fn id(name: &Value) -> &str {
    name.as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_default()
}

/// The ids of a list of names.
fn ids(value: &Value, field: &str) -> Vec<String> {
    list(value, field).iter().map(|name| id(name).to_owned()).collect()
}

/// An enum of the wire without its prefix.
fn short<'v>(value: &'v Value, prefix: &str) -> &'v str {
    value.as_str().unwrap_or_default().trim_start_matches(prefix)
}

fn state(claim: &Value) -> &str {
    short(&claim["state"], "CLAIM_STATE_")
}

/// Where somebody is paid.
fn payee() -> Value {
    json!({"displayName": "示例收款人", "bank": "示例银行", "accountNumber": "6200000000000000"})
}
