//! What is to be done on which day.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};

use crate::walk::caller::{Answer, rows};

/// Something that is done on a day; incidents and claims by their codes. In the order in which they are done on one day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A campaign starts.
    Start(usize),
    /// What was put up and asked is recorded, and the campaign completed.
    Record(usize),
    /// Something happens, is reported and verified.
    Incident(String),
    /// The money of a batch of claims is there.
    Pay(Vec<String>),
    Confirm(String),
    Close(String),
    Accept(String),
    Survey(String),
    Assess(String),
    Adjudicate(String),
    Appeal(String),
    Publish(String),
    Object(String),
    Report(String),
    /// Families without a claim are looked for.
    Unclaimed,
}

/// The days to come.
pub(super) struct Agenda {
    days: BTreeMap<String, Vec<Step>>,
    working: Vec<String>,
    today: String,
}

impl Agenda {
    pub(super) fn read() -> Answer<Agenda> {
        let working = |kind: &str| kind == "WORK" || kind == "MAKE_UP_WORK";
        let days = rows("calendar.csv")?.into_iter().filter(|row| working(&row["kind"]));
        let mut working: Vec<String> = days.map(|row| row["date"].clone()).collect();
        working.sort();
        Ok(Agenda { days: BTreeMap::new(), working, today: String::new() })
    }

    /// Something on a day.
    pub(super) fn on(&mut self, day: &str, step: Step) {
        self.days.entry(day.to_owned()).or_default().push(step);
    }

    /// Something on the next working day.
    pub(super) fn then(&mut self, step: Step) -> Answer<()> {
        let next = self.working.iter().find(|day| **day > self.today);
        let next = next.ok_or("the calendar is at its end")?.clone();
        self.on(&next, step);
        Ok(())
    }

    /// A payment: insurers pay on Fridays, or the first working day after, all that is due by then.
    pub(super) fn pay_after(&mut self, day: Date, code: &str) -> Answer<()> {
        let friday = day.nth_weekday(1, Weekday::Friday)?.to_string();
        let payday = self.working.iter().find(|day| **day >= friday).ok_or("the calendar is at its end")?;
        let steps = self.days.entry(payday.clone()).or_default();
        let batch = steps.iter_mut().find_map(|step| match step {
            Step::Pay(codes) => Some(codes),
            _ => None,
        });
        match batch {
            Some(codes) => codes.push(code.to_owned()),
            None => steps.push(Step::Pay(vec![code.to_owned()])),
        }
        Ok(())
    }

    /// The next thing to do, with its day.
    pub(super) fn next(&mut self) -> Option<(String, Step)> {
        loop {
            let mut entry = self.days.first_entry()?;
            let steps = entry.get_mut();
            steps.sort();
            if !steps.is_empty() {
                self.today.clone_from(entry.key());
                return Some((self.today.clone(), entry.get_mut().remove(0)));
            }
            entry.remove();
        }
    }
}
