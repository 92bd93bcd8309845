//! Brings the schemas of both stores up to date, before a service of a new version starts.

use super::DataFolder;
use super::opened::OpenFault;
use crate::config::{Config, KeyStorePlace, Store};
use crate::store::postgres::PostgresStore;
use crate::store::postgres::keys::PostgresKeyStore;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::keys::SqliteKeyStore;

/// The schemas that the stores have now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The content's.
    pub content: i64,
    /// The key store's.
    pub keys: i64,
}

/// Migrates both stores. On PostgreSQL one process does it at a time, under an advisory lock, and others find it done; a
/// data folder is held meanwhile.
///
/// # Errors
/// A store that is away, or whose schema is newer or foreign.
pub async fn migrate(config: &Config) -> Result<Migrated, OpenFault> {
    match &config.store {
        Store::Embedded { data } => {
            let folder = DataFolder::hold(data)?;
            folder.store(None).await?.close().await;
            folder.vault().await?;
            Ok(Migrated { content: SqliteStore::SCHEMA, keys: SqliteKeyStore::SCHEMA })
        }
        Store::Postgres(settings) => {
            let keys = match &config.keys.as_ref().ok_or(OpenFault::NoKeys)?.store {
                KeyStorePlace::Embedded { file } => {
                    SqliteKeyStore::open(file).await?.close().await;
                    SqliteKeyStore::SCHEMA
                }
                KeyStorePlace::Postgres(settings) => PostgresKeyStore::migrate(settings).await?,
            };
            Ok(Migrated { content: PostgresStore::migrate(settings).await?, keys })
        }
    }
}
