//! The JSON Schema library behind our own violations: it judges, and its texts, which hold values, go nowhere.

use std::collections::HashSet;

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use super::schema::format_name;
use crate::domain::{Code, Format, Place, Step, TimeError, Violation, activity_instant, calendar_date};

/// The most violations that are told of one document: whoever has made so many mends by the first of them.
const MOST: usize = 200;

/// A compiled schema.
pub(super) struct Judge(Validator);

impl Judge {
    /// Compiles a schema; the error's words are of the schema, never of a document.
    pub(super) fn compile(schema: &Value) -> Result<Self, String> {
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_format(format_name(Format::CalendarDate), |text: &str| calendar_date(text).is_ok())
            // A time that the clocks skipped has the right form; the rules refuse it with a code of its own.
            .with_format(format_name(Format::LocalDateTime), |text: &str| activity_instant(text) != Err(TimeError::Form))
            .with_pattern_options(PatternOptions::regex())
            .offline()
            .build(schema)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    /// Whether a document has the contract's shape.
    pub(super) fn fits(&self, tree: &Value) -> bool {
        self.0.is_valid(tree)
    }

    /// Everything in which a document differs from the contract's shape, by place.
    pub(super) fn violations(&self, tree: &Value) -> Vec<Violation> {
        let mut found: Vec<Violation> =
            self.0.iter_errors(tree).flat_map(|error| violations_of(&error, tree)).take(MOST).collect();
        found.sort_by(|a, b| (&a.place, a.code).cmp(&(&b.place, b.code)));
        found.dedup();
        found
    }
}

fn violations_of(error: &jsonschema::ValidationError<'_>, tree: &Value) -> Vec<Violation> {
    let (place, node) = place_of(error.instance_path(), tree);
    let one = |code| vec![Violation::new(code, place.clone())];
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let unexpected: HashSet<&str> = unexpected.iter().map(String::as_str).collect();
            let fields = node.and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys).enumerate();
            let unknown = fields.filter(|(_, name)| unexpected.contains(name.as_str()));
            let at = |(index, _)| Violation::new(Code::ContractUnknownField, place.then(Step::Unknown(index)));
            unknown.map(at).take(MOST).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Violation::new(Code::ContractMissing, place.field(name))]
        }
        ValidationErrorKind::Type { .. } => one(Code::ContractType),
        ValidationErrorKind::Pattern { .. } => one(Code::ContractPattern),
        ValidationErrorKind::MinLength { .. } | ValidationErrorKind::MaxLength { .. } => one(Code::ContractLength),
        ValidationErrorKind::Minimum { .. } | ValidationErrorKind::Maximum { .. } => one(Code::ContractRange),
        ValidationErrorKind::MinItems { .. } | ValidationErrorKind::MaxItems { .. } => one(Code::ContractItems),
        ValidationErrorKind::Format { format } if format == format_name(Format::CalendarDate) => one(Code::ContractDate),
        ValidationErrorKind::Format { .. } => one(Code::ContractTime),
        // An `enum`; the subset has no other keyword.
        _ => one(Code::ContractValue),
    }
}

/// Only fields that have passed `additionalProperties` are ever stepped through, so every name here is the contract's.
fn place_of<'a>(path: &Location, tree: &'a Value) -> (Place, Option<&'a Value>) {
    let mut place = Place::root();
    let mut node = Some(tree);
    for segment in path {
        match segment {
            LocationSegment::Property(name) => {
                node = node.and_then(|value| value.get(name.as_ref()));
                place = place.field(&name);
            }
            LocationSegment::Index(index) => {
                node = node.and_then(|value| value.get(index));
                place = place.item(index);
            }
        }
    }
    (place, node)
}
