//! Whose data of which categories was disclosed to whom within a span of time.
//!
//! It counts when an entry was served first; that a reader asked for it again is told by the rows `page-served` of the audit log.
//! Categories are those that the outgoing contract can hold: never fewer than were disclosed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::{Category, MessageNumber, PersonKey, RecipientId};
use crate::intake::decode;
use crate::journey::{Journey, KeyedTx, payload};
use crate::protection::identify;
use crate::store::{AuditAct, AuditRow, Rights as _, Store, Stored, Tx};

/// Of which time, and to whom.
#[derive(Debug, Clone)]
pub struct Span {
    /// From this instant on.
    pub from: Timestamp,
    /// Up to this one, not included.
    pub to: Timestamp,
    /// To this recipient alone.
    pub recipient: Option<RecipientId>,
}

/// What one recipient was given of one participant under one contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Disclosed {
    /// To whom.
    pub recipient: String,
    /// Of whom: the keyed digest.
    pub person: String,
    /// The personnummer, where it was asked for, its content is still there, and the participant is not protected.
    pub person_number: Option<String>,
    /// The outgoing contract.
    pub contract: String,
    /// The categories of data that such a document can hold.
    pub categories: Vec<&'static str>,
    /// How many documents.
    pub documents: usize,
    /// When the first of them was served.
    pub first: String,
    /// When the last of them was served.
    pub last: String,
}

/// Everything within the span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Breach {
    /// How many participants.
    pub persons: usize,
    /// How many documents.
    pub documents: usize,
    /// By recipient, participant and contract.
    pub disclosed: Vec<Disclosed>,
}

impl Breach {
    /// The same as comma-separated values (RFC 4180). Every value is a digest, a time, a number or a word of a contract.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = "mottagare,person,personnummer,handling,kategorier,antal,första,sista\r\n".to_owned();
        for row in &self.disclosed {
            let (number, categories) = (row.person_number.as_deref().unwrap_or_default(), row.categories.join(" "));
            let count = row.documents.to_string();
            let fields =
                [&*row.recipient, &*row.person, number, &*row.contract, &*categories, &*count, &*row.first, &*row.last];
            text.push_str(&fields.join(","));
            text.push_str("\r\n");
        }
        text
    }
}

/// Gathers what was disclosed. With `identities` it is a reading of each participant, with its reason in the audit log.
///
/// # Errors
/// A fault of either store.
pub async fn breach<S: Store>(
    journey: &Journey,
    store: &S,
    span: &Span,
    identities: bool,
    operator: &str,
    reason: &str,
) -> Stored<Breach> {
    struct Group {
        documents: usize,
        first: Timestamp,
        last: Timestamp,
        message: MessageNumber,
    }
    let mut tx = journey.begin(store, "breach-export").await?;
    let served = tx.served_between(span.from, span.to, span.recipient.as_ref()).await?;
    let documents = served.len();
    let mut groups: BTreeMap<(RecipientId, PersonKey, String), Group> = BTreeMap::new();
    for entry in served {
        let (at, message) = (entry.served_at, entry.message);
        let group = groups.entry((entry.recipient, entry.person, entry.contract)).or_insert(Group {
            documents: 0,
            first: at,
            last: at,
            message,
        });
        group.documents = group.documents.saturating_add(1);
        group.first = group.first.min(at);
        group.last = group.last.max(at);
        group.message = message;
    }
    let mut numbers: BTreeMap<PersonKey, Option<String>> = BTreeMap::new();
    for ((_, person, _), group) in &groups {
        if let std::collections::btree_map::Entry::Vacant(place) = numbers.entry(*person) {
            let number = if identities { number_of(journey, &mut tx, person, group.message).await? } else { None };
            if number.is_some() {
                let row = AuditRow::by(AuditAct::Reading, operator).on(group.message).because(reason);
                tx.audit(&row.with("breach export")).await?;
            }
            place.insert(number);
        }
    }
    let row = AuditRow::by(AuditAct::Operator, operator).because(reason);
    let detail = format!("breach export: {} to {}, {documents} documents, {} persons", span.from, span.to, numbers.len());
    tx.audit(&row.with(detail)).await?;
    tx.commit().await?;
    let disclosed = groups.into_iter().map(|((recipient, person, contract), group)| Disclosed {
        recipient: recipient.to_string(),
        person: person.to_hex(),
        person_number: numbers.get(&person).cloned().flatten(),
        categories: categories(journey, &contract),
        contract,
        documents: group.documents,
        first: group.first.to_string(),
        last: group.last.to_string(),
    });
    let disclosed = disclosed.collect();
    Ok(Breach { persons: numbers.len(), documents, disclosed })
}

/// The personnummer as it stands in a message, where that can still be read and nothing protects the participant.
async fn number_of<T: Tx>(
    journey: &Journey,
    tx: &mut KeyedTx<T>,
    person: &PersonKey,
    message: MessageNumber,
) -> Stored<Option<String>> {
    if tx.is_flagged(person).await? {
        return Ok(None);
    }
    let Some(stored) = tx.message(message).await?.filter(|stored| !stored.message.sealed.is_empty()) else { return Ok(None) };
    let Some(bytes) = tx.open(&stored.message).await? else { return Ok(None) };
    let envelope = &stored.message.envelope;
    let contract = journey.set().catalogue.contract(&envelope.contract);
    let number = contract.and_then(|contract| {
        let decoded = decode(payload(envelope, &bytes).ok()?, contract.outline()).ok()?;
        let (_, number, key) = identify(decoded, journey.keys()).ok()?.open_record().into_parts();
        (key == *person).then(|| number.digits().to_owned())
    });
    Ok(number)
}

/// The categories that documents of a contract can hold; all where the contract is not known any more.
fn categories(journey: &Journey, contract: &str) -> Vec<&'static str> {
    let known = contract.parse().ok().and_then(|reference| journey.set().catalogue.contract(&reference));
    let Some(contract) = known else { return Category::ALL.iter().map(|category| category.as_str()).collect() };
    let mut categories: Vec<&'static str> = contract.outline().leaves().iter().map(|leaf| leaf.category.as_str()).collect();
    categories.sort_unstable();
    categories.dedup();
    categories
}
