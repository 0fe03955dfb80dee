//! The two clocks. Business time (is a term over, what day is it) is handed to services and can be set in
//! development; recorded time is always the real clock.

use std::{
    fs, io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};

/// Business time: the real clock plus an offset that only development changes.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    offset_ms: AtomicI64,
    file: Option<PathBuf>,
}

/// The zone of all civil arithmetic.
pub fn shanghai() -> TimeZone {
    // China has kept UTC+8 without summer time since 1991; should the zone database be missing, the offset serves.
    TimeZone::get("Asia/Shanghai").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(8)))
}

/// The real clock.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the real clock")]
pub fn recorded_now() -> Timestamp {
    Timestamp::now()
}

impl Clock {
    /// The real clock.
    pub fn real() -> Clock {
        Clock::default()
    }

    /// A clock whose offset is kept in `file`, so that a restart goes on where it was.
    pub fn kept_in(file: PathBuf) -> Clock {
        let offset = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        Clock(Arc::new(Inner { offset_ms: AtomicI64::new(offset), file: Some(file) }))
    }

    /// A clock that begins at noon of `date`, for tests.
    pub fn starting(date: Date) -> Clock {
        let clock = Clock::default();
        clock.0.offset_ms.store(offset_to(date), Ordering::Relaxed);
        clock
    }

    /// Business time now.
    pub fn now(&self) -> Timestamp {
        let offset = jiff::SignedDuration::from_millis(self.0.offset_ms.load(Ordering::Relaxed));
        recorded_now().saturating_add(offset).unwrap_or(Timestamp::MAX)
    }

    /// The business day in Asia/Shanghai.
    pub fn today(&self) -> Date {
        Zoned::new(self.now(), shanghai()).date()
    }

    /// Sets business time to noon of `date`. For development.
    ///
    /// # Errors
    /// When the offset can't be kept.
    pub fn set(&self, date: Date) -> io::Result<()> {
        let offset = offset_to(date);
        if let Some(file) = &self.0.file {
            fs::write(file, offset.to_string())?;
        }
        self.0.offset_ms.store(offset, Ordering::Relaxed);
        Ok(())
    }
}

fn offset_to(date: Date) -> i64 {
    let noon =
        date.at(12, 0, 0, 0).to_zoned(shanghai()).map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp());
    noon.as_millisecond() - recorded_now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_stays_set_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("clock");
        let date = jiff::civil::date(2020, 6, 1);
        Clock::kept_in(file.clone()).set(date).unwrap();
        assert_eq!(Clock::kept_in(file).today(), date);
    }
}
