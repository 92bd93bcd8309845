//! The key store that several processes share: a PostgreSQL database of its own, backed up apart from the content's.

mod data_keys;
mod ledger;
mod marks;
mod sql;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use jiff::Timestamp;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType};

pub use sql::STATEMENTS;

use super::line::{Line, Lines};
use super::{connect, fault};
use crate::config::Postgres as Settings;
use crate::domain::PersonKey;
use crate::seal::{
    Answer, Erasure, Holder, Kept, KeyId, KeyStore, LedgerNote, Marks, Revocation, TakenId, WrappedKey, WrappingId,
};
use crate::store::{StoreError, Stored};

/// The shared key store. Clones share its connections.
#[derive(Debug, Clone)]
pub struct PostgresKeyStore {
    pool: Lines,
    /// Whether the first epoch has begun, so that only the first mark asks.
    begun: Arc<AtomicBool>,
}

impl PostgresKeyStore {
    /// Connects and brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Schema`] for a database of a newer or foreign schema; [`StoreError::Away`] where it cannot be reached.
    pub async fn open(settings: &Settings) -> Stored<Self> {
        Self::migrate(settings).await?;
        Ok(Self { pool: connect::pool(settings, settings.intake_connections, &Arc::default()), begun: Arc::default() })
    }

    /// Brings the schema up to date, one process at a time, and says which it is now.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn migrate(settings: &Settings) -> Stored<i64> {
        let base = include_str!("../../../../migrations/keys-postgres/0001_base.sql").into_sql_str();
        let erasures = include_str!("../../../../migrations/keys-postgres/0002_erasures.sql").into_sql_str();
        let migrations = vec![
            Migration::new(1, Cow::Borrowed("base"), MigrationType::Simple, base, false),
            Migration::new(2, Cow::Borrowed("erasures"), MigrationType::Simple, erasures, false),
        ];
        connect::migrate(settings, migrations).await.map_err(named)
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn begin(&self) -> Stored<Line> {
        self.pool.begin().await.map_err(named)
    }
}

/// The words say which of the two databases is away.
fn named(error: StoreError) -> StoreError {
    match error {
        StoreError::Away(why) => StoreError::Away(format!("the key store: {why}")),
        other => other,
    }
}

fn away(error: sqlx::Error) -> StoreError {
    named(fault::away(error))
}

impl KeyStore for PostgresKeyStore {
    fn of_holders<'a>(&'a self, holders: &'a [Holder]) -> Answer<'a, Vec<WrappedKey>> {
        data_keys::of_holders(&self.pool, holders).boxed()
    }

    fn of_ids<'a>(&'a self, ids: &'a [KeyId]) -> Answer<'a, Vec<WrappedKey>> {
        data_keys::of_ids(&self.pool, ids).boxed()
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
        data_keys::wrapping(&self.pool).boxed()
    }

    fn use_wrapping(&self, id: WrappingId, at: Timestamp) -> Answer<'_, ()> {
        data_keys::use_wrapping(&self.pool, id, at).boxed()
    }

    fn wrapped_by_others(&self, id: WrappingId, limit: i64) -> Answer<'_, Vec<WrappedKey>> {
        data_keys::wrapped_by_others(&self.pool, id, limit).boxed()
    }

    fn replace<'a>(&'a self, keys: &'a [(WrappingId, WrappedKey)]) -> Answer<'a, ()> {
        data_keys::replace(&self.pool, keys).boxed()
    }

    fn destroy<'a>(&'a self, holders: &'a [Holder]) -> Answer<'a, usize> {
        data_keys::destroy(&self.pool, holders).boxed()
    }

    fn epoch(&self) -> Answer<'_, Option<(u32, Marks)>> {
        marks::current(&self.pool).boxed()
    }

    fn raise<'a>(&'a self, marks: &'a Marks) -> Answer<'a, ()> {
        async move {
            if !self.begun.load(Ordering::Relaxed) {
                marks::begin_first(&self.pool).await?;
                self.begun.store(true, Ordering::Relaxed);
            }
            marks::raise(&self.pool, marks).await
        }
        .boxed()
    }

    fn begin_epoch<'a>(&'a self, epoch: u32, marks: &'a Marks, at: Timestamp) -> Answer<'a, ()> {
        async move {
            // Two statements: where only the first is done, the content is of another epoch still, and is accepted again.
            marks::begin_epoch(&self.pool, epoch, at).await?;
            marks::raise(&self.pool, marks).await
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
        ledger::revocations(&self.pool).boxed()
    }

    fn flags(&self) -> Answer<'_, Vec<PersonKey>> {
        ledger::flags(&self.pool).boxed()
    }

    fn erasures(&self) -> Answer<'_, Vec<Erasure>> {
        ledger::erasures(&self.pool).boxed()
    }

    fn taken_ids(&self) -> Answer<'_, Vec<TakenId>> {
        ledger::taken_ids(&self.pool).boxed()
    }

    fn give_back(&self) -> Answer<'_, ()> {
        async move { sqlx::query(sql::VACUUM).execute(&self.pool).await.map(drop).map_err(away) }.boxed()
    }
}
