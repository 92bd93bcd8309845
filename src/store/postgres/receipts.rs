//! The receipts of recipients in PostgreSQL.

use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::fault::away;
use super::read::{column, digest, micros, optional_digest, word};
use super::{PgTx, rows, sql};
use crate::domain::{Position, ReceiptKind, RecipientId, ReportKey, Subject};
use crate::store::{ReceiptRow, Receipts, ServedEntry, Stored};

impl Receipts for PgTx {
    async fn served_entries(&mut self, recipient: &RecipientId, positions: &[Position]) -> Stored<Vec<ServedEntry>> {
        let places = || positions.iter().map(|position| position.0).bind_iter();
        let query = sqlx::query(sql::SERVED_ENTRIES).bind(recipient.as_str()).bind(places());
        let found = query.fetch_all(self.db()).await.map_err(away)?;
        let mut entries = found.iter().map(entry).collect::<Stored<Vec<_>>>()?;
        let query = sqlx::query(sql::SAID).bind(recipient.as_str()).bind(places());
        for row in &query.fetch_all(self.db()).await.map_err(away)? {
            let position = Position(column(row, "position")?);
            let kind: ReceiptKind = word(row, "receipts", "kind", |text| text.parse().ok())?;
            let code: Option<String> = column(row, "code")?;
            if let Some(entry) = entries.iter_mut().find(|entry| entry.position == position) {
                entry.said.push((kind, code));
            }
        }
        Ok(entries)
    }

    async fn put_receipts(&mut self, rows: &[ReceiptRow]) -> Stored<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(sql::PUT_RECEIPTS)
            .bind(rows.iter().map(|row| row.recipient.as_str()).bind_iter())
            .bind(rows.iter().map(|row| row.position.0).bind_iter())
            .bind(rows.iter().map(|row| row.kind.as_str()).bind_iter())
            .bind(rows.iter().map(|row| row.code.as_deref()).bind_iter())
            .bind(rows.iter().map(|row| row.message.0).bind_iter())
            .bind(rows.iter().map(|row| micros(row.stated_at)).bind_iter())
            .bind(micros(self.now));
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    async fn settle_rejection(&mut self, recipient: &RecipientId, position: Position) -> Stored<()> {
        let query = sqlx::query(sql::SETTLE_REJECTION).bind(recipient.as_str()).bind(position.0).bind(micros(self.now));
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    async fn outdate_entry(&mut self, recipient: &RecipientId, position: Position) -> Stored<()> {
        if let Some(known) = self.work.known(recipient, position) {
            known.row.fingerprint.clear();
        }
        let query = sqlx::query(sql::OUTDATE_ENTRY).bind(recipient.as_str()).bind(position.0);
        query.execute(self.db()).await.map(drop).map_err(away)
    }
}

fn entry(row: &PgRow) -> Stored<ServedEntry> {
    Ok(ServedEntry {
        position: Position(column(row, "position")?),
        subject: digest(row, "entries", "subject", Subject::from_slice)?,
        contract: column(row, "contract")?,
        method: word(row, "entries", "method", rows::method)?,
        served: column(row, "served")?,
        illustrative: column(row, "illustrative")?,
        message: rows::number(row, "message")?,
        report: optional_digest(row, "entries", "report", ReportKey::from_slice)?,
        said: Vec::new(),
    })
}
