//! What a leg rests on, as it is recorded with it: for whoever has to explain a disclosure later.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::set::ContractSet;
use super::way::Basis;
use crate::agreement::Covered;
use crate::domain::{ReportKey, date_of};
use crate::store::{StoreError, Stored};

/// What a leg rests on, as it is recorded: words of contracts, ids of rows of law and keyed digests, no personal data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BasisRecord {
    /// The agreement.
    pub agreement: String,
    /// Whether it is signed.
    pub status: String,
    /// The version of its terms.
    pub version: u32,
    /// The kind of gate.
    pub gate: Option<String>,
    /// The rule that the gate cites.
    pub rule: Option<String>,
    /// The purpose.
    pub purpose: String,
    /// The legal ground, as the agreement says it.
    pub legal_ground: String,
    /// The consents that it rests on, as keyed digests.
    pub consents: Vec<String>,
    /// The fields that were withheld.
    pub withheld: Vec<String>,
    /// The documents that were not made, because they need what is withheld.
    pub documents_withheld: Vec<String>,
    /// The row of the general law of data protection on the day of the decision.
    pub regime: Option<String>,
    /// The rows of the rules that go with it.
    pub rules: Vec<String>,
    /// The rows of the legal grounds.
    pub grounds: Vec<String>,
    /// The participant's consents that a change of the law asks something of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<TouchedRecord>,
    /// The contract of the report.
    pub contract: String,
    /// The contracts of the documents that were made.
    pub documents: Vec<String>,
    /// The lines of the agreement's file that withheld, by category; a category that it does not name has none.
    pub lines: BTreeMap<String, usize>,
    /// The digest of the contract set.
    pub set: String,
    /// The digest of all of the set that decides this leg: a page shows what was decided under terms that are still in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
}

/// A consent that a change of the law asks something of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TouchedRecord {
    /// The consent, as a keyed digest.
    pub consent: String,
    /// The row of the law.
    pub row: String,
    /// Whether it has been confirmed as the row asks.
    pub confirmed: bool,
}

impl BasisRecord {
    /// Reads a record; what an earlier version of the program did not record is empty.
    #[must_use]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// The record as JSON.
pub(super) fn basis_text(covered: &Covered, basis: &Basis, set: &ContractSet, now: Timestamp) -> Stored<String> {
    let (terms, recipient, today) = (covered.terms(), covered.recipient_terms(), date_of(now));
    let gate = recipient.map(|recipient| &recipient.gate);
    let mut rules: Vec<String> = recipient
        .map(|recipient| set.law.rules(recipient.gate.kind, recipient.party, today).map(|row| row.id.clone()).collect())
        .unwrap_or_default();
    rules.extend(basis.sensitive.iter().cloned());
    let mut lines = BTreeMap::new();
    for field in &basis.withheld {
        if let Some(line) = recipient.and_then(|recipient| recipient.matrix.lines.get(&field.category)) {
            lines.insert(field.category.as_str().to_owned(), *line);
        }
    }
    let touched = basis.transitions.iter().map(|one| TouchedRecord {
        consent: one.consent.to_hex(),
        row: one.row.clone(),
        confirmed: one.confirmed,
    });
    let record = BasisRecord {
        agreement: terms.agreement.clone(),
        status: terms.status.as_str().to_owned(),
        version: terms.version,
        gate: gate.map(|gate| gate.kind.as_str().to_owned()),
        rule: gate.map(|gate| gate.rule.clone()),
        purpose: terms.purpose.clone(),
        legal_ground: terms.legal_ground.clone(),
        consents: basis.consents.iter().map(ReportKey::to_hex).collect(),
        withheld: basis.withheld.iter().map(|field| field.path.to_string()).collect(),
        documents_withheld: basis.documents_withheld.iter().map(ToString::to_string).collect(),
        regime: set.law.regime(today).map(|row| row.id.clone()),
        rules,
        grounds: set.law.grounds(&terms.legal_ground, today).map(|ground| ground.row.id.clone()).collect(),
        transitions: touched.collect(),
        contract: covered.report().outline().reference.to_string(),
        documents: basis.documents.iter().map(ToString::to_string).collect(),
        lines,
        set: set.digest().to_owned(),
        terms: set.terms_of(covered).map(str::to_owned),
    };
    serde_json::to_string(&record).map_err(|_| StoreError::Inconsistent { table: "legs", column: "basis" })
}
