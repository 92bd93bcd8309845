//! The restore mark in SQLite: epochs, and counters that only move forward.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{away, sql};
use crate::seal::{FeedMark, Marks};
use crate::store::Stored;
use crate::store::sqlite::read::{column, inconsistent, micros, recipient};

pub(super) async fn current(db: &mut SqliteConnection) -> Stored<Option<(u32, Marks)>> {
    let Some(row) = sqlx::query(sql::CURRENT_EPOCH).fetch_optional(&mut *db).await.map_err(away)? else { return Ok(None) };
    let (epoch, messages): (i64, i64) = (column(&row, "epoch")?, column(&row, "messages")?);
    let rows = sqlx::query(sql::FEED_MARKS).bind(epoch).fetch_all(db).await.map_err(away)?;
    let feed = |row: &SqliteRow| {
        Ok((recipient(row, "recipient")?, FeedMark { head: column(row, "head")?, pages: column(row, "pages")? }))
    };
    let feeds = rows.iter().map(feed).collect::<Stored<_>>()?;
    let epoch = u32::try_from(epoch).map_err(|_| inconsistent("epochs", "epoch"))?;
    Ok(Some((epoch, Marks { messages, feeds })))
}

pub(super) async fn raise(db: &mut SqliteConnection, marks: &Marks) -> Stored<()> {
    // The first mark of all begins the first epoch.
    sqlx::query(sql::FIRST_EPOCH).execute(&mut *db).await.map_err(away)?;
    sqlx::query(sql::RAISE_MESSAGES).bind(marks.messages).execute(&mut *db).await.map_err(away)?;
    for (recipient, feed) in &marks.feeds {
        let query = sqlx::query(sql::RAISE_FEED).bind(recipient.as_str()).bind(feed.head).bind(feed.pages);
        query.execute(&mut *db).await.map_err(away)?;
    }
    Ok(())
}

pub(super) async fn begin_epoch(db: &mut SqliteConnection, epoch: u32, at: Timestamp) -> Stored<()> {
    sqlx::query(sql::BEGIN_EPOCH).bind(i64::from(epoch)).bind(micros(at)).execute(db).await.map(drop).map_err(away)
}
