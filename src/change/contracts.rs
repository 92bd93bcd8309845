//! What changes in message contracts, field by field, and whether documents that are valid now would no longer be.

use std::collections::BTreeSet;

use super::Invalidates;
use crate::contract::Contract;
use crate::domain::{ContractRef, Field, Files, Leaf, LeafKind, List, Object, Shape};
use crate::journey::ContractSet;

/// What changes in one message contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractChange {
    /// The contract.
    pub contract: ContractRef,
    /// Whether documents that are valid now would no longer be.
    pub invalidates: Invalidates,
    /// Each change, in words.
    pub words: Vec<String>,
}

/// The contracts that differ, by name and version.
#[must_use]
pub fn contracts(old: (&Files, &ContractSet), new: (&Files, &ContractSet)) -> Vec<ContractChange> {
    let named =
        |set: &ContractSet| set.catalogue.contracts().map(|one| one.outline().reference.clone()).collect::<BTreeSet<_>>();
    let mut changes = Vec::new();
    for contract in named(old.1).union(&named(new.1)) {
        let mut told = Told { invalidates: Invalidates::No, words: Vec::new() };
        match (old.1.catalogue.contract(contract), new.1.catalogue.contract(contract)) {
            (Some(before), Some(after)) => {
                told.objects(&before.outline().shape, &after.outline().shape, "");
                told.rules(before, old.0, new.0);
                if before.direction() != after.direction() {
                    told.say(Invalidates::Yes, "its direction or syntax changes");
                }
            }
            (Some(_), None) => told.say(Invalidates::Yes, "the contract is gone"),
            (None, _) => told.say(Invalidates::No, "the contract is new"),
        }
        if !told.words.is_empty() {
            changes.push(ContractChange { contract: contract.clone(), invalidates: told.invalidates, words: told.words });
        }
    }
    changes
}

struct Told {
    invalidates: Invalidates,
    words: Vec<String>,
}

impl Told {
    fn say(&mut self, invalidates: Invalidates, words: impl Into<String>) {
        self.invalidates = self.invalidates.max(invalidates);
        self.words.push(words.into());
    }

    fn rules(&mut self, contract: &Contract, old: &Files, new: &Files) {
        let path = format!("{}/rules.toml", contract.folder());
        if old.get(&path) != new.get(&path) {
            self.say(Invalidates::CannotSay, format!("{path} changes: its rules cannot be compared"));
        }
    }

    fn objects(&mut self, old: &Object, new: &Object, at: &str) {
        for before in &old.fields {
            let path = join(at, &before.name);
            match new.field(&before.name) {
                None if before.derived => self.say(Invalidates::No, format!("{path} is no longer computed")),
                None => self.say(Invalidates::Yes, format!("{path} is gone")),
                Some((_, after)) => self.field(before, after, &path),
            }
        }
        for after in new.fields.iter().filter(|field| old.field(&field.name).is_none()) {
            let path = join(at, &after.name);
            if after.derived {
                self.say(Invalidates::No, format!("{path} is computed"));
            } else if after.required {
                self.say(Invalidates::Yes, format!("{path} is new and required"));
            } else {
                self.say(Invalidates::No, format!("{path} is new and optional"));
            }
        }
    }

    fn field(&mut self, before: &Field, after: &Field, path: &str) {
        match (before.required, after.required) {
            (false, true) => self.say(Invalidates::Yes, format!("{path} becomes required")),
            (true, false) => self.say(Invalidates::No, format!("{path} becomes optional")),
            _ => {}
        }
        self.shapes(&before.shape, &after.shape, path);
    }

    fn shapes(&mut self, before: &Shape, after: &Shape, path: &str) {
        match (before, after) {
            (Shape::Object(before), Shape::Object(after)) => self.objects(before, after, path),
            (Shape::List(before), Shape::List(after)) => self.lists(before, after, path),
            (Shape::Leaf(before), Shape::Leaf(after)) => self.leaves(before, after, path),
            _ => self.say(Invalidates::Yes, format!("{path} becomes something else: a field, a list or a group")),
        }
    }

    fn lists(&mut self, before: &List, after: &List, path: &str) {
        if (before.min, before.max) != (after.min, after.max) {
            let narrower = after.min > before.min || after.max < before.max;
            let words = format!("{path} takes {} to {} items, before {} to {}", after.min, after.max, before.min, before.max);
            self.say(if narrower { Invalidates::Yes } else { Invalidates::No }, words);
        }
        if before.item_name != after.item_name {
            self.say(Invalidates::Yes, format!("{path} has other elements in XML"));
        }
        self.shapes(&before.item, &after.item, &format!("{path}[]"));
    }

    fn leaves(&mut self, before: &Leaf, after: &Leaf, path: &str) {
        if before.category != after.category {
            let words = format!("{path} is {} instead of {}", after.category, before.category);
            self.say(Invalidates::No, words);
        }
        if before.sensitivity != after.sensitivity {
            let (after, before) = (after.sensitivity.as_str(), before.sensitivity.as_str());
            self.say(Invalidates::No, format!("{path} is annotated as {after} instead of {before}"));
        }
        if before.kind != after.kind {
            let (invalidates, words) = kinds(&before.kind, &after.kind);
            self.say(invalidates, format!("{path} {words}"));
        }
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn yes_if(narrower: bool) -> Invalidates {
    if narrower { Invalidates::Yes } else { Invalidates::No }
}

fn kinds(before: &LeafKind, after: &LeafKind) -> (Invalidates, String) {
    match (before, after) {
        (LeafKind::Integer { min, max }, LeafKind::Integer { min: least, max: most }) => {
            (yes_if(least > min || most < max), format!("is a number from {least} to {most}, before from {min} to {max}"))
        }
        (LeafKind::OneOf(before), LeafKind::OneOf(after)) => {
            let missing = |from: &[String], of: &[String]| -> Vec<String> {
                of.iter().filter(|word| !from.contains(word)).cloned().collect()
            };
            let (gone, new) = (missing(after, before), missing(before, after));
            let mut words = Vec::new();
            if !gone.is_empty() {
                words.push(format!("no longer takes {}", gone.join(", ")));
            }
            if !new.is_empty() {
                words.push(format!("also takes {}", new.join(", ")));
            }
            if words.is_empty() {
                words.push("lists the same words in another order".to_owned());
            }
            (yes_if(!gone.is_empty()), words.join(" and "))
        }
        (LeafKind::Text { min, max, pattern }, LeafKind::Text { min: least, max: most, pattern: form }) => {
            let invalidates = if least > min || most < max {
                Invalidates::Yes
            } else if form.is_some() && form != pattern {
                Invalidates::CannotSay
            } else {
                Invalidates::No
            };
            let other_form = if form == pattern { "" } else { ", in another form" };
            (invalidates, format!("has {least} to {most} characters, before {min} to {max}{other_form}"))
        }
        (_, LeafKind::Text { pattern: None, min: 0 | 1, .. }) => (Invalidates::CannotSay, "becomes a plain text".to_owned()),
        _ => (Invalidates::Yes, "takes another kind of value".to_owned()),
    }
}
