//! What a restore asks of the content in PostgreSQL: how far it has come, its epoch, and revocations that it had lost.

use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::fault::away;
use super::line::Line;
use super::read::{column, digest, key, micros, person as person_of, recipient as recipient_of, time, word};
use super::sql;
use crate::domain::{PersonKey, RecipientId, ReportKey};
use crate::seal::{FeedMark, Marks, Revocation, categories, categories_text};
use crate::store::{StoreError, Stored};

const KEPT: &str = "kept_revocations";

/// How many pages a feed has counted.
pub(super) async fn pages(db: &mut Line, recipient: &RecipientId) -> Stored<i64> {
    sqlx::query_scalar(sql::PAGES).bind(recipient.as_str()).fetch_one(db).await.map_err(away)
}

/// Counts a page, on the row that the page holds already.
pub(super) async fn count_page(db: &mut Line, recipient: &RecipientId) -> Stored<i64> {
    sqlx::query_scalar(sql::COUNT_PAGE).bind(recipient.as_str()).fetch_one(db).await.map_err(away)
}

pub(super) async fn marks(db: &mut Line) -> Stored<Marks> {
    let messages = sqlx::query_scalar(sql::HIGHEST_NUMBER).fetch_one(&mut *db).await.map_err(away)?;
    let rows = sqlx::query(sql::MARKS).fetch_all(db).await.map_err(away)?;
    let feed = |row: &PgRow| {
        Ok((recipient_of(row, "recipient")?, FeedMark { head: column(row, "head")?, pages: column(row, "pages")? }))
    };
    Ok(Marks { messages, feeds: rows.iter().map(feed).collect::<Stored<_>>()? })
}

pub(super) async fn epoch(db: &mut Line) -> Stored<u32> {
    let text: Option<String> = sqlx::query_scalar(sql::SETTING).bind("epoch").fetch_optional(db).await.map_err(away)?;
    text.unwrap_or_default().parse().map_err(|_| StoreError::Inconsistent { table: "meta", column: "value" })
}

pub(super) async fn begin_epoch(db: &mut Line, epoch: u32) -> Stored<()> {
    sqlx::query(sql::BEGIN_EPOCH).bind(epoch.to_string()).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn keep_revocation(db: &mut Line, revocation: &Revocation) -> Stored<()> {
    let query = sqlx::query(sql::KEEP_REVOCATION)
        .bind(revocation.consent.as_bytes())
        .bind(key(&revocation.person))
        .bind(micros(revocation.revoked_at))
        .bind(categories_text(revocation.categories));
    query.execute(db).await.map(drop).map_err(away)
}

pub(super) async fn kept_revocations(db: &mut Line, persons: &[PersonKey]) -> Stored<Vec<Revocation>> {
    let query = sqlx::query(sql::KEPT_REVOCATIONS).bind(persons.iter().map(key).bind_iter());
    let rows = query.fetch_all(db).await.map_err(away)?;
    let revocation = |row: &PgRow| {
        Ok(Revocation {
            consent: digest(row, KEPT, "consent", ReportKey::from_slice)?,
            person: digest(row, KEPT, "person", person_of)?,
            revoked_at: time(row, KEPT, "revoked_at")?,
            categories: word(row, KEPT, "categories", |text| Some(categories(text)))?,
        })
    };
    rows.iter().map(revocation).collect()
}
