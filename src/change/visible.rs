//! Which fields of a report a recipient may see under an agreement, by one set and by another.

use std::collections::BTreeMap;

use crate::agreement::Terms;
use crate::contract::Direction;
use crate::domain::{ContractRef, RecipientId};
use crate::journey::ContractSet;

/// How far a field may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// Never, or no document has a place for it.
    Never,
    /// Where a waiver names its category.
    WithConsent,
    /// In every disclosure that the gate allows.
    Always,
}

impl Seen {
    /// In words, after a field's name: `becomes …`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Never => "invisible",
            Self::WithConsent => "visible where a waiver names it",
            Self::Always => "visible",
        }
    }
}

/// A field that becomes more or less visible to a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visibility {
    /// The agreement and the version of its terms.
    pub terms: (String, u32),
    /// The recipient.
    pub recipient: RecipientId,
    /// The report's contract.
    pub contract: ContractRef,
    /// The field.
    pub field: String,
    /// How far it was seen.
    pub before: Seen,
    /// How far it would be.
    pub after: Seen,
}

type Key = ((String, u32), RecipientId, ContractRef, String);

/// Every field that becomes more or less visible to somebody.
#[must_use]
pub fn visibility(old: &ContractSet, new: &ContractSet) -> Vec<Visibility> {
    let (before, after) = (all(old), all(new));
    let of = |from: &BTreeMap<Key, Seen>, key: &Key| from.get(key).copied().unwrap_or(Seen::Never);
    let mut keys: Vec<&Key> = before.keys().chain(after.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let view = |key: &Key| {
        let (terms, recipient, contract, field) = key.clone();
        Visibility { terms, recipient, contract, field, before: of(&before, key), after: of(&after, key) }
    };
    keys.into_iter().map(view).filter(|one| one.before != one.after).collect()
}

fn all(set: &ContractSet) -> BTreeMap<Key, Seen> {
    let mut seen = BTreeMap::new();
    for terms in set.register.terms() {
        of_terms(set, terms, &mut seen);
    }
    seen
}

fn of_terms(set: &ContractSet, terms: &Terms, into: &mut BTreeMap<Key, Seen>) {
    for contract in set.catalogue.contracts().filter(|contract| contract.direction() == Direction::In) {
        let outline = contract.outline();
        for recipient in &terms.recipients {
            for recipe in recipient.documents.iter().filter_map(|to| set.recipes.get(&outline.reference, to)) {
                for leaf in outline.leaves().into_iter().filter(|leaf| recipe.sources.contains(&*leaf.path)) {
                    let seen = if recipient.matrix.always.contains(leaf.category) {
                        Seen::Always
                    } else if recipient.matrix.with_consent.contains(leaf.category) {
                        Seen::WithConsent
                    } else {
                        Seen::Never
                    };
                    let named = (terms.agreement.clone(), terms.version);
                    let to = recipient.party.recipient(&terms.kommun);
                    let key = (named, to, outline.reference.clone(), leaf.path.to_string());
                    let known = into.entry(key).or_insert(Seen::Never);
                    *known = (*known).max(seen);
                }
            }
        }
    }
}
