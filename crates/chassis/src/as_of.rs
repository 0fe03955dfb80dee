//! The two times that a reader asks about.

use crate::{
    call::Call,
    refusal::{Faults, Refusal},
    wire,
};
use contracts::google::r#type as google;
use jiff::{Timestamp, civil::Date};

/// The day that is asked about, and what was known at which instant.
#[derive(Clone, Debug)]
pub struct AsOf {
    /// The day.
    pub day: Date,
    /// What was known then; now when `None`.
    pub read_time: Option<Timestamp>,
}

impl AsOf {
    /// What is known now of `day`.
    pub fn now(day: Date) -> AsOf {
        AsOf { day, read_time: None }
    }

    /// Of a request; today and now when it doesn't say.
    ///
    /// # Errors
    /// A fault of a date or instant that doesn't exist.
    pub fn of(
        call: &Call,
        day: Option<&google::Date>,
        read_time: Option<&prost_types::Timestamp>,
    ) -> Result<AsOf, Refusal> {
        let mut faults = Faults::default();
        let day = faults.take(wire::date("as_of_date", day));
        let read_time = faults.take(wire::instant("read_time", read_time));
        let (day, read_time) = faults.finish(day.zip(read_time))?;
        Ok(AsOf { day: day.unwrap_or_else(|| call.today()), read_time })
    }

    /// The instant as Postgres reads it; `infinity` stands for now, at which exactly the open rows are believed.
    pub fn instant(&self) -> String {
        self.read_time.map_or_else(|| "infinity".to_owned(), |at| at.to_string())
    }

    /// Both, for a page token that belongs to them.
    pub fn key(&self) -> String {
        format!("{} {}", self.day, self.instant())
    }
}
