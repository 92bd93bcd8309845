//! Opens the stores that a configuration names, with the keys that go with them.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::restore::{self, Behind};
use super::{DataFolder, FolderError};
use crate::config::{self, Config, KeyStorePlace, KeysConfig};
use crate::domain::Keys;
use crate::journey::{ContractSet, Journey};
use crate::seal::{KeyStore, SealError, ServiceKeys, Vault, WrappingKeys, WrappingSource};
use crate::store::postgres::PostgresStore;
use crate::store::postgres::keys::PostgresKeyStore;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::keys::SqliteKeyStore;
use crate::store::{Clock, StoreError};

/// Why the stores cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The content has come back from a backup.
    #[error(transparent)]
    Behind(#[from] Behind),
    /// A key.
    #[error("the keys cannot be used: {0}")]
    Keys(#[from] SealError),
    /// The service key is not one.
    #[error("keys.service_key is not 32 bytes in base64")]
    ServiceKey,
    /// A shared store needs keys of its own.
    #[error("the table [keys] is missing: a store that processes share has its keys in a key store of their own")]
    NoKeys,
}

/// An open store with the way over it.
#[derive(Debug)]
pub enum Opened {
    /// A data folder; while this value is there, the folder is held where it was opened for a service.
    Embedded {
        /// The folder.
        folder: DataFolder,
        /// The way.
        journey: Journey,
        /// The store.
        store: SqliteStore,
    },
    /// PostgreSQL.
    Postgres {
        /// The way.
        journey: Journey,
        /// The store.
        store: PostgresStore,
    },
}

/// Opens for a service: the data folder is held, and a content that has come back from a backup is refused.
///
/// # Errors
/// [`OpenFault::Store`] with [`StoreError::Away`] is a reason to wait; a person has to mend everything else.
pub(super) async fn open(config: &Config, set: &Arc<ContractSet>) -> Result<Opened, OpenFault> {
    match alone(config, set).await? {
        Opened::Embedded { folder, journey, store } => {
            restore::check(&store, journey.vault()).await?;
            Ok(Opened::Embedded { folder, journey, store })
        }
        Opened::Postgres { journey, store } => {
            restore::check(&store, journey.vault()).await?;
            // Another server can answer for it while the service runs.
            Ok(Opened::Postgres { journey: journey.guarded(), store })
        }
    }
}

/// Opens for a command while no service may run: a data folder is held, and a content of a backup is what it is for.
///
/// # Errors
/// [`OpenFault::Store`] with [`StoreError::Away`] is a reason to wait; a person has to mend everything else.
pub async fn alone(config: &Config, set: &Arc<ContractSet>) -> Result<Opened, OpenFault> {
    of(config, set, DataFolder::hold).await
}

/// Opens for a command, beside a service that may run on the same store.
///
/// # Errors
/// As [`alone`].
pub async fn beside(config: &Config, set: &Arc<ContractSet>) -> Result<Opened, OpenFault> {
    of(config, set, DataFolder::beside).await
}

async fn of(
    config: &Config,
    set: &Arc<ContractSet>,
    folder: impl Fn(&std::path::Path) -> Result<DataFolder, FolderError>,
) -> Result<Opened, OpenFault> {
    match &config.store {
        config::Store::Embedded { data } => {
            let folder = folder(data)?;
            let store = folder.store(None).await?;
            let journey = Journey::new(Arc::clone(set), folder.keys()?, folder.vault().await?);
            Ok(Opened::Embedded { folder, journey, store })
        }
        config::Store::Postgres(settings) => {
            let keys = config.keys.as_ref().ok_or(OpenFault::NoKeys)?;
            let (service, vault) = (service_keys(keys)?, vault(keys).await?);
            let store = PostgresStore::open(settings, Clock::System).await?;
            Ok(Opened::Postgres { journey: Journey::new(Arc::clone(set), service, vault), store })
        }
    }
}

fn service_keys(keys: &KeysConfig) -> Result<Arc<dyn Keys>, OpenFault> {
    let text = keys.service_key.expose_secret().trim();
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok();
    let secret: [u8; 32] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(OpenFault::ServiceKey)?;
    Ok(Arc::new(ServiceKeys::derive(&secret)))
}

/// What is wrong with the form of the keys, by the key of the table; without any effect.
pub(super) fn key_faults(keys: &KeysConfig) -> Vec<(&'static str, OpenFault)> {
    let service = service_keys(keys).err().map(|fault| ("service_key", fault));
    let wrapping = wrapping_keys(&keys.wrapping_key_files).err().map(|fault| ("wrapping_key_files", fault.into()));
    service.into_iter().chain(wrapping).collect()
}

fn wrapping_keys(files: &[PathBuf]) -> Result<WrappingKeys, SealError> {
    let mut texts = Vec::with_capacity(files.len());
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| SealError::Source(error.kind().to_string()))?;
        texts.push(SecretString::from(text));
    }
    WrappingKeys::read(&texts)
}

async fn vault(keys: &KeysConfig) -> Result<Vault, OpenFault> {
    let files = keys.wrapping_key_files.clone();
    let read = move || wrapping_keys(&files);
    let store: Arc<dyn KeyStore> = match &keys.store {
        KeyStorePlace::Embedded { file } => Arc::new(SqliteKeyStore::open(file).await?),
        KeyStorePlace::Postgres(settings) => Arc::new(PostgresKeyStore::open(settings).await?),
    };
    Ok(Vault::new(store, WrappingSource::new(read)?))
}
