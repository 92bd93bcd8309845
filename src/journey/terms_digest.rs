//! What of a contract set decides one recipient's disclosures, as a short digest: whatever was decided under the same digest
//! stands, however much else of the set has changed.

use std::sync::Arc;

use crate::agreement::{RecipientTerms, Terms};
use crate::contract::{Catalogue, Direction};
use crate::domain::Files;
use crate::law::Law;
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
    let said = (
        (&terms.agreement, terms.status, &terms.kommun, &terms.namnd, terms.from, terms.to),
        (terms.late_reporting_days, terms.hold_days, &terms.legal_ground, terms.ages, &terms.ages_by_activity),
        (&terms.activities, &terms.reasons),
        (recipient.party, &recipient.documents, recipient.gate.kind),
        (recipient.matrix.always, recipient.matrix.with_consent),
    );
    let mut parts = vec![shared.to_owned(), format!("{said:?}")];
    for contract in catalogue.contracts().filter(|contract| contract.direction() == Direction::In) {
        let outline = contract.outline();
        for document in &recipient.documents {
            let Some(recipe) = recipes.get(&outline.reference, document) else { continue };
            parts.push(format!("{} {:?} {:?}", recipe.to, recipe.required, recipe.sources));
            for leaf in outline.leaves().into_iter().filter(|leaf| recipe.sources.contains(&*leaf.path)) {
                parts.push(format!("{} {}", leaf.path, leaf.category));
            }
        }
    }
    for ground in law.cited(&terms.legal_ground) {
        parts.push(format!("{ground:?}"));
    }
    parts.push(format!("{:?}", law.decisive()));
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    digest_of(&parts).chars().take(LENGTH).collect()
}
