//! The restore mark in PostgreSQL: epochs, and counters that only move forward, each by one statement.

use jiff::Timestamp;
use sqlx::postgres::PgRow;

use super::{away, sql};
use crate::seal::{FeedMark, Marks};
use crate::store::Stored;
use crate::store::postgres::line::Lines;
use crate::store::postgres::read::{column, inconsistent, micros, recipient};

pub(super) async fn current(pool: &Lines) -> Stored<Option<(u32, Marks)>> {
    let Some(row) = sqlx::query(sql::EPOCH).fetch_optional(pool).await.map_err(away)? else { return Ok(None) };
    let (epoch, messages): (i64, i64) = (column(&row, "epoch")?, column(&row, "messages")?);
    let rows = sqlx::query(sql::FEED_MARKS).bind(epoch).fetch_all(pool).await.map_err(away)?;
    let feed =
        |row: &PgRow| Ok((recipient(row, "recipient")?, FeedMark { head: column(row, "head")?, pages: column(row, "pages")? }));
    let feeds = rows.iter().map(feed).collect::<Stored<_>>()?;
    let epoch = u32::try_from(epoch).map_err(|_| inconsistent("epochs", "epoch"))?;
    Ok(Some((epoch, Marks { messages, feeds })))
}

pub(super) async fn begin_first(pool: &Lines) -> Stored<()> {
    sqlx::query(sql::FIRST_EPOCH).execute(pool).await.map(drop).map_err(away)
}

pub(super) async fn raise(pool: &Lines, marks: &Marks) -> Stored<()> {
    if marks.messages > 0 {
        sqlx::query(sql::RAISE).bind(marks.messages).execute(pool).await.map_err(away)?;
    }
    if !marks.feeds.is_empty() {
        let recipients: Vec<&str> = marks.feeds.keys().map(crate::domain::RecipientId::as_str).collect();
        let (heads, pages): (Vec<i64>, Vec<i64>) = marks.feeds.values().map(|feed| (feed.head, feed.pages)).unzip();
        let query = sqlx::query(sql::RAISE_FEEDS).bind(recipients).bind(heads).bind(pages);
        query.execute(pool).await.map_err(away)?;
    }
    Ok(())
}

pub(super) async fn begin_epoch(pool: &Lines, epoch: u32, at: Timestamp) -> Stored<()> {
    let query = sqlx::query(sql::BEGIN_EPOCH).bind(i64::from(epoch)).bind(micros(at));
    query.execute(pool).await.map(drop).map_err(away)
}
