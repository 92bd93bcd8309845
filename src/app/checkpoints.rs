//! Writes signed checkpoints of the audit chain into a folder, now and then, for keeping elsewhere.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::audit::{self, Checkpoint, CheckpointFault, PublicKey, SigningKey};
use crate::seal::digest_of;
use crate::store::{Store, StoreError};
use crate::telemetry::{CheckpointWritten, Event as _};

/// The file of the key that the signatures of a folder's checkpoints are checked with.
pub const PUBLIC_KEY: &str = "public.key";

/// The keys that the signatures of a folder's checkpoints are checked with, the newest first: the key in use, and those from before
/// it, each under a name of its own. An earlier checkpoint is believed by the key of its time.
///
/// # Errors
/// Where the folder or one of the files cannot be read, or holds no key.
pub fn public_keys(folder: &Path) -> Result<Vec<PublicKey>, WriteFault> {
    let mut files = vec![folder.join(PUBLIC_KEY)];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("public-") && path.extension().is_some_and(|kind| kind == "key") {
            files.push(path);
        }
    }
    files.iter().map(|file| Ok(PublicKey::read(&fs::read_to_string(file)?)?)).collect()
}

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
        let before = fs::read_to_string(&known).ok();
        if before.as_deref() != Some(&public) {
            if let Some(before) = before {
                // What it has signed stays verifiable.
                let print: String = digest_of(&[before.trim().as_bytes()]).chars().take(16).collect();
                whole(&self.folder.join(format!("public-{print}.key")), &before)?;
            }
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
