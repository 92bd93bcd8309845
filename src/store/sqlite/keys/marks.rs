//! The restore mark in SQLite: epochs, and counters that only move forward.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::away;
use crate::seal::{FeedMark, Marks};
use crate::store::Stored;
use crate::store::sqlite::read::{column, inconsistent, micros, recipient};

pub(super) async fn current(db: &mut SqliteConnection) -> Stored<Option<(u32, Marks)>> {
    let sql = "SELECT epoch, messages FROM epochs ORDER BY epoch DESC LIMIT 1";
    let Some(row) = sqlx::query(sql).fetch_optional(&mut *db).await.map_err(away)? else { return Ok(None) };
    let (epoch, messages): (i64, i64) = (column(&row, "epoch")?, column(&row, "messages")?);
    let sql = "SELECT recipient, head, pages FROM feed_marks WHERE epoch = ?1";
    let rows = sqlx::query(sql).bind(epoch).fetch_all(db).await.map_err(away)?;
    let feed = |row: &SqliteRow| {
        Ok((recipient(row, "recipient")?, FeedMark { head: column(row, "head")?, pages: column(row, "pages")? }))
    };
    let feeds = rows.iter().map(feed).collect::<Stored<_>>()?;
    let epoch = u32::try_from(epoch).map_err(|_| inconsistent("epochs", "epoch"))?;
    Ok(Some((epoch, Marks { messages, feeds })))
}

pub(super) async fn raise(db: &mut SqliteConnection, marks: &Marks) -> Stored<()> {
    // The first mark of all begins the first epoch.
    let sql = "INSERT INTO epochs (epoch, began_at, messages) SELECT 1, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM epochs)";
    sqlx::query(sql).execute(&mut *db).await.map_err(away)?;
    let sql = "UPDATE epochs SET messages = max(messages, ?1) WHERE epoch = (SELECT max(epoch) FROM epochs)";
    sqlx::query(sql).bind(marks.messages).execute(&mut *db).await.map_err(away)?;
    let sql = "INSERT INTO feed_marks (epoch, recipient, head, pages) SELECT max(epoch), ?1, ?2, ?3 FROM epochs WHERE true \
        ON CONFLICT (epoch, recipient) DO UPDATE SET head = max(head, excluded.head), pages = max(pages, excluded.pages)";
    for (recipient, feed) in &marks.feeds {
        let query = sqlx::query(sql).bind(recipient.as_str()).bind(feed.head).bind(feed.pages);
        query.execute(&mut *db).await.map_err(away)?;
    }
    Ok(())
}

pub(super) async fn begin_epoch(db: &mut SqliteConnection, epoch: u32, at: Timestamp) -> Stored<()> {
    let sql = "INSERT INTO epochs (epoch, began_at, messages) VALUES (?1, ?2, 0)";
    sqlx::query(sql).bind(i64::from(epoch)).bind(micros(at)).execute(db).await.map(drop).map_err(away)
}
