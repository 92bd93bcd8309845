//! What becomes of each field of a report towards one recipient: as it would be decided now, or as it was recorded.

use serde_json::Value;

use super::basis::BasisRecord;
use super::set::ContractSet;
use crate::agreement::Covered;
use crate::consent::permit;
use crate::domain::{Category, ConsentRevision, ContractRef, Object, Shape};
use jiff::Timestamp;

/// What becomes of one field of a report towards one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldFate {
    /// The recipient sees it.
    Disclosed,
    /// The recipient may see it, but none of its documents has a place for it.
    NotInFormat,
    /// The gate is shut now; whether the field is ever seen depends on a waiver that may come.
    Unknown,
    /// The matrix does not open its category: the line of the agreement's file that says so, or none where it is not named.
    Withheld {
        /// The field's category.
        category: Category,
        /// The line, from 1.
        line: Option<usize>,
        /// Whether a waiver that names the category would open it.
        with_consent: bool,
    },
    /// The report does not have it.
    Absent,
}

/// The fate of every field that the report has.
pub(super) fn fates(
    covered: &Covered,
    consents: &[ConsentRevision],
    now: Timestamp,
    set: &ContractSet,
) -> Vec<(String, FieldFate)> {
    let Some(terms) = covered.recipient_terms() else { return Vec::new() };
    let matrix = &terms.matrix;
    let categories = permit(covered.clone(), consents, &set.law, now).ok().map(|permitted| permitted.categories());
    let report = covered.report();
    let from = &report.outline().reference;
    let recipes: Vec<_> = terms.documents.iter().filter_map(|document| set.recipes.get(from, document)).collect();
    let mut fates: Vec<(String, FieldFate)> = Vec::new();
    each_leaf(&report.outline().shape, report.document().tree(), &mut |path, category| {
        if fates.iter().any(|(known, _)| known == path) {
            return;
        }
        let line = matrix.lines.get(&category).copied();
        let with_consent = matrix.with_consent.contains(category);
        let withheld = FieldFate::Withheld { category, line, with_consent };
        let fate = match categories {
            Some(open) if !open.contains(category) => withheld,
            Some(open) if recipes.iter().any(|recipe| open.contains_all(recipe.required) && recipe.sources.contains(path)) => {
                FieldFate::Disclosed
            }
            Some(_) => FieldFate::NotInFormat,
            None if with_consent || matrix.always.contains(category) => FieldFate::Unknown,
            None => withheld,
        };
        fates.push((path.to_owned(), fate));
    });
    fates
}

fn each_leaf<'a>(object: &'a Object, tree: &Value, visit: &mut dyn FnMut(&'a str, Category)) {
    for field in &object.fields {
        if let Some(value) = tree.get(&field.name) {
            each_leaf_of(&field.shape, value, visit);
        }
    }
}

fn each_leaf_of<'a>(shape: &'a Shape, value: &Value, visit: &mut dyn FnMut(&'a str, Category)) {
    match shape {
        Shape::Leaf(leaf) => visit(&leaf.path, leaf.category),
        Shape::Object(object) => each_leaf(object, value, visit),
        Shape::List(list) => {
            for item in value.as_array().map_or(&[][..], Vec::as_slice) {
                each_leaf_of(&list.item, item, visit);
            }
        }
    }
}

/// The fate of every field of the contract as a leg's record tells it: what the terms of that day withheld, by the lines of
/// that day. Which fields a document has a place for is read from today's translations.
pub(super) fn recorded_fates(covered: &Covered, record: &BasisRecord, set: &ContractSet) -> Vec<(String, FieldFate)> {
    let (outline, tree) = (covered.report().outline(), covered.report().document().tree());
    let documents = record.documents.iter().filter_map(|text| text.parse::<ContractRef>().ok());
    let recipes: Vec<_> = documents.filter_map(|document| set.recipes.get(&outline.reference, &document)).collect();
    let same_terms = covered.recipient_terms().filter(|_| record.set == set.digest());
    let mut present: Vec<&str> = Vec::new();
    each_leaf(&outline.shape, tree, &mut |path, _| present.push(path));
    let fate = |path: &str, category: Category| {
        if !present.contains(&path) {
            return FieldFate::Absent;
        }
        if record.withheld.iter().any(|withheld| withheld == path) {
            let line = record.lines.get(category.as_str()).copied();
            let with_consent = same_terms.is_some_and(|terms| terms.matrix.with_consent.contains(category));
            return FieldFate::Withheld { category, line, with_consent };
        }
        let has_place = recipes.iter().any(|recipe| recipe.sources.contains(path));
        if has_place { FieldFate::Disclosed } else { FieldFate::NotInFormat }
    };
    outline.leaves().into_iter().map(|leaf| (leaf.path.to_string(), fate(&leaf.path, leaf.category))).collect()
}

/// The fields of the contract that a report does not have, besides the fates of those that it has.
pub(super) fn with_absent(covered: &Covered, mut fates: Vec<(String, FieldFate)>) -> Vec<(String, FieldFate)> {
    let leaves = covered.report().outline().leaves();
    let mut take = |path: &str| {
        let at = fates.iter().position(|(known, _)| known == path);
        at.map_or((path.to_owned(), FieldFate::Absent), |at| fates.swap_remove(at))
    };
    leaves.into_iter().map(|leaf| take(&leaf.path)).collect()
}
