//! The files of wrapping keys: a new key is put before the others, and the old ones go when nothing is wrapped by them any more.
//!
//! Each step leaves files with which everything that is kept can be opened: first both keys stand there, then data keys are
//! wrapped anew, and only then does the old one go. Cut short anywhere, the next one goes on.

use std::fs::{self, File};
use std::io::Write as _;
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
        let (Some(first), Some(folder)) = (self.0.first(), self.0.first().and_then(|file| file.parent())) else {
            return Err(SealError::Form.into());
        };
        let temporary = first.with_extension("tmp");
        let writable = File::options().append(true).open(first).is_ok() && make_private(&temporary).is_ok() && folder.is_dir();
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
        let first = self.0.first().ok_or(SealError::Form)?;
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

    /// Leaves the newest key alone; says whether it could: files beside the first are their keeper's to remove, and so is what
    /// this program cannot write.
    ///
    /// # Errors
    /// Where the first file cannot be read, or cannot be written although it could be before.
    pub fn drop_old(&self) -> Result<bool, FolderError> {
        let first = self.0.first().ok_or(SealError::Form)?;
        let known = SecretString::from(fs::read_to_string(first)?);
        let mut lines = known.expose_secret().lines().map(str::trim).filter(|line| !line.is_empty());
        let newest = lines.next().ok_or(SealError::Form)?;
        let more = lines.next().is_some();
        if more && File::options().append(true).open(first).is_err() {
            return Ok(false);
        }
        if more {
            write_secret(first, newest)?;
        }
        Ok(self.0.len() == 1)
    }

    fn texts(&self) -> Result<Vec<SecretString>, FolderError> {
        self.0.iter().map(|file| Ok(SecretString::from(fs::read_to_string(file)?))).collect()
    }
}

/// Writes a file of secrets whole or not at all, readable by the service's own user alone, and overwrites what stood there
/// before, as far as the disk lets anybody.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), FolderError> {
    let temporary = path.with_extension("tmp");
    make_private(&temporary)?;
    fs::write(&temporary, text)?;
    File::open(&temporary)?.sync_all()?;
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
