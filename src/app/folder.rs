//! A data folder: the embedded store, the keys, the spool, and the lock that lets one service hold it.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::Checkpoints;
use super::wrapping_files::{WrappingFiles, write_secret};
use crate::audit::SigningKey;
use crate::domain::Keys;
use crate::seal::{SealError, ServiceKeys, Vault, WrappingKey, WrappingKeys, WrappingSource};
use crate::spool::SpoolFolders;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::keys::SqliteKeyStore;
use crate::store::{Clock, StoreError};

/// The setting under which a demo's folder keeps the instant at which its clock stands.
const CLOCK: &str = "clock";

/// The setting that tells whether a key is the one that the database was written under.
const KEY_CHECK: &str = "key-check";

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another service holds it.
    #[error("the data folder is held by another service (process {0}); stop it first, or name another folder with --data")]
    Held(String),
    /// It is not there.
    #[error("there is no data folder at {0}")]
    Missing(String),
    /// A file of keys is missing or is not one.
    #[error("the keys of the data folder cannot be used: {0}")]
    Key(&'static str),
    /// The folder keeps a clock that cannot be read.
    #[error("the data folder's clock cannot be read")]
    Clock,
    /// The file system.
    #[error("the data folder cannot be used: {0}")]
    Files(#[from] std::io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The wrapping keys.
    #[error("keys/wrapping.key cannot be used: {0}")]
    Wrapping(#[from] SealError),
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
        let folder = Self { path: path.to_owned(), _lock: Some(lock) };
        folder.make_once()?;
        Ok(folder)
    }

    /// Makes keys, key store and database where there is neither database nor service key. Neither key is ever made for a
    /// database that is there: every digest in it would be of nobody, and protected persons and revocations among them; and
    /// nothing in it could be opened. The service key is made last, so that a first start that was cut short is made up for.
    fn make_once(&self) -> Result<(), FolderError> {
        let (key, database) = (self.path.join("keys").join("service.key"), self.path.join("brygga.db"));
        if database.exists() || key.exists() {
            return Ok(());
        }
        // The databases' companions take their rights.
        make_private(&self.key_store())?;
        write_secret(&self.wrapping_file(), WrappingKey::new_secret()?.expose_secret())?;
        let secret = ServiceKeys::new_secret().ok_or(FolderError::Key("the system gives no random numbers"))?;
        write_secret(&key, &base64::engine::general_purpose::STANDARD.encode(secret))?;
        make_private(&database)
    }

    fn key_store(&self) -> PathBuf {
        self.path.join("keys").join("keys.db")
    }

    fn wrapping_file(&self) -> PathBuf {
        self.path.join("keys").join("wrapping.key")
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

    /// The folder's keys.
    ///
    /// # Errors
    /// [`FolderError::Key`] for a file that is missing or is no key.
    pub fn keys(&self) -> Result<Arc<dyn Keys>, FolderError> {
        let text = fs::read_to_string(self.path.join("keys").join("service.key"))
            .map_err(|_| FolderError::Key("keys/service.key is missing or cannot be read; restore it from its backup"))?;
        let secret = secret(text.trim()).ok_or(FolderError::Key("keys/service.key is not 32 bytes in base64"))?;
        Ok(Arc::new(ServiceKeys::derive(&secret)))
    }

    /// The keys that the folder's contents are sealed under.
    ///
    /// # Errors
    /// [`FolderError::Wrapping`] for a file that is missing or is no key; as [`SqliteKeyStore::open`].
    pub async fn vault(&self) -> Result<Vault, FolderError> {
        let file = self.wrapping_file();
        let read = move || {
            let text = fs::read_to_string(&file).map_err(|error| SealError::Source(error.kind().to_string()))?;
            WrappingKeys::read([&SecretString::from(text)])
        };
        let source = WrappingSource::new(read)?;
        if !self.key_store().is_file() {
            return Err(FolderError::Key("keys/keys.db is missing; restore it from its backup"));
        }
        Ok(Vault::new(Arc::new(SqliteKeyStore::open(&self.key_store()).await?), source))
    }

    /// Where the folder's checkpoints are written, and the key that signs them, which is made when it is first asked for. Only
    /// who holds the folder asks.
    ///
    /// # Errors
    /// [`FolderError::Key`] for a file that is no key.
    pub fn checkpoints(&self) -> Result<Checkpoints, FolderError> {
        let file = self.path.join("keys").join("checkpoint.key");
        if !file.exists() {
            let secret = SigningKey::new_secret().map_err(|_| FolderError::Key("the system gives no random numbers"))?;
            write_secret(&file, secret.expose_secret())?;
        }
        let secret = SecretString::from(fs::read_to_string(&file)?);
        let key = SigningKey::read(&secret).map_err(|_| FolderError::Key("keys/checkpoint.key is not 32 bytes in base64"))?;
        Ok(Checkpoints::new(self.path.join("checkpoints"), key))
    }

    /// The folder's file of wrapping keys.
    #[must_use]
    pub fn wrapping_files(&self) -> WrappingFiles {
        WrappingFiles::new(vec![self.wrapping_file()])
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
        self.check_key(&store).await?;
        match store.setting(CLOCK).await? {
            Some(text) => Ok(store.with_clock(Clock::at(text.parse().map_err(|_| FolderError::Clock)?))),
            None => Ok(store),
        }
    }

    /// The database remembers a digest under its key, and is opened with no other.
    async fn check_key(&self, store: &SqliteStore) -> Result<(), FolderError> {
        let digest = self.keys()?.fingerprint(b"the key of this data folder").to_hex();
        match store.setting(KEY_CHECK).await? {
            Some(known) if known == digest => Ok(()),
            Some(_) => Err(FolderError::Key("keys/service.key is not this folder's; restore the right one from its backup")),
            None => Ok(store.keep_setting(KEY_CHECK, &digest).await?),
        }
    }
}

/// Makes an empty file that only the service's own user can read, if it is not there.
pub(super) fn make_private(path: &Path) -> Result<(), FolderError> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(private(path)?)
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
