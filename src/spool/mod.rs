//! Floor 4: the spool: folders in which suppliers drop files and from which they collect.
//!
//! `inbox/<login>/<contract>.<message-id>.(json|xml)`: the folder is the sender, its rights stand for the login, and files
//! arrive by rename. A file is deleted after the commit that has stored it; `failed/` holds only files whose names cannot
//! be read.

mod inbox;
mod outbox;

use std::path::{Path, PathBuf};

pub use inbox::{Dropped, Inbox};
pub use outbox::Outbox;

use crate::store::StoreError;

/// Why the spool could not do its work: a reason to wait, never a refusal.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file system.
    #[error("the spool cannot be used: {0}")]
    Files(#[from] std::io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What goes back cannot be delivered now.
    #[error(transparent)]
    Relay(#[from] crate::journey::RelayFault),
}

/// The folders of a spool.
#[derive(Debug, Clone)]
pub struct SpoolFolders {
    root: PathBuf,
}

impl SpoolFolders {
    /// The spool in a folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Where files arrive.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.root.join("inbox")
    }

    /// Where files are collected.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.root.join("outbox")
    }

    /// Where files lie whose names cannot be read.
    #[must_use]
    pub fn failed(&self) -> PathBuf {
        self.root.join("failed")
    }

    /// Makes the folders, with an inbox for each login.
    ///
    /// # Errors
    /// Where the file system does not let us.
    pub fn make<'a>(&self, logins: impl Iterator<Item = &'a str>) -> std::io::Result<()> {
        for login in logins {
            std::fs::create_dir_all(self.inbox().join(login))?;
        }
        for folder in [self.outbox(), self.failed()] {
            std::fs::create_dir_all(&folder)?;
            private(&folder)?;
        }
        self.remove_unfinished()
    }

    /// Removes what a crash left half-written in the outbox: its entry is delivered again, or was withdrawn meanwhile.
    fn remove_unfinished(&self) -> std::io::Result<()> {
        for recipient in std::fs::read_dir(self.outbox())? {
            let recipient = recipient?.path();
            if !recipient.is_dir() {
                continue;
            }
            for file in std::fs::read_dir(recipient)? {
                let path = file?.path();
                if path.extension().is_some_and(|extension| extension == "tmp") {
                    std::fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }
}

/// Contents are not sealed here yet, so nobody but the service's own user may look; an operator can give a collector rights.
#[cfg(unix)]
fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private(_: &Path) -> std::io::Result<()> {
    Ok(())
}
