//! Rows of PostgreSQL as the port's values.

use serde_json::Value;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::read::{column, digest, inconsistent, optional_digest, optional_time, optional_word, person, recipient, time, word};
use crate::domain::{
    Code, ContractRef, Envelope, Fingerprint, LegId, Login, MessageNumber, PersonKey, Position, RecipientId, ReportKey,
    Subject, Trace,
};
use crate::feed::Method;
use crate::seal::SealedBytes;
use crate::store::{
    DueReport, EntryRow, EntryState, FeedEntry, LegRow, LegState, MessageKind, MessageState, NewMessage, Receipt, Stored,
    StoredMessage,
};

const MESSAGES: &str = "messages";
const LEGS: &str = "legs";
const ENTRIES: &str = "entries";

/// An entry of a feed as a unit of work knows it: without its content, with what a `DELETE` takes over from it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) recipient: RecipientId,
    pub(super) row: EntryRow,
    pub(super) contract: String,
    pub(super) syntax: String,
    pub(super) illustrative: bool,
}

pub(super) fn violations_text(message: &NewMessage) -> String {
    let pairs = message.violations.iter().map(|(code, place)| serde_json::json!([code.as_str(), place]));
    Value::Array(pairs.collect()).to_string()
}

pub(super) fn violations(text: &str) -> Option<Vec<(Code, String)>> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).ok()?;
    pairs.into_iter().map(|(code, place)| Some((code.parse().ok()?, place))).collect()
}

pub(super) fn login(row: &PgRow) -> Stored<Login> {
    let text: String = column(row, "login")?;
    Login::try_from(text).map_err(|_| inconsistent(MESSAGES, "login"))
}

pub(super) fn message_id(row: &PgRow) -> Stored<Uuid> {
    column(row, "message_id")
}

pub(super) fn number(row: &PgRow, name: &str) -> Stored<MessageNumber> {
    column(row, name).map(MessageNumber)
}

pub(super) fn person_flag(row: &PgRow) -> Stored<(PersonKey, bool)> {
    Ok((digest(row, "persons", "person", person)?, column(row, "flagged")?))
}

pub(super) fn receipt(row: &PgRow) -> Stored<((Login, Uuid), Receipt)> {
    let fingerprint = optional_digest(row, MESSAGES, "fingerprint", Fingerprint::from_slice)?;
    Ok(((login(row)?, message_id(row)?), Receipt { number: number(row, "number")?, fingerprint }))
}

pub(super) fn stored(row: &PgRow) -> Stored<StoredMessage> {
    let contract: ContractRef = word(row, MESSAGES, "contract", |text| text.parse().ok())?;
    let envelope = Envelope {
        login: login(row)?,
        message_id: message_id(row)?,
        contract,
        syntax: word(row, MESSAGES, "syntax", |text| text.parse().ok())?,
        message_time: time(row, MESSAGES, "message_time")?,
        received_at: time(row, MESSAGES, "received_at")?,
        trace: Trace {
            parent: optional_word(row, MESSAGES, "traceparent", |text| text.parse().ok())?,
            correlation_id: column(row, "correlation")?,
        },
    };
    let fingerprint = optional_digest(row, MESSAGES, "fingerprint", Fingerprint::from_slice)?;
    let message = NewMessage {
        envelope,
        fingerprint: fingerprint
            .or_else(|| Fingerprint::from_slice(&[0; 32]))
            .ok_or_else(|| inconsistent(MESSAGES, "fingerprint"))?,
        kind: word(row, MESSAGES, "kind", MessageKind::from_stored)?,
        state: word(row, MESSAGES, "state", MessageState::from_stored)?,
        violations: word(row, MESSAGES, "violations", violations)?,
        restricted: column(row, "restricted")?,
        person: optional_digest(row, MESSAGES, "person", person)?,
        report: optional_digest(row, MESSAGES, "report", ReportKey::from_slice)?,
        revision: column(row, "revision")?,
        content: optional_digest(row, MESSAGES, "content", Fingerprint::from_slice)?,
        fan_out: column(row, "fan_out")?,
        sealed: SealedBytes::from_stored(column(row, "sealed")?),
    };
    let discarded_at = optional_time(row, MESSAGES, "discarded_at")?;
    Ok(StoredMessage { number: number(row, "number")?, message, discarded_at })
}

pub(super) fn leg(row: &PgRow) -> Stored<LegRow> {
    Ok(LegRow {
        id: LegId { message: number(row, "message")?, recipient: recipient(row, "recipient")? },
        report: digest(row, LEGS, "report", ReportKey::from_slice)?,
        state: word(row, LEGS, "state", LegState::from_stored)?,
        code: optional_word(row, LEGS, "code", |text| text.parse().ok())?,
        due_at: optional_time(row, LEGS, "due_at")?,
        documents: column(row, "documents")?,
        basis: column(row, "basis")?,
    })
}

pub(super) fn due(row: &PgRow) -> Stored<DueReport> {
    let report = digest(row, LEGS, "report", ReportKey::from_slice)?;
    Ok(DueReport { person: digest(row, MESSAGES, "person", person)?, report })
}

pub(super) fn known(row: &PgRow) -> Stored<(ReportKey, Known)> {
    let entry = EntryRow {
        position: Position(column(row, "position")?),
        subject: digest(row, ENTRIES, "subject", Subject::from_slice)?,
        method: word(row, ENTRIES, "method", method)?,
        state: word(row, ENTRIES, "state", EntryState::from_stored)?,
        served: column(row, "served")?,
        message: number(row, "message")?,
        fingerprint: column(row, "fingerprint")?,
    };
    let known = Known {
        recipient: recipient(row, "recipient")?,
        row: entry,
        contract: column(row, "contract")?,
        syntax: column(row, "syntax")?,
        illustrative: column(row, "illustrative")?,
    };
    Ok((digest(row, ENTRIES, "report", ReportKey::from_slice)?, known))
}

pub(super) fn method(text: &str) -> Option<Method> {
    [Method::Put, Method::Delete].into_iter().find(|method| method.as_str() == text)
}

pub(super) fn feed_entry(row: &PgRow) -> Stored<FeedEntry> {
    Ok(FeedEntry {
        position: Position(column(row, "position")?),
        subject: digest(row, ENTRIES, "subject", Subject::from_slice)?,
        contract: column(row, "contract")?,
        syntax: word(row, ENTRIES, "syntax", |text| text.parse().ok())?,
        method: word(row, ENTRIES, "method", method)?,
        sealed: SealedBytes::from_stored(column(row, "sealed")?),
        published_at: time(row, ENTRIES, "published_at")?,
        until: optional_time(row, ENTRIES, "until")?,
        traceparent: optional_word(row, MESSAGES, "traceparent", |text| text.parse().ok())?,
        illustrative: column(row, "illustrative")?,
        flagged: column(row, "flagged")?,
        served: column(row, "served")?,
        report: optional_digest(row, ENTRIES, "report", ReportKey::from_slice)?,
        message: number(row, "message")?,
        terms: column(row, "terms")?,
    })
}
