//! Delivers pushed feeds as files in `outbox/<recipient>/`, in order of position.
//!
//! A crash between writing and confirming writes an entry again under the same name, which is derived from the entry's id.
//! A `DELETE` removes what was not collected yet, and is an empty file.

use std::fs;
use std::path::{Path, PathBuf};

use super::{SpoolError, SpoolFolders};
use crate::domain::Syntax;
use crate::feed::Method;
use crate::journey::{Courier, Delivery, Journey, Parcel};
use crate::store::{Store, Survey as _, Tx as _};

/// Whose lease it is in a data folder.
const OWNER: &str = "the service of this folder";

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

    /// Delivers everything that waits in pushed feeds. The one service of a data folder does this, so its lease is always
    /// its own.
    ///
    /// # Errors
    /// A fault: what was handed over and not confirmed is delivered again.
    pub async fn deliver<S: Store>(&self, journey: &Journey, store: &S) -> Result<(), SpoolError> {
        let mut tx = store.begin("recipients").await?;
        let recipients = tx.recipients().await?;
        tx.commit().await?;
        for recipient in recipients.iter().filter(|recipient| recipient.is_pushed()) {
            while journey.relay(store, self, recipient, OWNER).await? {}
        }
        Ok(())
    }

    /// Writes `<subject>.<event id>.<xml|json|delete>`, by rename, and removes the older files of the subject.
    fn write(&self, parcel: &Parcel) -> std::io::Result<()> {
        let folder = self.folders.outbox().join(parcel.recipient.as_str());
        fs::create_dir_all(&folder)?;
        let subject = parcel.subject.to_hex();
        let extension = match parcel.method {
            Method::Put => parcel.syntax.as_str(),
            Method::Delete => "delete",
        };
        let target = folder.join(format!("{subject}.{}.{extension}", parcel.event_id));
        let temporary = folder.join(format!(".{subject}.{}.tmp", parcel.event_id));
        let mut document = parcel.document.clone();
        if parcel.illustrative && parcel.method == Method::Put && parcel.syntax == Syntax::Xml {
            document.extend_from_slice(ILLUSTRATIVE.as_bytes());
        }
        fs::write(&temporary, document)?;
        fs::File::open(&temporary)?.sync_all()?;
        for old in of_subject(&folder, &subject)? {
            if old != target {
                fs::remove_file(old)?;
            }
        }
        fs::rename(temporary, target)?;
        // Confirmed means that it is there even after the power has failed.
        fs::File::open(folder)?.sync_all()
    }
}

impl Courier for Outbox {
    async fn deliver(&self, parcel: &Parcel) -> Delivery {
        match self.write(parcel) {
            Ok(()) => Delivery::Arrived,
            Err(error) => Delivery::later(format!("the outbox cannot be written: {}", error.kind())),
        }
    }
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
