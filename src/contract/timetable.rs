//! The days and absences of an activity report as instants, read once: rules and derived fields share them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::rules::time_violation;
use crate::domain::{Code, Place, Violation, activity_instant, calendar_date, date_of};

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Span {
    /// Whole minutes.
    pub(super) fn minutes(self) -> i64 {
        self.to.duration_since(self.from).as_secs() / 60
    }
}

/// One reported day.
#[derive(Debug)]
pub(super) struct Day {
    pub(super) date: Option<Date>,
    pub(super) expected: Option<Span>,
    pub(super) break_minutes: i64,
    pub(super) attended: Vec<Span>,
}

impl Day {
    /// Expected minutes without the break.
    pub(super) fn planned(&self) -> i64 {
        self.expected.map_or(0, |span| (span.minutes() - self.break_minutes).max(0))
    }

    /// Attended minutes.
    pub(super) fn attended(&self) -> i64 {
        self.attended.iter().map(|span| span.minutes()).sum()
    }
}

/// One absence.
#[derive(Debug)]
pub(super) struct Absence {
    pub(super) date: Option<Date>,
    pub(super) whole_day: bool,
    has_times: (bool, bool),
    pub(super) span: Option<Span>,
}

/// The days and absences of one report; what cannot be read is left out here and told as a violation.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    pub(super) days: Vec<Day>,
    pub(super) absences: Vec<Absence>,
    violations: Vec<Violation>,
}

impl Timetable {
    /// Reads `days` and `absences` of a report; other messages have none.
    pub(super) fn read(tree: &Value) -> Self {
        let mut timetable = Self::default();
        for (index, day) in items(tree, "days").iter().enumerate() {
            let place = || Place::fields("days").item(index);
            let expected = day.get("expected").and_then(|span| timetable.span(span, &|| place().field("expected")));
            let mut attended = Vec::new();
            for (at, interval) in items(day, "attended").iter().enumerate() {
                attended.extend(timetable.span(interval, &|| place().field("attended").item(at)));
            }
            let break_minutes = day.get("expected").and_then(|span| span.get("breakMinutes")).and_then(Value::as_i64);
            timetable.days.push(Day { date: date(day), expected, break_minutes: break_minutes.unwrap_or(0), attended });
        }
        for (index, absence) in items(tree, "absences").iter().enumerate() {
            let span = timetable.span(absence, &|| Place::fields("absences").item(index));
            timetable.absences.push(Absence {
                date: date(absence),
                whole_day: absence.get("wholeDay") == Some(&Value::Bool(true)),
                has_times: (absence.get("from").is_some(), absence.get("to").is_some()),
                span,
            });
        }
        timetable
    }

    fn span(&mut self, value: &Value, place: &dyn Fn() -> Place) -> Option<Span> {
        let mut instant = |name: &str| match value.get(name)?.as_str().map(activity_instant)? {
            Ok(instant) => Some(instant),
            Err(error) => {
                self.violations.extend(time_violation(error, &place().field(name)));
                None
            }
        };
        let (from, to) = (instant("from"), instant("to"));
        Some(Span { from: from?, to: to? })
    }

    /// Times that the clocks skipped or had twice.
    pub(super) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The day on which an absence was.
    pub(super) fn day_of(&self, absence: &Absence) -> Option<&Day> {
        self.days.iter().find(|day| day.date.is_some() && day.date == absence.date)
    }

    /// Minutes of an absence: its own times, or the planned time of its day.
    pub(super) fn absence_minutes(&self, absence: &Absence) -> i64 {
        match absence.span {
            Some(span) if !absence.whole_day => span.minutes(),
            _ => self.day_of(absence).map_or(0, Day::planned),
        }
    }

    /// The end of the last expected or attended time, where there is one.
    pub(super) fn end(&self) -> Option<Timestamp> {
        self.days.iter().flat_map(|day| day.expected.iter().chain(&day.attended)).map(|span| span.to).max()
    }

    /// Spans in order, on their own day, not overlapping, and a break shorter than what it breaks.
    pub(super) fn check_attendance(&self, code: Code, found: &mut Vec<Violation>) {
        for (index, day) in self.days.iter().enumerate() {
            let place = Place::fields("days").item(index);
            if let Some(span) = day.expected
                && (!is_of_day(span, day.date) || day.break_minutes >= span.minutes())
            {
                found.push(Violation::new(code, place.field("expected")));
            }
            let mut last = None;
            for (at, span) in day.attended.iter().enumerate() {
                if !is_of_day(*span, day.date) || last.is_some_and(|end| span.from < end) {
                    found.push(Violation::new(code, place.field("attended").item(at)));
                }
                last = Some(span.to);
            }
        }
    }

    /// Times for a part of a day, none for the whole day.
    pub(super) fn check_absence_times(&self, code: Code, found: &mut Vec<Violation>) {
        for (index, absence) in self.absences.iter().enumerate() {
            let right = match (absence.whole_day, absence.has_times) {
                (true, times) => times == (false, false),
                (false, (true, true)) => absence.span.is_none_or(|span| is_of_day(span, absence.date)),
                (false, _) => false,
            };
            if !right {
                found.push(Violation::new(code, Place::fields("absences").item(index)));
            }
        }
    }

    /// An absence lies inside the expected attendance of a reported day.
    pub(super) fn check_absence_within_expected(&self, code: Code, found: &mut Vec<Violation>) {
        for (index, absence) in self.absences.iter().enumerate() {
            let expected = self.day_of(absence).and_then(|day| day.expected);
            let inside = match (expected, absence.span) {
                (None, _) => false,
                (Some(expected), Some(span)) if !absence.whole_day => span.from >= expected.from && span.to <= expected.to,
                (Some(_), _) => true,
            };
            if !inside {
                found.push(Violation::new(code, Place::fields("absences").item(index)));
            }
        }
    }
}

/// In order, and begun on the day; a night shift may end on the next.
fn is_of_day(span: Span, date: Option<Date>) -> bool {
    let begins = date_of(span.from);
    span.from < span.to && date.is_none_or(|date| begins == date) && span.minutes() <= 24 * 60
}

fn items<'a>(node: &'a Value, name: &str) -> &'a [Value] {
    node.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn date(node: &Value) -> Option<Date> {
    node.get("date").and_then(Value::as_str).and_then(|text| calendar_date(text).ok())
}
