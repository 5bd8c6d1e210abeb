//! Timestamps: now, and as RFC 3339 text.

use std::fmt;
use std::time::SystemTime;

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};

use crate::record::schema::TimeUnit;

/// Microseconds since 1970.
pub(crate) fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Units in a second, and digits after the decimal point.
fn scale(unit: TimeUnit) -> (i64, usize) {
    match unit {
        TimeUnit::Second => (1, 0),
        TimeUnit::Millisecond => (1_000, 3),
        TimeUnit::Microsecond => (1_000_000, 6),
        TimeUnit::Nanosecond => (1_000_000_000, 9),
    }
}

/// Why a text gives no timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeError {
    Syntax,
    Range,
}

/// Reads RFC 3339 text; digits finer than `unit` are cut off.
pub(crate) fn parse(text: &str, unit: TimeUnit) -> Result<i64, TimeError> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| TimeError::Syntax)?;
    match unit {
        TimeUnit::Second => Ok(time.timestamp()),
        TimeUnit::Millisecond => Ok(time.timestamp_millis()),
        TimeUnit::Microsecond => Ok(time.timestamp_micros()),
        TimeUnit::Nanosecond => time.timestamp_nanos_opt().ok_or(TimeError::Range),
    }
}

/// Microseconds since 1970 in `unit`, where they fit.
pub(crate) fn from_micros(micros: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Nanosecond => micros.checked_mul(1_000),
        unit => Some(micros.div_euclid(1_000_000 / scale(unit).0)),
    }
}

/// Writes a timestamp as RFC 3339 text in UTC, with the digits of its unit.
#[derive(Debug)]
pub(crate) struct Rfc3339 {
    time: NaiveDateTime,
    digits: usize,
}

impl Rfc3339 {
    /// `None` outside of the years 0000 to 9999, which RFC 3339 cannot write.
    pub(crate) fn new(value: i64, unit: TimeUnit) -> Option<Self> {
        let (scale, digits) = scale(unit);
        let nanos = u32::try_from(value.rem_euclid(scale) * (1_000_000_000 / scale)).ok()?;
        let time = DateTime::from_timestamp(value.div_euclid(scale), nanos)?.naive_utc();
        (0..=9999).contains(&time.year()).then_some(Self { time, digits })
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, digits } = self;
        let (year, month, day) = (time.year(), time.month(), time.day());
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        write!(f, "T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        match digits {
            3 => write!(f, ".{:03}", time.nanosecond() / 1_000_000)?,
            6 => write!(f, ".{:06}", time.nanosecond() / 1_000)?,
            9 => write!(f, ".{:09}", time.nanosecond())?,
            _ => {}
        }
        f.write_str("Z")
    }
}

#[cfg(test)]
mod tests {
    use super::{Rfc3339, TimeError, from_micros, parse};
    use crate::record::schema::TimeUnit;

    #[test]
    fn text_and_number_are_the_same_time() {
        let text = "2026-11-23T10:15:00.250Z";
        let millis = parse(text, TimeUnit::Millisecond).unwrap();
        assert_eq!(millis, 1_795_428_900_250);
        assert_eq!(Rfc3339::new(millis, TimeUnit::Millisecond).unwrap().to_string(), text);
        assert_eq!(parse("2026-11-23T11:15:00.250999+01:00", TimeUnit::Millisecond), Ok(millis));
        for (unit, text) in [
            (TimeUnit::Second, "1969-12-31T23:59:59Z"),
            (TimeUnit::Microsecond, "0000-01-01T00:00:00.000001Z"),
            (TimeUnit::Nanosecond, "1969-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(Rfc3339::new(parse(text, unit).unwrap(), unit).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        assert_eq!(parse("yesterday", TimeUnit::Second), Err(TimeError::Syntax));
        assert_eq!(parse("2026-11-23 10:15", TimeUnit::Second), Err(TimeError::Syntax));
        assert_eq!(parse("1600-01-01T00:00:00Z", TimeUnit::Nanosecond), Err(TimeError::Range));
        assert!(Rfc3339::new(i64::MAX, TimeUnit::Second).is_none());
        assert!(Rfc3339::new(253_402_300_800, TimeUnit::Second).is_none());
        assert_eq!(from_micros(-1, TimeUnit::Millisecond), Some(-1));
        assert_eq!(from_micros(i64::MAX, TimeUnit::Nanosecond), None);
    }
}
