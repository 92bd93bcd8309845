//! Dates and times as they are written, read once.
//!
//! A time without offset is Swedish time. Where the clocks go forward such a time may not exist, and where they go back
//! it may exist twice; both are refused rather than guessed.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};

/// The time zone of every time that is written without one.
pub const STOCKHOLM: &str = "Europe/Stockholm";

/// Why a text is no date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not the written form, or no day or time of the calendar.
    #[error("not a date or time")]
    Form,
    /// The clock was put forward over this time.
    #[error("a time that does not exist")]
    Gap,
    /// The clock was put back over this time.
    #[error("a time that exists twice")]
    Ambiguous,
}

fn stockholm() -> TimeZone {
    thread_local! {
        static ZONE: TimeZone = TimeZone::get(STOCKHOLM).unwrap_or(TimeZone::UTC);
    }
    ZONE.with(Clone::clone)
}

/// Reads `YYYY-MM-DD`, with or without a zone (`2016-11-18+01:00`, as XML Schema allows); the zone is dropped.
///
/// # Errors
/// [`TimeError::Form`] for any other form and for days that do not exist.
pub fn calendar_date(text: &str) -> Result<Date, TimeError> {
    let (day, zone) = text.split_at_checked(10).ok_or(TimeError::Form)?;
    let digits = |from: usize, to: usize| -> Option<i16> {
        let part = day.get(from..to)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let dashes = day.get(4..5) == Some("-") && day.get(7..8) == Some("-");
    let (Some(year), Some(month), Some(dom), true) = (digits(0, 4), digits(5, 7), digits(8, 10), dashes) else {
        return Err(TimeError::Form);
    };
    if year == 0 || !(zone.is_empty() || is_zone(zone)) {
        return Err(TimeError::Form);
    }
    let (month, dom) = (i8::try_from(month).unwrap_or(0), i8::try_from(dom).unwrap_or(0));
    Date::new(year, month, dom).map_err(|_| TimeError::Form)
}

/// `Z`, or `+hh:mm` up to 14:00 as in XML Schema.
fn is_zone(zone: &str) -> bool {
    if zone == "Z" {
        return true;
    }
    let bytes = zone.as_bytes();
    let number = |from: usize, to: usize| -> Option<u8> {
        let part = zone.get(from..to)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    matches!(bytes.first(), Some(b'+' | b'-'))
        && bytes.get(3) == Some(&b':')
        && bytes.len() == 6
        && matches!((number(1, 3), number(4, 6)), (Some(hours), Some(minutes)) if hours < 14 && minutes < 60 || (hours, minutes) == (14, 0))
}

/// Reads `YYYY-MM-DDTHH:MM:SS[.fraction][offset]`; without an offset it is Swedish time.
///
/// # Errors
/// [`TimeError`] tells a wrong form from a time that the clocks skipped or had twice.
pub fn activity_instant(text: &str) -> Result<Timestamp, TimeError> {
    let (day, rest) = text.split_at_checked(10).ok_or(TimeError::Form)?;
    let date = calendar_date(day)?;
    let rest = rest.strip_prefix('T').ok_or(TimeError::Form)?;
    let end = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(end).ok_or(TimeError::Form)?;
    let time = clock_time(clock).ok_or(TimeError::Form)?;
    let civil = DateTime::from_parts(date, time);
    if zone.is_empty() {
        let ambiguous = stockholm().to_ambiguous_zoned(civil);
        return match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => ambiguous.compatible().map(|z| z.timestamp()).map_err(|_| TimeError::Form),
            AmbiguousOffset::Gap { .. } => Err(TimeError::Gap),
            AmbiguousOffset::Fold { .. } => Err(TimeError::Ambiguous),
        };
    }
    if !is_zone(zone) {
        return Err(TimeError::Form);
    }
    text.parse().map_err(|_| TimeError::Form)
}

/// `HH:MM:SS` with at most nine decimals; neither 24:00 nor a leap second.
fn clock_time(text: &str) -> Option<jiff::civil::Time> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    if fraction.is_some_and(|f| f.is_empty() || f.len() > 9 || !f.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let bytes = whole.as_bytes();
    if bytes.len() != 8 || bytes.get(2) != Some(&b':') || bytes.get(5) != Some(&b':') {
        return None;
    }
    let part = |from: usize| -> Option<i8> {
        let part = whole.get(from..from + 2)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    jiff::civil::Time::new(part(0)?, part(3)?, part(6)?, 0).ok()
}

/// The Swedish day on which an instant falls.
#[must_use]
pub fn date_of(instant: Timestamp) -> Date {
    Zoned::new(instant, stockholm()).date()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{TimeError, activity_instant, calendar_date, date_of};

    #[test]
    fn dates_are_read_with_and_without_a_zone() {
        assert_eq!(calendar_date("2016-11-18"), Ok(date(2016, 11, 18)));
        assert_eq!(calendar_date("2016-11-18+01:00"), Ok(date(2016, 11, 18)));
        for bad in ["2016-02-30", "2016-2-3", "16-11-18", "2016-11-18+15:00", "2016-11-18 ", "0000-01-01", "2016-11-1８", ""] {
            assert_eq!(calendar_date(bad), Err(TimeError::Form), "{bad}");
        }
    }

    #[test]
    fn a_time_without_offset_is_swedish_and_never_guessed() {
        let summer = activity_instant("2026-07-01T08:00:00").expect("a time");
        assert_eq!(summer.to_string(), "2026-07-01T06:00:00Z");
        assert_eq!(activity_instant("2026-03-29T02:30:00"), Err(TimeError::Gap));
        assert_eq!(activity_instant("2026-10-25T02:30:00"), Err(TimeError::Ambiguous));
        assert!(activity_instant("2026-10-25T02:30:00+01:00").is_ok());
        for bad in
            ["2026-07-01", "2026-07-01T8:00:00", "2026-07-01T24:00:00", "2026-07-01T08:00:60", "2026-07-01T08:00:00.", "x"]
        {
            assert_eq!(activity_instant(bad), Err(TimeError::Form), "{bad}");
        }
    }

    #[test]
    fn the_day_of_an_instant_is_the_swedish_day() {
        let late = activity_instant("2026-07-01T23:30:00Z").expect("a time");
        assert_eq!(date_of(late), date(2026, 7, 2));
    }
}
