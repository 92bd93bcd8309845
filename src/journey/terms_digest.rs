//! What of a contract set decides one recipient's disclosures, as a short digest: whatever was decided under the same digest
//! stands, however much else of the set has changed.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::agreement::{Ages, RecipientTerms, Terms};
use crate::contract::{Catalogue, Direction};
use crate::domain::{Categories, Category, ConsentKind, Files};
use crate::law::{Law, Row};
use crate::seal::digest_of;
use crate::translate::Recipes;

/// Bytes of a digest, in hexadecimal. It is compared with a few hundred others and protects nothing.
const LENGTH: usize = 16;

/// The digests of all terms, for each of their recipients.
#[derive(Debug, Default)]
pub(super) struct TermsDigests(Vec<(Arc<Terms>, Vec<String>)>);

impl TermsDigests {
    /// Of terms, with what else of the set they need.
    pub(super) fn of(files: &Files, terms: &[Arc<Terms>], catalogue: &Catalogue, recipes: &Recipes, law: &Law) -> Self {
        let shared = shared(files);
        let each = |terms: &Arc<Terms>| {
            let of = |recipient| digest(&shared, terms, recipient, catalogue, recipes, law);
            (Arc::clone(terms), terms.recipients.iter().map(of).collect())
        };
        Self(terms.iter().map(each).collect())
    }

    /// The digest of the terms for the recipient at a place.
    pub(super) fn get(&self, terms: &Arc<Terms>, recipient: usize) -> Option<&str> {
        let (_, digests) = self.0.iter().find(|(known, _)| Arc::ptr_eq(known, terms))?;
        digests.get(recipient).map(String::as_str)
    }

    /// Every digest of terms that are used.
    pub(super) fn used(&self, uses: impl Fn(&Terms) -> bool) -> Vec<&str> {
        self.0.iter().filter(|(terms, _)| uses(terms)).flat_map(|(_, digests)| digests.iter().map(String::as_str)).collect()
    }
}

/// The tables that any disclosure may go through, as they are written: code lists, translations and rules. A word too many in
/// the digest costs one more look at what stands in the feeds; one too few would go on showing what may not be shown.
fn shared(files: &Files) -> String {
    let tables = files
        .iter()
        .filter(|(path, _)| path.starts_with("codes/") || path.starts_with("translations/") || path.ends_with("/rules.toml"));
    digest_of(&tables.flat_map(|(path, text)| [path.as_bytes(), text.as_bytes()]).collect::<Vec<_>>())
}

/// Everything by which it is decided whether and what the recipient sees. Titles, purposes, reviews and the places of lines in
/// files decide nothing.
fn digest(
    shared: &str,
    terms: &Terms,
    recipient: &RecipientTerms,
    catalogue: &Catalogue,
    recipes: &Recipes,
    law: &Law,
) -> String {
    let mut parts = vec![shared.to_owned(), said(terms, recipient).to_string()];
    for contract in catalogue.contracts().filter(|contract| contract.direction() == Direction::In) {
        let outline = contract.outline();
        for document in &recipient.documents {
            let Some(recipe) = recipes.get(&outline.reference, document) else { continue };
            parts.push(json!([recipe.to.to_string(), names(recipe.required), recipe.sources]).to_string());
            for leaf in outline.leaves().into_iter().filter(|leaf| recipe.sources.contains(&*leaf.path)) {
                parts.push(json!([&*leaf.path, leaf.category.as_str()]).to_string());
            }
        }
    }
    for ground in law.cited(&terms.legal_ground) {
        let needs = ground.needs.map(ConsentKind::as_str);
        parts.push(json!([row(&ground.row), ground.cites, needs, ground.only_sensitive]).to_string());
    }
    let (sensitive, transitions) = law.decisive();
    for one in sensitive {
        let annotations: Vec<&str> = one.sensitivities.iter().map(|one| one.as_str()).collect();
        parts.push(json!([row(&one.row), annotations, names(one.categories)]).to_string());
    }
    for one in transitions {
        let kinds: Vec<&str> = one.consents.iter().map(|kind| kind.as_str()).collect();
        parts.push(json!([row(&one.row), kinds, one.given_before.to_string()]).to_string());
    }
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    digest_of(&parts).chars().take(LENGTH).collect()
}

/// What the terms say, written by their names: the same in every version of the program, which another way of printing values is
/// not.
fn said(terms: &Terms, recipient: &RecipientTerms) -> Value {
    let ages = |ages: &Ages| json!([ages.from, ages.to]);
    let by_activity: Vec<Value> =
        terms.ages_by_activity.iter().map(|(activity, limits)| json!([activity, ages(limits)])).collect();
    let documents: Vec<String> = recipient.documents.iter().map(ToString::to_string).collect();
    json!([
        [terms.agreement, terms.status.as_str(), terms.kommun.as_str(), terms.namnd],
        [terms.from.to_string(), terms.to.to_string(), terms.late_reporting_days, terms.hold_days],
        [terms.legal_ground, terms.ages.as_ref().map(ages), by_activity],
        [terms.activities, terms.reasons],
        [recipient.party.as_str(), documents, recipient.gate.kind.as_str()],
        [names(recipient.matrix.always), names(recipient.matrix.with_consent)],
    ])
}

fn names(categories: Categories) -> Vec<&'static str> {
    categories.iter().map(Category::as_str).collect()
}

/// A row of the law: its days, and which it is. Its words decide nothing.
fn row(row: &Row) -> Value {
    json!([row.id, row.from.to_string(), row.to.map(|to| to.to_string())])
}
