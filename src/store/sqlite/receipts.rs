//! The receipts of recipients in SQLite.

use sqlx::sqlite::SqliteRow;

use super::read::{column, digest, micros, optional_digest, word};
use super::{SqliteTx, Stored, away, sql};
use crate::domain::{MessageNumber, Position, ReceiptKind, RecipientId, ReportKey, Subject};
use crate::store::{ReceiptRow, Receipts, ServedEntry, Tx as _};

impl Receipts for SqliteTx {
    async fn served_entries(&mut self, recipient: &RecipientId, positions: &[Position]) -> Stored<Vec<ServedEntry>> {
        let mut entries = Vec::with_capacity(positions.len());
        for position in positions {
            let query = sqlx::query(sql::SERVED_ENTRY).bind(recipient.as_str()).bind(position.0);
            let Some(row) = query.fetch_optional(self.db()).await.map_err(away)? else { continue };
            let query = sqlx::query(sql::SAID).bind(recipient.as_str()).bind(position.0);
            let said = query.fetch_all(self.db()).await.map_err(away)?;
            entries.push(entry(&row, &said)?);
        }
        Ok(entries)
    }

    async fn put_receipts(&mut self, rows: &[ReceiptRow]) -> Stored<()> {
        let now = micros(self.now());
        for row in rows {
            sqlx::query(sql::PUT_RECEIPT)
                .bind(row.recipient.as_str())
                .bind(row.position.0)
                .bind(row.kind.as_str())
                .bind(row.code.as_deref())
                .bind(row.message.0)
                .bind(micros(row.stated_at))
                .bind(now)
                .execute(self.db())
                .await
                .map_err(away)?;
        }
        Ok(())
    }

    async fn settle_rejection(&mut self, recipient: &RecipientId, position: Position) -> Stored<()> {
        let now = micros(self.now());
        let query = sqlx::query(sql::SETTLE_REJECTION).bind(recipient.as_str()).bind(position.0).bind(now);
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    async fn outdate_entry(&mut self, recipient: &RecipientId, position: Position) -> Stored<()> {
        let query = sqlx::query(sql::OUTDATE_ENTRY).bind(recipient.as_str()).bind(position.0);
        query.execute(self.db()).await.map(drop).map_err(away)
    }
}

fn entry(row: &SqliteRow, said: &[SqliteRow]) -> Stored<ServedEntry> {
    let said = said.iter().map(|row| Ok((kind(row)?, column(row, "code")?)));
    Ok(ServedEntry {
        position: Position(column(row, "position")?),
        subject: digest(row, "entries", "subject", Subject::from_slice)?,
        contract: column(row, "contract")?,
        method: word(row, "entries", "method", super::entries::method)?,
        served: column(row, "served")?,
        illustrative: column(row, "illustrative")?,
        message: MessageNumber(column(row, "message")?),
        report: optional_digest(row, "entries", "report", ReportKey::from_slice)?,
        said: said.collect::<Stored<_>>()?,
    })
}

fn kind(row: &SqliteRow) -> Stored<ReceiptKind> {
    word(row, "receipts", "kind", |text| text.parse().ok())
}
