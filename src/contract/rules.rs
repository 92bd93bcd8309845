//! What a schema cannot say: rules across fields, each with its own code, read from `rules.toml` beside the schema.

use std::collections::HashSet;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::timetable::Timetable;
use crate::domain::{
    Code, FieldPath, Flaws, Outline, PersonNumber, Place, TimeError, Violation, activity_instant, calendar_date, date_of,
};

/// The age from which a participant gives consent alone (the collecting unit judges younger ones).
const OF_AGE: i16 = 18;

/// A rule as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    code: Spanned<String>,
    kind: Spanned<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    unless: Option<String>,
    #[serde(default)]
    when: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    needs: Option<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    inner: Vec<String>,
    #[serde(default)]
    left: Option<String>,
    #[serde(default)]
    right: Option<String>,
    #[serde(default)]
    person: Option<String>,
    #[serde(default)]
    at: Option<String>,
}

/// A rule, compiled.
#[derive(Debug)]
pub(super) struct Rule {
    code: Code,
    check: Check,
}

#[derive(Debug)]
enum Check {
    RequiredUnless { path: FieldPath, unless: FieldPath, value: String },
    Requires { path: FieldPath, needs: FieldPath },
    DateOrder { from: FieldPath, to: FieldPath },
    DatesWithin { inner: Vec<FieldPath>, from: FieldPath, to: FieldPath },
    Unique { path: FieldPath },
    EqualWhen { left: FieldPath, right: FieldPath, when: FieldPath, value: String },
    Instants { paths: Vec<FieldPath> },
    CompetenceUnder18 { person: FieldPath, at: FieldPath, path: FieldPath },
    Attendance,
    AbsenceTimes,
    AbsenceWithinExpected,
}

impl Rule {
    /// Compiles a written rule; what is wrong with it becomes a flaw.
    pub(super) fn compile(written: &Written, outline: &Outline, file: &str, text: &str, flaws: &mut Flaws) -> Option<Self> {
        let at = written.code.span().start;
        let Ok(code) = written.code.get_ref().parse::<Code>() else {
            flaws.add_at(file, text, at, format!("`{}` is no code that Brygga knows", written.code.get_ref()));
            return None;
        };
        let mut missing = false;
        let mut path = |name: &str, given: &Option<String>| {
            if given.is_none() {
                missing = true;
                flaws.add_at(file, text, at, format!("the rule needs `{name}`"));
            }
            given.clone().unwrap_or_default()
        };
        let mut field = |name: &str, given: &Option<String>| FieldPath::new(&path(name, given));
        let check = match written.kind.get_ref().as_str() {
            "required-unless" => Check::RequiredUnless {
                path: field("path", &written.path),
                unless: field("unless", &written.unless),
                value: path("value", &written.value),
            },
            "requires" => Check::Requires { path: field("path", &written.path), needs: field("needs", &written.needs) },
            "date-order" => Check::DateOrder { from: field("from", &written.from), to: field("to", &written.to) },
            "dates-within" => Check::DatesWithin {
                inner: written.inner.iter().map(|path| FieldPath::new(path)).collect(),
                from: field("from", &written.from),
                to: field("to", &written.to),
            },
            "unique" => Check::Unique { path: field("path", &written.path) },
            "equal-when" => Check::EqualWhen {
                left: field("left", &written.left),
                right: field("right", &written.right),
                when: field("when", &written.when),
                value: path("value", &written.value),
            },
            "instants" => Check::Instants { paths: written.paths.iter().map(|path| FieldPath::new(path)).collect() },
            "competence-under-18" => Check::CompetenceUnder18 {
                person: field("person", &written.person),
                at: field("at", &written.at),
                path: field("path", &written.path),
            },
            "attendance" => Check::Attendance,
            "absence-times" => Check::AbsenceTimes,
            "absence-within-expected" => Check::AbsenceWithinExpected,
            other => {
                flaws.add_at(file, text, written.kind.span().start, format!("`{other}` is no kind of rule that Brygga knows"));
                return None;
            }
        };
        let rule = Self { code, check };
        for path in rule.paths() {
            if !exists(outline, path) {
                missing = true;
                flaws.add_at(file, text, at, format!("the contract has no `{path}`"));
            }
        }
        (!missing).then_some(rule)
    }

    fn paths(&self) -> Vec<&str> {
        let fields: Vec<&FieldPath> = match &self.check {
            Check::RequiredUnless { path, unless, .. } => vec![path, unless],
            Check::Requires { path, needs } => vec![path, needs],
            Check::DateOrder { from, to } => vec![from, to],
            Check::DatesWithin { inner, from, to } => inner.iter().chain([from, to]).collect(),
            Check::Unique { path } => vec![path],
            Check::EqualWhen { left, right, when, .. } => vec![left, right, when],
            Check::Instants { paths } => paths.iter().collect(),
            Check::CompetenceUnder18 { person, at, path } => vec![person, at, path],
            Check::Attendance => return vec!["days[].date", "days[].expected.from", "days[].attended[].from"],
            Check::AbsenceTimes | Check::AbsenceWithinExpected => {
                return vec!["absences[].date", "absences[].wholeDay", "absences[].from", "absences[].to"];
            }
        };
        fields.into_iter().map(FieldPath::as_str).collect()
    }

    /// Adds what a document breaks. Fields that are absent or unreadable are the schema's affair, not this rule's.
    pub(super) fn check(&self, tree: &Value, timetable: &Timetable, today: Date, found: &mut Vec<Violation>) {
        let code = self.code;
        match &self.check {
            Check::RequiredUnless { path, unless, value } => {
                if path.value(tree).is_none() && unless.text(tree) != Some(value) {
                    found.push(Violation::new(code, Place::fields(path.as_str())));
                }
            }
            Check::Requires { path, needs } => {
                if path.value(tree).is_some() && needs.value(tree).is_none() {
                    found.push(Violation::new(code, Place::fields(needs.as_str())));
                }
            }
            Check::DateOrder { from, to } => {
                if let (Some(first), Some(last)) = (date(from, tree), date(to, tree))
                    && last < first
                {
                    found.push(Violation::new(code, Place::fields(to.as_str())));
                }
            }
            Check::DatesWithin { inner, from, to } => {
                let (Some(first), Some(last)) = (date(from, tree), date(to, tree)) else { return };
                for path in inner {
                    path.each(tree, &mut |place, value| {
                        let day = value.as_str().and_then(|text| calendar_date(text).ok());
                        if day.is_some_and(|day| day < first || day > last) {
                            found.push(Violation::new(code, place()));
                        }
                    });
                }
            }
            Check::Unique { path } => {
                let mut seen = HashSet::new();
                path.each(tree, &mut |place, value| {
                    if value.as_str().is_some_and(|text| !seen.insert(text)) {
                        found.push(Violation::new(code, place()));
                    }
                });
            }
            Check::EqualWhen { left, right, when, value } => {
                if when.text(tree) == Some(value) && left.text(tree) != right.text(tree) {
                    found.push(Violation::new(code, Place::fields(right.as_str())));
                }
            }
            Check::Instants { paths } => {
                for path in paths {
                    path.each(tree, &mut |place, value| {
                        let read = value.as_str().map(activity_instant);
                        if let Some(Err(error)) = read {
                            found.extend(time_violation(error, &place()));
                        }
                    });
                }
            }
            Check::CompetenceUnder18 { person, at, path } => {
                let given = at.text(tree).and_then(|text| activity_instant(text).ok()).map(date_of);
                let born = person.text(tree).and_then(|text| PersonNumber::parse(text, today).ok());
                let (Some(day), Some(number)) = (given, born) else { return };
                let young = number.birth().age_on(day).is_some_and(|age| age < OF_AGE);
                if young && path.value(tree).is_none() {
                    found.push(Violation::new(code, Place::fields(path.as_str())));
                }
            }
            Check::Attendance => timetable.check_attendance(code, found),
            Check::AbsenceTimes => timetable.check_absence_times(code, found),
            Check::AbsenceWithinExpected => timetable.check_absence_within_expected(code, found),
        }
    }
}

/// The violation of a time that has the right form but does not exist, or exists twice. A wrong form is the schema's.
pub(super) fn time_violation(error: TimeError, place: &Place) -> Option<Violation> {
    let code = match error {
        TimeError::Form => return None,
        TimeError::Gap => Code::ContractTimeGap,
        TimeError::Ambiguous => Code::ContractTimeAmbiguous,
    };
    Some(Violation::new(code, place.clone()))
}

fn date(path: &FieldPath, tree: &Value) -> Option<Date> {
    path.text(tree).and_then(|text| calendar_date(text).ok())
}

/// Whether a path, of a leaf or of what stands around leaves, is in a contract.
fn exists(outline: &Outline, path: &str) -> bool {
    outline.leaves().iter().any(|leaf| {
        leaf.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with("[]"))
    })
}
