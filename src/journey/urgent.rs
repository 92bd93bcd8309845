//! What of a message holds although it is stored unopened: a revocation or a protection flag whose participant's key is damaged, or
//! that the store does not take as what it is. It shuts gates and is noted in the ledgers; the message itself is a dead letter all the
//! same, and counts as what it says once a person has run it again.

use super::settle::guarded;
use super::{Journey, Judged, KeyedTx, Opened, judge};
use crate::domain::{Code, ConsentRevision, Envelope, PersonKey};
use crate::seal::Revocation;
use crate::store::{Stored, Tx};

/// A revocation or a flag of a message that is stored unopened.
pub(super) struct Urgent {
    pub(super) person: PersonKey,
    /// The revocation; otherwise it is a flag.
    revocation: Option<Box<ConsentRevision>>,
}

impl Journey {
    /// Looks whether a message that is stored unopened takes something back or protects somebody.
    pub(super) fn urgent(&self, envelope: &Envelope, bytes: &[u8]) -> Option<Urgent> {
        let Opened::Known(identified) = self.open_bytes(envelope, bytes, Code::JourneyFailed) else { return None };
        let person = *identified.person();
        match guarded(|| judge(*identified, false, self.set(), self.keys()))? {
            Judged::Consent(revision) if revision.revoked_at.is_some() => Some(Urgent { person, revocation: Some(revision) }),
            Judged::Protection(_) => Some(Urgent { person, revocation: None }),
            Judged::Diverted(diverted) if diverted.by_itself() => Some(Urgent { person, revocation: None }),
            _ => None,
        }
    }

    /// Lets it hold: nothing of it needs the participant's key. What cannot be judged any more without that key counts as shut.
    pub(super) async fn let_hold<T: Tx>(&self, tx: &mut KeyedTx<T>, urgent: Urgent) -> Stored<()> {
        let Urgent { person, revocation } = urgent;
        match revocation {
            Some(revision) => {
                tx.note_revocation(&person, &revision);
                if let Some(revoked_at) = revision.revoked_at {
                    let (consent, categories) = (revision.key, revision.revoked_categories);
                    tx.keep_revocation(&Revocation { consent, person, revoked_at, categories }).await?;
                }
            }
            None => tx.set_flag(&person).await?,
        }
        self.settle_person(tx, &person, false).await
    }
}
