//! Entries in SQLite that their systems did not take.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::read::{column, micros, recipient as recipient_of, word};
use super::{Stored, away, sql};
use crate::domain::{MessageNumber, Position, RecipientId};
use crate::store::RefusedEntry;

pub(super) async fn refuse(
    db: &mut SqliteConnection,
    recipient: &RecipientId,
    position: Position,
    said: &str,
    now: Timestamp,
) -> Stored<()> {
    let query = sqlx::query(sql::REFUSE_ENTRY).bind(recipient.as_str()).bind(position.0).bind(micros(now)).bind(said);
    query.execute(db).await.map(drop).map_err(away)
}

pub(super) async fn of_message(db: &mut SqliteConnection, message: MessageNumber) -> Stored<Vec<RefusedEntry>> {
    let rows = sqlx::query(sql::REFUSED_ENTRIES).bind(message.0).fetch_all(db).await.map_err(away)?;
    let entry = |row: &SqliteRow| {
        let said: Option<String> = column(row, "refused_with")?;
        Ok(RefusedEntry {
            recipient: recipient_of(row, "recipient")?,
            position: Position(column(row, "position")?),
            code: word(row, "entries", "code", |text| text.parse().ok())?,
            said: said.unwrap_or_default(),
        })
    };
    rows.iter().map(entry).collect()
}

pub(super) async fn release(db: &mut SqliteConnection, recipient: &RecipientId, position: Position) -> Stored<()> {
    let query = sqlx::query(sql::RELEASE_ENTRY).bind(recipient.as_str()).bind(position.0);
    query.execute(db).await.map(drop).map_err(away)
}

pub(super) async fn discard(
    db: &mut SqliteConnection,
    recipient: &RecipientId,
    position: Position,
    now: Timestamp,
) -> Stored<()> {
    let query = sqlx::query(sql::DISCARD_ENTRY).bind(recipient.as_str()).bind(position.0).bind(micros(now));
    query.execute(db).await.map(drop).map_err(away)
}
