//! Derived fields: computed when a document conforms, declared and annotated in the contract like any leaf.
//!
//! Unexplained time is what was planned and neither attended nor covered by a registered absence, day by day: it says
//! that time is missing, never which reasons there were.

use serde_json::{Value, json};

use super::timetable::{Day, Timetable};
use crate::domain::{Category, Field, Flaws, Leaf, LeafKind, Object, Sensitivity, Shape};

/// A computation that a contract may declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compute {
    Planned,
    Attended,
    TotalPlanned,
    TotalAttended,
    TotalUnexplained,
    AbsenceMinutes,
    AbsenceExpectedFrom,
    AbsenceExpectedTo,
}

/// Each computation with its name and the one path where it can stand.
const COMPUTES: [(&str, &str, Compute); 8] = [
    ("planned-minutes", "days[].plannedMinutes", Compute::Planned),
    ("attended-minutes", "days[].attendedMinutes", Compute::Attended),
    ("total-planned-minutes", "totals.plannedMinutes", Compute::TotalPlanned),
    ("total-attended-minutes", "totals.attendedMinutes", Compute::TotalAttended),
    ("total-unexplained-minutes", "totals.unexplainedMinutes", Compute::TotalUnexplained),
    ("absence-minutes", "absences[].minutes", Compute::AbsenceMinutes),
    ("absence-expected-from", "absences[].expectedFrom", Compute::AbsenceExpectedFrom),
    ("absence-expected-to", "absences[].expectedTo", Compute::AbsenceExpectedTo),
];

/// A derived field as written in `rules.toml`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    path: toml::Spanned<String>,
    compute: String,
    category: String,
    sensitivity: String,
}

/// Adds the declared fields to a shape and gives their computations.
pub(super) fn compile(written: &[Written], shape: &mut Object, file: &str, text: &str, flaws: &mut Flaws) -> Vec<Compute> {
    let mut computes = Vec::new();
    for field in written {
        let path = field.path.get_ref();
        let known = COMPUTES.iter().find(|(name, at, _)| *name == field.compute && at == path);
        let category = field.category.parse::<Category>();
        let sensitivity = field.sensitivity.parse::<Sensitivity>();
        let (Some((_, _, compute)), Ok(category), Ok(sensitivity)) = (known, category, sensitivity) else {
            flaws.add_at(
                file,
                text,
                field.path.span().start,
                "a derived field needs a known path, compute, category and sensitivity",
            );
            continue;
        };
        let kind = match compute {
            Compute::AbsenceExpectedFrom | Compute::AbsenceExpectedTo => {
                LeafKind::Formatted(crate::domain::Format::LocalDateTime)
            }
            _ => LeafKind::Integer { min: 0, max: i64::from(i32::MAX) },
        };
        let leaf = Shape::Leaf(Box::new(Leaf { path: path.as_str().into(), kind, category, sensitivity }));
        if add(shape, path, leaf) {
            computes.push(*compute);
        } else {
            flaws.add_at(file, text, field.path.span().start, format!("`{path}` cannot stand in this contract"));
        }
    }
    computes
}

/// Puts a leaf into a shape; `totals` is made where it is not there.
fn add(shape: &mut Object, path: &str, leaf: Shape) -> bool {
    let Some((group, name)) = path.split_once('.') else { return false };
    let field = Field { name: name.to_owned(), required: false, derived: true, shape: leaf };
    let Some(list_name) = group.strip_suffix("[]") else {
        if let Some(existing) = shape.fields.iter_mut().find(|field| field.name == group) {
            return match &mut existing.shape {
                Shape::Object(object) => {
                    object.fields.push(field);
                    true
                }
                _ => false,
            };
        }
        let object = Shape::Object(Object { fields: vec![field] });
        shape.fields.push(Field { name: group.to_owned(), required: false, derived: true, shape: object });
        return true;
    };
    let list = shape.fields.iter_mut().find(|field| field.name == list_name).map(|field| &mut field.shape);
    let Some(Shape::List(list)) = list else { return false };
    let Shape::Object(item) = list.item.as_mut() else { return false };
    item.fields.push(field);
    true
}

/// Computes the declared fields into a tree whose contract holds.
pub(super) fn fill(computes: &[Compute], tree: &mut Value, timetable: &Timetable) {
    for compute in computes {
        match compute {
            Compute::Planned => each(tree, "days", "plannedMinutes", timetable.days.iter().map(|day| json!(day.planned()))),
            Compute::Attended => {
                each(tree, "days", "attendedMinutes", timetable.days.iter().map(|day| json!(day.attended())));
            }
            Compute::TotalPlanned => {
                total(tree, "plannedMinutes", timetable.days.iter().map(Day::planned).sum());
            }
            Compute::TotalAttended => {
                total(tree, "attendedMinutes", timetable.days.iter().map(Day::attended).sum());
            }
            Compute::TotalUnexplained => total(tree, "unexplainedMinutes", unexplained(timetable)),
            Compute::AbsenceMinutes => {
                let minutes = timetable.absences.iter().map(|absence| json!(timetable.absence_minutes(absence)));
                each(tree, "absences", "minutes", minutes);
            }
            Compute::AbsenceExpectedFrom => expected(tree, timetable, "expectedFrom", "from"),
            Compute::AbsenceExpectedTo => expected(tree, timetable, "expectedTo", "to"),
        }
    }
}

fn each(tree: &mut Value, list: &str, name: &str, values: impl Iterator<Item = Value>) {
    let items = tree.get_mut(list).and_then(Value::as_array_mut);
    for (item, value) in items.into_iter().flatten().zip(values) {
        if let Some(fields) = item.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    }
}

fn total(tree: &mut Value, name: &str, minutes: i64) {
    let Some(fields) = tree.as_object_mut() else { return };
    let totals = fields.entry("totals").or_insert_with(|| Value::Object(serde_json::Map::new()));
    if let Some(totals) = totals.as_object_mut() {
        totals.insert(name.to_owned(), json!(minutes));
    }
}

/// The expected time of the day of each absence, as the sender wrote it.
fn expected(tree: &mut Value, timetable: &Timetable, name: &str, end: &str) {
    let days: Vec<Option<usize>> = timetable
        .absences
        .iter()
        .map(|absence| timetable.days.iter().position(|day| day.date.is_some() && day.date == absence.date))
        .collect();
    let written = |index: &Option<usize>| {
        index.and_then(|at| tree.get("days")?.get(at)?.get("expected")?.get(end).cloned()).unwrap_or(Value::Null)
    };
    let values: Vec<Value> = days.iter().map(written).collect();
    each(tree, "absences", name, values.into_iter());
}

fn unexplained(timetable: &Timetable) -> i64 {
    let of_day = |day: &Day| {
        let absences = timetable.absences.iter().filter(|absence| absence.date == day.date);
        let explained: i64 = absences.map(|absence| timetable.absence_minutes(absence)).sum();
        (day.planned() - day.attended() - explained).max(0)
    };
    timetable.days.iter().map(of_day).sum()
}
