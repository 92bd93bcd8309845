//! An extract: everything that is held about one participant, what was sent of it, and who has looked.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::Leg;
use crate::domain::{Code, PersonKey, PersonNumber, ReportKey, Syntax};
use crate::intake::decode;
use crate::journey::{Journey, KeyedTx, payload};
use crate::store::{AuditAct, AuditRow, MessageKind, MessageState, Rights as _, Store, Stored, StoredMessage, Tx, WholeEntry};

/// The extract of one participant.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Extract {
    /// Of whom.
    pub person_number: String,
    /// When it was made.
    pub made_at: String,
    /// Whether what only the privacy role may see is in it.
    pub with_protected: bool,
    /// What came.
    pub messages: Vec<Held>,
}

/// A content as far as it is still there.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// Field by field, with its place: of what could be decoded.
    pub fields: Vec<(String, String)>,
    /// The document as it came or went, where it is not told field by field.
    pub text: Option<String>,
}

/// One message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// The store's number of it.
    pub number: i64,
    /// Who sent it.
    pub login: String,
    /// The sender's id of it.
    pub message_id: String,
    /// Its contract.
    pub contract: String,
    /// When the sender wrote it.
    pub message_time: String,
    /// When it came.
    pub received_at: String,
    /// What became of it.
    pub state: String,
    /// Why it was refused, in plain words.
    pub codes: Vec<String>,
    /// Its content; `None` where it is gone, by an erasure or at the end of its period.
    pub content: Option<Content>,
    /// What it came to for each recipient.
    pub legs: Vec<Leg>,
    /// What was made of it.
    pub sent: Vec<Sent>,
    /// Which persons have looked at it or done something with it.
    pub acts: Vec<Act>,
}

/// A document that was made for a recipient, or the word that nobody stands behind it any more.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// For whom.
    pub recipient: String,
    /// Its contract.
    pub contract: String,
    /// `PUT` or `DELETE`.
    pub method: String,
    /// Its state in the feed.
    pub state: String,
    /// When it was put into the feed.
    pub published_at: String,
    /// When the recipient was given it first; `None`: never.
    pub served_at: Option<String>,
    /// When it had arrived, in a pushed feed.
    pub confirmed_at: Option<String>,
    /// The document; `None` where it is gone, and of a `DELETE`.
    pub document: Option<String>,
}

/// What a person did.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Act {
    /// When.
    pub at: String,
    /// What: `reading` or `operator`.
    pub act: String,
    /// Who.
    pub actor: String,
    /// Why, in the person's own words.
    pub reason: Option<String>,
    /// More about it.
    pub detail: String,
}

/// Gathers everything that is held about a participant; `None` where that is nothing. It is a reading of each message, with its
/// reason in the audit log. Without `with_protected` all of a protected participant is left out: it is for the privacy role alone.
///
/// # Errors
/// A fault of either store.
pub async fn extract<S: Store>(
    journey: &Journey,
    store: &S,
    (number, person): (&PersonNumber, &PersonKey),
    with_protected: bool,
    operator: &str,
    reason: &str,
) -> Stored<Option<Extract>> {
    let mut tx = journey.begin(store, "subject-export").await?;
    let mut messages = Vec::new();
    for kind in [MessageKind::Report, MessageKind::Consent, MessageKind::Protection, MessageKind::Unknown] {
        messages.extend(tx.messages_of(person, kind).await?);
    }
    // All of a protected participant's messages are for the privacy role, also those that came before the flag.
    let is_flagged = tx.is_flagged(person).await?;
    messages.retain(|stored| with_protected || !(is_flagged || is_protected(stored)));
    messages.sort_by_key(|stored| stored.number);
    if messages.is_empty() {
        return Ok(None);
    }
    let reports: BTreeSet<ReportKey> = messages.iter().filter_map(|stored| stored.message.report).collect();
    let entries = tx.entries_of(&reports.into_iter().collect::<Vec<_>>()).await?;
    let mut held = Vec::with_capacity(messages.len());
    for stored in &messages {
        held.push(one(journey, &mut tx, stored, &entries).await?);
        let row = AuditRow::by(AuditAct::Reading, operator).on(stored.number).because(reason);
        tx.audit(&row.with("extract")).await?;
    }
    let made_at = tx.now().to_string();
    tx.commit().await?;
    Ok(Some(Extract { person_number: number.digits().to_owned(), made_at, with_protected, messages: held }))
}

/// What only the privacy role may see.
fn is_protected(stored: &StoredMessage) -> bool {
    stored.message.state == MessageState::Diverted
        || stored.message.kind == MessageKind::Protection
        || stored.message.restricted
}

async fn one<T: Tx>(journey: &Journey, tx: &mut KeyedTx<T>, stored: &StoredMessage, entries: &[WholeEntry]) -> Stored<Held> {
    let message = &stored.message;
    let envelope = &message.envelope;
    let bytes = if message.sealed.is_empty() { None } else { tx.open(message).await? };
    let legs = tx.legs(stored.number).await?.iter().map(Leg::of).collect();
    let mut sent = Vec::new();
    for entry in entries.iter().filter(|entry| entry.message == stored.number) {
        sent.push(disclosed(tx, entry).await?);
    }
    let acts = tx.audited(stored.number).await?.into_iter().filter(|one| is_by_a_person(one.row.act)).map(|one| Act {
        at: one.at.to_string(),
        act: one.row.act.as_str().to_owned(),
        actor: one.row.actor,
        reason: one.row.reason,
        detail: one.row.detail,
    });
    let acts = acts.collect();
    let words = |(code, place): &(Code, String)| format!("{code} ({place}): {}", code.words());
    Ok(Held {
        number: stored.number.0,
        login: envelope.login.to_string(),
        message_id: envelope.message_id.to_string(),
        contract: envelope.contract.to_string(),
        message_time: envelope.message_time.to_string(),
        received_at: envelope.received_at.to_string(),
        state: message.state.as_str().to_owned(),
        codes: message.violations.iter().map(words).collect(),
        content: bytes.map(|bytes| content(journey, stored, &bytes)),
        legs,
        sent,
        acts,
    })
}

const fn is_by_a_person(act: AuditAct) -> bool {
    matches!(act, AuditAct::Reading | AuditAct::Operator)
}

async fn disclosed<T: Tx>(tx: &mut KeyedTx<T>, entry: &WholeEntry) -> Stored<Sent> {
    let document = if entry.sealed.is_empty() { None } else { tx.open_entry(entry).await? };
    Ok(Sent {
        recipient: entry.recipient.to_string(),
        contract: entry.contract.clone(),
        method: entry.method.as_str().to_owned(),
        state: entry.state.as_str().to_owned(),
        published_at: entry.published_at.to_string(),
        served_at: entry.served_at.map(|at| at.to_string()),
        confirmed_at: entry.confirmed_at.map(|at| at.to_string()),
        document: document.map(|bytes| readable(&bytes, entry.syntax)),
    })
}

fn readable(bytes: &[u8], syntax: Syntax) -> String {
    let value = if syntax == Syntax::Json { serde_json::from_slice::<Value>(bytes).ok() } else { None };
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    pretty.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())
}

/// Field by field where the contract can be read; else as it came.
fn content(journey: &Journey, stored: &StoredMessage, bytes: &[u8]) -> Content {
    let envelope = &stored.message.envelope;
    let contract = journey.set().catalogue.contract(&envelope.contract);
    let decoded = contract.and_then(|contract| {
        let payload = payload(envelope, bytes).ok()?;
        decode(payload, contract.outline()).ok()
    });
    let mut fields = Vec::new();
    if let Some(decoded) = decoded {
        walk("", decoded.document().tree(), &mut fields);
    }
    let text = fields.is_empty().then(|| readable(bytes, envelope.syntax));
    Content { fields, text }
}

/// Every value with its place.
fn walk(place: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                walk(&format!("{place}/{name}"), value, into);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                walk(&format!("{place}/{}", index.saturating_add(1)), value, into);
            }
        }
        Value::String(text) => into.push((place.to_owned(), text.clone())),
        Value::Null => {}
        other => into.push((place.to_owned(), other.to_string())),
    }
}
