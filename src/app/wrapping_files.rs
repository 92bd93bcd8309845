//! The files of wrapping keys: a new key is put before the others, and the old ones go when nothing is wrapped by them any more.
//!
//! Each step leaves files with which everything that is kept can be opened: first both keys stand there, then data keys are
//! wrapped anew, and only then does the old one go. Cut short anywhere, the next one goes on. From the first step to the last
//! the files are held, so that of two at once none puts back what it had read before the other.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::folder::{FolderError, make_private};
use crate::seal::{SealError, WrappingId, WrappingKey, WrappingKeys};

/// Files of wrapping keys, the newest key first.
#[derive(Debug, Clone)]
pub struct WrappingFiles(Vec<PathBuf>);

impl WrappingFiles {
    /// These files, in this order.
    #[must_use]
    pub const fn new(files: Vec<PathBuf>) -> Self {
        Self(files)
    }

    /// Waits until nobody else changes these files, and holds them until the value is dropped.
    ///
    /// # Errors
    /// [`FolderError::Wrapping`] where there are none; [`FolderError::Files`] where they cannot be locked. Where this program may
    /// not write beside them it changes nothing in them either, and there is nothing to hold.
    pub async fn hold(&self) -> Result<HeldWrappingFiles, FolderError> {
        let first = self.0.first().ok_or(SealError::Form)?.clone();
        let lock = tokio::task::spawn_blocking(move || lock_beside(&first)).await.map_err(std::io::Error::other)??;
        Ok(HeldWrappingFiles { files: self.0.clone(), lock })
    }
}

/// Files of wrapping keys that nobody else who holds them first can change.
#[derive(Debug)]
pub struct HeldWrappingFiles {
    files: Vec<PathBuf>,
    /// None where this program may not write beside the first file.
    lock: Option<File>,
}

impl HeldWrappingFiles {
    /// Sees to it that the newest key is not the one in use: where it is, a new one is put before it. One that nobody has used
    /// yet is left as it is.
    ///
    /// # Errors
    /// Where the files cannot be read; [`FolderError::Key`] where a new key is needed and the first file cannot be written.
    pub fn renew(&self, in_use: Option<WrappingId>) -> Result<(), FolderError> {
        let texts = self.texts()?;
        if in_use
            .is_some_and(|in_use| WrappingKeys::read(&texts).and_then(|keys| Ok(keys.newest()?.id() != in_use)) == Ok(true))
        {
            return Ok(());
        }
        self.add()
    }

    /// Whether [`renew`](Self::renew) can be done, without doing it.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    pub fn can_renew(&self, in_use: Option<WrappingId>) -> Result<(), FolderError> {
        let newest = WrappingKeys::read(&self.texts()?)?.newest()?.id();
        if in_use.is_some_and(|in_use| in_use != newest) {
            return Ok(());
        }
        let first = self.files.first().ok_or(SealError::Form)?;
        let temporary = first.with_extension("tmp");
        let writable = self.may_write(first) && temporary_for(first, &temporary).is_ok();
        if !writable {
            return Err(FolderError::Key(
                "the first file of wrapping keys cannot be written by this program, and its newest key is in use: put a new key \
                 before it (32 random bytes in base64, on a line of its own), and do the same again",
            ));
        }
        Ok(fs::remove_file(temporary)?)
    }

    /// Puts a new key before all others.
    ///
    /// # Errors
    /// Where the first file cannot be read or written.
    pub fn add(&self) -> Result<(), FolderError> {
        let first = self.files.first().ok_or(SealError::Form)?;
        let known = SecretString::from(fs::read_to_string(first)?);
        let new = WrappingKey::new_secret()?;
        let both = SecretString::from(format!("{}\n{}", new.expose_secret(), known.expose_secret().trim()));
        write_secret(first, both.expose_secret())
    }

    /// How many keys there are.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn count(&self) -> Result<usize, FolderError> {
        let lines = |text: &SecretString| text.expose_secret().lines().filter(|line| !line.trim().is_empty()).count();
        Ok(self.texts()?.iter().map(lines).sum())
    }

    /// Leaves the newest key alone, which has to be the one in use; says whether it could: files beside the first are their
    /// keeper's to remove, and so is what this program cannot write.
    ///
    /// # Errors
    /// Where the first file cannot be read, or cannot be written although it could be before; [`FolderError::Key`] where another
    /// key is in use: data keys may be wrapped by any of those that stand there, and all of them stay.
    pub fn drop_old(&self, in_use: Option<WrappingId>) -> Result<bool, FolderError> {
        let first = self.files.first().ok_or(SealError::Form)?;
        let known = SecretString::from(fs::read_to_string(first)?);
        if in_use != Some(WrappingKeys::read([&known])?.newest()?.id()) {
            return Err(FolderError::Key(
                "the newest wrapping key is not the one in use: another rotation has come in between. No key was dropped; let the \
                 files have the same keys everywhere, and do the same again",
            ));
        }
        let mut lines = known.expose_secret().lines().map(str::trim).filter(|line| !line.is_empty());
        let newest = lines.next().ok_or(SealError::Form)?;
        let more = lines.next().is_some();
        if more && !self.may_write(first) {
            return Ok(false);
        }
        if more {
            write_secret(first, newest)?;
        }
        Ok(self.files.len() == 1)
    }

    fn may_write(&self, file: &Path) -> bool {
        self.lock.is_some() && File::options().append(true).open(file).is_ok()
    }

    fn texts(&self) -> Result<Vec<SecretString>, FolderError> {
        self.files.iter().map(|file| Ok(SecretString::from(fs::read_to_string(file)?))).collect()
    }
}

/// Locks a file beside a file of keys, which is itself replaced; `None` where that may not be written.
fn lock_beside(file: &Path) -> std::io::Result<Option<File>> {
    let path = file.with_extension("lock");
    let is_new = !path.exists();
    match File::options().append(true).create(true).open(path) {
        Ok(lock) => {
            if is_new && let Ok(before) = fs::metadata(file) {
                // Where it cannot be given away, its maker holds it all the same, and an administrator opens any.
                take_after(&lock, &before).unwrap_or_default();
            }
            lock.lock().map(|()| Some(lock))
        }
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes an empty file anew that has the owner and the rights of another, where that is there.
fn temporary_for(path: &Path, temporary: &Path) -> Result<File, FolderError> {
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    make_private(temporary)?;
    let file = File::options().append(true).open(temporary)?;
    if let Ok(before) = fs::metadata(path) {
        take_after(&file, &before)?;
    }
    Ok(file)
}

/// Gives a file the owner and the rights of another: where an administrator runs a command, the service still reads its file.
#[cfg(unix)]
fn take_after(file: &File, before: &fs::Metadata) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (before.uid(), before.gid()) {
        fchown(file, Some(before.uid()), Some(before.gid()))?;
    }
    file.set_permissions(before.permissions())
}

#[cfg(not(unix))]
fn take_after(_: &File, _: &fs::Metadata) -> std::io::Result<()> {
    Ok(())
}

/// Writes a file of secrets whole or not at all, for the user and by the rights of the file that stood there before, or else
/// readable by this program's own user alone; and overwrites what stood there before, as far as the disk lets anybody.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), FolderError> {
    let temporary = path.with_extension("tmp");
    let mut file = temporary_for(path, &temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let before = File::options().write(true).open(path).ok();
    fs::rename(&temporary, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    // Nobody finds the old file by its name any more; its blocks are overwritten before they are given back.
    if let Some(mut before) = before {
        let length = usize::try_from(before.metadata()?.len()).unwrap_or_default();
        before.write_all(&vec![0; length])?;
        before.sync_all()?;
    }
    Ok(())
}
