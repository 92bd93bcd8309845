//! What a leg rests on, as it is recorded with it: for whoever has to explain a disclosure later.

use serde::Serialize;

use super::way::Basis;
use crate::agreement::Covered;
use crate::domain::ReportKey;
use crate::store::{StoreError, Stored};

/// What a leg rests on, as it is recorded: contract words and keyed digests, no personal data.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BasisRecord<'a> {
    agreement: &'a str,
    status: &'a str,
    version: u32,
    gate: Option<&'a str>,
    rule: Option<&'a str>,
    purpose: &'a str,
    legal_ground: &'a str,
    consents: Vec<String>,
    withheld: Vec<&'a str>,
    documents_withheld: Vec<String>,
}

/// The record as JSON.
pub(super) fn basis_text(covered: &Covered, basis: &Basis) -> Stored<String> {
    let terms = covered.terms();
    let gate = covered.recipient_terms().map(|recipient| &recipient.gate);
    let record = BasisRecord {
        agreement: &terms.agreement,
        status: terms.status.as_str(),
        version: terms.version,
        gate: gate.map(|gate| gate.kind.as_str()),
        rule: gate.map(|gate| gate.rule.as_str()),
        purpose: &terms.purpose,
        legal_ground: &terms.legal_ground,
        consents: basis.consents.iter().map(ReportKey::to_hex).collect(),
        withheld: basis.withheld.iter().map(|field| &*field.path).collect(),
        documents_withheld: basis.documents_withheld.iter().map(ToString::to_string).collect(),
    };
    serde_json::to_string(&record).map_err(|_| StoreError::Inconsistent { table: "legs", column: "basis" })
}
