//! Floor 4: the embedded store: SQLite in write-ahead mode, with one writer.
//!
//! Every transaction begins with `BEGIN IMMEDIATE` on the one writing connection, so a lock is never taken halfway
//! (a deferred transaction that wants to write gets `SQLITE_BUSY` at once). Readers have connections of their own.

mod accounts;
mod answers;
mod audit;
mod census;
mod entries;
mod feeds;
pub mod keys;
mod legs;
mod letters;
mod messages;
mod read;
mod receipts;
mod refused;
mod restore;
mod rights;
mod sql;
mod survey;
mod telling;
mod tx;
mod withdrawals;

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::error::DatabaseError;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqlSafeStr};

pub use sql::STATEMENTS;
pub use tx::SqliteTx;

use super::{Clock, Store, StoreError, Stored};
use crate::domain::{Position, RecipientId};

/// Every migration of the content, in order. A migration that was ever released is never changed.
const MIGRATIONS: &[(&str, &str)] = &[
    ("base", include_str!("../../../migrations/sqlite/0001_base.sql")),
    ("audit chain", include_str!("../../../migrations/sqlite/0002_audit_chain.sql")),
    ("withdrawals and receipts", include_str!("../../../migrations/sqlite/0003_withdrawals_receipts.sql")),
    ("accounts", include_str!("../../../migrations/sqlite/0004_accounts.sql")),
    ("fewer indexes", include_str!("../../../migrations/sqlite/0005_fewer_indexes.sql")),
    ("dead letters", include_str!("../../../migrations/sqlite/0006_dead_letters.sql")),
];

/// How long a command waits for the writer before it says that the store is busy.
const BUSY: Duration = Duration::from_secs(10);

/// The embedded store. Clones share its connections.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    reader: SqlitePool,
    clock: Clock,
}

impl SqliteStore {
    /// The newest schema, which an open store has.
    pub const SCHEMA: i64 = 6;

    /// Opens a file, making it where it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Schema`] for a file of a newer or foreign schema; [`StoreError::Away`] where it cannot be opened.
    pub async fn open(path: &Path, clock: Clock) -> Stored<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit that was answered is on the disk.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What is deleted is overwritten. It was sealed, but digests and ids stand beside it.
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY);
        let writer = pool(1).connect_with(options.clone()).await.map_err(away)?;
        migrate(&writer).await?;
        let reader = pool(4).connect_with(options.read_only(true)).await.map_err(away)?;
        Ok(Self { writer, reader, clock })
    }

    /// A store in memory, for dry runs: gone when it is dropped.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn in_memory(clock: Clock) -> Stored<Self> {
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        let writer = pool(1).connect_with(options).await.map_err(away)?;
        migrate(&writer).await?;
        Ok(Self { reader: writer.clone(), writer, clock })
    }

    /// A setting that the data folder itself keeps.
    ///
    /// # Errors
    /// Where the store is away.
    pub async fn setting(&self, key: &str) -> Stored<Option<String>> {
        let row = sqlx::query(sql::SETTING).bind(key).fetch_optional(&self.reader).await.map_err(away)?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Keeps a setting in the data folder.
    ///
    /// # Errors
    /// Where the store is away.
    pub async fn keep_setting(&self, key: &str, value: &str) -> Stored<()> {
        sqlx::query(sql::KEEP_SETTING).bind(key).bind(value).execute(&self.writer).await.map(drop).map_err(away)
    }

    /// The same store with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Closes the connections, so that another process finds everything in place.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

impl Store for SqliteStore {
    type Tx = SqliteTx;

    async fn begin(&self, name: &'static str) -> Stored<SqliteTx> {
        let inner = self.writer.begin_with(sql::BEGIN).await.map_err(away)?;
        Ok(SqliteTx::new(inner, self.clock.now(), name))
    }

    async fn epoch(&self) -> Stored<u32> {
        let text = self.setting("epoch").await?.unwrap_or_default();
        text.parse().map_err(|_| StoreError::Inconsistent { table: "meta", column: "value" })
    }

    async fn has_after(&self, recipient: &RecipientId, position: Position) -> Stored<bool> {
        let row = sqlx::query(sql::HAS_AFTER).bind(recipient.as_str()).bind(position.0).fetch_optional(&self.reader).await;
        row.map(|row| row.is_some()).map_err(away)
    }

    async fn has_work(&self) -> Stored<bool> {
        let polled = RecipientId::arbetsformedlingen();
        let query = sqlx::query(sql::HAS_WORK).bind(self.clock.now().as_microsecond()).bind(polled.as_str());
        query.fetch_one(&self.reader).await.map(|row| row.get("work")).map_err(away)
    }

    async fn has_unconfirmed(&self, recipient: &RecipientId) -> Stored<bool> {
        let query = sqlx::query(sql::HAS_UNCONFIRMED).bind(recipient.as_str());
        query.fetch_one(&self.reader).await.map(|row| row.get("waits")).map_err(away)
    }

    async fn take_lease(&self, recipient: &RecipientId, owner: &str, lasts: Duration) -> Stored<bool> {
        let (now, lasts) = (self.clock.now().as_microsecond(), i64::try_from(lasts.as_micros()).unwrap_or(i64::MAX));
        let query = sqlx::query(sql::TAKE_LEASE).bind(recipient.as_str()).bind(owner).bind(now.saturating_add(lasts));
        let taken = query.bind(now).fetch_optional(&self.writer).await.map_err(away)?;
        Ok(taken.is_some())
    }

    async fn ping(&self) -> Stored<()> {
        sqlx::query(sql::PING).execute(&self.reader).await.map(drop).map_err(away)
    }

    async fn give_back(&self) -> Stored<()> {
        sqlx::query(sql::VACUUM).execute(&self.writer).await.map_err(away)?;
        sqlx::query(sql::TRUNCATE_LOG).execute(&self.writer).await.map(drop).map_err(away)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn connections(&self) -> u64 {
        0
    }
}

fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(size)
        .acquire_timeout(BUSY)
        .idle_timeout(None)
        .max_lifetime(None)
}

async fn migrate(pool: &SqlitePool) -> Stored<()> {
    let one = |(version, (name, text)): (i64, &(&'static str, &'static str))| {
        Migration::new(version, Cow::Borrowed(*name), MigrationType::Simple, text.into_sql_str(), false)
    };
    let migrations = (1..).zip(MIGRATIONS).map(one).collect();
    // A migration in the file that we do not know, or that differs from ours, is refused rather than guessed.
    Migrator::with_migrations(migrations).run(pool).await.map_err(|error| StoreError::Schema(error.to_string()))
}

/// How the library names the one key that two may come with at the same time; names of columns, and no values.
const RECEIPT: &str = "messages.login, messages.message_id, messages.fingerprint";

/// Whether the engine does not take a value or a row: too big, a broken rule, the wrong type, or out of range (SQLite's result
/// codes 18, 19, 20 and 25, in the lower eight bits of an extended one).
fn is_of_the_row(error: &dyn DatabaseError) -> bool {
    let code: Option<u32> = error.code().and_then(|code| code.parse().ok());
    code.is_some_and(|code| matches!(code & 0xff, 18 | 19 | 20 | 25))
}

/// Reads an error of the library; its words hold no values of rows.
fn away(error: sqlx::Error) -> StoreError {
    match error {
        // The same message came at the same time: it is begun again, and then it is found.
        sqlx::Error::Database(error) if error.is_unique_violation() && error.message().contains(RECEIPT) => {
            StoreError::Contended
        }
        sqlx::Error::Database(error) if is_of_the_row(&*error) => {
            StoreError::Refused(format!("SQLite {}", error.code().unwrap_or_default()))
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) | sqlx::Error::RowNotFound => {
            StoreError::Inconsistent { table: "a row", column: "a column" }
        }
        error => StoreError::Away(error.to_string()),
    }
}
