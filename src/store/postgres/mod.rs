//! Floor 4: the store that several processes share: PostgreSQL, READ COMMITTED with row locks.
//!
//! A transaction is a unit of work: it takes its locks, reads by lists, decides in memory, and writes each table by one
//! statement when it commits; the counters that positions come from are raised after all that does not need them, so that
//! writers stand in line for as short as can be. `docs/adr/0013-unit-of-work.md` says why.

mod accounts;
mod answers;
mod audit;
mod bases;
mod census;
mod connect;
mod fault;
mod feeds;
mod flush;
mod gather;
pub mod keys;
mod letters;
mod line;
mod read;
mod receipts;
mod refused;
mod restore;
mod rights;
mod rows;
mod sql;
mod survey;
mod telling;
mod tx;
mod withdrawals;
mod work;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

pub use connect::RootsFault;
pub use sql::STATEMENTS;
pub use tx::PgTx;

use super::{Clock, Store, StoreError, Stored};
use crate::config::Postgres as Settings;
use crate::domain::{Position, RecipientId};
use crate::faults;
use bases::KnownBases;
use fault::away;
use line::Lines;

/// The three pools. What one part of the service holds too long, another does not wait for.
#[derive(Debug)]
struct Pools {
    intake: Lines,
    feed: Lines,
    console: Lines,
}

/// The shared store, by one of its pools. Clones share their connections.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pools: Arc<Pools>,
    pool: Lines,
    clock: Clock,
    /// How far the database's clock is ahead of this machine's, in microseconds, as the last transaction saw it.
    ahead: Arc<AtomicI64>,
    /// How many connections all three pools have opened.
    opened: Arc<AtomicU64>,
    bases: KnownBases,
}

impl PostgresStore {
    /// Connects and brings the schema up to date. The handle is the intake's.
    ///
    /// # Errors
    /// [`StoreError::Schema`] for a database of a newer or foreign schema; [`StoreError::Away`] where it cannot be reached.
    pub async fn open(settings: &Settings, clock: Clock) -> Stored<Self> {
        connect::migrate(settings, connect::migrations()).await?;
        let opened = Arc::new(AtomicU64::new(0));
        let intake = connect::pool_by_key(settings, settings.intake_connections, &opened);
        let feed = connect::pool_by_key(settings, settings.feed_connections, &opened);
        let console = connect::pool(settings, settings.console_connections, &opened);
        let pool = intake.clone();
        let pools = Arc::new(Pools { intake, feed, console });
        let store = Self { pools, pool, clock, ahead: Arc::default(), opened, bases: KnownBases::default() };
        store.begin("clock").await?;
        Ok(store)
    }

    /// Whether a file of root certificates can be used; without any effect.
    ///
    /// # Errors
    /// Where it cannot.
    pub fn check_roots(roots: &Path) -> Result<(), RootsFault> {
        connect::check_roots(roots)
    }

    /// Brings the schema up to date, one process at a time, and says which it is now.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn migrate(settings: &Settings) -> Stored<i64> {
        connect::migrate(settings, connect::migrations()).await
    }

    /// The same store by the pool of intake and due work.
    #[must_use]
    pub fn intake(&self) -> Self {
        Self { pool: self.pools.intake.clone(), ..self.clone() }
    }

    /// The same store by the pool of readers and relays.
    #[must_use]
    pub fn feed(&self) -> Self {
        Self { pool: self.pools.feed.clone(), ..self.clone() }
    }

    /// The same store by the pool of operators and numbers.
    #[must_use]
    pub fn console(&self) -> Self {
        Self { pool: self.pools.console.clone(), ..self.clone() }
    }

    /// A setting that the database itself keeps.
    ///
    /// # Errors
    /// Where the store is away.
    pub async fn setting(&self, key: &str) -> Stored<Option<String>> {
        sqlx::query_scalar(sql::SETTING).bind(key).fetch_optional(&self.pool).await.map_err(away)
    }

    /// Keeps a setting in the database.
    ///
    /// # Errors
    /// Where the store is away.
    pub async fn keep_setting(&self, key: &str, value: &str) -> Stored<()> {
        sqlx::query(sql::KEEP_SETTING).bind(key).bind(value).execute(&self.pool).await.map(drop).map_err(away)
    }

    /// Closes the connections.
    pub async fn close(&self) {
        for pool in [&self.pools.intake, &self.pools.feed, &self.pools.console] {
            pool.close().await;
        }
    }
}

impl Store for PostgresStore {
    type Tx = PgTx;

    async fn begin(&self, name: &'static str) -> Stored<PgTx> {
        let mut inner = self.pool.begin().await?;
        let connections = self.connections();
        let now = match &self.clock {
            Clock::System => {
                let theirs = connect::clock(&mut inner).await?.saturating_add(faults::ahead());
                self.ahead.store(theirs.saturating_sub(self.clock.now().as_microsecond()), Ordering::Relaxed);
                Timestamp::from_microsecond(theirs).unwrap_or(Timestamp::UNIX_EPOCH)
            }
            Clock::Set(_) => self.clock.now(),
        };
        Ok(PgTx::new(inner, now, name, self.bases.of_transaction(connections)))
    }

    async fn epoch(&self) -> Stored<u32> {
        let text = self.setting("epoch").await?.unwrap_or_default();
        text.parse().map_err(|_| StoreError::Inconsistent { table: "meta", column: "value" })
    }

    async fn has_after(&self, recipient: &RecipientId, position: Position) -> Stored<bool> {
        let query = sqlx::query_scalar(sql::HAS_AFTER).bind(recipient.as_str()).bind(position.0);
        query.fetch_one(&self.pool).await.map_err(away)
    }

    async fn has_work(&self) -> Stored<bool> {
        let query = sqlx::query_scalar(sql::HAS_WORK).bind(self.now().as_microsecond());
        query.fetch_one(&self.pool).await.map_err(away)
    }

    async fn has_unconfirmed(&self, recipient: &RecipientId) -> Stored<bool> {
        let query = sqlx::query_scalar(sql::HAS_UNCONFIRMED).bind(recipient.as_str());
        query.fetch_one(&self.pool).await.map_err(away)
    }

    async fn take_lease(&self, recipient: &RecipientId, owner: &str, lasts: Duration) -> Stored<bool> {
        let lasts = i64::try_from(lasts.as_micros()).unwrap_or(i64::MAX / 2);
        let set = match &self.clock {
            Clock::System => None,
            Clock::Set(_) => Some(self.clock.now().as_microsecond()),
        };
        let query = sqlx::query(sql::TAKE_LEASE).bind(recipient.as_str()).bind(owner).bind(lasts).bind(set);
        let taken = query.fetch_optional(&self.pool).await.map_err(away)?;
        Ok(taken.is_some())
    }

    async fn ping(&self) -> Stored<()> {
        sqlx::query(sql::PING).execute(&self.pool).await.map(drop).map_err(away)
    }

    async fn give_back(&self) -> Stored<()> {
        sqlx::query(sql::VACUUM_MESSAGES).execute(&self.pool).await.map_err(away)?;
        sqlx::query(sql::VACUUM_ENTRIES).execute(&self.pool).await.map_err(away)?;
        sqlx::query(sql::VACUUM_RECEIPTS).execute(&self.pool).await.map_err(away)?;
        sqlx::query(sql::VACUUM_AUDIT).execute(&self.pool).await.map(drop).map_err(away)
    }

    fn now(&self) -> Timestamp {
        match &self.clock {
            Clock::System => {
                let micros = self.clock.now().as_microsecond().saturating_add(self.ahead.load(Ordering::Relaxed));
                Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
            }
            Clock::Set(_) => self.clock.now(),
        }
    }

    fn connections(&self) -> u64 {
        self.opened.load(Ordering::Acquire)
    }
}
