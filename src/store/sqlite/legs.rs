//! Legs and what is due in SQLite.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::read::{column, digest, inconsistent, micros, optional_time, person, recipient, word};
use super::{Stored, away, sql};
use crate::domain::{Code, LegId, MessageNumber, ReportKey};
use crate::store::{DueReport, LegRow, LegState};

const TABLE: &str = "legs";

pub(super) async fn of_message(db: &mut SqliteConnection, message: MessageNumber) -> Stored<Vec<LegRow>> {
    let rows = sqlx::query(sql::LEGS).bind(message.0).fetch_all(db).await.map_err(away)?;
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
    sqlx::query(sql::PUT_LEG)
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
    sqlx::query(sql::MAKE_DUE).bind(report.as_bytes()).bind(micros(now)).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn due(db: &mut SqliteConnection, now: Timestamp, limit: i64) -> Stored<Vec<DueReport>> {
    let rows = sqlx::query(sql::DUE).bind(micros(now)).bind(limit).fetch_all(db).await.map_err(away)?;
    let due = |row: &SqliteRow| {
        let report = digest(row, TABLE, "report", ReportKey::from_slice)?;
        Ok(DueReport { person: digest(row, TABLE, "person", person)?, report })
    };
    rows.iter().map(due).collect()
}

pub(super) async fn put_off(
    db: &mut SqliteConnection,
    report: &ReportKey,
    now: Timestamp,
    until: Timestamp,
) -> Stored<Vec<MessageNumber>> {
    let query = sqlx::query(sql::PUT_OFF_DUE).bind(report.as_bytes()).bind(micros(now)).bind(micros(until));
    let rows = query.fetch_all(db).await.map_err(away)?;
    rows.iter().map(|row| Ok(MessageNumber(column(row, "message")?))).collect()
}

pub(super) async fn make_due_unless(
    db: &mut SqliteConnection,
    terms: &[String],
    after: MessageNumber,
    limit: i64,
    now: Timestamp,
) -> Stored<Option<MessageNumber>> {
    let row = sqlx::query(sql::LAST_LEG).bind(after.0).bind(limit).fetch_one(&mut *db).await.map_err(away)?;
    let Some(last) = column::<Option<i64>>(&row, "last")? else { return Ok(None) };
    let terms = serde_json::json!(terms).to_string();
    let query = sqlx::query(sql::MAKE_DUE_UNLESS).bind(after.0).bind(last).bind(micros(now)).bind(terms);
    query.execute(db).await.map_err(away)?;
    Ok(Some(MessageNumber(last)))
}
