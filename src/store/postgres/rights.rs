//! What the participant's rights and retention ask of PostgreSQL.

use jiff::Timestamp;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::fault::away;
use super::read::{
    column, digest, key, micros, optional_digest, optional_time, person as person_of, recipient as recipient_of, time, word,
};
use super::rows::method;
use super::sql;
use super::tx::PgTx;
use crate::domain::{MessageNumber, PersonKey, Position, RecipientId, ReportKey, Subject};
use crate::seal::SealedBytes;
use crate::store::{
    EntryState, Holding, KeptEntry, KeptKind, KeptMessage, OldAudit, Rights, ServedDocument, Stored, WholeEntry,
};

const TABLE: &str = "entries";
const MESSAGES: &str = "messages";

impl Rights for PgTx {
    async fn entries_of(&mut self, reports: &[ReportKey]) -> Stored<Vec<WholeEntry>> {
        self.write_out().await?;
        let query = sqlx::query(sql::WHOLE_ENTRIES).bind(reports.iter().map(ReportKey::as_bytes).bind_iter());
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(whole).collect()
    }

    async fn blank_messages(&mut self, numbers: &[MessageNumber]) -> Stored<()> {
        self.write_rows().await?;
        let now = micros(self.now);
        let query = sqlx::query(sql::BLANK_MESSAGES).bind(numbers.iter().map(|number| number.0).bind_iter()).bind(now);
        query.execute(self.db()).await.map_err(away)?;
        // What was read of them before is not so any more.
        self.work.forget();
        Ok(())
    }

    async fn archive_messages(&mut self, numbers: &[MessageNumber]) -> Stored<()> {
        self.write_rows().await?;
        let query = sqlx::query(sql::ARCHIVE_MESSAGES).bind(numbers.iter().map(|number| number.0).bind_iter());
        query.execute(self.db()).await.map_err(away)?;
        // What was read of them before is not so any more.
        self.work.forget();
        Ok(())
    }

    async fn blank_entries(&mut self, entries: &[(RecipientId, Position)], digests: bool) -> Stored<()> {
        self.write_out().await?;
        let query = sqlx::query(sql::BLANK_ENTRIES)
            .bind(entries.iter().map(|(recipient, _)| recipient.as_str()).bind_iter())
            .bind(entries.iter().map(|(_, position)| position.0).bind_iter())
            .bind(digests);
        query.execute(self.db()).await.map_err(away)?;
        self.work.forget_entries();
        Ok(())
    }

    async fn kept_messages(
        &mut self,
        kind: KeptKind,
        before: Timestamp,
        after: MessageNumber,
        limit: i64,
    ) -> Stored<Vec<KeptMessage>> {
        self.write_out().await?;
        let query = sqlx::query(sql::KEPT_MESSAGES).bind(after.0).bind(micros(before)).bind(kind.as_str()).bind(limit);
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(kept_message).collect()
    }

    async fn kept_entries(
        &mut self,
        before: Timestamp,
        (recipient, position): &(RecipientId, Position),
        limit: i64,
    ) -> Stored<Vec<KeptEntry>> {
        self.write_out().await?;
        let query = sqlx::query(sql::KEPT_ENTRIES).bind(recipient.as_str()).bind(position.0).bind(micros(before)).bind(limit);
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(kept_entry).collect()
    }

    async fn kept_by_kind(&mut self) -> Stored<Vec<(KeptKind, i64, Timestamp)>> {
        self.write_out().await?;
        let rows = sqlx::query(sql::KEPT_BY_KIND).fetch_all(self.db()).await.map_err(away)?;
        let kind = |row: &PgRow| {
            let kind = word(row, MESSAGES, "kept_kind", KeptKind::from_stored)?;
            Ok((kind, column(row, "kept")?, time(row, MESSAGES, "since")?))
        };
        rows.iter().map(kind).collect()
    }

    async fn old_receipts(&mut self, before: Timestamp) -> Stored<(i64, Option<Timestamp>)> {
        self.write_out().await?;
        let row = sqlx::query(sql::OLD_RECEIPTS).bind(micros(before)).fetch_one(self.db()).await.map_err(away)?;
        Ok((column(&row, "receipts")?, optional_time(&row, "receipts", "oldest")?))
    }

    async fn drop_receipts(&mut self, before: Timestamp, limit: i64) -> Stored<i64> {
        self.write_out().await?;
        let query = sqlx::query(sql::DROP_RECEIPTS).bind(micros(before)).bind(limit);
        Ok(counted(query.execute(self.db()).await.map_err(away)?.rows_affected()))
    }

    async fn old_audit(&mut self, before: Timestamp) -> Stored<Option<OldAudit>> {
        self.write_out().await?;
        let row = sqlx::query(sql::AUDIT_THROUGH).bind(micros(before)).fetch_one(self.db()).await.map_err(away)?;
        let through: i64 = column(&row, "through")?;
        let query = sqlx::query(sql::OLD_AUDIT).bind(through).bind(micros(before));
        let row = query.fetch_one(self.db()).await.map_err(away)?;
        let oldest = optional_time(&row, "audit_links", "oldest")?;
        let (rows, first) = (column(&row, "audit_rows")?, column(&row, "first")?);
        Ok(oldest.map(|oldest| OldAudit { rows, oldest, first, through }))
    }

    async fn cut_audit(&mut self, first: i64, last: i64, before: Timestamp) -> Stored<i64> {
        self.write_out().await?;
        let query = sqlx::query(sql::CUT_AUDIT).bind(first).bind(last);
        let rows = query.execute(self.db()).await.map_err(away)?.rows_affected();
        let query = sqlx::query(sql::CUT_BEFORE_CHAIN).bind(micros(before));
        let older = query.execute(self.db()).await.map_err(away)?.rows_affected();
        Ok(counted(rows.saturating_add(older)))
    }

    async fn still_holds(&mut self, person: &PersonKey, what: Holding) -> Stored<bool> {
        self.write_out().await?;
        let query = match what {
            Holding::Reports => sqlx::query_scalar(sql::HOLDS_REPORTS),
            Holding::Messages => sqlx::query_scalar(sql::HOLDS_MESSAGES),
            Holding::Documents => sqlx::query_scalar(sql::HOLDS_DOCUMENTS),
        };
        let query = query.bind(key(person));
        query.fetch_one(self.db()).await.map_err(away)
    }

    async fn served_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        recipient: Option<&RecipientId>,
    ) -> Stored<Vec<ServedDocument>> {
        self.write_out().await?;
        let query = sqlx::query(sql::SERVED_BETWEEN).bind(micros(from)).bind(micros(to));
        let query = query.bind(recipient.map(RecipientId::as_str));
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(served_document).collect()
    }
}

fn whole(row: &PgRow) -> Stored<WholeEntry> {
    Ok(WholeEntry {
        recipient: recipient_of(row, "recipient")?,
        position: Position(column(row, "position")?),
        message: MessageNumber(column(row, "message")?),
        report: digest(row, TABLE, "report", ReportKey::from_slice)?,
        subject: digest(row, TABLE, "subject", Subject::from_slice)?,
        contract: column(row, "contract")?,
        syntax: word(row, TABLE, "syntax", |text| text.parse().ok())?,
        method: word(row, TABLE, "method", method)?,
        state: word(row, TABLE, "state", EntryState::from_stored)?,
        sealed: SealedBytes::from_stored(column(row, "sealed")?),
        published_at: time(row, TABLE, "published_at")?,
        served_at: optional_time(row, TABLE, "served_at")?,
        confirmed_at: optional_time(row, TABLE, "confirmed_at")?,
    })
}

fn counted(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn kept_message(row: &PgRow) -> Stored<KeptMessage> {
    Ok(KeptMessage {
        number: MessageNumber(column(row, "number")?),
        person: optional_digest(row, MESSAGES, "person", person_of)?,
        received_at: time(row, MESSAGES, "received_at")?,
    })
}

fn kept_entry(row: &PgRow) -> Stored<KeptEntry> {
    Ok(KeptEntry {
        recipient: recipient_of(row, "recipient")?,
        position: Position(column(row, "position")?),
        person: digest(row, TABLE, "person", person_of)?,
        published_at: time(row, TABLE, "published_at")?,
    })
}

fn served_document(row: &PgRow) -> Stored<ServedDocument> {
    Ok(ServedDocument {
        recipient: recipient_of(row, "recipient")?,
        person: digest(row, TABLE, "person", person_of)?,
        message: MessageNumber(column(row, "message")?),
        contract: column(row, "contract")?,
        served_at: time(row, TABLE, "served_at")?,
    })
}
