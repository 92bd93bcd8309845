//! Messages and participants in SQLite.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::read::{column, digest, inconsistent, micros, optional_digest, optional_time, optional_word, person, time, word};
use super::{Stored, away, sql};
use crate::domain::{Code, ContractRef, Envelope, Fingerprint, Login, MessageNumber, PersonKey, ReportKey, Trace, TraceParent};
use crate::seal::SealedBytes;
use crate::store::{MessageKind, MessageState, NewMessage, Receipt, StoredMessage};

const TABLE: &str = "messages";

pub(super) async fn receipts(db: &mut SqliteConnection, login: &Login, message_id: Uuid) -> Stored<Vec<Receipt>> {
    let rows = sqlx::query(sql::RECEIPTS)
        .bind(login.as_str())
        .bind(message_id.as_bytes().as_slice())
        .fetch_all(db)
        .await
        .map_err(away)?;
    let receipt = |row: &SqliteRow| {
        let fingerprint = optional_digest(row, TABLE, "fingerprint", Fingerprint::from_slice)?;
        Ok(Receipt { number: MessageNumber(column(row, "number")?), fingerprint })
    };
    rows.iter().map(receipt).collect()
}

pub(super) async fn count_duplicate(db: &mut SqliteConnection, number: MessageNumber) -> Stored<()> {
    sqlx::query(sql::COUNT_DUPLICATE).bind(number.0).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn insert(db: &mut SqliteConnection, message: &NewMessage) -> Stored<MessageNumber> {
    let envelope = &message.envelope;
    let row = sqlx::query(sql::INSERT_MESSAGE)
        .bind(envelope.login.as_str())
        .bind(envelope.message_id.as_bytes().as_slice())
        .bind(message.fingerprint.as_bytes())
        .bind(envelope.contract.to_string())
        .bind(envelope.syntax.as_str())
        .bind(micros(envelope.message_time))
        .bind(micros(envelope.received_at))
        .bind(envelope.trace.parent.as_ref().map(TraceParent::as_str))
        .bind(envelope.trace.correlation_id.as_ref().map(|id| id.as_bytes().as_slice()))
        .bind(message.kind.as_str())
        .bind(message.state.as_str())
        .bind(violations_text(message))
        .bind(message.restricted)
        .bind(message.person.as_ref().map(|person| person.as_bytes().as_slice()))
        .bind(message.report.as_ref().map(ReportKey::as_bytes))
        .bind(message.revision)
        .bind(message.content.as_ref().map(Fingerprint::as_bytes))
        .bind(message.fan_out)
        .bind(message.sealed.as_bytes())
        .fetch_one(db)
        .await
        .map_err(away)?;
    Ok(MessageNumber(row.get(0)))
}

pub(super) async fn update(db: &mut SqliteConnection, number: MessageNumber, message: &NewMessage) -> Stored<()> {
    sqlx::query(sql::UPDATE_MESSAGE)
        .bind(number.0)
        .bind(message.kind.as_str())
        .bind(message.state.as_str())
        .bind(violations_text(message))
        .bind(message.restricted)
        .bind(message.person.as_ref().map(|person| person.as_bytes().as_slice()))
        .bind(message.report.as_ref().map(ReportKey::as_bytes))
        .bind(message.revision)
        .bind(message.content.as_ref().map(Fingerprint::as_bytes))
        .bind(message.fan_out)
        .execute(db)
        .await
        .map(drop)
        .map_err(away)
}

pub(super) async fn divert(db: &mut SqliteConnection, number: MessageNumber) -> Stored<()> {
    sqlx::query(sql::DROP_LEGS).bind(number.0).execute(&mut *db).await.map_err(away)?;
    sqlx::query(sql::DIVERT).bind(number.0).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn discard(db: &mut SqliteConnection, number: MessageNumber, now: Timestamp) -> Stored<()> {
    sqlx::query(sql::DISCARD).bind(number.0).bind(micros(now)).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn one(db: &mut SqliteConnection, number: MessageNumber) -> Stored<Option<StoredMessage>> {
    let row = sqlx::query(sql::MESSAGE).bind(number.0).fetch_optional(db).await.map_err(away)?;
    row.as_ref().map(stored).transpose()
}

pub(super) async fn of_person(db: &mut SqliteConnection, person: &PersonKey, kind: MessageKind) -> Stored<Vec<StoredMessage>> {
    let query = sqlx::query(sql::OF_PERSON).bind(person.as_bytes().as_slice()).bind(kind.as_str());
    query.fetch_all(db).await.map_err(away)?.iter().map(stored).collect()
}

pub(super) async fn revisions(db: &mut SqliteConnection, report: &ReportKey) -> Stored<Vec<StoredMessage>> {
    let query = sqlx::query(sql::REVISIONS).bind(report.as_bytes());
    query.fetch_all(db).await.map_err(away)?.iter().map(stored).collect()
}

fn violations_text(message: &NewMessage) -> String {
    let pairs = message.violations.iter().map(|(code, place)| serde_json::json!([code.as_str(), place]));
    Value::Array(pairs.collect()).to_string()
}

pub(super) fn violations(text: &str) -> Option<Vec<(Code, String)>> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).ok()?;
    pairs.into_iter().map(|(code, place)| Some((code.parse().ok()?, place))).collect()
}

pub(super) fn stored(row: &SqliteRow) -> Stored<StoredMessage> {
    let login: String = column(row, "login")?;
    let contract: ContractRef = word(row, TABLE, "contract", |text| text.parse().ok())?;
    let envelope = Envelope {
        login: Login::try_from(login).map_err(|_| inconsistent(TABLE, "login"))?,
        message_id: digest(row, TABLE, "message_id", |bytes| Uuid::from_slice(bytes).ok())?,
        contract,
        syntax: word(row, TABLE, "syntax", |text| text.parse().ok())?,
        message_time: time(row, TABLE, "message_time")?,
        received_at: time(row, TABLE, "received_at")?,
        trace: Trace {
            parent: optional_word(row, TABLE, "traceparent", |text| text.parse().ok())?,
            correlation_id: optional_digest(row, TABLE, "correlation", |bytes| Uuid::from_slice(bytes).ok())?,
        },
    };
    let fingerprint = optional_digest(row, TABLE, "fingerprint", Fingerprint::from_slice)?;
    let message = NewMessage {
        envelope,
        fingerprint: fingerprint
            .or_else(|| Fingerprint::from_slice(&[0; 32]))
            .ok_or_else(|| inconsistent(TABLE, "fingerprint"))?,
        kind: word(row, TABLE, "kind", MessageKind::from_stored)?,
        state: word(row, TABLE, "state", MessageState::from_stored)?,
        violations: word(row, TABLE, "violations", violations)?,
        restricted: column(row, "restricted")?,
        person: optional_digest(row, TABLE, "person", person)?,
        report: optional_digest(row, TABLE, "report", ReportKey::from_slice)?,
        revision: column(row, "revision")?,
        content: optional_digest(row, TABLE, "content", Fingerprint::from_slice)?,
        fan_out: column(row, "fan_out")?,
        sealed: SealedBytes::from_stored(column(row, "sealed")?),
    };
    let discarded_at = optional_time(row, TABLE, "discarded_at")?;
    Ok(StoredMessage { number: MessageNumber(column(row, "number")?), message, discarded_at })
}

pub(super) async fn lock_persons(db: &mut SqliteConnection, persons: &[PersonKey]) -> Stored<()> {
    for person in persons {
        sqlx::query(sql::MAKE_PERSON).bind(person.as_bytes().as_slice()).execute(&mut *db).await.map_err(away)?;
    }
    Ok(())
}

pub(super) async fn is_flagged(db: &mut SqliteConnection, person: &PersonKey) -> Stored<bool> {
    let row = sqlx::query(sql::IS_FLAGGED).bind(person.as_bytes().as_slice()).fetch_optional(db).await.map_err(away)?;
    Ok(row.is_some_and(|row| row.get(0)))
}

pub(super) async fn lift_flag(db: &mut SqliteConnection, person: &PersonKey) -> Stored<()> {
    sqlx::query(sql::LIFT_FLAG).bind(person.as_bytes().as_slice()).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn set_flag(db: &mut SqliteConnection, person: &PersonKey, now: Timestamp) -> Stored<()> {
    sqlx::query(sql::SET_FLAG).bind(person.as_bytes().as_slice()).bind(micros(now)).execute(db).await.map(drop).map_err(away)
}
