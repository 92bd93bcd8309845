//! Writes signed checkpoints of the audit chain into a folder, now and then, for keeping elsewhere.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::audit::{self, Checkpoint, CheckpointFault, SigningKey};
use crate::store::{Store, StoreError};
use crate::telemetry::{CheckpointWritten, Event as _};

/// The file of the key that the signatures of a folder's checkpoints are checked with.
pub const PUBLIC_KEY: &str = "public.key";

/// Why a checkpoint cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteFault {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder.
    #[error("the folder of checkpoints cannot be written to: {0}")]
    Files(#[from] std::io::Error),
    /// The key.
    #[error(transparent)]
    Key(#[from] CheckpointFault),
}

/// Where checkpoints are written, and what signs them. Clones share the key.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    key: Arc<SigningKey>,
}

impl Checkpoints {
    /// Into a folder, which is made where it is not there.
    #[must_use]
    pub fn new(folder: PathBuf, key: SigningKey) -> Self {
        Self { folder, key: Arc::new(key) }
    }

    /// Writes how far the chain of a store has come; `None` where that was written before, or there is no chain yet. The name
    /// has the epoch before the number: after a restore a link has the number of another that is lost.
    ///
    /// # Errors
    /// A fault of the store or of the folder: it is tried again.
    pub async fn write<S: Store>(&self, store: &S) -> Result<Option<PathBuf>, WriteFault> {
        let (head, epoch) = (audit::head(store).await?, store.epoch().await?);
        let path = self.folder.join(format!("checkpoint-{epoch}-{:012}.json", head.number));
        if head.number == 0 || path.exists() {
            return Ok(None);
        }
        let text = Checkpoint::of(head, store.now(), epoch).to_text(&self.key)?;
        fs::create_dir_all(&self.folder)?;
        let public = self.key.public().to_text() + "\n";
        let known = self.folder.join(PUBLIC_KEY);
        if fs::read_to_string(&known).ok().as_deref() != Some(&public) {
            whole(&known, &public)?;
        }
        whole(&path, &text)?;
        CheckpointWritten { number: head.number }.emit();
        Ok(Some(path))
    }
}

/// Writes a file whole or not at all.
fn whole(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(temporary, path)
}
