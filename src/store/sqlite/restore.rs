//! What a restore asks of the content in SQLite: how far it has come, its epoch, and revocations that it had lost.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::read::{column, digest, micros, person as person_of, recipient, time, word};
use super::{StoreError, Stored, away, sql};
use crate::domain::{PersonKey, ReportKey};
use crate::seal::{FeedMark, Marks, Revocation, categories, categories_text};

pub(super) async fn marks(db: &mut SqliteConnection) -> Stored<Marks> {
    let messages = sqlx::query(sql::HIGHEST_NUMBER).fetch_one(&mut *db).await.map_err(away)?.get("number");
    let rows = sqlx::query(sql::MARKS).fetch_all(db).await.map_err(away)?;
    let feed = |row: &SqliteRow| {
        Ok((recipient(row, "recipient")?, FeedMark { head: column(row, "head")?, pages: column(row, "pages")? }))
    };
    Ok(Marks { messages, feeds: rows.iter().map(feed).collect::<Stored<_>>()? })
}

pub(super) async fn epoch(db: &mut SqliteConnection) -> Stored<u32> {
    let row = sqlx::query(sql::SETTING).bind("epoch").fetch_optional(db).await.map_err(away)?;
    let text: String = row.map(|row| row.get(0)).unwrap_or_default();
    text.parse().map_err(|_| StoreError::Inconsistent { table: "meta", column: "value" })
}

pub(super) async fn begin_epoch(db: &mut SqliteConnection, epoch: u32) -> Stored<()> {
    sqlx::query(sql::BEGIN_EPOCH).bind(epoch.to_string()).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn keep_revocation(db: &mut SqliteConnection, revocation: &Revocation) -> Stored<()> {
    sqlx::query(sql::KEEP_REVOCATION)
        .bind(revocation.consent.as_bytes())
        .bind(revocation.person.as_bytes().as_slice())
        .bind(micros(revocation.revoked_at))
        .bind(categories_text(revocation.categories))
        .execute(db)
        .await
        .map(drop)
        .map_err(away)
}

pub(super) async fn kept_revocations(db: &mut SqliteConnection, person: &PersonKey) -> Stored<Vec<Revocation>> {
    let rows = sqlx::query(sql::KEPT_REVOCATIONS).bind(person.as_bytes().as_slice()).fetch_all(db).await.map_err(away)?;
    rows.iter().map(|row| revocation(row, "kept_revocations")).collect()
}

/// Reads a revocation of the content, or of the key store's ledger.
pub(super) fn revocation(row: &SqliteRow, table: &'static str) -> Stored<Revocation> {
    Ok(Revocation {
        consent: digest(row, table, "consent", ReportKey::from_slice)?,
        person: digest(row, table, "person", person_of)?,
        revoked_at: time(row, table, "revoked_at")?,
        categories: word(row, table, "categories", |text| Some(categories(text)))?,
    })
}
