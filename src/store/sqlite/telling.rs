//! What is told of one message from SQLite.

use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::read::{column, digest, inconsistent, optional_time, recipient, time, word};
use super::{SqliteTx, Stored, away, messages, sql, withdrawals};
use crate::domain::{MessageNumber, Position, ReportKey, Subject};
use crate::feed::Method;
use crate::store::{EntryState, EntryStory, ReceiptStory, StoredMessage, Telling, Withdrawal};

const TABLE: &str = "entries";

fn told(row: &SqliteRow) -> Stored<EntryStory> {
    let method: &str = column(row, "method")?;
    let known = [Method::Put, Method::Delete].into_iter().find(|known| known.as_str() == method);
    Ok(EntryStory {
        recipient: recipient(row, "recipient")?,
        position: Position(column(row, "position")?),
        subject: digest(row, TABLE, "subject", Subject::from_slice)?,
        contract: column(row, "contract")?,
        method: known.ok_or_else(|| inconsistent(TABLE, "method"))?,
        state: word(row, TABLE, "state", EntryState::from_stored)?,
        message: MessageNumber(column(row, "message")?),
        published_at: time(row, TABLE, "published_at")?,
        until: optional_time(row, TABLE, "until")?,
        served_at: optional_time(row, TABLE, "served_at")?,
        confirmed_at: optional_time(row, TABLE, "confirmed_at")?,
        refused_at: optional_time(row, TABLE, "refused_at")?,
    })
}

fn receipt(row: &SqliteRow) -> Stored<ReceiptStory> {
    Ok(ReceiptStory {
        recipient: recipient(row, "recipient")?,
        position: Position(column(row, "position")?),
        kind: word(row, "receipts", "kind", |text| text.parse().ok())?,
        code: column(row, "code")?,
        stated_at: time(row, "receipts", "stated_at")?,
        received_at: time(row, "receipts", "received_at")?,
    })
}

impl Telling for SqliteTx {
    async fn messages_with_id(&mut self, message_id: Uuid) -> Stored<Vec<StoredMessage>> {
        let query = sqlx::query(sql::MESSAGES_WITH_ID).bind(message_id.as_bytes().as_slice());
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(messages::stored).collect()
    }

    async fn latest_messages(&mut self, below: Option<MessageNumber>, limit: i64) -> Stored<Vec<StoredMessage>> {
        let query = sqlx::query(sql::LATEST_MESSAGES).bind(below.map_or(i64::MAX, |number| number.0)).bind(limit);
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(messages::stored).collect()
    }

    async fn told_entries(&mut self, report: &ReportKey) -> Stored<Vec<EntryStory>> {
        let query = sqlx::query(sql::TOLD_ENTRIES).bind(report.as_bytes());
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(told).collect()
    }

    async fn told_receipts(&mut self, report: &ReportKey) -> Stored<Vec<ReceiptStory>> {
        let query = sqlx::query(sql::TOLD_RECEIPTS).bind(report.as_bytes());
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(receipt).collect()
    }

    async fn told_withdrawals(&mut self, report: &ReportKey) -> Stored<Vec<Withdrawal>> {
        let query = sqlx::query(sql::TOLD_WITHDRAWALS).bind(report.as_bytes());
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(withdrawals::withdrawal).collect()
    }
}
