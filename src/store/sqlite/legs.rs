//! Legs and what is due in SQLite.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::read::{column, digest, inconsistent, micros, optional_time, person, recipient, word};
use super::{Stored, away};
use crate::domain::{Code, LegId, MessageNumber, ReportKey};
use crate::store::{DueReport, LegRow, LegState};

const TABLE: &str = "legs";

pub(super) async fn of_message(db: &mut SqliteConnection, message: MessageNumber) -> Stored<Vec<LegRow>> {
    let sql = "SELECT message, recipient, report, state, code, due_at, documents, basis FROM legs WHERE message = ?1 ORDER BY recipient";
    let rows = sqlx::query(sql).bind(message.0).fetch_all(db).await.map_err(away)?;
    rows.iter().map(leg).collect()
}

fn leg(row: &SqliteRow) -> Stored<LegRow> {
    Ok(LegRow {
        id: LegId { message: MessageNumber(column(row, "message")?), recipient: recipient(row, "recipient")? },
        report: digest(row, TABLE, "report", ReportKey::from_slice)?,
        state: word(row, TABLE, "state", LegState::from_stored)?,
        code: optional_code(row)?,
        due_at: optional_time(row, TABLE, "due_at")?,
        documents: column(row, "documents")?,
        basis: column(row, "basis")?,
    })
}

fn optional_code(row: &SqliteRow) -> Stored<Option<Code>> {
    let text: Option<&str> = column(row, "code")?;
    text.map(|text| text.parse().map_err(|_| inconsistent(TABLE, "code"))).transpose()
}

pub(super) async fn put(db: &mut SqliteConnection, leg: &LegRow) -> Stored<()> {
    let sql = "INSERT INTO legs (message, recipient, report, state, code, due_at, documents, basis) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (message, recipient) DO UPDATE SET \
        state = excluded.state, code = excluded.code, due_at = excluded.due_at, documents = excluded.documents, basis = excluded.basis";
    sqlx::query(sql)
        .bind(leg.id.message.0)
        .bind(leg.id.recipient.as_str())
        .bind(leg.report.as_bytes())
        .bind(leg.state.as_str())
        .bind(leg.code.map(Code::as_str))
        .bind(leg.due_at.map(micros))
        .bind(leg.documents)
        .bind(leg.basis.as_str())
        .execute(db)
        .await
        .map(drop)
        .map_err(away)
}

pub(super) async fn make_due(db: &mut SqliteConnection, report: &ReportKey, now: Timestamp) -> Stored<()> {
    let sql = "UPDATE legs SET due_at = ?2 WHERE report = ?1 AND state <> 'superseded'";
    sqlx::query(sql).bind(report.as_bytes()).bind(micros(now)).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn due(db: &mut SqliteConnection, now: Timestamp, limit: i64) -> Stored<Vec<DueReport>> {
    let sql = "SELECT DISTINCT messages.person AS person, legs.report AS report FROM legs JOIN messages ON messages.number = legs.message \
        WHERE legs.due_at <= ?1 ORDER BY legs.due_at LIMIT ?2";
    let rows = sqlx::query(sql).bind(micros(now)).bind(limit).fetch_all(db).await.map_err(away)?;
    let due = |row: &SqliteRow| {
        let report = digest(row, TABLE, "report", ReportKey::from_slice)?;
        Ok(DueReport { person: digest(row, TABLE, "person", person)?, report })
    };
    rows.iter().map(due).collect()
}
