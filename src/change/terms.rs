//! What changes in agreements: dates, purposes, gates, target groups, words, and the lines of each matrix.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use crate::agreement::{RecipientTerms, Terms};
use crate::domain::Category;
use crate::journey::ContractSet;

/// What changes in one version of an agreement's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsChange {
    /// The agreement.
    pub agreement: String,
    /// The version of its terms.
    pub version: u32,
    /// Each change, in words.
    pub words: Vec<String>,
}

/// The terms that differ, by agreement and version.
#[must_use]
pub fn terms(old: &ContractSet, new: &ContractSet) -> Vec<TermsChange> {
    let named = |set: &ContractSet| -> BTreeMap<(String, u32), std::sync::Arc<Terms>> {
        let key = |terms: &std::sync::Arc<Terms>| ((terms.agreement.clone(), terms.version), std::sync::Arc::clone(terms));
        set.register.terms().iter().map(key).collect()
    };
    let (before, after) = (named(old), named(new));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let words = match (before.get(key), after.get(key)) {
            (Some(before), Some(after)) => changed(before, after),
            (Some(before), None) => vec![format!("the terms of {} to {} are gone", before.from, before.to)],
            (None, Some(after)) => vec![format!("the terms of {} to {} are new", after.from, after.to)],
            (None, None) => Vec::new(),
        };
        if !words.is_empty() {
            changes.push(TermsChange { agreement: key.0.clone(), version: key.1, words });
        }
    }
    changes
}

/// Says a change of one thing.
fn differ<T: PartialEq>(words: &mut Vec<String>, what: &str, before: &T, after: &T, told: impl Fn(&T) -> String) {
    if before != after {
        words.push(format!("{what}: {}, before {}", told(after), told(before)));
    }
}

fn list<T: ToString>(all: &[T]) -> String {
    if all.is_empty() { "none".to_owned() } else { all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") }
}

fn changed(before: &Terms, after: &Terms) -> Vec<String> {
    let mut words = Vec::new();
    differ(&mut words, "status", &before.status, &after.status, |status| status.as_str().to_owned());
    differ(&mut words, "first day", &before.from, &after.from, ToString::to_string);
    differ(&mut words, "last day", &before.to, &after.to, ToString::to_string);
    let days = ToString::to_string;
    differ(&mut words, "days for late reports", &before.late_reporting_days, &after.late_reporting_days, days);
    differ(&mut words, "days that a report waits", &before.hold_days, &after.hold_days, days);
    differ(&mut words, "reviews", &before.reviews, &after.reviews, |reviews| list(reviews));
    differ(&mut words, "nämnd", &before.namnd, &after.namnd, Clone::clone);
    differ(&mut words, "purpose", &before.purpose, &after.purpose, |text| format!("\"{text}\""));
    differ(&mut words, "legal ground", &before.legal_ground, &after.legal_ground, |text| format!("\"{text}\""));
    let ages = |ages: &Option<crate::agreement::Ages>| {
        ages.map_or_else(|| "any".to_owned(), |ages| format!("{} to {} years", ages.from, ages.to))
    };
    differ(&mut words, "target group", &before.ages, &after.ages, ages);
    maps(&mut words, "target group of", &before.ages_by_activity, &after.ages_by_activity);
    maps(&mut words, "word for an activity", &before.activities, &after.activities);
    maps(&mut words, "word for a reason", &before.reasons, &after.reasons);
    for one in &before.recipients {
        match after.recipients.iter().find(|other| other.party == one.party) {
            None => words.push(format!("{} no longer receives anything", one.party.as_str())),
            Some(other) => recipients(&mut words, one, other),
        }
    }
    for one in after.recipients.iter().filter(|one| before.recipients.iter().all(|other| other.party != one.party)) {
        let documents = list(&one.documents);
        words.push(format!(
            "{} becomes a recipient, behind the gate {}: {documents}",
            one.party.as_str(),
            one.gate.kind.as_str()
        ));
    }
    words
}

fn maps<V: PartialEq + Debug>(words: &mut Vec<String>, what: &str, before: &BTreeMap<String, V>, after: &BTreeMap<String, V>) {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        match (before.get(key), after.get(key)) {
            (Some(was), Some(is)) if was == is => {}
            (Some(was), Some(is)) => words.push(format!("{what} \"{key}\": {is:?}, before {was:?}")),
            (Some(_), None) => words.push(format!("{what} \"{key}\" is gone")),
            (None, _) => words.push(format!("{what} \"{key}\" is new")),
        }
    }
}

fn recipients(words: &mut Vec<String>, before: &RecipientTerms, after: &RecipientTerms) {
    let party = before.party.as_str();
    differ(words, &format!("gate to {party}"), &before.gate, &after.gate, |gate| {
        let assessment = gate.assessment.as_ref().map_or_else(String::new, |text| format!(", {text}"));
        format!("{} ({}; {}{assessment})", gate.kind.as_str(), gate.rule, gate.reason)
    });
    differ(words, &format!("documents to {party}"), &before.documents, &after.documents, |all| list(all));
    for category in Category::ALL {
        let (was, is) = (right(before, *category), right(after, *category));
        if was != is {
            let line = after.matrix.lines.get(category).map_or_else(String::new, |line| format!(" (line {line})"));
            words.push(format!("matrix to {party}, {category}: {is}{line}, before {was}"));
        }
    }
}

fn right(terms: &RecipientTerms, category: Category) -> &'static str {
    if terms.matrix.always.contains(category) {
        "always"
    } else if terms.matrix.with_consent.contains(category) {
        "with-consent"
    } else {
        "never"
    }
}
