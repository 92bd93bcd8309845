//! The key store in a SQLite file of its own, in write-ahead mode: what a call has changed is on the disk when it returns.

mod data_keys;
mod ledger;
mod marks;
mod sql;

use std::borrow::Cow;
use std::path::Path;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use sqlx::{SqlSafeStr, Sqlite, Transaction};

pub use sql::STATEMENTS;

use super::{BUSY, StoreError, Stored, pool};
use crate::domain::PersonKey;
use crate::seal::{
    Answer, Erasure, Holder, Kept, KeyId, KeyStore, LedgerNote, Marks, Revocation, TakenId, WrappedKey, WrappingId,
};

/// The embedded key store. Clones share its connections.
#[derive(Debug, Clone)]
pub struct SqliteKeyStore {
    pool: SqlitePool,
}

impl SqliteKeyStore {
    /// The newest schema, which an open store has.
    pub const SCHEMA: i64 = 2;

    /// Opens a file, making it where it is not there, readable by the service's own user alone, and brings its schema up to
    /// date. An empty key store beside a content that is not empty has lost every key: whoever opens both asks for that.
    ///
    /// # Errors
    /// [`StoreError::Schema`] for a file of a newer or foreign schema; [`StoreError::Away`] where it cannot be opened.
    pub async fn open(path: &Path) -> Stored<Self> {
        make_private(path).map_err(|error| StoreError::Away(format!("the key store: {}", error.kind())))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What is deleted is overwritten: a destroyed key must not be found in the file.
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY);
        let pool = pool(1).connect_with(options).await.map_err(away)?;
        let base = include_str!("../../../../migrations/keys-sqlite/0001_base.sql").into_sql_str();
        let erasures = include_str!("../../../../migrations/keys-sqlite/0002_erasures.sql").into_sql_str();
        let migrator = Migrator::with_migrations(vec![
            Migration::new(1, Cow::Borrowed("base"), MigrationType::Simple, base, false),
            Migration::new(Self::SCHEMA, Cow::Borrowed("erasures"), MigrationType::Simple, erasures, false),
        ]);
        migrator.run(&pool).await.map_err(|error| StoreError::Schema(error.to_string()))?;
        Ok(Self { pool })
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn begin(&self) -> Stored<Transaction<'static, Sqlite>> {
        self.pool.begin_with(sql::BEGIN).await.map_err(away)
    }
}

/// The file's companions take its rights.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// The words say which of the two files is away.
fn away(error: sqlx::Error) -> StoreError {
    match super::away(error) {
        StoreError::Away(why) => StoreError::Away(format!("the key store: {why}")),
        other => other,
    }
}

impl KeyStore for SqliteKeyStore {
    fn of_holders<'a>(&'a self, holders: &'a [Holder]) -> Answer<'a, Vec<WrappedKey>> {
        async move { data_keys::of_holders(&self.pool, holders).await }.boxed()
    }

    fn of_ids<'a>(&'a self, ids: &'a [KeyId]) -> Answer<'a, Vec<WrappedKey>> {
        async move { data_keys::of_ids(&self.pool, ids).await }.boxed()
    }

    fn keep<'a>(&'a self, keys: &'a [WrappedKey], at: Timestamp) -> Answer<'a, Kept> {
        async move {
            let mut tx = self.begin().await?;
            let kept = data_keys::keep(&mut tx, keys, at).await?;
            tx.commit().await.map_err(away)?;
            Ok(kept)
        }
        .boxed()
    }

    fn wrapping(&self) -> Answer<'_, Option<WrappingId>> {
        async move {
            let mut db = self.pool.acquire().await.map_err(away)?;
            data_keys::wrapping(&mut db).await
        }
        .boxed()
    }

    fn use_wrapping(&self, id: WrappingId, at: Timestamp) -> Answer<'_, ()> {
        async move {
            let mut db = self.pool.acquire().await.map_err(away)?;
            data_keys::use_wrapping(&mut db, id, at).await
        }
        .boxed()
    }

    fn wrapped_by_others(&self, id: WrappingId, limit: i64) -> Answer<'_, Vec<WrappedKey>> {
        async move { data_keys::wrapped_by_others(&self.pool, id, limit).await }.boxed()
    }

    fn replace<'a>(&'a self, keys: &'a [(WrappingId, WrappedKey)]) -> Answer<'a, ()> {
        async move {
            let mut tx = self.begin().await?;
            data_keys::replace(&mut tx, keys).await?;
            tx.commit().await.map_err(away)
        }
        .boxed()
    }

    fn destroy<'a>(&'a self, holders: &'a [Holder]) -> Answer<'a, usize> {
        async move {
            let mut tx = self.begin().await?;
            let destroyed = data_keys::destroy(&mut tx, holders).await?;
            tx.commit().await.map_err(away)?;
            Ok(destroyed)
        }
        .boxed()
    }

    fn epoch(&self) -> Answer<'_, Option<(u32, Marks)>> {
        async move {
            let mut tx = self.begin().await?;
            let epoch = marks::current(&mut tx).await?;
            tx.commit().await.map_err(away)?;
            Ok(epoch)
        }
        .boxed()
    }

    fn raise<'a>(&'a self, marks: &'a Marks) -> Answer<'a, ()> {
        async move {
            let mut tx = self.begin().await?;
            marks::raise(&mut tx, marks).await?;
            tx.commit().await.map_err(away)
        }
        .boxed()
    }

    fn begin_epoch<'a>(&'a self, epoch: u32, marks: &'a Marks, at: Timestamp) -> Answer<'a, ()> {
        async move {
            let mut tx = self.begin().await?;
            marks::begin_epoch(&mut tx, epoch, at).await?;
            marks::raise(&mut tx, marks).await?;
            tx.commit().await.map_err(away)
        }
        .boxed()
    }

    fn note<'a>(&'a self, notes: &'a [LedgerNote]) -> Answer<'a, ()> {
        async move {
            let mut tx = self.begin().await?;
            ledger::note(&mut tx, notes).await?;
            tx.commit().await.map_err(away)
        }
        .boxed()
    }

    fn revocations(&self) -> Answer<'_, Vec<Revocation>> {
        async move { ledger::revocations(&self.pool).await }.boxed()
    }

    fn flags(&self) -> Answer<'_, Vec<PersonKey>> {
        async move { ledger::flags(&self.pool).await }.boxed()
    }

    fn erasures(&self) -> Answer<'_, Vec<Erasure>> {
        async move { ledger::erasures(&self.pool).await }.boxed()
    }

    fn taken_ids(&self) -> Answer<'_, Vec<TakenId>> {
        async move { ledger::taken_ids(&self.pool).await }.boxed()
    }

    fn give_back(&self) -> Answer<'_, ()> {
        async move {
            // Where somebody reads just now the log is truncated as far as it goes; what stands in it is wrapped.
            sqlx::query(sql::TRUNCATE_LOG).execute(&self.pool).await.map(drop).map_err(away)
        }
        .boxed()
    }
}
