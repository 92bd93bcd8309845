//! What the store says, read past the product with SQL of the checker's own.

use std::collections::BTreeMap;

use sqlx::{PgPool, Row};
use uuid::Uuid;

/// One entry of Arbetsförmedlingen's feed.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) position: i64,
    pub(crate) subject: String,
    pub(crate) is_delete: bool,
    pub(crate) state: String,
}

/// The store at one instant.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// Message id and state, one for each row.
    pub(crate) messages: Vec<(Uuid, String)>,
    /// All receipts, duplicates included.
    pub(crate) received: i64,
    /// Recipients that agreements gave to journeys.
    pub(crate) fan_out: i64,
    /// Message id and state of each leg.
    pub(crate) legs: Vec<(Uuid, String)>,
    pub(crate) entries: Vec<Entry>,
    /// The counter of the feed.
    pub(crate) head: i64,
    /// Live entries of each pushed feed, in order.
    pub(crate) pushed: BTreeMap<String, Vec<i64>>,
}

impl Snapshot {
    /// Reads it in one transaction.
    ///
    /// # Errors
    /// Where the database is away.
    pub(crate) async fn read(pool: &PgPool) -> sqlx::Result<Self> {
        let mut tx = pool.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *tx).await?;
        let mut snapshot = Self::default();
        let sql = "SELECT message_id, state, duplicates, fan_out FROM messages ORDER BY number";
        for row in sqlx::query(sql).fetch_all(&mut *tx).await? {
            snapshot.messages.push((row.try_get(0)?, row.try_get(1)?));
            let (duplicates, fan_out): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
            snapshot.received += 1 + duplicates;
            if snapshot.messages.last().is_some_and(|(_, state)| state == "journey") {
                snapshot.fan_out += fan_out;
            }
        }
        let sql = "SELECT message_id, legs.state FROM legs JOIN messages ON number = message ORDER BY number";
        for row in sqlx::query(sql).fetch_all(&mut *tx).await? {
            snapshot.legs.push((row.try_get(0)?, row.try_get(1)?));
        }
        let sql = "SELECT position, encode(subject, 'hex'), method, state FROM entries \
            WHERE recipient = 'arbetsformedlingen' ORDER BY position";
        for row in sqlx::query(sql).fetch_all(&mut *tx).await? {
            let method: String = row.try_get(2)?;
            let (position, subject, state) = (row.try_get(0)?, row.try_get(1)?, row.try_get(3)?);
            snapshot.entries.push(Entry { position, subject, is_delete: method == "DELETE", state });
        }
        let sql = "SELECT head FROM feeds WHERE recipient = 'arbetsformedlingen'";
        snapshot.head = sqlx::query(sql).fetch_optional(&mut *tx).await?.map_or(Ok(0), |row| row.try_get(0))?;
        let sql = "SELECT recipient, position FROM entries WHERE recipient <> 'arbetsformedlingen' AND state = 'live' \
            ORDER BY recipient, position";
        for row in sqlx::query(sql).fetch_all(&mut *tx).await? {
            snapshot.pushed.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
        }
        Ok(snapshot)
    }

    /// How many entries of pushed feeds are not confirmed.
    pub(crate) async fn unconfirmed(pool: &PgPool) -> sqlx::Result<i64> {
        let sql = "SELECT count(*) FROM entries WHERE recipient <> 'arbetsformedlingen' AND state = 'live' \
            AND confirmed_at IS NULL";
        sqlx::query(sql).fetch_one(pool).await?.try_get(0)
    }

    /// How many of these messages are there.
    pub(crate) async fn count(pool: &PgPool, ids: &[Uuid]) -> sqlx::Result<usize> {
        let sql = "SELECT count(DISTINCT message_id) FROM messages WHERE message_id = ANY($1)";
        let count: i64 = sqlx::query(sql).bind(ids).fetch_one(pool).await?.try_get(0)?;
        Ok(usize::try_from(count).expect("a count"))
    }

    /// Which of these messages are there.
    pub(crate) async fn present(pool: &PgPool, ids: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
        let rows = sqlx::query("SELECT message_id FROM messages WHERE message_id = ANY($1)").bind(ids).fetch_all(pool).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }

    /// The highest position that a reader has to reach.
    pub(crate) async fn last_live(pool: &PgPool) -> sqlx::Result<i64> {
        let sql = "SELECT coalesce(max(position), 0) FROM entries WHERE recipient = 'arbetsformedlingen' AND state = 'live'";
        sqlx::query(sql).fetch_one(pool).await?.try_get(0)
    }

    /// States by message; a message that stands there twice keeps the last.
    pub(crate) fn states(&self) -> BTreeMap<Uuid, &str> {
        self.messages.iter().map(|(id, state)| (*id, state.as_str())).collect()
    }
}
