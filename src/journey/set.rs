//! The whole set of contracts that a service judges by: catalogue, agreements, code lists and recipes, checked together.

use super::terms_digest::TermsDigests;
use crate::agreement::{Codes, Covered, Illustrations, Register};
use crate::answer::Kind;
use crate::contract::{Catalogue, Direction};
use crate::domain::{Category, ContractRef, Files, Flaw, Flaws};
use crate::law::Law;
use crate::seal::digest_of;
use crate::translate::Recipes;

/// One whole set. It is made whole or not at all: a bad set never replaces a good one.
#[derive(Debug)]
pub struct ContractSet {
    /// Message contracts and parties.
    pub catalogue: Catalogue,
    /// Agreements.
    pub register: Register,
    /// Code lists.
    pub codes: Codes,
    /// Translations.
    pub recipes: Recipes,
    /// The law.
    pub law: Law,
    digest: String,
    record: String,
    /// The paths of its files.
    paths: Vec<String>,
    terms: TermsDigests,
}

impl ContractSet {
    /// Loads a set from its files.
    ///
    /// # Errors
    /// Every flaw at once, each with file and line.
    pub fn load(files: &Files, illustrations: Illustrations) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Flaws::default();
        let catalogue = Catalogue::load(files, &mut flaws);
        let codes = Codes::load(files, &mut flaws);
        let law = Law::load(files, &mut flaws);
        let register = Register::load(files, &catalogue, &codes, &law, &mut flaws).using(illustrations);
        let recipes = Recipes::load(files, &catalogue, &codes, &mut flaws);
        let digest = Self::digest_of(files);
        let record = format!("{{\"set\":\"{digest}\"}}");
        let terms = TermsDigests::of(files, register.terms(), &catalogue, &recipes, &law);
        let paths = files.iter().map(|(path, _)| path.to_owned()).collect();
        let set = Self { catalogue, register, codes, recipes, law, digest, record, paths, terms };
        set.check_together(files, &mut flaws);
        if flaws.is_empty() { Ok(set) } else { Err(flaws.into_sorted()) }
    }

    /// The digest that the set of these files has, whether or not they make one: over paths and texts of schemas, rules and
    /// tables. The XSDs follow from the schemas.
    #[must_use]
    pub fn digest_of(files: &Files) -> String {
        let judged_by = files.iter().filter(|(path, _)| path.rsplit('.').next() != Some("xsd"));
        let parts: Vec<&[u8]> = judged_by.flat_map(|(path, text)| [path.as_bytes(), text.as_bytes()]).collect();
        digest_of(&parts)
    }

    /// The SHA-256 of everything that the set judges by, in hexadecimal: two services with the same digest judge alike, apart
    /// from the illustrations that they use.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The first of its files that is not among others: without it something that the set has would end.
    #[must_use]
    pub fn missing_in(&self, files: &Files) -> Option<&str> {
        self.paths.iter().map(String::as_str).find(|path| files.get(path).is_none())
    }

    /// The digest as it is recorded with what was judged.
    #[must_use]
    pub fn record(&self) -> &str {
        &self.record
    }

    /// A short digest of all that decides one leg's disclosure.
    #[must_use]
    pub fn terms_of(&self, covered: &Covered) -> Option<&str> {
        self.terms.get(covered.terms(), covered.place())
    }

    /// The digests of all terms that are in use.
    #[must_use]
    pub fn terms_in_use(&self) -> Vec<&str> {
        self.terms.used(|terms| self.register.uses(terms))
    }

    /// What no part can see alone: each document that an agreement lists can be made, and could ever be shown.
    fn check_together(&self, files: &Files, flaws: &mut Flaws) {
        let shared: Vec<_> =
            self.catalogue.contracts().filter(|contract| contract.outline().reference.name() == "activity-report").collect();
        for terms in self.register.terms() {
            let text = files.get(&terms.file).unwrap_or_default();
            for recipient in &terms.recipients {
                for document in &recipient.documents {
                    let at = text.find(&format!("\"{document}\"")).unwrap_or(0);
                    for contract in &shared {
                        match self.recipes.get(&contract.outline().reference, document) {
                            None => flaws.add_at(&terms.file, text, at, format!("no translation makes {document}")),
                            Some(recipe) => {
                                let seen = recipient.matrix.always.union(recipient.matrix.with_consent);
                                let missing: Vec<_> = recipe.required.minus(seen).iter().map(Category::as_str).collect();
                                if !missing.is_empty() {
                                    let words =
                                        format!("{document} can never be made: its {} is never shown", missing.join(", "));
                                    flaws.add_at(&terms.file, text, at, words);
                                }
                            }
                        }
                    }
                }
            }
        }
        for contract in self.catalogue.contracts() {
            let file = format!("{}/schema.json", contract.folder());
            for leaf in contract.outline().leaves() {
                if let Some(row) = self.law.too_weak(leaf) {
                    let words = format!("`{}` is {}, which is sensitive by {}", leaf.path, leaf.category, row.id);
                    flaws.add(&file, 1, words);
                }
            }
        }
        for kind in Kind::ALL {
            let reference = kind.contract().parse().ok();
            let contract = reference.and_then(|reference: ContractRef| self.catalogue.contract(&reference));
            if contract.is_none_or(|contract| contract.direction() != Direction::Out(Kind::SYNTAX)) {
                flaws.add(
                    "messages",
                    1,
                    format!("the set has no outgoing contract {} in JSON for its answers", kind.contract()),
                );
            }
        }
        if self.catalogue.contracts().all(|contract| contract.direction() != Direction::In) {
            flaws.add("messages", 1, "the set has no incoming contract");
        }
    }
}
