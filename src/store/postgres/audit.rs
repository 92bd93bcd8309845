//! The audit chain in PostgreSQL: the rows of a transaction by one statement, and the link that holds them by another, which
//! is the last before the commit: it locks the chain's head.

use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::fault::away;
use super::line::Line;
use super::read::{column, inconsistent, micros, optional_digest, optional_word, time, word};
use super::sql;
use super::tx::PgTx;
use crate::audit::{BasisDigest, Batch, Chained, Head, LINK, Link, Record, stored_digest};
use crate::domain::{Code, MessageNumber, Position, RecipientId};
use crate::seal::ContentDigest;
use crate::store::{AuditAct, AuditRow, AuditedAct, Stored};

const TABLE: &str = "audit";

impl PgTx {
    /// Writes the rows of the transaction and joins them to the chain. Everything else is written.
    pub(super) async fn write_audit(&mut self) -> Stored<()> {
        let rows = std::mem::take(&mut self.work.audit);
        if rows.is_empty() {
            return Ok(());
        }
        let records: Vec<Record> = rows.iter().map(Record::of).collect();
        let batch = Batch::of(&records);
        let texts = rows.iter().zip(&records).filter_map(|(row, record)| {
            let digest = record.basis.as_deref().and_then(BasisDigest::from_slice)?;
            Some((digest, row.basis.as_deref()?))
        });
        self.bases.keep(&mut self.inner, texts).await?;
        let query = sqlx::query(sql::INSERT_AUDIT)
            .bind((0_i32..).zip(&records).map(|(ordinal, _)| ordinal).bind_iter())
            .bind(records.iter().map(|row| row.act.as_str()).bind_iter())
            .bind(records.iter().map(|row| row.actor.as_str()).bind_iter())
            .bind(records.iter().map(|row| row.message).bind_iter())
            .bind(records.iter().map(|row| row.recipient.as_deref()).bind_iter())
            .bind(records.iter().map(|row| row.position).bind_iter())
            .bind(records.iter().map(|row| row.code.as_deref()).bind_iter())
            .bind(records.iter().map(|row| row.reason.as_deref()).bind_iter())
            .bind(records.iter().map(|row| row.detail.as_str()).bind_iter())
            .bind(records.iter().map(|row| row.basis.as_deref()).bind_iter())
            .bind(records.iter().map(|row| row.content.as_deref()).bind_iter());
        query.execute(self.db()).await.map_err(away)?;
        let query = sqlx::query(sql::APPEND_LINK)
            .bind(LINK)
            .bind(micros(self.now))
            .bind(batch.size)
            .bind(batch.digest.as_bytes())
            .bind(&batch.marks);
        let appended = query.execute(self.db()).await.map_err(away)?.rows_affected();
        // Without a head there is nothing to follow, and the rows would belong to no link.
        if appended == 1 { Ok(()) } else { Err(inconsistent("audit_head", "number")) }
    }

    pub(super) async fn audited_of(&mut self, message: MessageNumber) -> Stored<Vec<AuditedAct>> {
        let found = sqlx::query(sql::AUDITED).bind(message.0).fetch_all(self.db()).await.map_err(away)?;
        found.iter().map(audited).collect()
    }
}

fn audited(row: &PgRow) -> Stored<AuditedAct> {
    let recipient: Option<String> = column(row, "recipient")?;
    let position: Option<i64> = column(row, "position")?;
    let message: Option<i64> = column(row, "message")?;
    let read = AuditRow {
        act: word(row, TABLE, "act", AuditAct::from_stored)?,
        actor: column(row, "actor")?,
        message: message.map(MessageNumber),
        recipient: recipient.map(RecipientId::from_stored),
        position: position.map(Position),
        code: optional_word(row, TABLE, "code", |text| text.parse::<Code>().ok())?,
        reason: column(row, "reason")?,
        detail: column(row, "detail")?,
        basis: column(row, "basis_text")?,
        content: optional_digest(row, TABLE, "content", ContentDigest::from_slice)?,
    };
    if read.basis.is_none() && column::<Option<&[u8]>>(row, "basis")?.is_some() {
        return Err(inconsistent("bases", "text"));
    }
    Ok(AuditedAct { at: time(row, "audit_links", "at")?, row: read })
}

pub(super) async fn head(db: &mut Line) -> Stored<Option<Head>> {
    let row = sqlx::query(sql::AUDIT_HEAD).fetch_optional(db).await.map_err(away)?;
    let head = |row: PgRow| Ok(Head { number: column(&row, "number")?, hash: stored_digest(column(&row, "hash")?) });
    row.map(head).transpose()
}

pub(super) async fn links(db: &mut Line, after: i64, limit: i64) -> Stored<Vec<Chained>> {
    let until = after.saturating_add(limit);
    let found = sqlx::query(sql::AUDIT_LINKS).bind(after).bind(until).fetch_all(&mut *db).await.map_err(away)?;
    let links = found.iter().map(link).collect::<Stored<Vec<_>>>()?;
    let found = sqlx::query(sql::AUDIT_ROWS).bind(after).bind(until).fetch_all(&mut *db).await.map_err(away)?;
    let rows = found.iter().map(|row| Ok((column(row, "number")?, column(row, "place")?, record(row)?)));
    let rows = rows.collect::<Stored<Vec<_>>>()?;
    let found = sqlx::query(sql::AUDIT_BASES).bind(after).bind(until).fetch_all(db).await.map_err(away)?;
    let texts = found.iter().map(|row| Ok((column(row, "digest")?, column(row, "text")?))).collect::<Stored<_>>()?;
    Ok(Chained::joined(links, rows, &texts))
}

pub(super) async fn strays(db: &mut Line) -> Stored<i64> {
    sqlx::query_scalar(sql::AUDIT_STRAYS).fetch_one(db).await.map_err(away)
}

fn link(row: &PgRow) -> Stored<Link> {
    let batch =
        Batch { size: column(row, "size")?, digest: stored_digest(column(row, "digest")?), marks: column(row, "marks")? };
    let (number, tx, at) = (column(row, "number")?, column(row, "tx")?, column(row, "at")?);
    Ok(Link { number, tx, at, batch, hash: stored_digest(column(row, "hash")?) })
}

fn record(row: &PgRow) -> Stored<Record> {
    Ok(Record {
        act: column(row, "act")?,
        actor: column(row, "actor")?,
        message: column(row, "message")?,
        recipient: column(row, "recipient")?,
        position: column(row, "position")?,
        code: column(row, "code")?,
        reason: column(row, "reason")?,
        detail: column(row, "detail")?,
        basis: column(row, "basis")?,
        content: column(row, "content")?,
    })
}
