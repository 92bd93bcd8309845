//! What is told of one message from PostgreSQL.

use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::fault::away;
use super::read::{column, digest, optional_time, recipient, time, word};
use super::tx::PgTx;
use super::{rows, sql, withdrawals};
use crate::domain::{MessageNumber, Position, ReportKey, Subject};
use crate::store::{EntryState, EntryStory, ReceiptStory, Stored, StoredMessage, Telling, Withdrawal};

const TABLE: &str = "entries";

fn told(row: &PgRow) -> Stored<EntryStory> {
    Ok(EntryStory {
        recipient: recipient(row, "recipient")?,
        position: Position(column(row, "position")?),
        subject: digest(row, TABLE, "subject", Subject::from_slice)?,
        contract: column(row, "contract")?,
        method: word(row, TABLE, "method", rows::method)?,
        state: word(row, TABLE, "state", EntryState::from_stored)?,
        message: rows::number(row, "message")?,
        published_at: time(row, TABLE, "published_at")?,
        until: optional_time(row, TABLE, "until")?,
        served_at: optional_time(row, TABLE, "served_at")?,
        confirmed_at: optional_time(row, TABLE, "confirmed_at")?,
        refused_at: optional_time(row, TABLE, "refused_at")?,
    })
}

fn receipt(row: &PgRow) -> Stored<ReceiptStory> {
    Ok(ReceiptStory {
        recipient: recipient(row, "recipient")?,
        position: Position(column(row, "position")?),
        kind: word(row, "receipts", "kind", |text| text.parse().ok())?,
        code: column(row, "code")?,
        stated_at: time(row, "receipts", "stated_at")?,
        received_at: time(row, "receipts", "received_at")?,
    })
}

impl Telling for PgTx {
    async fn messages_with_id(&mut self, message_id: Uuid) -> Stored<Vec<StoredMessage>> {
        self.write_rows().await?;
        let query = sqlx::query(sql::MESSAGES_WITH_ID).bind(message_id);
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(rows::stored).collect()
    }

    async fn latest_messages(&mut self, below: Option<MessageNumber>, limit: i64) -> Stored<Vec<StoredMessage>> {
        self.write_rows().await?;
        let query = sqlx::query(sql::LATEST_MESSAGES).bind(below.map_or(i64::MAX, |number| number.0)).bind(limit);
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(rows::stored).collect()
    }

    async fn told_entries(&mut self, report: &ReportKey) -> Stored<Vec<EntryStory>> {
        self.write_out().await?;
        let query = sqlx::query(sql::TOLD_ENTRIES).bind(report.as_bytes());
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(told).collect()
    }

    async fn told_receipts(&mut self, report: &ReportKey) -> Stored<Vec<ReceiptStory>> {
        self.write_out().await?;
        let query = sqlx::query(sql::TOLD_RECEIPTS).bind(report.as_bytes());
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(receipt).collect()
    }

    async fn told_withdrawals(&mut self, report: &ReportKey) -> Stored<Vec<Withdrawal>> {
        self.write_out().await?;
        let query = sqlx::query(sql::TOLD_WITHDRAWALS).bind(report.as_bytes());
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(withdrawals::withdrawal).collect()
    }
}
