//! Floor 2, seventh: the recipient's own format and codes.
//!
//! `Disclosure → Renditions`: one or more outgoing documents, together or not at all. A document that needs a withheld
//! category is not made and is named as withheld; only a permitted value that cannot be mapped refuses the leg.

mod fit;
mod recipe;
mod write;

use serde_json::Value;

pub use recipe::{Recipe, Recipes};

use crate::agreement::{Codes, Status};
use crate::contract::Catalogue;
use crate::domain::{Code, ContractRef, Fingerprint, Keys, RecipientId, Refusal, Subject, Syntax};
use crate::filter::{Disclosure, Kept};
use write::Writer;

/// What stands outside an outgoing document: all that a store may know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Who receives it.
    pub recipient: RecipientId,
    /// Names the document over all revisions of the report.
    pub subject: Subject,
    /// The outgoing contract.
    pub contract: ContractRef,
    /// Its syntax.
    pub syntax: Syntax,
    /// Whether it rests on an illustration that nobody has signed.
    pub illustrative: bool,
}

/// One outgoing document, ready to be sealed. Only this module makes one.
#[derive(Debug)]
pub struct Rendition {
    heading: Heading,
    bytes: Vec<u8>,
}

impl Rendition {
    /// What stands outside.
    #[must_use]
    pub const fn heading(&self) -> &Heading {
        &self.heading
    }

    /// The document, for the seal.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The fingerprint of the content: equal content need not be published again.
    #[must_use]
    pub fn fingerprint(&self, keys: &dyn Keys) -> Fingerprint {
        keys.fingerprint(&self.bytes)
    }
}

/// What became of one leg's documents.
#[derive(Debug)]
pub struct Rendered {
    /// The documents that were made.
    pub renditions: Vec<Rendition>,
    /// The documents that need a category which is withheld.
    pub withheld: Vec<ContractRef>,
}

/// Makes the documents that the terms list for the recipient.
///
/// # Errors
/// A `translate.*` refusal of the leg as a whole.
pub fn render(
    disclosure: &Disclosure,
    recipes: &Recipes,
    codes: &Codes,
    catalogue: &Catalogue,
    keys: &dyn Keys,
) -> Result<Rendered, Refusal> {
    let covered = disclosure.permitted().covered();
    let report = covered.report();
    let mut rendered = Rendered { renditions: Vec::new(), withheld: Vec::new() };
    let Some(terms) = covered.recipient_terms() else { return Ok(rendered) };
    let illustrative = covered.terms().status == Status::Illustrative;
    for wanted in &terms.documents {
        let recipe = recipes.get(&report.outline().reference, wanted).ok_or_else(|| Refusal::whole(Code::TranslateValue))?;
        if !disclosure.permitted().categories().contains_all(recipe.required) {
            rendered.withheld.push(wanted.clone());
            continue;
        }
        let document = disclosure.document();
        let writer = Writer { document, item: None, terms: covered.terms(), codes, day: report.period().1 };
        let mut add = |writer: &Writer<'_>, part: &str| -> Result<(), Refusal> {
            let bytes = writer.write(recipe).map_err(Refusal::whole)?;
            // Shown when the recipe was loaded (`fit.rs`); every test run looks again.
            debug_assert!(holds(recipe, &bytes, catalogue), "{wanted} breaks its own contract");
            let recipient = covered.recipient();
            let subject = keys.subject(recipient.as_str(), report.report(), wanted.name(), part);
            let (contract, syntax) = (wanted.clone(), recipe.syntax);
            let heading = Heading { recipient, subject, contract, syntax, illustrative };
            rendered.renditions.push(Rendition { heading, bytes });
            Ok(())
        };
        let Some(per) = &recipe.per else {
            add(&writer, "")?;
            continue;
        };
        for item in writer.find(&per.list, None).and_then(Kept::items).unwrap_or_default() {
            let writer = Writer { item: Some(item), ..writer };
            let too_small = per.more_than.as_ref().is_some_and(|(source, limit)| {
                writer
                    .find(source, Some(item))
                    .and_then(Kept::value)
                    .and_then(Value::as_i64)
                    .is_none_or(|value| value <= *limit)
            });
            if too_small {
                continue;
            }
            let part = writer.find(&per.id, Some(item)).and_then(Kept::value).and_then(Value::as_str).unwrap_or_default();
            add(&writer, part)?;
        }
    }
    Ok(rendered)
}

/// Whether a document holds the recipient's own contract.
fn holds(recipe: &Recipe, bytes: &[u8], catalogue: &Catalogue) -> bool {
    let Some(contract) = catalogue.contract(&recipe.to) else { return false };
    let tree = match recipe.syntax {
        Syntax::Json => serde_json::from_slice::<Value>(bytes).ok(),
        Syntax::Xml => std::str::from_utf8(bytes).ok().and_then(|text| crate::intake::read_xml(text, &recipe.outline)),
    };
    tree.is_some_and(|tree| contract.fits(&tree))
}
