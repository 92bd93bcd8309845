//! Floor 2, sixth: the allow-list.
//!
//! `Permitted → Disclosure`. A **new** document is built from what may be seen; nothing is ever taken out of a full one.
//! Only this module makes a [`Disclosure`]:
//!
//! ```compile_fail
//! fn forge(document: brygga::filter::Kept) -> brygga::filter::Disclosure {
//!     brygga::filter::Disclosure { document, withheld: Vec::new() }
//! }
//! ```

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::consent::Permitted;
use crate::domain::{
    Categories, Category, Format, Leaf, LeafKind, Object, Sensitivity, Shape, activity_instant, calendar_date,
};
use crate::faults;

/// What one recipient may see of one report, and the names of what was withheld.
#[derive(Debug)]
pub struct Disclosure {
    permitted: Permitted,
    document: Kept,
    withheld: Vec<Withheld>,
}

/// A field of the report that the recipient does not see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Withheld {
    /// The contract's path of the field, with `[]` after lists.
    pub path: Arc<str>,
    /// Its category, which no line of the matrix opens.
    pub category: Category,
}

/// A tree of permitted leaves alone. A field is known by its place in the contract's object, not by its name, so what the
/// contract does not have cannot even be written down here. It has no `Serialize`, and its `Debug` tells nothing.
#[derive(PartialEq, Eq)]
pub enum Kept {
    /// A value.
    Leaf(Value),
    /// Items.
    List(Vec<Kept>),
    /// Fields by their place in the contract's object.
    Object(Vec<(usize, Kept)>),
}

impl Kept {
    /// The field at a place of an object.
    #[must_use]
    pub fn field(&self, place: usize) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(at, _)| *at == place).map(|(_, kept)| kept)
    }

    /// The items of a list.
    #[must_use]
    pub fn items(&self) -> Option<&[Self]> {
        let Self::List(items) = self else { return None };
        Some(items)
    }

    /// The value of a leaf.
    #[must_use]
    pub const fn value(&self) -> Option<&Value> {
        let Self::Leaf(value) = self else { return None };
        Some(value)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(..)")
    }
}

impl Disclosure {
    /// What it was permitted under.
    #[must_use]
    pub const fn permitted(&self) -> &Permitted {
        &self.permitted
    }

    /// The document, made of permitted leaves alone.
    #[must_use]
    pub const fn document(&self) -> &Kept {
        &self.document
    }

    /// The names of what was withheld, each once.
    #[must_use]
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }
}

/// Builds what the recipient may see. Cannot fail: what is not allowed is not there.
#[must_use]
pub fn disclose(permitted: Permitted) -> Disclosure {
    let report = permitted.covered().report();
    let mut leaves = Vec::new();
    let document = allowed(&report.outline().shape, report.document().tree(), permitted.categories(), &mut leaves);
    let mut withheld: Vec<Withheld> =
        leaves.into_iter().map(|leaf| Withheld { path: Arc::clone(&leaf.path), category: leaf.category }).collect();
    withheld.sort();
    Disclosure { permitted, document, withheld }
}

/// A new tree of the leaves whose category is allowed. A name that the contract does not have is not even looked at.
fn allowed<'a>(object: &'a Object, tree: &Value, categories: Categories, withheld: &mut Vec<&'a Leaf>) -> Kept {
    let present = tree.as_object();
    let mut fields = Vec::with_capacity(present.map_or(0, serde_json::Map::len));
    for (name, value) in present.into_iter().flatten() {
        let Some((place, field)) = object.field(name) else { continue };
        if let Some(kept) = allowed_value(&field.shape, value, categories, withheld) {
            fields.push((place, kept));
        }
    }
    Kept::Object(fields)
}

fn allowed_value<'a>(shape: &'a Shape, value: &Value, categories: Categories, withheld: &mut Vec<&'a Leaf>) -> Option<Kept> {
    match shape {
        Shape::Leaf(leaf) if categories.contains(leaf.category) => Some(Kept::Leaf(value.clone())),
        Shape::Leaf(leaf) => {
            if !withheld.iter().any(|known| std::ptr::eq(*known, leaf.as_ref())) {
                withheld.push(leaf);
            }
            None
        }
        Shape::Object(object) => Some(allowed(object, value, categories, withheld)),
        Shape::List(list) => {
            let items = value.as_array()?;
            Some(Kept::List(items.iter().filter_map(|item| allowed_value(&list.item, item, categories, withheld)).collect()))
        }
    }
}

/// What stands in place of a value that an operator may not read.
pub const MASK: &str = "•••";

/// A copy of a document for an operator's eyes: a value only where the annotation says it is ordinary and where it can be
/// nothing but a date, a time, a number, a yes or no, or a word of the contract's own lists. Every text that a person
/// wrote is masked, and a field that the contract does not have is masked whole, name and all.
#[must_use]
pub fn mask(shape: &Object, tree: &Value) -> Value {
    if faults::planted!("no-mask") {
        return tree.clone();
    }
    let Some(fields) = tree.as_object() else { return Value::String(MASK.to_owned()) };
    let mut masked = Map::new();
    for (index, (name, value)) in fields.iter().enumerate() {
        match shape.field(name) {
            Some((_, field)) => masked.insert(name.clone(), mask_value(&field.shape, value)),
            None => masked.insert(format!("?{index}"), Value::String(MASK.to_owned())),
        };
    }
    Value::Object(masked)
}

fn mask_value(shape: &Shape, value: &Value) -> Value {
    match shape {
        Shape::Object(object) if value.is_object() => mask(object, value),
        Shape::List(list) => match value.as_array() {
            Some(items) => Value::Array(items.iter().map(|item| mask_value(&list.item, item)).collect()),
            None => Value::String(MASK.to_owned()),
        },
        Shape::Leaf(leaf) if leaf.sensitivity == Sensitivity::Ordinary && is_harmless(&leaf.kind, value) => value.clone(),
        _ => Value::String(MASK.to_owned()),
    }
}

/// Whether a value can tell nothing but what the contract foresees.
fn is_harmless(kind: &LeafKind, value: &Value) -> bool {
    match (kind, value) {
        (LeafKind::Boolean, Value::Bool(_)) => true,
        (LeafKind::Integer { min, max }, Value::Number(number)) => number.as_i64().is_some_and(|n| (*min..=*max).contains(&n)),
        (LeafKind::Formatted(Format::CalendarDate), Value::String(text)) => calendar_date(text).is_ok(),
        (LeafKind::Formatted(Format::LocalDateTime), Value::String(text)) => activity_instant(text).is_ok(),
        (LeafKind::OneOf(words), Value::String(text)) => words.contains(text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kept, allowed, mask};
    use crate::domain::{Categories, Category, Field, Leaf, LeafKind, Object, Sensitivity, Shape};

    fn leaf(name: &str, category: Category, sensitivity: Sensitivity) -> Field {
        let leaf = Leaf { path: name.into(), kind: LeafKind::Boolean, category, sensitivity };
        Field { name: name.to_owned(), required: false, derived: false, shape: Shape::Leaf(Box::new(leaf)) }
    }

    fn shape() -> Object {
        Object {
            fields: vec![
                leaf("seen", Category::Attendance, Sensitivity::Ordinary),
                leaf("hidden", Category::Plan, Sensitivity::ExtraProtected),
            ],
        }
    }

    #[test]
    fn only_allowed_leaves_are_built_and_an_unknown_field_changes_nothing() {
        let categories = Categories::NONE.with(Category::Attendance);
        let (shape, mut withheld) = (shape(), Vec::new());
        let plain = allowed(&shape, &json!({ "seen": 1, "hidden": 2 }), categories, &mut withheld);
        assert!(plain == Kept::Object(vec![(0, Kept::Leaf(json!(1)))]));
        assert_eq!(withheld.iter().map(|leaf| &*leaf.path).collect::<Vec<_>>(), ["hidden"]);
        let with_unknown = allowed(&shape, &json!({ "new": 3, "seen": 1, "hidden": 2 }), categories, &mut Vec::new());
        assert!(plain == with_unknown);
    }

    #[test]
    fn an_operator_sees_no_protected_value_and_no_unknown_name() {
        let masked = mask(&shape(), &json!({ "seen": true, "hidden": 2, "199610042393": 3 }));
        assert_eq!(masked, json!({ "seen": true, "hidden": "•••", "?2": "•••" }));
    }
}
