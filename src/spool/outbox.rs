//! Delivers pushed feeds as files in `outbox/<recipient>/`, in order of position.
//!
//! An entry is handed over (it counts as served), written, then confirmed. A crash in between writes it again under the
//! same name, which is derived from the entry's id. A `DELETE` removes what was not collected yet, and is an empty file.

use std::fs;
use std::path::{Path, PathBuf};

use super::{SpoolError, SpoolFolders};
use crate::domain::{RecipientId, Syntax};
use crate::feed::Method;
use crate::journey::{HandedOver, Journey};
use crate::store::{Store, Tx as _};
use crate::telemetry::{EntryDelivered, Event as _};

/// What marks a document that rests on an illustration; a comment after the root changes nothing for a parser.
const ILLUSTRATIVE: &str = "<!-- illustrative: nobody has signed the agreement that this rests on -->\n";

/// The outbox.
#[derive(Debug, Clone)]
pub struct Outbox {
    folders: SpoolFolders,
}

impl Outbox {
    /// The outbox of a spool.
    #[must_use]
    pub const fn new(folders: SpoolFolders) -> Self {
        Self { folders }
    }

    /// Delivers everything that waits in pushed feeds; says how many entries there were.
    ///
    /// # Errors
    /// A fault: what was handed over and not confirmed is delivered again.
    pub async fn deliver<S: Store>(&self, journey: &Journey, store: &S) -> Result<usize, SpoolError> {
        let mut tx = store.begin("recipients").await?;
        let recipients = tx.recipients().await?;
        tx.commit().await?;
        let epoch = store.epoch().await?;
        let mut delivered = 0;
        for recipient in recipients.iter().filter(|recipient| recipient.is_pushed()) {
            let folder = self.folders.outbox().join(recipient.as_str());
            fs::create_dir_all(&folder)?;
            while let Some(handed) = journey.hand_over(store, recipient).await? {
                write(&folder, recipient, journey, &handed, epoch)?;
                EntryDelivered { recipient: recipient.as_str(), position: handed.entry.position.0 }.emit();
                journey.confirm(store, recipient, handed).await?;
                delivered += 1;
            }
        }
        Ok(delivered)
    }
}

/// `<subject>.<event id>.<xml|json|delete>`, by rename, the older files of the subject removed.
fn write(folder: &Path, recipient: &RecipientId, journey: &Journey, handed: &HandedOver, epoch: u32) -> std::io::Result<()> {
    let entry = &handed.entry;
    let subject = entry.subject.to_hex();
    let event = entry.event(journey.keys(), recipient, epoch);
    let extension = match entry.method {
        Method::Put => entry.syntax.as_str(),
        Method::Delete => "delete",
    };
    let target = folder.join(format!("{subject}.{}.{extension}", event.id));
    let temporary = folder.join(format!(".{subject}.{}.tmp", event.id));
    let mut document = entry.document.clone();
    if entry.illustrative && entry.method == Method::Put && entry.syntax == Syntax::Xml {
        document.extend_from_slice(ILLUSTRATIVE.as_bytes());
    }
    fs::write(&temporary, document)?;
    fs::File::open(&temporary)?.sync_all()?;
    for old in of_subject(folder, &subject)? {
        if old != target {
            fs::remove_file(old)?;
        }
    }
    fs::rename(temporary, target)?;
    // Confirmed means that it is there even after the power has failed.
    fs::File::open(folder)?.sync_all()
}

fn of_subject(folder: &Path, subject: &str) -> std::io::Result<Vec<PathBuf>> {
    let prefix = format!("{subject}.");
    let mut found = Vec::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        if file.file_name().to_string_lossy().starts_with(&prefix) {
            found.push(file.path());
        }
    }
    Ok(found)
}
