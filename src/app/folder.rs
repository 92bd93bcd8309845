//! A data folder: the embedded store, the keys, the spool, and the lock that lets one service hold it.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use jiff::Timestamp;

use crate::domain::Keys;
use crate::seal::ServiceKeys;
use crate::spool::SpoolFolders;
use crate::store::sqlite::SqliteStore;
use crate::store::{Clock, StoreError};

/// The setting under which a demo's folder keeps the instant at which its clock stands.
const CLOCK: &str = "clock";

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another service holds it.
    #[error("the data folder is held by another service (process {0}); stop it first, or name another folder with --data")]
    Held(String),
    /// It is not there.
    #[error("there is no data folder at {0}")]
    Missing(String),
    /// The file of keys is not one.
    #[error("keys/service.key is not a key: 32 bytes in base64")]
    Key,
    /// The file system.
    #[error("the data folder cannot be used: {0}")]
    Files(#[from] std::io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A data folder. Where it is held, the lock goes with this value.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: Option<File>,
}

impl DataFolder {
    /// Makes the folder where it is not there, and holds it for a service.
    ///
    /// # Errors
    /// [`FolderError::Held`] with the process that holds it.
    pub fn hold(path: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(path.join("keys"))?;
        private(&path.join("keys"))?;
        let mut lock = File::options().read(true).write(true).create(true).truncate(false).open(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                lock.read_to_string(&mut holder)?;
                return Err(FolderError::Held(holder.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        lock.set_len(0)?;
        writeln!(lock, "{}", std::process::id())?;
        Ok(Self { path: path.to_owned(), _lock: Some(lock) })
    }

    /// Opens a folder that is there, beside a service that may hold it.
    ///
    /// # Errors
    /// [`FolderError::Missing`] where nothing is there.
    pub fn beside(path: &Path) -> Result<Self, FolderError> {
        if !path.join("brygga.db").is_file() {
            return Err(FolderError::Missing(path.display().to_string()));
        }
        Ok(Self { path: path.to_owned(), _lock: None })
    }

    /// The folder's spool.
    #[must_use]
    pub fn spool(&self) -> SpoolFolders {
        SpoolFolders::new(&self.path)
    }

    /// The folder's keys; made on first use, in a file that only its owner may read.
    ///
    /// # Errors
    /// [`FolderError::Key`] for a file that is no key.
    pub fn keys(&self) -> Result<Arc<dyn Keys>, FolderError> {
        let path = self.path.join("keys").join("service.key");
        if let Ok(text) = fs::read_to_string(&path) {
            return Ok(Arc::new(ServiceKeys::derive(&secret(text.trim()).ok_or(FolderError::Key)?)));
        }
        let secret = ServiceKeys::new_secret().ok_or(FolderError::Key)?;
        let text = base64::engine::general_purpose::STANDARD.encode(secret);
        let temporary = path.with_extension("tmp");
        fs::write(&temporary, text)?;
        private(&temporary)?;
        File::open(&temporary)?.sync_all()?;
        fs::rename(temporary, path)?;
        Ok(Arc::new(ServiceKeys::derive(&secret)))
    }

    /// The folder's store. A folder whose clock was made to stand keeps it standing for every command.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn store(&self, standing: Option<Timestamp>) -> Result<SqliteStore, FolderError> {
        let store = SqliteStore::open(&self.path.join("brygga.db"), Clock::System).await?;
        if let Some(instant) = standing {
            store.keep_setting(CLOCK, &instant.to_string()).await?;
        }
        let clock = store.setting(CLOCK).await?.and_then(|text| text.parse().ok());
        Ok(match clock {
            Some(instant) => store.with_clock(Clock::at(instant)),
            None => store,
        })
    }
}

fn secret(text: &str) -> Option<[u8; 32]> {
    base64::engine::general_purpose::STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn private(_: &Path) -> std::io::Result<()> {
    Ok(())
}
