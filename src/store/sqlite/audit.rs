//! The audit chain in SQLite: the rows of a transaction and the link that holds them, written when it commits.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::read::{column, inconsistent, micros, optional_digest, optional_word, time, word};
use super::{Stored, away, sql};
use crate::audit::{BasisDigest, Batch, Chained, Head, Link, Record, stored_digest};
use crate::domain::{Code, MessageNumber, Position, RecipientId};
use crate::seal::ContentDigest;
use crate::store::{AuditAct, AuditRow, AuditedAct};

const TABLE: &str = "audit";

/// Writes the rows of a transaction and their link. One writer: the transaction's number is the link's.
pub(super) async fn chain(db: &mut SqliteConnection, rows: &[AuditRow], now: Timestamp) -> Stored<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let records: Vec<Record> = rows.iter().map(Record::of).collect();
    let batch = Batch::of(&records);
    let before = head(db).await?.ok_or_else(|| inconsistent("audit_head", "number"))?;
    let number = before.number.saturating_add(1);
    for basis in rows.iter().filter_map(|row| row.basis.as_deref()) {
        keep_basis(db, basis).await?;
    }
    for (ordinal, record) in (0_i64..).zip(&records) {
        sqlx::query(sql::INSERT_AUDIT)
            .bind(number)
            .bind(ordinal)
            .bind(&record.act)
            .bind(&record.actor)
            .bind(record.message)
            .bind(record.recipient.as_deref())
            .bind(record.position)
            .bind(record.code.as_deref())
            .bind(record.reason.as_deref())
            .bind(&record.detail)
            .bind(record.basis.as_deref())
            .bind(record.content.as_deref())
            .execute(&mut *db)
            .await
            .map_err(away)?;
    }
    let at = micros(now);
    let hash = Link::hash_after(&before.hash, number, number, at, &batch);
    sqlx::query(sql::INSERT_LINK)
        .bind(number)
        .bind(at)
        .bind(batch.size)
        .bind(batch.digest.as_bytes())
        .bind(&batch.marks)
        .bind(hash.as_bytes())
        .execute(&mut *db)
        .await
        .map_err(away)?;
    sqlx::query(sql::MOVE_HEAD).bind(number).bind(hash.as_bytes()).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn head(db: &mut SqliteConnection) -> Stored<Option<Head>> {
    let row = sqlx::query(sql::AUDIT_HEAD).fetch_optional(db).await.map_err(away)?;
    let head = |row: SqliteRow| Ok(Head { number: column(&row, "number")?, hash: stored_digest(column(&row, "hash")?) });
    row.map(head).transpose()
}

/// Keeps the text of a basis, once.
async fn keep_basis(db: &mut SqliteConnection, text: &str) -> Stored<()> {
    let digest = BasisDigest::of(text);
    sqlx::query(sql::KEEP_BASIS).bind(digest.as_bytes()).bind(text).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn of_message(db: &mut SqliteConnection, message: MessageNumber) -> Stored<Vec<AuditedAct>> {
    let rows = sqlx::query(sql::AUDITED).bind(message.0).fetch_all(db).await.map_err(away)?;
    rows.iter().map(audited).collect()
}

fn audited(row: &SqliteRow) -> Stored<AuditedAct> {
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

pub(super) async fn links(db: &mut SqliteConnection, after: i64, limit: i64) -> Stored<Vec<Chained>> {
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

pub(super) async fn strays(db: &mut SqliteConnection) -> Stored<i64> {
    sqlx::query_scalar(sql::AUDIT_STRAYS).fetch_one(db).await.map_err(away)
}

fn link(row: &SqliteRow) -> Stored<Link> {
    let batch =
        Batch { size: column(row, "size")?, digest: stored_digest(column(row, "digest")?), marks: column(row, "marks")? };
    let (number, tx, at) = (column(row, "number")?, column(row, "tx")?, column(row, "at")?);
    Ok(Link { number, tx, at, batch, hash: stored_digest(column(row, "hash")?) })
}

fn record(row: &SqliteRow) -> Stored<Record> {
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
