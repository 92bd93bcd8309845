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
                take_after(&lock, &before)?;
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use secrecy::{ExposeSecret as _, SecretString};

    use super::WrappingFiles;
    use crate::seal::{WrappingId, WrappingKey, WrappingKeys};

    fn one_key(folder: &Path) -> (PathBuf, WrappingFiles) {
        let file = folder.join("wrapping.key");
        fs::write(&file, WrappingKey::new_secret().expect("random numbers").expose_secret()).expect("written");
        (file.clone(), WrappingFiles::new(vec![file]))
    }

    fn newest(file: &Path) -> WrappingId {
        let text = SecretString::from(fs::read_to_string(file).expect("a file of keys"));
        WrappingKeys::read([&text]).expect("keys").newest().expect("a key").id()
    }

    #[tokio::test]
    async fn no_key_is_dropped_while_another_than_the_newest_is_in_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, files) = one_key(folder.path());
        let before = Some(newest(&file));
        let held = files.hold().await.expect("held");
        held.renew(before).expect("renewed");
        for in_use in [before, None] {
            held.drop_old(in_use).expect_err("the newest is not in use");
            assert_eq!(held.count().expect("a count"), 2);
        }
        assert!(held.drop_old(Some(newest(&file))).expect("dropped"));
        assert_eq!(held.count().expect("a count"), 1);
        assert_ne!(Some(newest(&file)), before);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_who_put_a_key_before_the_others_none_loses_anothers() {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, files) = one_key(folder.path());
        let add = |files: WrappingFiles| async move { files.hold().await.expect("held").add().expect("added") };
        let all: Vec<_> = (0..20).map(|_| tokio::spawn(add(files.clone()))).collect();
        for one in all {
            one.await.expect("it ends");
        }
        assert_eq!(files.hold().await.expect("held").count().expect("a count"), 21);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_that_is_written_anew_keeps_its_owner_and_its_rights() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
        let folder = tempfile::tempdir().expect("a folder");
        let (file, files) = one_key(folder.path());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set");
        // As root, it is another user's; otherwise it is our own and stays so.
        chown(&file, Some(4711), Some(4712)).unwrap_or_default();
        let of = |path: &Path| fs::metadata(path).map(|of| (of.uid(), of.gid(), of.mode() & 0o777)).expect("a file");
        let before = of(&file);
        let held = files.hold().await.expect("held");
        held.can_renew(newest(&file)).expect("writable");
        held.renew(newest(&file)).expect("renewed");
        assert_eq!(of(&file), before);
        held.drop_old(Some(newest(&file))).expect("dropped");
        assert_eq!((of(&file), of(&file.with_extension("lock"))), (before, before));
        assert!(!file.with_extension("tmp").exists());
    }
}
